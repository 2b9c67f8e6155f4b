import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import {
  canonical,
  chain,
  checkLink,
  entryHash,
  genesis,
  newWriter,
  writerTime,
} from '../../src/core/chain.js'
import { boundHappening } from '../../src/core/happening.js'

const NOW = Date.UTC(2026, 0, 5, 9)
const happening: Happening = { what: 'launch_verified', outcome: 'success' }

describe('canonical JSON (RFC 8785)', () => {
  it('reads each member as often however deep it stands: who sends the value chooses its depth', () => {
    const readsAt = (depth: number): number => {
      let reads = 0
      const inmost = {
        get b() {
          reads += 1
          return {}
        },
        a: 1,
      }
      let value: object = inmost
      for (let at = 0; at < depth; at += 1) value = { value }
      canonical(value)
      return reads
    }
    expect(readsAt(12)).toBe(readsAt(0))
  })

  it('reads the same however the members of a value are ordered', () => {
    const one = { b: 1, a: { d: [1, { z: null, y: 'é' }], c: true } }
    const other = { a: { c: true, d: [1, { y: 'é', z: null }] }, b: 1 }
    expect(canonical(one)).toBe('{"a":{"c":true,"d":[1,{"y":"é","z":null}]},"b":1}')
    expect(canonical(other)).toBe(canonical(one))
  })

  it('says what JSON says, whatever characters a text or a name holds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const said = JSON.parse(canonical(value))
        expect(said).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonical(said)).toBe(canonical(value))
      }),
    )
    expect(canonical('\u0000"\\\ud800é')).toBe(JSON.stringify('\u0000"\\\ud800é'))
  })

  it('has a text for an item that is not there, as JSON does', () => {
    // biome-ignore lint/suspicious/noSparseArray: it is what is written
    const list = ['x', , 'y']
    expect(canonical({ a: list })).toBe('{"a":["x",null,"y"]}')
    expect(canonical({ b: 1, a: list })).toBe('{"a":["x",null,"y"],"b":1}')
  })

  it('leaves out members without a value, as JSON does', () => {
    expect(canonical({ a: undefined, b: 1 })).toBe('{"b":1}')
  })

  it('reads the same after a journey through JSON, a member named __proto__ included', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonical(JSON.parse(JSON.stringify(value)))).toBe(canonical(value))
      }),
    )
    expect(canonical(JSON.parse('{"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1}}')
  })
})

describe('chain', () => {
  const writer = newWriter(NOW, (bytes) => new Uint8Array(bytes))
  const entries = chain(genesis(writer), [happening, happening, happening], NOW)

  it('numbers entries from 1, each naming the one before it by its hash', () => {
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(entries.map(({ prev }) => prev)).toEqual(['', entries[0]?.hash, entries[1]?.hash])
    expect(entries.every((entry) => entry.hash === entryHash(entry))).toBe(true)
  })

  it('names writers so that they tell when they were opened', () => {
    expect(writerTime(writer)).toBe(NOW)
    expect(writerTime('wrt_of-another-make')).toBe(0)
  })

  it.each<[string, (entry: TrailEntry) => TrailEntry, string]>([
    ['a changed member', (entry) => ({ ...entry, outcome: 'refused' }), 'changed'],
    ['an added member', (entry) => ({ ...entry, app: 'care-plan' }), 'changed'],
    ['another hash', (entry) => ({ ...entry, hash: 'x' }), 'changed'],
    ['a later number', (entry) => ({ ...entry, seq: 5 }), 'missing'],
    ['an earlier number', (entry) => ({ ...entry, seq: 1 }), 'moved'],
    ['another predecessor', (entry) => ({ ...entry, prev: 'x' }), 'unlinked'],
    ['an earlier time', (entry) => ({ ...entry, at: NOW - 1 }), 'backwards'],
  ])('finds %s', (_, change, problem) => {
    const [first, second] = entries
    if (!first || !second) throw new Error('no entries')
    expect(checkLink(first, second)).toEqual([])
    expect(checkLink(first, change(second))).toContain(problem)
  })
})

describe('what a happening may say', () => {
  const detail = (facts: Record<string, unknown>) =>
    boundHappening({ ...happening, detail: facts } as Happening).detail

  it('keeps a plain happening as it is', () => {
    const plain: Happening = {
      ...happening,
      launch: 'lch_x',
      user: { id: 'gp', name: 'Zoë Ó Briain 👩‍⚕️ नीरज', roles: ['gp'] },
      detail: { count: 3, fresh: true, names: ['a'] },
    }
    expect(boundHappening(plain)).toEqual(plain)
  })

  it.each([
    ['a line break', 'a\nb', 'a\\u{a}b'],
    ['a terminal escape', 'a\u001b[2Jb', 'a\\u{1b}[2Jb'],
    ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
    ['an isolate', 'a\u2066b', 'a\\u{2066}b'],
    ['an invisible tag', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['half of a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
  ])('writes %s as its number, so that no reader is fooled', (_, said, kept) => {
    expect(detail({ said })).toEqual({ said: kept })
  })

  it('cuts text at 500 characters, never through a character, and lists at 100 items', () => {
    expect(detail({ said: 'x'.repeat(500) })).toEqual({ said: 'x'.repeat(500) })
    expect(detail({ said: 'x'.repeat(501) })).toEqual({ said: `${'x'.repeat(499)}…` })
    expect(detail({ said: `${'x'.repeat(498)}👩👩` })).toEqual({ said: `${'x'.repeat(498)}…` })
    expect(detail({ items: Array(101).fill('x') })?.items).toHaveLength(100)
  })

  it('leaves out what does not read back as it was written', () => {
    const odd = { 1: 'a', 'b c': 'b', ['__proto__']: 'c', d: undefined, e: null, f: () => 1, g: 1n }
    expect(detail({ ...odd, number: Number.NaN })).toEqual({ number: 'NaN' })
  })
})
