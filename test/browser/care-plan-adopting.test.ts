/** Items of the GP record in the app's forms and compositions, held against what the gateway lets through. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  adoptedBefore,
  broughtBefore,
  notBrought,
  standingOf,
  taken,
  takenOf,
  wasTaken,
  withdrawn,
} from '../../public/care-plan/adopting.js'
import { composed, revised, valuesOf } from '../../public/care-plan/composition.js'
import type { Section, Values } from '../../public/care-plan/definition.js'
import { ForeignPatient } from '../../public/care-plan/finding.js'
import { adoptedOf, readGpRecord } from '../../public/care-plan/gp-record.js'
import { changedFields } from '../../public/care-plan/merge.js'
import { settledValues, sourcesOf, sourceWords } from '../../public/care-plan/sourced.js'
import { allOffers, type Offer } from '../../src/core/adoption.js'
import { releaseHandover } from '../../src/core/handover.js'
import type { Json } from '../../src/core/json.js'
import { claimsIn, proven } from '../../src/core/provenance.js'
import { witnessed } from '../../src/core/witness.js'
import { SECTIONS } from './scenario.js'

const section = SECTIONS.find(({ id }) => id === 'medication') as Section
const field = (id: string) =>
  section.fields.find((one) => one.id === id) as Section['fields'][number]
const author = { name: 'Dr Amara Okafor', at: new Date('2026-11-26T09:00:00Z') }
const LAUNCH = 'lch_0aaaaaaaa0123456789abcdef'
const subject = { reference: 'Patient/pat-1' }
const RESOURCES: readonly Json[] = [
  ...['Penicillin', 'Latex'].map((text, i) => ({
    ...{ resourceType: 'AllergyIntolerance', id: `a${i}`, code: { text }, patient: subject },
    reaction: [{ manifestation: [{ text: 'Rash' }] }],
  })),
  ...['Bisoprolol', 'Senna'].map((text, i) => ({
    ...{ resourceType: 'MedicationRequest', id: `m${i}`, status: 'active', subject },
    medicationCodeableConcept: { text },
    // The same dose in both: each row's own must vouch for it.
    dosageInstruction: [{ text: 'one a day' }],
  })),
]
const FROM = {
  ...{ system: 'gp-push', name: 'Fernleigh', organization: 'A83001' },
  ...{ organizationName: 'Fernbank Surgery', at: Date.parse('2026-11-26T08:31:00Z') },
}
const HANDOVER = { from: FROM, resources: RESOURCES }
const bundle = releaseHandover(HANDOVER, { launch: LAUNCH, patient: 'pat-1' }, () => true)
const record = readGpRecord(JSON.parse(JSON.stringify(bundle)), 'gateway.example', 'pat-1')
const { offers } = allOffers(section, record.resources)
const offer = (item: string, into: string): Offer => {
  const found = offers.find((one) => one.item.id === item && one.field.id === into)
  if (!found) throw new Error(item)
  return found
}
const PENICILLIN = offer('AllergyIntolerance/a0', 'allergies')
const BISOPROLOL = offer('MedicationRequest/m0', 'items')

describe('what was taken over in a form that was never saved', () => {
  it('is known again where a later launch brings the same item for the same field in the same words', () => {
    const before = [takenOf(PENICILLIN)]
    expect(before).toEqual([
      { field: 'allergies', item: 'AllergyIntolerance/a0', text: 'Penicillin (Rash)' },
    ])
    expect(offers.filter((one) => wasTaken(one, before))).toEqual([PENICILLIN])
    for (const change of [{ field: 'items' }, { item: 'AllergyIntolerance/a1' }, { text: 'x' }])
      expect(
        offers.some((one) =>
          wasTaken(
            one,
            before.map((was) => ({ ...was, ...change })),
          ),
        ),
      ).toBe(false)
    expect([notBrought(0), notBrought(2)]).toEqual(['', expect.stringMatching(/^2 items that you/)])
  })

  it('keeps its source where the gateway saw the launch that brought it, and passes the gateway', () => {
    const launch = { id: LAUNCH, section, handover: HANDOVER }
    const own = [PENICILLIN, BISOPROLOL].map(takenOf)
    const seen = witnessed(launch, [...own, { field: 'allergies', item: 'x', text: 'x' }], [])
    expect(seen).toHaveLength(2)
    expect(broughtBefore(seen)).toBe(
      '2 items of your draft came from the GP record, sent by Fernleigh on 26-Nov-2026, and will be saved with that source.',
    )
    const adopted = adoptedBefore(section, JSON.parse(JSON.stringify(seen)), 'gateway.example')
    expect(adopted).toEqual([PENICILLIN, BISOPROLOL].map((one) => adoptedOf(one, record)))
    const values = { allergies: PENICILLIN.text, items: BISOPROLOL.text }
    const body = JSON.parse(JSON.stringify(composed(section, values, author, adopted))) as Json
    const later = { id: 'lch_later', gateway: 'gateway.example', section, handover: undefined }
    expect(proven(body, undefined, claimsIn(body), { ...later, witnesses: seen })).toEqual(body)
    expect(() => proven(body, undefined, claimsIn(body), later)).toThrow(
      expect.objectContaining({ code: 'provenance_unproven' }),
    )
  })
})

describe('what the launch brought, as the app reads it', () => {
  it('is whose it says, from whom, with the launch that brought it', () => {
    expect(record).toMatchObject({ from: FROM, launch: LAUNCH })
    expect(record.resources).toHaveLength(4)
  })

  // biome-ignore format: a table
  it.each<[string, unknown]>([
    ['nothing',               undefined],
    ['another resource',      { ...bundle, resourceType: 'Patient' }],
    ['entries of no kind',    { ...bundle, entry: {} }],
    ['no launch’s',           { ...bundle, id: 'b1' }],
    ['no time',               { ...bundle, timestamp: undefined }],
  ])('is not taken for such data when it is %s', (_, json) => {
    expect(() => readGpRecord(json, 'g', 'pat-1')).toThrow(TypeError)
  })

  it.each([{ patient: { reference: 'Patient/pat-2' } }, { patient: undefined }])(
    'closes the view where something of it is another patient’s, or nobody’s: %j',
    (whose) => {
      const entry = [{ resource: RESOURCES[0] }, { resource: { ...RESOURCES[0], ...whose } }]
      expect(() => readGpRecord({ ...bundle, entry }, 'g', 'pat-1')).toThrow(ForeignPatient)
    },
  )
})

describe('adding an item to a form', () => {
  it('adds a line or a row, and never replaces what is typed', () => {
    expect(taken(PENICILLIN, '')).toEqual({ value: 'Penicillin (Rash)' })
    expect(taken(PENICILLIN, 'Nuts.\n')).toEqual({ value: 'Nuts.\nPenicillin (Rash)' })
    const rows = '[{"medicine":"Senna"}]'
    expect(taken(BISOPROLOL, rows)).toEqual({
      value: '[{"medicine":"Senna"},{"medicine":"Bisoprolol","dose":"one a day"}]',
    })
    const text = { ...PENICILLIN, field: field('location') }
    expect(taken(text, '')).toEqual({ value: 'Penicillin (Rash)' })
    expect(taken(text, 'Drawer')).toHaveProperty('why')
  })

  it('is refused where there is no room: nothing is cut', () => {
    expect(taken(PENICILLIN, 'x'.repeat(9_990))).toHaveProperty('why')
    const full = JSON.stringify(Array.from({ length: 20 }, (_, i) => ({ medicine: `${i}` })))
    expect(taken(BISOPROLOL, full)).toHaveProperty('why')
  })

  it('is taken back without touching what stands beside it', () => {
    expect(withdrawn(PENICILLIN, 'Nuts.\n\nPenicillin (Rash)\nEggs')).toBe('Nuts.\n\nEggs')
    expect(withdrawn(PENICILLIN, 'Penicillin')).toBe('Penicillin')
    const typed = '[{"medicine":"Bisoprolol","dose":"two"}]'
    expect(withdrawn(BISOPROLOL, typed)).toBe(typed)
    const added = taken(BISOPROLOL, typed)
    expect(withdrawn(BISOPROLOL, 'value' in added ? added.value : '')).toBe(typed)
  })

  it('is offered once: not where the plan or another field has it, with a word where it is named', () => {
    const standing = (values: Values, added = false) =>
      standingOf(PENICILLIN, values, added, offers)
    expect(standing({})).toEqual({ is: 'offered' })
    expect(standing({ allergies: 'Allergic to penicillin' })).toEqual({ is: 'named' })
    expect(standing({ allergies: 'Penicillin (Rash)' })).toMatchObject({ is: 'there' })
    expect(standing({ allergies: 'Penicillin (Rash)' }, true)).toEqual({ is: 'added' })
    const medicines = { medicines: 'Bisoprolol (one a day)' }
    expect(standingOf(BISOPROLOL, medicines, false, offers)).toMatchObject({
      is: 'there',
      in: { id: 'medicines' },
    })
  })
})

describe('a composition with what was taken over', () => {
  const all = section.fields.map(({ id }) => id)
  const judge = (body: unknown, standing: unknown, handover: typeof HANDOVER | undefined) => {
    const sent = JSON.parse(JSON.stringify(body)) as Json
    const launch = { id: LAUNCH, gateway: 'gateway.example', section, handover }
    return proven(sent, standing, claimsIn(sent, standing), launch)
  }
  const added = (values: Values, some: readonly Offer[]): Values =>
    some.reduce(
      (now, one) => {
        const made = taken(one, now[one.field.id] ?? '')
        return 'value' in made ? Object.assign(now, { [one.field.id]: made.value }) : now
      },
      { ...values },
    )

  it('says it of an option, a yes and each of several, under their titles, and passes the gateway', () => {
    const concept = (code: string) => ({ coding: [{ system: 'http://snomed.info/sct', code }] })
    const named = (code: string, text: string) => ({ ...concept(code), text })
    const options = { a: 'First', b: 'Second', c: 'Third' }
    const codes = { a: '1111111', b: '2222222' }
    const own: Section = {
      ...section,
      adopt: ['one', 'yes', 'some'].map((into) => ({
        ...{ of: 'Condition' as const, into, as: { [into]: ['code'] } },
        ...(into === 'yes' ? { means: { yes: ['1111111'] } } : {}),
      })),
      fields: [
        { id: 'one', node: 'at0002', title: 'One', type: 'choice', options, codes },
        { id: 'yes', node: 'at0003', title: 'Yes', type: 'yes-no' },
        { id: 'some', node: 'at0004', title: 'Some', type: 'choices', options, codes },
      ],
    }
    const problem = (code: string, at: number) => ({
      ...{ resourceType: 'Condition', id: `c${at}`, subject, code: named(code, `Problem ${at}`) },
    })
    const brought = ['1111111', '2222222', '3333333'].map(problem)
    const { offers: all } = allOffers(own, brought)
    expect(all.map(({ field: to, text }) => [to.id, text])).toEqual([
      ...[
        ['one', 'a'],
        ['yes', 'yes'],
        ['some', 'a'],
        ['one', 'b'],
        ['some', 'b'],
      ],
    ])
    const picked = all.filter(({ text, field: to }) => text !== 'b' || to.id === 'some')
    const values = added({ some: 'c' }, picked)
    expect(values).toEqual({ one: 'a', yes: 'yes', some: 'c\na\nb' })
    expect(all.map((one) => standingOf(one, values, false, all).is)).toContain('there')
    const made = composed(
      own,
      values,
      author,
      picked.map((one) => adoptedOf(one, record)),
    )
    expect(valuesOf(own, made)).toEqual(values)
    const told = (content: unknown) =>
      [...sourcesOf(own, content)].map(([id, list]) => [id, list.map(({ words }) => words)])
    const whole = [
      ['one', ['First']],
      ['yes', ['Yes']],
      ['some', ['First', 'Second']],
    ]
    expect(told(made.content)).toEqual(whole)
    const launch = { id: LAUNCH, gateway: 'gateway.example', section: own }
    const sent = JSON.parse(JSON.stringify(made)) as Json
    const handover = { from: FROM, resources: brought }
    expect(told(proven(sent, undefined, claimsIn(sent), { ...launch, handover }).content)).toEqual(
      whole,
    )
    // Another option in its place is nobody's but the typist's; what stays keeps its source.
    const next = { one: 'b', yes: 'yes', some: 'b\nc' }
    const after = revised(own, made, next, ['one', 'some'], author)
    expect(told(after.content)).toEqual([
      ['yes', ['Yes']],
      ['some', ['Second']],
    ])
    const forged = JSON.parse(JSON.stringify(made).replaceAll('"2222222"', '"3333333"')) as Json
    expect(() => proven(forged, undefined, claimsIn(forged), { ...launch, handover })).toThrow()
  })

  it('says which words came from where, until they change', () => {
    const values = added({ allergies: 'Nuts' }, [PENICILLIN, BISOPROLOL])
    const adopted = [PENICILLIN, BISOPROLOL].map((one) => adoptedOf(one, record))
    const first = composed(section, values, author, adopted)
    const told = (made: typeof first) =>
      [...sourcesOf(section, made.content)].map(([id, list]) => [
        id,
        list.map(({ words }) => words),
      ])
    expect(told(first)).toEqual([
      ['items', ['Bisoprolol, one a day']],
      ['allergies', ['Penicillin (Rash)']],
    ])
    const [source] = sourcesOf(section, first.content).get('allergies') ?? []
    expect(source && sourceWords(source.source)).toBe(
      'From the GP record, Fernleigh at Fernbank Surgery, sent 26-Nov-2026',
    )
    // Somebody else adds a line and changes the dose.
    const next = {
      items: '[{"medicine":"Bisoprolol","dose":"two a day","symptom":"other"}]',
      allergies: `Eggs\n${values.allergies}`,
    }
    const second = revised(section, first, next, ['items', 'allergies'], author)
    expect(told(second)).toEqual([
      ['items', ['Bisoprolol']],
      ['allergies', ['Penicillin (Rash)']],
    ])
    // Another medicine in that row: its dose was never this one’s. And the line reworded.
    const last = { items: '[{"medicine":"Senna","dose":"one a day"}]', allergies: 'Penicillin' }
    expect(told(revised(section, first, last, ['items', 'allergies'], author))).toEqual([])
  })

  it('holds what is added to it later, once, and in no row that was another medicine’s', () => {
    const typed = { items: '[{"medicine":"Morphine","dose":"one a day"}]', allergies: 'Nuts' }
    const first = composed(section, typed, author)
    const [items, allergies] = [BISOPROLOL, PENICILLIN].map(({ text }) => text)
    const next = { items: items ?? '', allergies: `${allergies}\nNuts\n${allergies}` }
    const adopted = [PENICILLIN, BISOPROLOL].map((one) => adoptedOf(one, record))
    const after = revised(section, first, next, ['items', 'allergies'], author, adopted)
    expect(changedFields(section, next, valuesOf(section, after))).toEqual([])
    const told = sourcesOf(section, after.content)
    expect(told.get('items')?.map(({ words }) => words)).toEqual(['Bisoprolol, one a day'])
    expect(told.get('allergies')).toHaveLength(1)
    judge(after, first, HANDOVER)
  })

  it('reads as it was typed and passes the gateway, now and when others save it again', () => {
    const line = fc.constantFrom('', 'Nuts', ' spaced ', 'Latex', ...offers.map(({ text }) => text))
    const typed = fc.array(line, { maxLength: 5 }).map((lines) => lines.join('\n'))
    const rows = fc
      .array(
        fc.record({
          medicine: fc.constantFrom('Bisoprolol', 'Senna', 'Morphine'),
          dose: fc.constantFrom('', 'one a day', 'two a day'),
        }),
        { maxLength: 3 },
      )
      .map((list) => (list.length === 0 ? '' : JSON.stringify(list)))
    const values = fc.record({ allergies: typed, medicines: typed, items: rows, location: line })
    const picks = fc.subarray([...offers])
    fc.assert(
      fc.property(values, picks, values, picks, (before, some, after, more) => {
        const adopted = some.map((one) => adoptedOf(one, record))
        const first = settledValues(section, undefined, added(before, some), adopted)
        const made = composed(section, first, author, adopted)
        expect(changedFields(section, first, valuesOf(section, made))).toEqual([])
        const kept = judge(made, undefined, HANDOVER) as unknown as typeof made
        for (const one of some)
          if (one.field.type === 'long-text')
            expect(sourcesOf(section, kept.content).get(one.field.id)).toContainEqual(
              expect.objectContaining({ words: one.text }),
            )
        // Another launch, which brought nothing; then one that brought the same, and adds some of it.
        for (const [sources, handover] of [
          [[], undefined],
          [more, HANDOVER],
        ] as const) {
          const own = sources.map((one) => adoptedOf(one, record))
          const next = settledValues(section, kept.content, added(after, sources), own)
          const changed = changedFields(section, valuesOf(section, kept), next)
          const again = revised(section, kept, next, changed, author, own)
          expect(changedFields(section, next, valuesOf(section, again))).toEqual([])
          judge(again, kept, handover)
        }
        // Nothing changed: nothing is said anew.
        expect(claimsIn(revised(section, kept, first, all, author) as never, kept)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
