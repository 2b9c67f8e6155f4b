/** What is kept for a time. */
import { describe, expect, it } from '@jest/globals'
import { newLaunchId } from '../../src/core/ids.js'
import type { Put } from '../../src/store/store.js'
import {
  entriesAt,
  type Machines,
  MINUTE,
  person,
  random,
  read,
  references,
  START,
  unique,
} from './parts.js'

export function recordContract(t: Machines): void {
  describe('records', () => {
    it('reads a record until its time, and not from then on', async () => {
      const id = unique('gp/user')
      await t.store.commit({ puts: [person(id, '555', t.now + MINUTE)] })
      t.now += MINUTE - 1
      expect(await t.store.get('person', id)).toEqual({ uid: '555', since: START })
      t.now += 1
      expect(await t.store.get('person', id)).toBeUndefined()
    })

    it('lets a machine that is busy reading see a record at once after another wrote it', async () => {
      const id = unique('gp/user')
      let busy = true
      const reading = (async () => {
        while (busy) {
          await t.other.get('person', id)
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      for (let round = 0; round < 20; round++) {
        await t.store.commit({ puts: [person(id, String(round), t.now + MINUTE)] })
        expect((await t.other.get('person', id))?.uid).toBe(String(round))
      }
      busy = false
      await reading
    })

    it('hands out copies: neither writer nor reader can change what is stored', async () => {
      const id = unique('gp/user')
      const value = { uid: '555', since: START }
      const written = t.store.commit({
        puts: [{ kind: 'person', id, value, until: t.now + MINUTE }],
      })
      value.uid = 'changed by the writer'
      await written
      const first = (await t.store.get('person', id)) as { uid: string }
      first.uid = 'changed by a reader'
      expect((await t.store.get('person', id))?.uid).toBe('555')
    })

    it('answers several records in the order asked, absent ones in their place', async () => {
      const launch = newLaunchId(t.now, random)
      const id = unique('gp/user')
      const at = { at: t.now }
      await t.store.commit({
        puts: [
          person(id, '555', t.now + MINUTE),
          { kind: 'ended', id: `launch/${launch}`, value: at, until: t.now + MINUTE },
        ],
      })
      const answers = await t.other.getAll([
        { kind: 'ended', id: `launch/${launch}` },
        { kind: 'session', id: launch },
        { kind: 'person', id },
        { kind: 'session', id: '' },
      ])
      expect(answers).toEqual([at, undefined, { uid: '555', since: START }, undefined])
      expect(await t.store.getAll([])).toEqual([])
    })

    it('keeps apart the kinds of records of one launch', async () => {
      const launch = newLaunchId(t.now, random)
      const value = { waiting: { for: 'person' } } as never
      await t.store.commit({
        puts: [{ kind: 'pending', id: launch, value, until: t.now + MINUTE }],
      })
      expect(await t.other.get('pending', launch)).toEqual(value)
      expect(await t.other.get('session', launch)).toBeUndefined()
    })

    it('drops a record, and takes its absence calmly', async () => {
      const id = unique('gp/user')
      await t.store.commit({ puts: [person(id, '555', t.now + MINUTE)] })
      await t.store.commit({ drops: [{ kind: 'person', id }] })
      expect(await t.other.get('person', id)).toBeUndefined()
      expect(await t.store.commit({ drops: [{ kind: 'person', id }] })).toBe(true)
    })

    it('lists the live records of a kind of which there are few', async () => {
      const [live, over, dropped] = [unique('b-live'), unique('a-over'), unique('c-dropped')]
      const app = (id: string, until: number): Put => ({ kind: 'app', id, value: { id }, until })
      await t.store.commit({
        puts: [app(live, t.now + MINUTE), app(over, t.now), app(dropped, t.now + MINUTE)],
      })
      await t.store.commit({ drops: [{ kind: 'app', id: dropped }] })
      expect(await t.other.list('app')).toEqual([{ id: live, value: { id: live } }])
      await expect(t.store.list('session')).rejects.toThrow('cannot be listed')
    })

    it('keeps a record of 1 MB, and refuses one past its bounds with nothing written', async () => {
      const [id, mark] = [unique('system'), unique('large')]
      const system = (length: number): Put => {
        return { kind: 'system', id, value: { text: 'é'.repeat(length) }, until: t.now + MINUTE }
      }
      await t.store.commit({ puts: [system(1024 * 1024)] })
      expect(((await t.other.get('system', id)) as { text: string }).text).toHaveLength(1024 * 1024)
      const large = t.store.commit({
        entries: entriesAt(t.now, mark),
        puts: [system(5 * 1024 * 1024)],
      })
      await expect(large).rejects.toMatchObject({ code: 'too_large' })
      expect(await references(t.store)).not.toContain(`ref_${mark}`)
    })

    it('keeps for ever what has no end', async () => {
      const id = unique('gp/user')
      await t.store.commit({ puts: [person(id, '555', Number.POSITIVE_INFINITY)] })
      expect(await t.other.get('person', id)).toBeDefined()
    })

    it('keeps apart and finds ids that are long, odd or empty', async () => {
      const ids = ['', 'x'.repeat(3000), `${'x'.repeat(3000)}y`, 'a b', '#a', '{a}', 'ü', '\ud800']
      const named = ids.map((id) => `${id}`)
      const puts = named.map((id, index) => person(id, String(index), t.now + MINUTE))
      await t.store.commit({ puts })
      const found = await t.other.getAll(named.map((id) => ({ kind: 'person' as const, id })))
      expect(found.map((value) => value?.uid)).toEqual(named.map((_, index) => String(index)))
    })

    it('sweeps what is over and leaves what lives, claims and trail included', async () => {
      const [over, live, claim] = [unique('over'), unique('live'), unique('claim')]
      await t.store.commit({
        claims: [{ what: claim, until: t.now + MINUTE }],
        puts: [person(over, '1', t.now), person(live, '2', t.now + MINUTE)],
      })
      const before = (await read(t.store)).length
      const gone = await t.store.sweep()
      expect(gone > 0).toBe(t.shared.sweeps)
      expect(await t.store.sweep()).toBe(0)
      expect(await t.store.get('person', live)).toBeDefined()
      expect(await t.store.commit({ claims: [{ what: claim, until: t.now + 1 }] })).toBe(false)
      expect(await read(t.store)).toHaveLength(before)
    })
  })
}
