/** What happened, in one chain for each writer. */
import { describe, expect, it } from '@jest/globals'
import { chain } from '../../src/core/chain.js'
import type { Head, Store } from '../../src/store/store.js'
import { entriesAt, happening, type Machines, person, read, START, unique } from './parts.js'

async function ownWriter(t: Machines, store: Store): Promise<string> {
  const mark = unique('own')
  await store.commit({ entries: entriesAt(t.now, mark) })
  const found = (await read(store)).find(({ reference }) => reference === `ref_${mark}`)
  return found?.writer ?? ''
}

export function trailContract(t: Machines): void {
  describe('trail', () => {
    it('keeps the chain of a writer whole and in order while many commits run at once', async () => {
      const writer = await ownWriter(t, t.store)
      const marks = Array.from({ length: 50 }, (_, index) => unique(String(index)))
      await Promise.all(
        marks.map((mark) => t.store.commit({ entries: entriesAt(t.now, `${mark}a`, `${mark}b`) })),
      )
      const chained = await read(t.store, { writer })
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
      const writers = [await ownWriter(t, t.store), await ownWriter(t, t.other)]
      expect(new Set(writers).size).toBe(2)
      const heads = await t.store.heads()
      for (const writer of writers) {
        const last = (await read(t.other, { writer })).at(-1)
        const head = { writer, seq: last?.seq, hash: last?.hash }
        expect(heads.filter((found) => found.writer === writer)).toEqual([head])
      }
    })

    it('writes the entries of a commit, and only then what they record', async () => {
      const [id, mark] = [unique('gp/user'), unique('entry')]
      await t.store.commit({
        entries: entriesAt(t.now, mark),
        puts: [person(id, '1', Number.MAX_SAFE_INTEGER)],
      })
      expect(await t.other.get('person', id)).toBeDefined()
      expect((await read(t.other)).some(({ reference }) => reference === `ref_${mark}`)).toBe(true)
    })

    it.each([
      ['by itself', false],
      ['beside a record', true],
    ])(
      'leaves the chain as it was when the maker of an entry %s fails, and its neighbours unharmed',
      async (_how, beside) => {
        const writer = await ownWriter(t, t.store)
        const id = unique('gp/user')
        const broken = () => {
          throw new Error('a fault of the caller')
        }
        const forked = (head: Head) =>
          chain({ ...head, seq: head.seq + 5 }, [happening('x')], START)
        const puts = beside ? [person(id, '1', Number.MAX_SAFE_INTEGER)] : []
        const answers = await Promise.allSettled([
          t.store.commit({ entries: entriesAt(t.now, 'before') }),
          t.store.commit({ entries: broken, puts }),
          t.store.commit({ entries: forked, puts }),
          t.store.commit({ entries: entriesAt(t.now, 'after') }),
        ])
        const states = answers.map(({ status }) => status)
        expect(states).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
        expect(await t.store.get('person', id)).toBeUndefined()
        const chained = await read(t.store, { writer })
        expect(chained.map(({ seq }) => seq)).toEqual(chained.map((_, index) => index + 1))
      },
    )
  })
}
