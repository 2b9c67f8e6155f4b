import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { nameHead } from '../../src/audit/openings.js'
import { verifyTrail } from '../../src/audit/verify.js'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { chain, genesis, newWriter } from '../../src/core/chain.js'
import type { Head, Store } from '../../src/store/store.js'

const NOW = Date.UTC(2026, 0, 5, 9)
const writerOf = (number: number) => newWriter(NOW + number, () => new Uint8Array(8).fill(number))

const opening = (heads: readonly string[] = []): Happening => {
  return { what: 'writer_opened', outcome: 'success', detail: { heads } }
}
const launched = (number: number): Happening => ({
  what: 'launch_verified',
  outcome: 'success',
  user: { id: `user-${number}`, roles: ['gp'] },
  detail: { number },
})
const headOf = (entries: readonly TrailEntry[]): Head => {
  const last = entries.at(-1)
  if (!last) throw new Error('no entries')
  return { writer: last.writer, seq: last.seq, hash: last.hash }
}
const chainOf = (number: number, length: number, heads: readonly string[] = []) => {
  const happenings = Array.from({ length }, (_, index) => launched(index))
  return chain(genesis(writerOf(number)), [opening(heads), ...happenings], NOW + number)
}

/** What a store would hand out of these entries, and say of its heads. */
const holding = (
  entries: readonly TrailEntry[],
  heads: readonly Head[],
): Pick<Store, 'heads' | 'trail'> => ({
  heads: async () => heads,
  async *trail({ writer } = {}) {
    yield* entries.filter((entry) => writer === undefined || entry.writer === writer)
  },
})
const judge = (entries: readonly TrailEntry[], heads: readonly Head[]) =>
  verifyTrail(holding(entries, heads))

