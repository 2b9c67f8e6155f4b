/** What every store promises (src/store/store.ts), shown on each back end. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { chain } from '../../src/core/chain.js'
import { newLaunchId } from '../../src/core/ids.js'
import type { Clock, Random } from '../../src/core/values.js'
import type { Head, Put, Store, TrailRange } from '../../src/store/store.js'

/** Opens one more instance, as another process or machine would, on what all of them share. */
export type OpenStore = (parts: { clock: Clock; random: Random }) => Promise<Store>

export interface Shared {
  readonly open: OpenStore
  /** Whether `sweep` has something to do, or the back end forgets by itself. */
  readonly sweeps: boolean
  stop(): Promise<void>
}

const START = Date.UTC(2026, 0, 5, 9)
const MINUTE = 60_000
const random: Random = (bytes) => new Uint8Array(randomBytes(bytes))

const happening = (reference: string): Happening => ({
  what: 'launch_verified',
  outcome: 'success',
  reference: `ref_${reference}`,
})
/** Each test has names of its own: all of them share one store. */
const unique = (name: string): string => `${name}-${Buffer.from(random(6)).toString('hex')}`

const person = (id: string, uid: string, until: number): Put => ({
  kind: 'person',
  id,
  value: { uid, since: START },
  until,
})

async function read(store: Store, range?: TrailRange): Promise<TrailEntry[]> {
  const entries: TrailEntry[] = []
  for await (const entry of store.trail(range)) entries.push(entry)
  return entries
}

