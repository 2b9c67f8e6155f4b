import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Chart, chartAfter, contextIdOf, isSuperseded } from '../../src/core/context-id.js'
import { newLaunchId } from '../../src/core/ids.js'
import { launchSystemRow } from '../../src/core/registration.js'

const launchAt = (minute: number) => newLaunchId(minute * 60_000, () => new Uint8Array(8))
const at = (minute: number, patient: string) => ({ launch: launchAt(minute), patient })
const opened = (...launches: ReturnType<typeof at>[]) =>
  launches.reduce<Chart | undefined>(chartAfter, undefined)

describe('the rule of a launch system', () => {
  it('is never, unless its registration says otherwise, in words that are known', () => {
    const row = {
      ...{ id: 'my-gp', name: 'x', rung: 'pushed', jwks: { keys: [{}] }, sign_on: 'launch' },
      ...{ organizations: ['*'], apps: ['care-plan'] },
    }
    expect(launchSystemRow.parse(row).supersede).toBe('never')
    expect(launchSystemRow.parse({ ...row, supersede: 'always' }).supersede).toBe('always')
    expect(launchSystemRow.safeParse({ ...row, supersede: 'sometimes' }).success).toBe(false)
  })
})

describe('a launch’s context', () => {
  it('has a name of its own, the same for as long as the launch lives', () => {
    expect(contextIdOf('lch_0mxyz0123')).toBe('ctx_0mxyz0123')
  })

  it('is superseded by the next patient, never by the same one, and does not come back', () => {
    const [first, second, third] = [at(1, 'peggy'), at(2, 'winston'), at(3, 'peggy')]
    expect(isSuperseded('other-patient', opened(first), first)).toBe(false)
    expect(isSuperseded('other-patient', opened(first, at(2, 'peggy')), first)).toBe(false)
    expect(isSuperseded('other-patient', opened(first, second), first)).toBe(true)
    expect(isSuperseded('other-patient', opened(first, second, third), first)).toBe(true)
    expect(isSuperseded('other-patient', opened(first, second, third), third)).toBe(false)
  })

  it('is superseded by any later launch where the system says so, and by none where it says never', () => {
    const [first, second] = [at(1, 'peggy'), at(2, 'peggy')]
    expect(isSuperseded('always', opened(first, second), first)).toBe(true)
    expect(isSuperseded('always', opened(first, second), second)).toBe(false)
    expect(isSuperseded('never', opened(first, at(2, 'winston')), first)).toBe(false)
  })

  it('is not brought back by a launch that arrived first and was opened last', () => {
    const [late, next] = [at(1, 'peggy'), at(2, 'winston')]
    const chart = opened(next, late)
    expect(isSuperseded('other-patient', chart, late)).toBe(true)
    expect(isSuperseded('other-patient', chart, next)).toBe(false)
  })

  it('stands for what was never known of any chart, as for a launch without a patient', () => {
    expect(isSuperseded('always', undefined, at(1, 'peggy'))).toBe(false)
    const none = { launch: launchAt(1) }
    expect(isSuperseded('other-patient', chartAfter(undefined, none), none)).toBe(false)
    expect(isSuperseded('other-patient', opened(at(2, 'peggy')), none)).toBe(true)
  })

  it('lets nobody write but on the patient of the launch that arrived last, in whatever order they open', () => {
    const launches = fc
      .array(fc.constantFrom('peggy', 'winston', 'david'), { minLength: 1, maxLength: 8 })
      .chain((patients) => {
        const all = patients.map((patient, minute) => at(minute, patient))
        return fc.shuffledSubarray(all, { minLength: all.length }).map((order) => ({ all, order }))
      })
    fc.assert(
      fc.property(launches, ({ all, order }) => {
        const [chart, last] = [opened(...order), all.at(-1)]
        const live = all.filter((one) => !isSuperseded('other-patient', chart, one))
        expect(live).toContain(last)
        expect(new Set(live.map(({ patient }) => patient))).toEqual(new Set([last?.patient]))
        expect(all.filter((one) => !isSuperseded('always', chart, one))).toEqual([last])
      }),
    )
  })
})
