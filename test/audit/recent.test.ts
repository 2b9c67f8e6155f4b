/** The trail read from its young end: nothing is lost between slices and pages, and no more is read than allowed. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { searchBack, walkBack } from '../../src/audit/recent.js'
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
