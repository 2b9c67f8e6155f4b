/** What is counted by all machines together. */
import { describe, expect, it } from '@jest/globals'
import { type Machines, MINUTE, unique } from './parts.js'

export function countContract(t: Machines): void {
  describe('counts', () => {
    it('gives each of forty callers on two machines a number of their own', async () => {
      const what = unique('tokens')
      const callers = Array.from({ length: 40 }, (_, index) => (index % 2 ? t.store : t.other))
      const counts = await Promise.all(callers.map((store) => store.count(what, t.now + MINUTE)))
      expect([...counts].sort((a, b) => a - b)).toEqual(counts.map((_, index) => index + 1))
    })

    it('keeps counters apart, from each other and from claims of the same name', async () => {
      for (const name of ['tokens:192.0.2.1', 'a b{c}/\u0000', '{a}', 'x'.repeat(5000), '\ud800']) {
        const what = unique(name)
        expect(await t.store.count(what, t.now + MINUTE)).toBe(1)
        expect(await t.store.count(`${what}1`, t.now + MINUTE)).toBe(1)
        expect(await t.store.commit({ claims: [{ what, until: t.now + MINUTE }] })).toBe(true)
        expect(await t.other.count(what, t.now + MINUTE)).toBe(2)
      }
    })

    it('remembers a counter until its time, and no longer than it must', async () => {
      const [short, long] = [unique('short'), unique('long')]
      await t.store.count(short, t.now + MINUTE)
      await t.store.count(long, t.now + 2 * MINUTE)
      t.now += MINUTE - 1
      await t.store.sweep()
      expect(await t.other.count(short, t.now + 1)).toBe(2)
      t.now += 1
      expect((await t.store.sweep()) > 0).toBe(t.shared.sweeps)
      expect(await t.other.count(long, t.now + MINUTE)).toBe(2)
    })
  })
}