describe('verifying the trail', () => {
  const old = chainOf(1, 5)
  const young = chainOf(2, 3, [nameHead(headOf(old))])
  const all = [...old, ...young]
  const heads = [headOf(old), headOf(young)]

  it('finds nothing wrong with what was written', async () => {
    expect(await judge(all, heads)).toEqual({ entries: 10, writers: 2, problems: [] })
  })

  it('points to an entry that was changed', async () => {
    const changed = all.with(3, { ...(all[3] as TrailEntry), outcome: 'refused' })
    const { problems } = await judge(changed, heads)
    expect(problems).toMatchObject([
      { writer: writerOf(1), seq: 4, at: NOW + 1, problem: expect.stringContaining('was changed') },
    ])
  })

  it('points behind an entry that was changed together with its hash', async () => {
    const [before, entry] = [all[2] as TrailEntry, all[3] as TrailEntry]
    const [forged] = chain(before, [launched(99)], entry.at)
    const { problems } = await judge(all.with(3, forged as TrailEntry), heads)
    expect(problems).toMatchObject([
      { seq: 5, problem: expect.stringContaining('another entry 4') },
    ])
  })

  it('points to what is missing', async () => {
    const { problems } = await judge(all.toSpliced(2, 2), heads)
    expect(problems).toMatchObject([
      { writer: writerOf(1), seq: 5, problem: 'missing before it: entries 3 to 4' },
    ])
  })

  it('finds the end of an old chain cut off, although the store says nothing of it', async () => {
    const cut = old.slice(0, 4)
    const { problems } = await judge([...cut, ...young], [headOf(cut), headOf(young)])
    expect(problems).toMatchObject([
      {
        writer: writerOf(1),
        seq: 6,
        problem: expect.stringContaining(`of ${writerOf(2)} names it`),
      },
    ])
  })

  it('finds a whole chain taken away', async () => {
    const { problems } = await judge(young, [headOf(young)])
    expect(problems).toMatchObject([{ writer: writerOf(1), seq: 6 }])
  })

  it('finds an old chain written anew from some entry on', async () => {
    const kept = old.slice(0, 3)
    const anew = chain(headOf(kept), [launched(7), launched(8), launched(9)], NOW + 1)
    const { problems } = await judge([...kept, ...anew, ...young], [headOf(anew), headOf(young)])
    expect(problems).toMatchObject([
      { writer: writerOf(1), seq: 6, problem: expect.stringContaining('with another hash') },
    ])
  })

  it('finds the youngest chain cut off while the store still knows its head', async () => {
    const { problems } = await judge(all.slice(0, -1), heads)
    expect(problems).toMatchObject([
      { writer: writerOf(2), seq: 4, problem: 'the chain ends at entry 3' },
    ])
  })

  it('finds a name that was true of a chain that has grown since', async () => {
    const early = chainOf(3, 2, [nameHead(headOf(old.slice(0, 2)))])
    const apart = [...old, ...early]
    expect((await judge(apart, [headOf(old), headOf(early)])).problems).toEqual([])
  })

  it('finds what a checkpoint that was kept elsewhere names, wherever it stands in the chain', async () => {
    const store = holding(all, heads)
    for (const entry of all)
      expect((await verifyTrail(store, { kept: [entry] })).problems).toEqual([])
  })

  it('finds the end of the youngest chain gone, when a kept checkpoint names it', async () => {
    const cut = young.slice(0, 2)
    const store = holding([...old, ...cut], [headOf(old), headOf(cut)])
    const { problems } = await verifyTrail(store, { kept: [headOf(young)] })
    expect(problems).toEqual([
      {
        writer: writerOf(2),
        seq: 4,
        problem: 'the entry is gone: a checkpoint that was kept elsewhere names it',
      },
    ])
  })

  it('finds the whole trail written anew, when a kept checkpoint remembers the old one', async () => {
    const anew = chain(genesis(writerOf(1)), [opening(), launched(1), launched(2)], NOW + 1)
    const { problems } = await verifyTrail(holding(anew, [headOf(anew)]), {
      kept: [{ writer: writerOf(1), seq: 3, hash: (old[2] as TrailEntry).hash }],
    })
    expect(problems).toMatchObject([
      { seq: 3, problem: expect.stringContaining('with another hash') },
    ])
  })

  it('leaves what is written while it reads to the next time', async () => {
    const report = await judge(all, [headOf(old.slice(0, 3)), headOf(young)])
    expect(report).toMatchObject({ entries: 7, problems: [] })
  })

  const members = ['what', 'outcome', 'writer', 'seq', 'at', 'prev', 'hash', 'user', 'x']

  it.each([[{ toString: 0 }], [{ valueOf: null }], [1e300], [null], [[]], ['0'], [-1]])(
    'says where a member was changed into what is no value of its kind: %j',
    async (value) => {
      for (const name of members) {
        const changed = old.with(2, { ...(old[2] as TrailEntry), [name]: value })
        const { problems } = await judge([...changed, ...young], heads)
        expect(problems.length).toBeGreaterThan(0)
        // As whoever shows them does.
        for (const { at = NOW } of problems) expect(new Date(at).toISOString()).toMatch(/^.?\d/)
      }
      const opened = { ...(young[0] as TrailEntry), detail: { heads: [value as string] } }
      const { problems } = await judge([...old, ...young.with(0, opened)], heads)
      expect(problems).toContainEqual(
        expect.objectContaining({ seq: 1, problem: 'the entry names no head' }),
      )
    },
  )

  it('finds every single change: a member, an entry gone, two swapped, one twice, a cut', async () => {
    const seqs = fc.integer({ min: 0, max: old.length - 1 })
    const member = fc.constantFrom(...members)
    const value = fc.oneof(fc.string(), fc.integer(), fc.jsonValue())
    const change = fc.oneof(
      fc.record({ seqs, member, value }).map(({ seqs: at, member: name, value: to }) => {
        return old.with(at, { ...(old[at] as TrailEntry), [name]: to })
      }),
      fc.integer({ min: 0, max: old.length - 1 }).map((at) => old.toSpliced(at, 1)),
      fc.tuple(seqs, seqs).map(([one, other]) => {
        return old.with(one, old[other] as TrailEntry).with(other, old[one] as TrailEntry)
      }),
      fc.tuple(seqs, seqs).map(([at, which]) => old.toSpliced(at, 0, old[which] as TrailEntry)),
      fc.integer({ min: 0, max: old.length - 1 }).map((length) => old.slice(0, length)),
    )
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        fc.pre(JSON.stringify(changed) !== JSON.stringify(old))
        const { problems } = await judge([...changed, ...young], heads)
        expect(problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 2000 },
    )
  })
})
