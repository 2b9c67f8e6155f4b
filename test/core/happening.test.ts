import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Happening } from '../../src/core/audit.js'
import { boundHappening } from '../../src/core/happening.js'

const happening = (detail: object): Happening =>
  ({ what: 'launch_verified', outcome: 'success', detail }) as Happening

describe('what the trail may hold', () => {
  it('is what was said, itself, where nothing of it is too long or misleading', () => {
    const said = happening({ b: 'x', a: [1, true, { deep: 'y' }] })
    expect(boundHappening(said)).toBe(said)
  })

  it.each([
    ['an item without a value', { list: ['a', undefined, 'b'] }, { list: ['a', 'b'] }],
    // biome-ignore lint/suspicious/noSparseArray: it is what is bounded
    ['an item that is not there', { list: ['a', , 'b'] }, { list: ['a', 'b'] }],
    ['a hundred and one items', { list: Array(101).fill('x') }, { list: Array(100).fill('x') }],
    ['a member without a value', { a: 'x', b: undefined, c: 'y' }, { a: 'x', c: 'y' }],
    ['a name that is none', { a: 'x', 'b\u202e': 'y', c: 'z' }, { a: 'x', c: 'z' }],
    ['no number', { a: Number.NaN, b: 2 }, { a: 'NaN', b: 2 }],
    ['what writes itself otherwise', { at: new Date(0), b: 1 }, { at: {}, b: 1 }],
    ['a function', { toJSON: () => 'other', b: 1 }, { b: 1 }],
  ])('leaves out or tames %s, and keeps all else', (_, said, kept) => {
    const bound = boundHappening(happening(said))
    expect(JSON.parse(JSON.stringify(bound))).toEqual(JSON.parse(JSON.stringify(happening(kept))))
    expect(Object.keys(bound.detail ?? {})).toEqual(Object.keys(kept))
  })

  it('is bounded once and for all, whatever is said, and changes nothing of what it was given', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 6, maxKeys: 8 }), (said) => {
        const before = structuredClone(said)
        const once = boundHappening(happening(said))
        expect(boundHappening(once)).toEqual(once)
        expect(said).toEqual(before)
      }),
    )
  })
})
