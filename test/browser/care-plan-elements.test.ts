/** An at-code names a node within its archetype only: values of other archetypes must not be taken for ours. */
import { describe, expect, it } from '@jest/globals'
import {
  type Composition,
  revised,
  unclearFields,
  unshown,
  valuesOf,
} from '../../public/care-plan/composition.js'
import type { Section } from '../../public/care-plan/definition.js'
import { type Json, SECTIONS, stored } from './scenario.js'

const sections = SECTIONS as unknown as readonly Section[]
const cpr = sections.find(({ id }) => id === 'resuscitation') as Section
const medication = sections.find(({ id }) => id === 'medication') as Section
const author = { name: 'Dr Amara Okafor', at: new Date('2026-11-23T10:00:00Z') }

interface Entry extends Json {
  data: { items: Json[] }
}

/** A section's composition, its items or its content changed by the test. */
function made(
  id: string,
  values: Record<string, string>,
  change: (entry: Entry) => readonly Json[] = (entry) => [entry],
): Composition {
  const { composition } = stored(id, values, 'Dr Marsh', '2026-03-12T14:10:00Z')
  const [entry] = (composition as { content: Entry[] }).content
  return { ...composition, content: change(entry as Entry) } as unknown as Composition
}

const element = (node: string, value: string | Json): Json => ({
  _type: 'ELEMENT',
  archetype_node_id: node,
  value: typeof value === 'string' ? { _type: 'DV_TEXT', value } : value,
})
const cluster = (node: string, ...items: Json[]): Json => ({
  _type: 'CLUSTER',
  archetype_node_id: node,
  items,
})
const withItems =
  (...more: Json[]) =>
  (entry: Entry): Json[] => [
    { ...entry, data: { ...entry.data, items: [...entry.data.items, ...more] } },
  ]

const LOCATION = 'openEHR-EHR-CLUSTER.location.v1'
const DNACPR = { decision: 'do-not-attempt', reason: 'Frailty' }

describe('a node of another archetype that has the code of ours', () => {
  const nested = made(
    'resuscitation',
    DNACPR,
    withItems(cluster(LOCATION, element('at0002', 'Ward 4'))),
  )
  const beside = made('resuscitation', { reason: 'Frailty' }, (entry) => [
    entry,
    {
      ...entry,
      archetype_node_id: 'openEHR-EHR-EVALUATION.other.v1',
      data: { _type: 'ITEM_TREE', items: [element('at0002', 'attempt')] },
    },
  ])

  it('does not become part of the decision, and is counted for the reader', () => {
    expect(valuesOf(cpr, nested)).toMatchObject(DNACPR)
    expect(unclearFields(cpr, nested).size).toBe(0)
    expect(unshown(cpr, nested)).toBe(1)
    expect(valuesOf(cpr, beside)).toMatchObject({ decision: '', reason: 'Frailty' })
    expect(unshown(cpr, beside)).toBe(1)
  })

  it('is left as it was when the decision is changed, or taken out', () => {
    for (const decision of ['attempt', '']) {
      const after = revised(cpr, nested, { ...DNACPR, decision }, ['decision'], author)
      expect(JSON.stringify(after)).toContain('Ward 4')
      expect(valuesOf(cpr, after).decision).toBe(decision)
    }
    const after = revised(cpr, beside, { decision: 'do-not-attempt' }, ['decision'], author)
    expect(valuesOf(cpr, after).decision).toBe('do-not-attempt')
    expect(after.content?.[1]).toEqual(beside.content?.[1])
  })
})

describe('a field that could be one value or another', () => {
  const twoDecisions = withItems(cluster('at0010', element('at0002', 'attempt')))
  const twoDates = withItems(element('at0006', { _type: 'DV_DATE', value: '2030-01-01' }))

  it.each<[string, Composition, string]>([
    ['two decisions', made('resuscitation', DNACPR, twoDecisions), 'decision'],
    [
      'two review dates',
      made('resuscitation', { ...DNACPR, review: '2027-01-01' }, twoDates),
      'review',
    ],
    [
      'two entries of the same kind',
      made('resuscitation', DNACPR, (one) => [one, one]),
      'decision',
    ],
    [
      'a value that is no text',
      made('resuscitation', {}, withItems(element('at0002', { _type: 'DV_COUNT', magnitude: 1 }))),
      'decision',
    ],
  ])('is shown as none of them, and not changed by a save: %s', (_, before, field) => {
    expect(unclearFields(cpr, before)).toContain(field)
    expect(valuesOf(cpr, before)[field]).toBe('')
    expect(unshown(cpr, before)).toBeGreaterThan(0)
    const after = revised(cpr, before, { [field]: 'attempt' }, [field], author)
    expect(after.content).toEqual(before.content)
  })

  it('is not made of medicines and doses whose pairs a save would tear apart', () => {
    const one = (name: string, dose: string) =>
      cluster('at0010', element('at0002', name), element('at0003', dose))
    const before = made(
      'medication',
      {},
      withItems(one('Morphine', '2.5 mg'), one('Midazolam', '5 mg')),
    )
    expect([...unclearFields(medication, before)]).toEqual(['location', 'medicines'])
  })

  it('is shown in lines when the record holds a list of one thing, and saved in the place of it', () => {
    const before = made(
      'medication',
      { medicines: 'Morphine' },
      withItems(element('at0002', 'Midazolam')),
    )
    expect(valuesOf(medication, before).medicines).toBe('Morphine\nMidazolam')
    const after = revised(medication, before, { medicines: 'Morphine' }, ['medicines'], author)
    expect(valuesOf(medication, after).medicines).toBe('Morphine')
    expect(unshown(medication, after)).toBe(0)
  })
})

describe('the entry of a section', () => {
  it('is found in a SECTION, and what is added goes there', () => {
    const before = made('resuscitation', DNACPR, (entry) => [
      { _type: 'SECTION', archetype_node_id: 'openEHR-EHR-SECTION.adhoc.v1', items: [entry] },
    ])
    expect(valuesOf(cpr, before)).toMatchObject(DNACPR)
    const next = { ...valuesOf(cpr, before), review: '2027-01-01' }
    expect(valuesOf(cpr, revised(cpr, before, next, ['review'], author))).toEqual(next)
  })

  it('is the only one there is, when the record’s archetype is not that of the plan', () => {
    const before = made('resuscitation', DNACPR, (entry) => [
      { ...entry, archetype_node_id: 'openEHR-EHR-EVALUATION.cpr_decision_uk.v0' },
    ])
    expect(valuesOf(cpr, before)).toMatchObject(DNACPR)
  })
})
