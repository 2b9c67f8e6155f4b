/** What may happen only once. */
import { describe, expect, it } from '@jest/globals'
import { newLaunchId } from '../../src/core/ids.js'
import { entriesAt, type Machines, MINUTE, person, random, references, unique } from './parts.js'

export function claimContract(t: Machines): void {
  describe('claims', () => {
    it('gives a claim to exactly one of twenty callers on two machines', async () => {
      const claims = [{ what: unique('jti/gp'), until: t.now + MINUTE }]
      const callers = Array.from({ length: 20 }, (_, index) => (index % 2 ? t.store : t.other))
      const won = await Promise.all(callers.map((caller) => caller.commit({ claims })))
      expect(won.filter(Boolean)).toHaveLength(1)
    })

    it('refuses a claim one millisecond before its time is over, on every machine', async () => {
      const claims = [{ what: unique('code'), until: t.now + MINUTE }]
      expect(await t.store.commit({ claims })).toBe(true)
      t.now += MINUTE - 1
      expect(await t.store.commit({ claims })).toBe(false)
      expect(await t.other.commit({ claims })).toBe(false)
    })

    it('gives a claim anew once its time is over, again to one caller only', async () => {
      const what = unique('code')
      expect(await t.store.commit({ claims: [{ what, until: t.now + MINUTE }] })).toBe(true)
      t.now += MINUTE
      const claims = [{ what, until: t.now + MINUTE }]
      const callers = Array.from({ length: 20 }, (_, index) => (index % 2 ? t.store : t.other))
      const won = await Promise.all(callers.map((caller) => caller.commit({ claims })))
      expect(won.filter(Boolean)).toHaveLength(1)
    })

    it('gives nobody a claim whose time was over before it was made: its caller stood still too long', async () => {
      const claims = (what: string, until: number) => ({ claims: [{ what: unique(what), until }] })
      expect(await t.store.commit(claims('late', t.now - 1))).toBe(false)
      expect(await t.store.commit(claims('just-late', t.now))).toBe(false)
      expect(await t.store.commit(claims('in-time', t.now + 1))).toBe(true)
    })

    it('writes nothing else when a claim is lost', async () => {
      const [what, id, mark] = [unique('jti'), unique('p'), unique('lost')]
      const claims = [{ what, until: t.now + MINUTE }]
      await t.store.commit({ claims })
      const put = person(id, 'u', t.now + MINUTE)
      const done = await t.store.commit({ claims, entries: entriesAt(t.now, mark), puts: [put] })
      expect(done).toBe(false)
      expect(await t.store.get('person', id)).toBeUndefined()
      expect(await references(t.store)).not.toContain(`ref_${mark}`)
    })

    it('takes claims in their order: those before a lost one stay spent, those after it are free', async () => {
      const [first, lost, last] = [unique('a'), unique('b'), unique('c')]
      const claim = (what: string) => ({ what, until: t.now + MINUTE })
      await t.store.commit({ claims: [claim(lost)] })
      expect(await t.store.commit({ claims: [first, lost, last].map(claim) })).toBe(false)
      expect(await t.store.commit({ claims: [claim(first)] })).toBe(false)
      expect(await t.store.commit({ claims: [claim(last)] })).toBe(true)
    })

    it('loses a claim that one commit names twice', async () => {
      const claim = { what: unique('twice'), until: t.now + MINUTE }
      expect(await t.store.commit({ claims: [claim, claim] })).toBe(false)
    })

    it('keeps apart claims whose names differ only in what UTF-8 cannot write', async () => {
      const name = unique('jti')
      const claims = (what: string) => ({ claims: [{ what, until: t.now + MINUTE }] })
      expect(await t.store.commit(claims(`${name}\ud800`))).toBe(true)
      expect(await t.store.commit(claims(`${name}\ud801`))).toBe(true)
      expect(await t.store.commit(claims(`${name}\ud800`))).toBe(false)
    })

    it('takes a claim as long as a system may send it, and of a launch as of anything else', async () => {
      for (const what of [
        'x'.repeat(5000),
        `code/${newLaunchId(t.now, random)}`,
        'a b{c}/\u0000',
      ]) {
        const claims = [{ what: unique(what), until: t.now + MINUTE }]
        expect(await t.store.commit({ claims })).toBe(true)
        expect(await t.other.commit({ claims })).toBe(false)
      }
    })
  })
}