export function storeContract(backEnd: string, share: () => Promise<Shared>): void {
  describe(`${backEnd} store`, () => {
    let now = START
    const clock = () => now
    let shared: Shared
    let store: Store
    let other: Store
    const entries = (...references: string[]) => {
      return (head: Head) => chain(head, references.map(happening), now)
    }
    const own = async (which: Store): Promise<string> => {
      const mark = unique('own')
      await which.commit({ entries: entries(mark) })
      const found = (await read(which)).find(({ reference }) => reference === `ref_${mark}`)
      return found?.writer ?? ''
    }

    beforeAll(async () => {
      shared = await share()
      store = await shared.open({ clock, random })
      other = await shared.open({ clock, random })
    })
    afterAll(async () => {
      await store?.close()
      await other?.close()
      await shared?.stop()
    })

    describe('claims', () => {
      it('gives a claim to exactly one of twenty callers on two machines', async () => {
        const claims = [{ what: unique('jti/gp'), until: now + MINUTE }]
        const callers = Array.from({ length: 20 }, (_, index) => (index % 2 ? store : other))
        const won = await Promise.all(callers.map((caller) => caller.commit({ claims })))
        expect(won.filter(Boolean)).toHaveLength(1)
      })

      it('refuses a claim one millisecond before its time is over, on every machine', async () => {
        const claims = [{ what: unique('code'), until: now + MINUTE }]
        expect(await store.commit({ claims })).toBe(true)
        now += MINUTE - 1
        expect(await store.commit({ claims })).toBe(false)
        expect(await other.commit({ claims })).toBe(false)
      })

      it('gives a claim anew once its time is over, again to one caller only', async () => {
        const what = unique('code')
        expect(await store.commit({ claims: [{ what, until: now + MINUTE }] })).toBe(true)
        now += MINUTE
        const claims = [{ what, until: now + MINUTE }]
        const callers = Array.from({ length: 20 }, (_, index) => (index % 2 ? store : other))
        const won = await Promise.all(callers.map((caller) => caller.commit({ claims })))
        expect(won.filter(Boolean)).toHaveLength(1)
      })

      it('writes nothing else when a claim is lost', async () => {
        const [what, id, mark] = [unique('jti'), unique('p'), unique('lost')]
        const claims = [{ what, until: now + MINUTE }]
        await store.commit({ claims })
        const put = person(id, 'u', now + MINUTE)
        const done = await store.commit({ claims, entries: entries(mark), puts: [put] })
        expect(done).toBe(false)
        expect(await store.get('person', id)).toBeUndefined()
        const references = (await read(store)).map(({ reference }) => reference)
        expect(references).not.toContain(`ref_${mark}`)
      })

      it('takes claims in their order: those before a lost one stay spent, those after it are free', async () => {
        const [first, lost, last] = [unique('a'), unique('b'), unique('c')]
        const claim = (what: string) => ({ what, until: now + MINUTE })
        await store.commit({ claims: [claim(lost)] })
        expect(await store.commit({ claims: [first, lost, last].map(claim) })).toBe(false)
        expect(await store.commit({ claims: [claim(first)] })).toBe(false)
        expect(await store.commit({ claims: [claim(last)] })).toBe(true)
      })

      it('loses a claim that one commit names twice', async () => {
        const claim = { what: unique('twice'), until: now + MINUTE }
        expect(await store.commit({ claims: [claim, claim] })).toBe(false)
      })

      it('keeps apart claims whose names differ only in what UTF-8 cannot write', async () => {
        const name = unique('jti')
        const claims = (what: string) => ({ claims: [{ what, until: now + MINUTE }] })
        expect(await store.commit(claims(`${name}\ud800`))).toBe(true)
        expect(await store.commit(claims(`${name}\ud801`))).toBe(true)
        expect(await store.commit(claims(`${name}\ud800`))).toBe(false)
      })

      it('takes a claim as long as a system may send it, and of a launch as of anything else', async () => {
        for (const what of [
          'x'.repeat(5000),
          `code/${newLaunchId(now, random)}`,
          'a b{c}/\u0000',
        ]) {
          const claims = [{ what: unique(what), until: now + MINUTE }]
          expect(await store.commit({ claims })).toBe(true)
          expect(await other.commit({ claims })).toBe(false)
        }
      })
    })

    describe('records', () => {
      it('reads a record until its time, and not from then on', async () => {
        const id = unique('gp/user')
        await store.commit({ puts: [person(id, '555', now + MINUTE)] })
        now += MINUTE - 1
        expect(await store.get('person', id)).toEqual({ uid: '555', since: START })
        now += 1
        expect(await store.get('person', id)).toBeUndefined()
      })

      it('lets a machine that is busy reading see a record at once after another wrote it', async () => {
        const id = unique('gp/user')
        let busy = true
        const reading = (async () => {
          while (busy) {
            await other.get('person', id)
            await new Promise((resolve) => setImmediate(resolve))
          }
        })()
        for (let round = 0; round < 20; round++) {
          await store.commit({ puts: [person(id, String(round), now + MINUTE)] })
          expect((await other.get('person', id))?.uid).toBe(String(round))
        }
        busy = false
        await reading
      })

      it('hands out copies: neither writer nor reader can change what is stored', async () => {
        const id = unique('gp/user')
        const value = { uid: '555', since: START }
        const written = store.commit({ puts: [{ kind: 'person', id, value, until: now + MINUTE }] })
        value.uid = 'changed by the writer'
        await written
        const first = (await store.get('person', id)) as { uid: string }
        first.uid = 'changed by a reader'
        expect((await store.get('person', id))?.uid).toBe('555')
      })

      it('answers several records in the order asked, absent ones in their place', async () => {
        const launch = newLaunchId(now, random)
        const id = unique('gp/user')
        const at = { at: now }
        await store.commit({
          puts: [
            person(id, '555', now + MINUTE),
            { kind: 'ended', id: `launch/${launch}`, value: at, until: now + MINUTE },
          ],
        })
        const answers = await other.getAll([
          { kind: 'ended', id: `launch/${launch}` },
          { kind: 'session', id: launch },
          { kind: 'person', id },
          { kind: 'session', id: '' },
        ])
        expect(answers).toEqual([at, undefined, { uid: '555', since: START }, undefined])
        expect(await store.getAll([])).toEqual([])
      })

      it('keeps apart the kinds of records of one launch', async () => {
        const launch = newLaunchId(now, random)
        const value = { waiting: { for: 'person' } } as never
        await store.commit({ puts: [{ kind: 'pending', id: launch, value, until: now + MINUTE }] })
        expect(await other.get('pending', launch)).toEqual(value)
        expect(await other.get('session', launch)).toBeUndefined()
      })

      it('drops a record, and takes its absence calmly', async () => {
        const id = unique('gp/user')
        await store.commit({ puts: [person(id, '555', now + MINUTE)] })
        await store.commit({ drops: [{ kind: 'person', id }] })
        expect(await other.get('person', id)).toBeUndefined()
        expect(await store.commit({ drops: [{ kind: 'person', id }] })).toBe(true)
      })

      it('lists the live records of a kind of which there are few', async () => {
        const [live, over, dropped] = [unique('b-live'), unique('a-over'), unique('c-dropped')]
        const app = (id: string, until: number): Put => ({ kind: 'app', id, value: { id }, until })
        await store.commit({
          puts: [app(live, now + MINUTE), app(over, now), app(dropped, now + MINUTE)],
        })
        await store.commit({ drops: [{ kind: 'app', id: dropped }] })
        expect(await other.list('app')).toEqual([{ id: live, value: { id: live } }])
        await expect(store.list('session')).rejects.toThrow('cannot be listed')
      })

      it('keeps a record of 1 MB, and refuses one past its bounds with nothing written', async () => {
        const [id, mark] = [unique('system'), unique('large')]
        const system = (length: number): Put => {
          return { kind: 'system', id, value: { text: 'é'.repeat(length) }, until: now + MINUTE }
        }
        await store.commit({ puts: [system(1024 * 1024)] })
        expect(((await other.get('system', id)) as { text: string }).text).toHaveLength(1024 * 1024)
        const large = store.commit({ entries: entries(mark), puts: [system(5 * 1024 * 1024)] })
        await expect(large).rejects.toMatchObject({ code: 'too_large' })
        const references = (await read(store)).map(({ reference }) => reference)
        expect(references).not.toContain(`ref_${mark}`)
      })

      it('keeps for ever what has no end', async () => {
        const id = unique('gp/user')
        await store.commit({ puts: [person(id, '555', Number.POSITIVE_INFINITY)] })
        expect(await other.get('person', id)).toBeDefined()
      })

      it('keeps apart and finds ids that are long, odd or empty', async () => {
        const ids = [
          '',
          'x'.repeat(3000),
          `${'x'.repeat(3000)}y`,
          'a b',
          '#a',
          '{a}',
          'ü',
          '\ud800',
        ]
        const named = ids.map((id) => `${id}`)
        const puts = named.map((id, index) => person(id, String(index), now + MINUTE))
        await store.commit({ puts })
        const found = await other.getAll(named.map((id) => ({ kind: 'person' as const, id })))
        expect(found.map((value) => value?.uid)).toEqual(named.map((_, index) => String(index)))
      })

      it('sweeps what is over and leaves what lives, claims and trail included', async () => {
        const [over, live, claim] = [unique('over'), unique('live'), unique('claim')]
        await store.commit({
          claims: [{ what: claim, until: now + MINUTE }],
          puts: [person(over, '1', now), person(live, '2', now + MINUTE)],
        })
        const before = (await read(store)).length
        const gone = await store.sweep()
        expect(gone > 0).toBe(shared.sweeps)
        expect(await store.sweep()).toBe(0)
        expect(await store.get('person', live)).toBeDefined()
        expect(await store.commit({ claims: [{ what: claim, until: now + 1 }] })).toBe(false)
        expect(await read(store)).toHaveLength(before)
      })
    })

    trailContract(() => ({ store, other, read, entries, own }))

    describe('its end', () => {
      it('answers a ping while it can be written to', async () => {
        await expect(store.ping()).resolves.toBeUndefined()
      })

      it('finishes what was asked before it closes, then refuses everything', async () => {
        const closing = await shared.open({ clock, random })
        const id = unique('gp/user')
        const last = closing.commit({ puts: [person(id, '555', now + MINUTE)] })
        await closing.close()
        expect(await last).toBe(true)
        expect(await store.get('person', id)).toBeDefined()
        const refused = { code: 'closed' }
        await expect(closing.get('person', id)).rejects.toMatchObject(refused)
        await expect(closing.commit({})).rejects.toMatchObject(refused)
        await expect(closing.list('app')).rejects.toMatchObject(refused)
        await expect(closing.heads()).rejects.toMatchObject(refused)
        await expect(read(closing)).rejects.toMatchObject(refused)
        await expect(closing.sweep()).rejects.toMatchObject(refused)
        await expect(closing.ping()).rejects.toMatchObject(refused)
        await expect(closing.close()).resolves.toBeUndefined()
      })
    })
  })
}

