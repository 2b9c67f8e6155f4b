/** Limits by themselves: what they cost, what a failing store does to them, and how much they remember. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Request } from 'express'
import { createRateLimits, type RateLimits } from '../../src/access/rates.js'
import type { BirthDate, KnownPatient, NhsNumber } from '../../src/core/context.js'
import { LIMIT_NAMES, LIMITS, type LimitName, type Rates, TooMany } from '../../src/core/rates.js'
import { Refusal, type RefusalCode } from '../../src/core/refusal.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Store } from '../../src/store/store.js'
import { random, START } from '../contract/parts.js'

const STANDARD = Object.fromEntries(
  LIMIT_NAMES.map((name) => [name, LIMITS[name].points]),
) as unknown as Rates
const NUMBER = '9990000018' as NhsNumber
const BORN = '1944-05-17' as BirthDate
const FOUND = { fhirId: 'p1' } as KnownPatient
const seeker = (localId: string) => ({
  ...{ system: 'gp', organization: 'A83001' },
  user: { localId, roleCodes: [] },
})

let dir: string
let store: Store
let now = START
const clock = () => now
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rates-'))
  store = await openEmbedded({ dir, clock, random })
})
afterAll(async () => {
  await store.close()
  await rm(dir, { recursive: true })
})

let trips = 0
let failures = 0
let turnedAway: LimitName[] = []
beforeEach(() => {
  now += 7_200_000
  trips = 0
  failures = 0
  turnedAway = []
})

const limitsOf = (
  rates: Partial<Rates>,
  count: Store['count'] = (...counter) => store.count(...counter),
): RateLimits =>
  createRateLimits({
    ...{ rates: { ...STANDARD, ...rates }, clock },
    store: {
      count(what, until) {
        trips += 1
        return count(what, until)
      },
    },
    limited: (limit) => turnedAway.push(limit),
    failed: () => {
      failures += 1
    },
  })

const refuse = (limits: RateLimits, code: RefusalCode, ip = '192.0.2.7') =>
  limits.refused({ ip } as Request, {}, new Refusal(code, 'test'))
const codeOf = (outcome: unknown): unknown => (outcome as Refusal).code

describe('refusals that are counted', () => {
  it('stay what they are up to the limit, and are answered by it from then on', async () => {
    const limits = limitsOf({ tokens: 2 })
    const codes = []
    for (let tries = 0; tries < 4; tries++)
      codes.push(codeOf(await refuse(limits, 'token_invalid')))
    expect(codes).toEqual(['token_invalid', 'token_invalid', 'rate_limited', 'rate_limited'])
    expect(turnedAway).toEqual(['tokens', 'tokens'])
  })

  it('are not counted any further once they are over: the store is left alone', async () => {
    const limits = limitsOf({ tokens: 2 })
    for (let tries = 0; tries < 10; tries++) await refuse(limits, 'token_invalid')
    expect(trips).toBe(3)
  })

  it('begin anew when the window is over, to the millisecond', async () => {
    const limits = limitsOf({ tokens: 1 })
    await refuse(limits, 'token_invalid')
    const over = (await refuse(limits, 'token_invalid')) as TooMany
    now = over.window.until - 1
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('rate_limited')
    now += 1
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('token_invalid')
  })

  it('are counted exactly when they come all at once, on two nodes', async () => {
    const nodes = [limitsOf({ tokens: 10 }), limitsOf({ tokens: 10 })] as const
    const all = Array.from({ length: 40 }, (_, index) =>
      refuse(index % 2 ? nodes[0] : nodes[1], 'token_invalid'),
    )
    const codes = (await Promise.all(all)).map(codeOf)
    expect(codes.filter((code) => code === 'token_invalid')).toHaveLength(10)
  })

  it('share one window on a node, so that one entry can stand for all', async () => {
    const limits = limitsOf({ tokens: 1 })
    const all = await Promise.all(Array.from({ length: 20 }, () => refuse(limits, 'token_invalid')))
    const windows = all.filter((refusal) => refusal instanceof TooMany).map(({ window }) => window)
    expect(windows).toHaveLength(19)
    expect(new Set(windows).size).toBe(1)
  })

  it('of other addresses, or of another kind, are counted apart', async () => {
    const limits = limitsOf({ tokens: 1, secrets: 1 })
    await refuse(limits, 'token_invalid')
    expect(codeOf(await refuse(limits, 'token_invalid', '192.0.2.8'))).toBe('token_invalid')
    expect(codeOf(await refuse(limits, 'handle_invalid'))).toBe('handle_invalid')
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('rate_limited')
  })

  it('are not counted where an operator switched the row off', async () => {
    const limits = limitsOf({ tokens: 'off' })
    for (let tries = 0; tries < 5; tries++)
      expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('token_invalid')
    expect(trips).toBe(0)
  })
})

describe('a store that cannot count', () => {
  const failing = async () => {
    throw new Error('the store failed')
  }

  it('stops nobody: each refusal is answered as it is, and the operator is told', async () => {
    const limits = limitsOf({}, failing)
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('token_invalid')
    expect(failures).toBe(1)
  })

  it('leaves the node counting for itself, and the store counts again when it can', async () => {
    let broken = true
    const limits = limitsOf({ tokens: 2 }, (...counter) =>
      broken ? failing() : store.count(...counter),
    )
    for (let tries = 0; tries < 2; tries++) await refuse(limits, 'token_invalid')
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('rate_limited')
    broken = false
    now += 60_000
    expect(codeOf(await refuse(limits, 'token_invalid'))).toBe('token_invalid')
    expect(failures).toBe(3)
  })

  it('does not stop a patient from being found', async () => {
    const find = limitsOf({}, failing).seeking(async () => FOUND)
    expect(await find(NUMBER, BORN, seeker('a'))).toBe(FOUND)
  })
})

describe('looking for a patient', () => {
  const wrong = async (): Promise<never> => {
    throw new Refusal('patient_mismatch', 'birth date')
  }
  const outcome = (found: Promise<KnownPatient>): Promise<unknown> =>
    found.then(() => 'found', codeOf)

  it('costs no trip to the store when number and birth date are right', async () => {
    const find = limitsOf({ patients: 2, people: 2 }).seeking(async () => FOUND)
    for (let tries = 0; tries < 10; tries++) await find(NUMBER, BORN, seeker('a'))
    expect(trips).toBe(0)
  })

  it('judges no further birth date of a patient after so many wrong ones, not even the right one', async () => {
    let born = false
    let asked = 0
    const find = limitsOf({ patients: 3 }).seeking(async () => {
      asked += 1
      return born ? FOUND : wrong()
    })
    for (let tries = 0; tries < 3; tries++)
      expect(await outcome(find(NUMBER, BORN, seeker('a')))).toBe('patient_mismatch')
    born = true
    expect(await outcome(find(NUMBER, BORN, seeker('b')))).toBe('rate_limited')
    expect(asked).toBe(3)
    expect(await outcome(find('9990000026' as NhsNumber, BORN, seeker('a')))).toBe('found')
    expect(await outcome(find(NUMBER, BORN, { ...seeker('a'), organization: 'RYX01' }))).toBe(
      'found',
    )
    now += 3_600_000
    expect(await outcome(find(NUMBER, BORN, seeker('a')))).toBe('found')
  })

  it('judges no more than that of a burst', async () => {
    let asked = 0
    const find = limitsOf({ patients: 3 }).seeking(async () => {
      asked += 1
      return wrong()
    })
    const burst = Array.from({ length: 50 }, () => outcome(find(NUMBER, BORN, seeker('a'))))
    const outcomes = await Promise.all(burst)
    expect(asked).toBe(3)
    expect(outcomes.filter((code) => code === 'rate_limited')).toHaveLength(47)
    expect(turnedAway).toHaveLength(47)
  })

  it('stops one user who is wrong about many patients, and nobody else', async () => {
    const find = limitsOf({ people: 2 }).seeking(wrong)
    const patients = ['9990000018', '9990000026', '9990000034'] as NhsNumber[]
    const outcomes = []
    for (const number of patients) outcomes.push(await outcome(find(number, BORN, seeker('a'))))
    expect(outcomes).toEqual(['patient_mismatch', 'patient_mismatch', 'rate_limited'])
    expect(await outcome(find(NUMBER, BORN, seeker('b')))).toBe('patient_mismatch')
  })

  it('knows on one node after one try what another node counted', async () => {
    const [one, other] = [limitsOf({ patients: 3 }), limitsOf({ patients: 3 })]
    for (let tries = 0; tries < 3; tries++)
      await outcome(one.seeking(wrong)(NUMBER, BORN, seeker('a')))
    const there = other.seeking(wrong)
    expect(await outcome(there(NUMBER, BORN, seeker('a')))).toBe('patient_mismatch')
    expect(await outcome(there(NUMBER, BORN, seeker('a')))).toBe('rate_limited')
  })

  it('counts nothing when the record does not answer', async () => {
    const find = limitsOf({ patients: 1 }).seeking(async () => {
      throw new Refusal('record_unavailable', 'away')
    })
    for (let tries = 0; tries < 5; tries++)
      expect(await outcome(find(NUMBER, BORN, seeker('a')))).toBe('record_unavailable')
    expect(trips).toBe(0)
  })

  it('turns away a user whose system launches without end, and no other user', async () => {
    const find = limitsOf({ launches: 5 }).seeking(async () => FOUND)
    for (let tries = 0; tries < 5; tries++) await find(NUMBER, BORN, seeker('a'))
    expect(await outcome(find(NUMBER, BORN, seeker('a')))).toBe('rate_limited')
    expect(await outcome(find(NUMBER, BORN, seeker('b')))).toBe('found')
    expect(trips).toBe(0)
  })
})

describe('a clock that is set back', () => {
  const asks = async (limits: RateLimits) => {
    let passed = false
    await (async () =>
      limits.flood({ ip: '192.0.2.9' } as Request, {} as never, () => {
        passed = true
      }))().catch(() => undefined)
    return passed
  }

  it('keeps nobody in a window that is longer than its row says', async () => {
    const limits = limitsOf({ flood: 2 })
    now += 86_400_000
    for (const passes of [true, true, false]) expect(await asks(limits)).toBe(passes)
    now -= 86_400_000
    for (const passes of [true, true, false]) expect(await asks(limits)).toBe(passes)
  })

  it('keeps no guess longer than its row says either, and lets none through', async () => {
    const limits = limitsOf({ tokens: 1 })
    now += 86_400_000
    for (const code of ['token_invalid', 'rate_limited'])
      expect(codeOf(await refuse(limits, 'token_invalid'))).toBe(code)
    now -= 86_400_000
    for (const code of ['token_invalid', 'rate_limited', 'rate_limited'])
      expect(codeOf(await refuse(limits, 'token_invalid'))).toBe(code)
  })

  it('gives nobody more by a step within the window', async () => {
    const limits = limitsOf({ flood: 2 })
    now = Math.ceil(now / 60_000) * 60_000 + 1_000
    for (const passes of [true, true]) expect(await asks(limits)).toBe(passes)
    now -= 500
    expect(await asks(limits)).toBe(false)
  })
})

describe('memory', () => {
  it('is bounded: of more addresses than fit, the oldest are forgotten', async () => {
    const limits = limitsOf({ flood: 1 })
    const ask = (ip: string) =>
      new Promise((resolve) => {
        const asked = async () =>
          limits.flood({ ip } as Request, {} as never, () => resolve('let through'))
        asked().catch((refusal) => resolve(codeOf(refusal)))
      })
    expect(await ask('192.0.2.1')).toBe('let through')
    expect(await ask('192.0.2.1')).toBe('rate_limited')
    for (let i = 0; i < 20_001; i++) await ask(`10.0.${i >> 8}.${i & 255}`)
    expect(await ask('192.0.2.1')).toBe('let through')
  })
})
