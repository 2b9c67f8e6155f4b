import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type KeyAlgorithm,
  OUR_KEYS,
  orderedTurn,
  type Ring,
  type RingKey,
  type RingTimes,
  ringTimes,
  scheduledTurn,
  stateOf,
  type Turn,
  turned,
  viewOf,
} from '../../src/core/key-ring.js'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5)
const TIMES: RingTimes = { rotateEvery: 90 * 86_400, publishAhead: 86_400, keepFor: 43_500 }
const NONE: Ring = { revision: 0, keys: [] }

let count = 0
const made = (turn: Turn, now: number): RingKey[] =>
  turn.make.map(({ alg, from }) => {
    const kid = `${alg}-${++count}`
    const use = alg === 'ECDH-ES' ? 'enc' : 'sig'
    return { kid, alg, from, made: now, held: 'held', jwk: { kty: 'EC', kid, alg, use } }
  })

const apply = (turn: Turn | undefined, ring: Ring, now: number): Ring =>
  turn ? turned(turn, made(turn, now)) : ring
const first = apply(scheduledTurn(NONE, START, TIMES), NONE, START)

const states = (ring: Ring, now: number, alg: KeyAlgorithm = 'ES256') =>
  ring.keys.filter((key) => key.alg === alg).map((key) => stateOf(ring, key, now, TIMES))
const kids = (keys: readonly RingKey[]) => keys.map(({ kid }) => kid)

describe('the ring of keys', () => {
  it('begins with one key of each kind, used at once: nobody knows another yet', () => {
    expect(first.revision).toBe(1)
    expect(first.keys.map(({ alg, from }) => [alg, from])).toEqual(
      OUR_KEYS.map(({ alg }) => [alg, START]),
    )
    expect(scheduledTurn(first, START, TIMES)).toBeUndefined()
  })

  it('publishes the next key a day ahead, uses it on its day, and keeps the old one for a while', () => {
    const due = START + 89 * DAY
    expect(scheduledTurn(first, due - 1, TIMES)).toBeUndefined()
    const ring = apply(scheduledTurn(first, due, TIMES), first, due)
    expect(states(ring, due)).toEqual(['active', 'next'])
    expect(scheduledTurn(ring, due, TIMES)).toBeUndefined()
    const used = START + 90 * DAY
    expect(states(ring, used - 1)).toEqual(['active', 'next'])
    expect(states(ring, used)).toEqual(['retiring', 'active'])
    const over = used + TIMES.keepFor * 1000
    expect(states(ring, over - 1)).toEqual(['retiring', 'active'])
    expect(states(ring, over)).toEqual(['retired', 'active'])
  })

  it('gives the next key its whole day although the rotation comes late', () => {
    const late = START + 200 * DAY
    const turn = scheduledTurn(first, late, TIMES)
    expect(turn?.make.map(({ from }) => from)).toEqual([late + DAY, late + DAY, late + DAY])
  })

  it('never rotates by itself when it is told so', () => {
    const never = { ...TIMES, rotateEvery: 0 }
    expect(scheduledTurn(first, START + 10_000 * DAY, never)).toBeUndefined()
    expect(scheduledTurn(NONE, START, never)?.make).toHaveLength(3)
  })

  it('keeps of a retired key the public part, for checkpoints, and nothing of other kinds', () => {
    const now = START + DAY
    const ring = apply(
      orderedTurn(first, now, TIMES, { atOnce: true, compromised: [] }),
      first,
      now,
    )
    const over = now + TIMES.keepFor * 1000
    expect(scheduledTurn(ring, over - 1, TIMES)).toBeUndefined()
    const turn = scheduledTurn(ring, over, TIMES)
    expect(turn?.make).toEqual([])
    expect(turn?.retired).toEqual(kids(first.keys))
    const left = apply(turn, ring, over).keys
    expect(left.map(({ alg, held }) => [alg, held])).toEqual([
      ['ES256', undefined],
      ...OUR_KEYS.map(({ alg }) => [alg, 'held']),
    ])
    expect(scheduledTurn(apply(turn, ring, over), over, TIMES)).toBeUndefined()
  })

  it('publishes of the sealing keys only the one to seal to, and opens with all (OIDC Core §10.2.1)', () => {
    const order = { atOnce: false, compromised: [] }
    const ring = apply(orderedTurn(first, START, TIMES, order), first, START)
    const shown = (now: number) =>
      viewOf(ring, now, TIMES).published.filter(({ alg }) => alg === 'ECDH-ES').length
    const opens = (now: number) =>
      viewOf(ring, now, TIMES).trusted.filter(({ alg }) => alg === 'ECDH-ES').length
    expect([shown(START), opens(START)]).toEqual([1, 2])
    expect([shown(START + DAY), opens(START + DAY)]).toEqual([1, 2])
  })

  it('uses a new key at once in an emergency, and lets the one that waited retire', () => {
    const waiting = apply(
      orderedTurn(first, START, TIMES, { atOnce: false, compromised: [] }),
      first,
      START,
    )
    const order = { atOnce: true, compromised: [] }
    const ring = apply(orderedTurn(waiting, START + 1, TIMES, order), waiting, START + 1)
    expect(states(ring, START + 1)).toEqual(['retiring', 'retiring', 'active'])
  })

  it('trusts a compromised key no more, though a clock may be behind', () => {
    const now = START + DAY
    const [stolen = ''] = kids(first.keys)
    const turn = orderedTurn(first, now, TIMES, { atOnce: true, compromised: [stolen] })
    expect(turn?.compromised).toEqual([stolen])
    const ring = apply(turn, first, now)
    for (const time of [now - 60_000, now, now + DAY]) {
      const view = viewOf(ring, time, TIMES)
      expect(kids(view.trusted)).not.toContain(stolen)
      expect(kids(view.published)).not.toContain(stolen)
      expect(view.active.ES256?.kid).not.toBe(stolen)
      expect(view.active.ES256).toBeDefined()
    }
  })

  it('lets a key that was compromised before its time leave the old one in use, until another takes over', () => {
    const calm = { atOnce: false, compromised: [] }
    const waiting = apply(orderedTurn(first, START, TIMES, calm), first, START)
    const now = START + DAY / 2
    const next = kids(waiting.keys.slice(3))
    const turn = orderedTurn(waiting, now, TIMES, { atOnce: false, compromised: next })
    const ring = apply(turn, waiting, now)
    expect(states(ring, START + DAY)).toEqual(['active', 'compromised', 'next'])
    const over = now + DAY + TIMES.keepFor * 1000
    expect(states(ring, over - 1)).toEqual(['retiring', 'compromised', 'active'])
    expect(states(ring, over)).toEqual(['retired', 'compromised', 'active'])
  })

  it('keeps keys as long as the longest that they sign, a margin for clocks, and no less than they are published ahead', () => {
    const lifetimes = { access_token: 300, session: 43_200 }
    expect(ringTimes({ rotate_days: 90, publish_ahead_hours: 1 }, lifetimes)).toEqual({
      rotateEvery: 90 * 86_400,
      publishAhead: 3600,
      keepFor: 43_500,
    })
    expect(ringTimes({ rotate_days: 0, publish_ahead_hours: 48 }, lifetimes)).toMatchObject({
      keepFor: 48 * 3600 + 300,
    })
  })
})

