/** What somebody typed and did not save: what of it is taken, whose it is, and how many one person may have. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Access } from '../../src/core/access.js'
import type { LaunchId } from '../../src/core/ids.js'
import {
  isFull,
  isListed,
  listedWith,
  listUntil,
  MOST_UNSAVED,
  readUnsaved,
  requireSeen,
  sealOf,
  tagOf,
  type UnsavedList,
  unsavedOf,
} from '../../src/core/unsaved.js'

const NOW = Date.parse('2026-11-26T10:42:00Z')
const HOUR = 3_600_000
const BASE = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01::record.example::3'
const TYPED = { base: BASE, values: { note: 'x' }, typed: '2026-11-26T10:42:00Z' }
const refused = (code: string) => expect.objectContaining({ code })

describe('What is taken', () => {
  it('is values by field, the version that they were typed over, what was adopted, and when', () => {
    expect(readUnsaved(TYPED)).toEqual({ ...TYPED, adopted: [] })
    const { base: _, ...first } = TYPED
    const adopted = [{ field: 'note', item: 'Condition/c1', text: 'x' }]
    expect(readUnsaved({ ...first, adopted })).toEqual({ ...first, adopted })
  })

  it.each([
    ['nothing', undefined],
    ['a list', [TYPED]],
    ['another member', { ...TYPED, patient: '9990000018' }],
    ['no time', { ...TYPED, typed: undefined }],
    ['a time without a zone', { ...TYPED, typed: '2026-11-26T10:42:00' }],
    ['a base that is no version', { ...TYPED, base: BASE.slice(0, 36) }],
    ['a value that is no text', { ...TYPED, values: { note: { x: 1 } } }],
    ['a field that is no name', { ...TYPED, values: { 'a b': 'x' } }],
    [
      'too many values',
      {
        ...TYPED,
        values: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, ''])),
      },
    ],
    ['an item with more in it', { ...TYPED, adopted: [{ field: 'a', item: 'b', text: '', x: 1 }] }],
  ])('is not %s', (_, sent) => {
    expect(() => readUnsaved(sent)).toThrow(refused('body_unreadable'))
  })

  it('is refused in names of members, never in its words', () => {
    const words = 'Declines dialysis'
    expect(() => readUnsaved({ ...TYPED, values: { note: [words] } })).toThrow(
      expect.objectContaining({ detail: 'unsaved: values' }),
    )
  })
})

describe('Whose it is', () => {
  const grant = { person: '555', client: 'care-plan', nhsNumber: '9990000018' }
  const of = (change: object = {}, ehr = 'e', template = 't') =>
    unsavedOf({ grant: { ...grant, ...change } } as Pick<Access, 'grant'>, ehr, template).id

  it('differs with the person, the app, the patient, the plan and the section, and with nothing else', () => {
    const all = [
      ...[of(), of({ person: '556' }), of({ client: 'other' }), of({ nhsNumber: '9990000026' })],
      ...[of({}, 'f'), of({}, 'e', 'u')],
    ]
    expect(new Set(all).size).toBe(all.length)
    expect(of({ launch: 'lch_2', signOn: 'sgn_2', id: 'grt_2' })).toBe(of())
  })

  it('is never the same by what stands beside it', () => {
    expect(of({ person: '5', client: '55' })).not.toBe(of({ person: '55', client: '5' }))
  })

  it('is nobody’s where the grant does not say whose plan it is', () => {
    expect(() => of({ nhsNumber: undefined })).toThrow(refused('record_other_patient'))
  })
})

describe('What another launch of the same person left', () => {
  const [first, second] = ['lch_1', 'lch_2'] as readonly LaunchId[] as [LaunchId, LaunchId]
  const kept = { launch: first, at: NOW, sealed: 's' }
  it('is replaced only by who names it as it stands', () => {
    const tag = `"${tagOf('o', kept)}"`
    expect(() => requireSeen('o', kept, second, tag)).not.toThrow()
    for (const [id, standing, sent] of [
      ['o', kept, undefined],
      ['o', kept, '*'],
      ['o', { ...kept, at: NOW + 1 }, tag],
      ['p', kept, tag],
    ] as const)
      expect(() => requireSeen(id, standing, second, sent)).toThrow(refused('version_stale'))
  })
  it('is asked for nothing in its own launch, nor where nothing stands', () => {
    expect(() => requireSeen('o', kept, first, undefined)).not.toThrow()
    expect(() => requireSeen('o', undefined, second, undefined)).not.toThrow()
  })
  it('is sealed with its owner, its launch and its time', () => {
    const all = [sealOf('o', kept), sealOf('p', kept), sealOf('o', { ...kept, launch: second })]
    expect(new Set([...all, sealOf('o', { ...kept, at: NOW + 1 })]).size).toBe(4)
  })
})

describe('A person’s list', () => {
  const put = (list: UnsavedList | undefined, id: string, now: number) =>
    listedWith(list, id, now).list

  it('never has more than twenty, lets the oldest go and keeps the newest, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 80 }), (ids) => {
        let list: UnsavedList | undefined
        const live: string[] = []
        for (const [i, number] of ids.entries()) {
          const id = `u${number}`
          const next = listedWith(list, id, NOW + i)
          const was = live.indexOf(id)
          if (was >= 0) live.splice(was, 1)
          live.push(id)
          expect(next.gone).toEqual(live.splice(0, Math.max(0, live.length - MOST_UNSAVED)))
          list = next.list
          expect(list.kept.map((one) => one.id)).toEqual(live)
          expect(list.generation).toBe(i + 1)
        }
      }),
    )
  })

  it('lets nothing go while some of it are gone already', () => {
    let list: UnsavedList | undefined
    for (let i = 0; i < MOST_UNSAVED; i++) list = put(list, `u${i}`, NOW)
    expect(isFull(list, 'new', NOW)).toBe(true)
    expect(isFull(list, 'u3', NOW)).toBe(false)
    const { gone, list: next } = listedWith(list, 'new', NOW, (id) => id !== 'u7')
    expect(gone).toEqual([])
    expect(next.kept).toHaveLength(MOST_UNSAVED)
  })

  it('counts one for an hour, then lists it anew, and forgets it when it can no longer be there', () => {
    const list = put(undefined, 'a', NOW)
    expect([isListed(list, 'a', NOW + HOUR - 1), isListed(list, 'a', NOW + HOUR)]).toEqual([
      ...[true, false],
    ])
    expect([isListed(list, 'b', NOW), isListed(undefined, 'a', NOW)]).toEqual([false, false])
    expect(listUntil(NOW)).toBe(NOW + 25 * HOUR)
    expect(put(list, 'b', listUntil(NOW) - 1).kept).toHaveLength(2)
    expect(put(list, 'b', listUntil(NOW)).kept).toHaveLength(1)
  })
})
