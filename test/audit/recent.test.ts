/** The trail read from its young end: nothing is lost between slices and pages, and no more is read than allowed. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { searchBack, searchLaunch, walkBack } from '../../src/audit/recent.js'
import type { TrailEntry } from '../../src/core/audit.js'
import type { TrailRange } from '../../src/store/store.js'

const entry = (at: number, seq: number, user = 'a') =>
  ({
    at,
    seq,
    what: 'access_allowed',
    outcome: 'success',
    writer: 'w',
    user: { id: user },
  }) as TrailEntry

function trailOf(entries: readonly TrailEntry[]) {
  let read = 0
  return {
    read: () => read,
    async *trail({ from = 0, to = Number.POSITIVE_INFINITY }: TrailRange = {}) {
      for (const each of entries) {
        if (each.at < from || each.at >= to) continue
        read += 1
        yield each
      }
    },
  }
}

const times = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 60 })
const entriesAt = (all: readonly number[]) =>
  [...all].sort((a, b) => a - b).map((at, seq) => entry(at, seq))

const RANGE = { from: 0, to: 5_000_001 }

describe('one launch', () => {
  const launch = `lch_${(1_000_000).toString(36).padStart(9, '0')}${'0'.repeat(16)}`
  const all = Array.from({ length: 900 }, (_, i) => ({
    ...entry(1_000_000 + i * 1000, i),
    ...(i % 3 === 0 ? { launch: launch as `lch_${string}` } : {}),
  }))

  it('is found whole within its own time, or as far as may be read, and then it is said', async () => {
    const whole = await searchLaunch(trailOf(all), launch, { most: 900, limit: 301 })
    expect(whole.entries.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 300 }, (_, i) => i * 3),
    )
    expect(whole.reached).toBeUndefined()
    const short = await searchLaunch(trailOf(all), launch, { most: 899, limit: 301 })
    expect(short).toMatchObject({ reached: 1_899_000 })
    const few = await searchLaunch(trailOf(all), launch, { most: 900, limit: 2 })
    expect(few).toMatchObject({ entries: [{ seq: 0 }, { seq: 3 }], reached: 1_004_000 })
    expect((await searchLaunch(trailOf(all), 'lch_x', { most: 900, limit: 9 })).entries).toEqual([])
  })
})

describe('searches at once', () => {
  it('read one after the other, and one that fails stops no other', async () => {
    let reading = 0
    let most = 0
    let fail = true
    const store = {
      async *trail() {
        most = Math.max(most, ++reading)
        await Promise.resolve()
        reading -= 1
        if (fail) {
          fail = false
          throw new Error('the store is away')
        }
        yield entry(5, 1)
      },
    }
    const bounds = { from: 0, to: 10, most: 10, limit: 5 }
    const done = await Promise.allSettled([1, 2, 3].map(() => searchBack(store, {}, bounds)))
    expect(done.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(most).toBe(1)
  })
})

describe('the trail backwards', () => {
  it('gives each entry of the time once, slice after slice', async () => {
    await fc.assert(
      fc.asyncProperty(times, async (all) => {
        const entries = entriesAt(all)
        const seen: TrailEntry[] = []
        for await (const slice of walkBack(trailOf(entries), { ...RANGE, most: 1000 }))
          seen.unshift(...slice.entries)
        expect(seen).toEqual(entries)
      }),
    )
  })

  it('gives the newest first, and page after page all of them once', async () => {
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 7 }), async (all, limit) => {
        const entries = entriesAt(all)
        const seen: TrailEntry[] = []
        let to = RANGE.to
        for (let page = 0; page < 100; page++) {
          const bounds = { from: 0, to, most: 1000, limit }
          const found = await searchBack(trailOf(entries), {}, bounds)
          seen.push(...found.entries)
          if (found.whole) break
          expect(found.reached).toBeLessThan(to)
          to = found.reached
        }
        expect(seen.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
          entries.map(({ seq }) => seq),
        )
        expect(seen.map(({ at }) => at)).toEqual([...entries].reverse().map(({ at }) => at))
      }),
    )
  })

  it('reads no more than it may, and says how far it came', async () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => entry(i * 100, i))
    const trail = trailOf(entries)
    const bounds = { from: 0, to: 1_000_000, most: 1_000, limit: 50 }
    const found = await searchBack(trail, { user: 'nobody' }, bounds)
    expect(found).toMatchObject({ entries: [], whole: false })
    expect(found.reached).toBeGreaterThan(850_000)
    expect(trail.read()).toBeLessThan(5_000)
  })

  it('stops at a second that holds more than may be read', async () => {
    const entries = Array.from({ length: 3_000 }, (_, i) => entry(500_000, i))
    const bounds = { from: 0, to: 500_001, most: 1_000, limit: 50 }
    const found = await searchBack(trailOf(entries), {}, bounds)
    expect(found).toMatchObject({ entries: [], whole: false, reached: 500_001 })
  })
})
