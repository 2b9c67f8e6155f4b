import { describe, expect, it } from '@jest/globals'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { isAbout, isComplete, type SentLaunch, stagesOf } from '../../src/demo/desktop-inspector.js'

const AT = 1_000
const launch = 'lch_one'
const sent: SentLaunch = { id: 'snt_1', at: AT, system: 'gp-post', how: 'sent', jti: 'token-1' }

const trail = (...happenings: readonly Partial<Happening>[]): readonly TrailEntry[] =>
  happenings.map((happening, i) => ({
    ...{ what: 'launch_verified', outcome: 'success', launch, writer: 'w', seq: i + 1, at: AT + i },
    ...{ prev: 'p', hash: 'h', ...happening },
  }))
const states = (entries: readonly TrailEntry[]) =>
  Object.fromEntries(stagesOf(sent, entries, []).map(({ name, state }) => [name, state]))
const VERIFIED = { what: 'launch_verified', detail: { jti: 'token-1' } } as const
const SIGNED_ON = { what: 'signed_on' } as const
const ALLOWED = { what: 'decision_made', policy: { version: 3, effect: 'allow' } } as const
const OPENED = { what: 'session_opened' } as const
const TO_THE_APP = [VERIFIED, SIGNED_ON, ALLOWED, OPENED] as const

describe('the stages of a launch', () => {
  it('wait until the trail speaks of them, and are complete once the record was read', () => {
    expect(states([])).toMatchObject({ sent: 'done', proof: 'waiting', reads: 'waiting' })
    const whole = trail(
      ...TO_THE_APP,
      ...[{ what: 'authorization_asked' } as const, { what: 'grant_opened' } as const],
      ...[{ what: 'token_issued' } as const, { what: 'access_allowed' } as const],
    )
    expect(Object.values(states(whole))).toEqual(Array(9).fill('done'))
    expect(isComplete(stagesOf(sent, whole, []))).toBe(true)
    expect(isComplete(stagesOf(sent, whole.slice(0, 7), []))).toBe(false)
  })

  it('end where the launch was refused, with the code, the words and the reference that the user sees', () => {
    const refused = trail({
      ...{ what: 'launch_refused', outcome: 'refused', refusal: 'launch_expired' },
      reference: 'ref_1',
    })
    const stages = stagesOf(sent, refused, [])
    expect(stages[1]).toMatchObject({
      state: 'refused',
      refusal: { code: 'launch_expired', reference: 'ref_1' },
    })
    expect(stages[1]?.text).toMatch(/has expired or was already used/)
    expect(stages.slice(2).every(({ state }) => state === 'unreached')).toBe(true)
    expect(isComplete(stages)).toBe(true)
  })

  it('tell a policy’s no as the decision’s, not as the proof’s', () => {
    const denied = trail(
      VERIFIED,
      { what: 'decision_made', outcome: 'refused', policy: { version: 3, effect: 'deny' } },
      { what: 'launch_refused', outcome: 'refused', refusal: 'launch_denied', reference: 'ref_2' },
    )
    expect(states(denied)).toMatchObject({
      proof: 'done',
      decision: 'refused',
      session: 'unreached',
    })
  })

  it('tell another person at sign-in as the sign-on’s refusal', () => {
    const other = trail(...[VERIFIED, { what: 'sign_on_asked' } as const, SIGNED_ON], {
      what: 'launch_refused',
      outcome: 'refused',
      refusal: 'person_mismatch',
    })
    expect(states(other)).toMatchObject({ proof: 'done', 'sign-on': 'refused' })
  })

  it('go on waiting when a stronger sign-in or the date of birth is asked for again', () => {
    const stronger = trail(
      VERIFIED,
      { what: 'decision_made', outcome: 'refused' },
      { what: 'sign_on_asked' },
    )
    expect(states(stronger)).toMatchObject({ 'sign-on': 'waiting', decision: 'waiting' })
    const again = trail(VERIFIED, SIGNED_ON, ALLOWED, {
      what: 'patient_confirmed',
      outcome: 'refused',
    })
    expect(states(again)).toMatchObject({ decision: 'done', session: 'waiting' })
  })

  it('pass by what needed no entry, such as a user who was signed on before', () => {
    expect(states(trail(VERIFIED, ALLOWED, OPENED))['sign-on']).toBe('passed')
  })

  it('are not ended by one refused read', () => {
    const read = trail(
      ...TO_THE_APP,
      { what: 'access_allowed' },
      { what: 'access_refused', outcome: 'refused' },
    )
    expect(states(read).reads).toBe('done')
  })
})

describe('a trail entry', () => {
  const entry = (happening: Partial<TrailEntry>): TrailEntry => ({
    ...{ what: 'launch_refused', outcome: 'refused', writer: 'w', seq: 1, at: AT },
    ...{ prev: 'p', hash: 'h', ...happening },
  })

  it('is about a launch by token number, handle, launch or reference, and never from before it was sent', () => {
    expect(isAbout(sent, entry({ detail: { jti: 'token-1' } }))).toBe(true)
    expect(isAbout(sent, entry({ detail: { jti: 'token-2' } }))).toBe(false)
    expect(isAbout(sent, entry({ detail: { jti: 'token-1' }, at: AT - 1 }))).toBe(false)
    const smart: SentLaunch = { ...sent, handle: 'h-1' }
    expect(isAbout(smart, entry({ detail: { handle: 'h-1' } }))).toBe(true)
    expect(isAbout(smart, entry({ detail: { handle: 'h-2' } }))).toBe(false)
    expect(isAbout({ ...sent, launch }, entry({ what: 'token_issued', launch }))).toBe(true)
    const pushed: SentLaunch = { ...sent, refused: { reference: 'ref_1' } }
    expect(isAbout(pushed, entry({ reference: 'ref_2' }))).toBe(false)
    expect(isAbout(pushed, entry({ reference: 'ref_1' }))).toBe(true)
  })

  it('that names nothing is taken for this launch’s when it comes after it, from this system or from none', () => {
    expect(isAbout(sent, entry({ refusal: 'launch_clear_text' }))).toBe(true)
    expect(isAbout(sent, entry({ system: 'gp-push' }))).toBe(false)
    expect(isAbout(sent, entry({ what: 'access_refused' }))).toBe(false)
  })
})
