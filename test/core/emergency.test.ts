import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { KnownUser, OdsCode } from '../../src/core/context.js'
import {
  closeEmergency,
  type Emergency,
  isReviewable,
  openEmergency,
  readFinding,
  readPlea,
} from '../../src/core/emergency.js'

const NURSE: KnownUser & { readonly sdsUserId: string } = {
  ...{ localId: 'ngozi', name: 'Ngozi Adeyemi', sdsUserId: '555254239103', roleCodes: [] },
  ...{ roles: ['community-nurse'], activities: ['B0360'], activitySource: 'listed', assurance: 2 },
  organization: { odsCode: 'RYX01' as OdsCode, type: 'community', region: 'capital' },
}
const PLEA = { reason: 'life-threatening', text: 'Found unconscious at home.' } as const
const HOUR = 3_600_000
const opened: Emergency = openEmergency(
  'emg_1',
  { launch: 'lch_1', patient: { fhirId: 'pat-1' }, system: 'gp-push', app: 'care-plan' },
  NURSE,
  PLEA,
  { at: 1000, until: 1000 + HOUR },
)
const OFFICER = { uid: '555254239999', name: 'Pat Officer' }
const FINDING = { outcome: 'appropriate', text: 'As the crew says.' } as const

describe('a plea', () => {
  it.each([
    ['life-threatening', 'x'.repeat(10)],
    ['other-urgent', 'x'.repeat(500)],
  ])('is taken: %s', (reason, text) => {
    expect(readPlea(reason, text)).toEqual({ reason, text })
  })

  it.each([
    ['', 'long enough to say', 'reason'],
    ['Life-Threatening', 'long enough to say', 'reason'],
    ['constructor', 'long enough to say', 'reason'],
    ['life-threatening', 'x'.repeat(9), 'text'],
    ['life-threatening', 'x'.repeat(501), 'text'],
    ['life-threatening', ` ${'x '.repeat(4)}\u200b\u202e\u2066\n\t `, 'text'],
    ['life-threatening', '\u200b'.repeat(100), 'text'],
  ])('of %p is not', (reason, text, fault) => {
    expect(readPlea(reason, text)).toEqual({ fault })
  })

  it('keeps nothing that could mislead whoever reads it, and stays within its bounds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        const plea = readPlea('other-urgent', text)
        if ('fault' in plea) return
        expect(plea.text).not.toMatch(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u)
        expect(plea.text.length).toBeGreaterThanOrEqual(10)
        expect(plea.text.length).toBeLessThanOrEqual(500)
      }),
    )
  })
})

describe('one use of emergency access', () => {
  it('says who, for whom, why and until when', () => {
    expect(opened).toEqual({
      ...{ id: 'emg_1', launch: 'lch_1', system: 'gp-push', app: 'care-plan', ...PLEA },
      user: {
        ...{ uid: '555254239103', name: 'Ngozi Adeyemi' },
        ...{ roles: ['community-nurse'], organization: 'RYX01' },
      },
      patient: { fhirId: 'pat-1' },
      ...{ at: 1000, until: 1000 + HOUR },
    })
  })

  it('is only for whom a reviewer can be told from', () => {
    const { sdsUserId: _, ...local } = NURSE
    expect(isReviewable(NURSE)).toBe(true)
    expect(isReviewable(local)).toBe(false)
  })

  it('is closed by somebody else, with a finding', () => {
    expect(closeEmergency(opened, OFFICER, FINDING, 5000)).toEqual({
      ...opened,
      closed: { by: OFFICER, at: 5000, finding: FINDING },
    })
  })

  it.each([NURSE.sdsUserId, ` ${NURSE.sdsUserId} `, `\u200b${NURSE.sdsUserId}`, '', ' ', '\u200b'])(
    'is not closed by who used it, nor by nobody: %j',
    (uid) => {
      const close = () => closeEmergency(opened, { uid, name: 'Another' }, FINDING, 5000)
      expect(close).toThrow(expect.objectContaining({ code: 'emergency_own' }))
    },
  )

  it('is closed once', () => {
    const closed = closeEmergency(opened, OFFICER, FINDING, 5000)
    const other = { uid: '555254239998', name: 'Sam Officer' }
    const again = () => closeEmergency(closed, other, FINDING, 6000)
    expect(again).toThrow(expect.objectContaining({ code: 'emergency_closed' }))
  })

  it('takes a finding of the list, in words', () => {
    expect(readFinding('appropriate', FINDING.text)).toEqual(FINDING)
    expect(readFinding('fine', FINDING.text)).toEqual({ fault: 'outcome' })
    expect(readFinding('unclear', 'short')).toEqual({ fault: 'text' })
  })
})