type Step = {
  readonly wait: number
  readonly act: 'schedule' | 'rotate' | 'now' | 'stolen' | 'all'
}

const steps = fc.array(
  fc.record<Step>({
    wait: fc.integer({ min: 0, max: 100 * 24 }).map((hours) => hours * 3_600_000),
    act: fc.constantFrom('schedule', 'schedule', 'schedule', 'rotate', 'now', 'stolen', 'all'),
  }),
  { maxLength: 25 },
)

function step(ring: Ring, now: number, act: Step['act']): Ring {
  const active = viewOf(ring, now, TIMES).active.ES256?.kid ?? ''
  const orders = {
    rotate: { atOnce: false, compromised: [] },
    now: { atOnce: true, compromised: [] },
    stolen: { atOnce: true, compromised: [active] },
    all: { atOnce: true, compromised: 'all' },
  } as const
  const turn =
    act === 'schedule'
      ? scheduledTurn(ring, now, TIMES)
      : orderedTurn(ring, now, TIMES, orders[act])
  return apply(turn, ring, now)
}

/** Every ring on the way, with its time. */
function* history(
  taken: readonly Step[],
): Generator<{ ring: Ring; now: number; act: Step['act'] }> {
  let [ring, now] = [first, START]
  for (const { wait, act } of taken) {
    now += wait
    ring = step(ring, now, act)
    yield { ring, now, act }
  }
}

describe('whatever happens to the ring', () => {
  it('there is one key in use of each kind, at any time, and it has its private part', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: -300, max: 10_000 }), (taken, later) => {
        for (const { ring, now } of history(taken)) {
          const { active } = viewOf(ring, now + later * 60_000, TIMES)
          for (const { alg } of OUR_KEYS) expect(active[alg]?.held).toBe('held')
        }
      }),
    )
  })

  it('a signature that was made with a published key is believed until it is dead, unless the key was compromised', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const signed = new Map<string, number>()
        for (const { ring, now } of history(taken)) {
          const view = viewOf(ring, now, TIMES)
          for (const [kid, at] of signed) {
            const compromised = ring.keys.some((key) => key.kid === kid && key.compromised)
            if (now < at + (TIMES.keepFor - 1) * 1000 && !compromised)
              expect(kids(view.trusted)).toContain(kid)
          }
          signed.set(view.active.ES256?.kid ?? '', now)
        }
      }),
    )
  })

  it('no key is used by schedule that was not published for the whole time before', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const calm = taken.filter(({ act }) => act === 'schedule' || act === 'rotate')
        for (const { ring } of history(calm))
          for (const key of ring.keys)
            expect(key.made === START || key.from - key.made >= TIMES.publishAhead * 1000).toBe(
              true,
            )
      }),
    )
  })

  it('a compromised key is never trusted again, and every key that signed checkpoints is kept', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const used = new Set<string>()
        for (const { ring, now } of history(taken)) {
          for (const key of ring.keys.filter(({ alg }) => alg === 'ES256')) used.add(key.kid)
          const { trusted, published } = viewOf(ring, now, TIMES)
          for (const key of ring.keys.filter(({ compromised }) => compromised !== undefined)) {
            expect([...trusted, ...published]).not.toContain(key)
            expect(key.held).toBeUndefined()
          }
          expect(kids(ring.keys)).toEqual(expect.arrayContaining([...used]))
        }
      }),
    )
  })

  it('a view holds until the moment that it names, and not longer', () => {
    const told = ({ active, published, trusted }: ReturnType<typeof viewOf>) =>
      JSON.stringify([active, published, trusted])
    fc.assert(
      fc.property(steps, (taken) => {
        for (const { ring, now } of history(taken)) {
          const view = viewOf(ring, now, TIMES)
          expect(view.from <= now && now < view.until).toBe(true)
          if (view.until === Infinity) continue
          expect(told(viewOf(ring, view.until - 1, TIMES))).toBe(told(view))
        }
      }),
    )
  })
})