interface TrailParts {
  readonly store: Store
  readonly other: Store
  readonly read: typeof read
  readonly entries: (...references: string[]) => (head: Head) => readonly TrailEntry[]
  readonly own: (store: Store) => Promise<string>
}

function trailContract(parts: () => TrailParts): void {
  describe('trail', () => {
    it('keeps the chain of a writer whole and in order while many commits run at once', async () => {
      const { store, entries, own } = parts()
      const writer = await own(store)
      const marks = Array.from({ length: 50 }, (_, index) => unique(String(index)))
      await Promise.all(
        marks.map((mark) => store.commit({ entries: entries(`${mark}a`, `${mark}b`) })),
      )
      const chained = await read(store, { writer })
      expect(chained.map(({ seq }) => seq)).toEqual(chained.map((_, index) => index + 1))
      for (const [index, entry] of chained.entries())
        expect(entry.prev).toBe(chained[index - 1]?.hash ?? '')
      const references = chained.map(({ reference }) => reference)
      for (const mark of marks) {
        const at = references.indexOf(`ref_${mark}a`)
        expect(references[at + 1]).toBe(`ref_${mark}b`)
      }
    })

    it('gives each instance a writer of its own, and knows the head of each', async () => {
      const { store, other, own } = parts()
      const writers = [await own(store), await own(other)]
      expect(new Set(writers).size).toBe(2)
      const heads = await store.heads()
      for (const writer of writers) {
        const last = (await read(other, { writer })).at(-1)
        const head = { writer, seq: last?.seq, hash: last?.hash }
        expect(heads.filter((found) => found.writer === writer)).toEqual([head])
      }
    })

    it('writes the entries of a commit, and only then what they record', async () => {
      const { store, other, entries } = parts()
      const [id, mark] = [unique('gp/user'), unique('entry')]
      await store.commit({
        entries: entries(mark),
        puts: [person(id, '1', Number.MAX_SAFE_INTEGER)],
      })
      expect(await other.get('person', id)).toBeDefined()
      expect((await read(other)).some(({ reference }) => reference === `ref_${mark}`)).toBe(true)
    })

    it('leaves the chain as it was when the maker of an entry fails, and its neighbours unharmed', async () => {
      const { store, entries, own } = parts()
      const writer = await own(store)
      const id = unique('gp/user')
      const broken = () => {
        throw new Error('a fault of the caller')
      }
      const forked = (head: Head) => chain({ ...head, seq: head.seq + 5 }, [happening('x')], START)
      const put = person(id, '1', Number.MAX_SAFE_INTEGER)
      const answers = await Promise.allSettled([
        store.commit({ entries: entries('before') }),
        store.commit({ entries: broken, puts: [put] }),
        store.commit({ entries: forked, puts: [put] }),
        store.commit({ entries: entries('after') }),
      ])
      const states = answers.map(({ status }) => status)
      expect(states).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
      expect(await store.get('person', id)).toBeUndefined()
      const chained = await read(store, { writer })
      expect(chained.map(({ seq }) => seq)).toEqual(chained.map((_, index) => index + 1))
    })
  })
}
