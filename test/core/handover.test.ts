import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { NhsNumber } from '../../src/core/context.js'
import { HANDED_OVER, type HandedType } from '../../src/core/handed-over.js'
import {
  handoverContext,
  handoverId,
  readHandover,
  releaseHandover,
} from '../../src/core/handover.js'

const SYSTEM = 'https://fhir.nhs.uk/Id/nhs-number'
const PATIENT = { nhsNumber: '9990000018' as NhsNumber, birthDate: '1938-03-14' }
const OTHER = '9990000026'

const person = (number: string, id = 'p1', more: object = {}) => ({
  fullUrl: `urn:uuid:${id}`,
  resource: {
    resourceType: 'Patient',
    id,
    identifier: [{ system: SYSTEM, value: number }],
    ...more,
  },
})
const condition = (subject: unknown, more: object = {}) => ({
  resource: {
    resourceType: 'Condition',
    id: 'c1',
    code: { text: 'Heart failure' },
    subject,
    ...more,
  },
})
const bundle = (...entry: readonly unknown[]) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry,
})
const byNumber = (value: string) => ({ identifier: { system: SYSTEM, value } })
const FROM = {
  ...{ system: 'gp-push', name: 'Fernleigh', organization: 'A83001' },
  at: Date.parse('2026-11-26T08:31:00Z'),
}
const read = (data: unknown) => ({ ...readHandover(data, PATIENT), from: FROM })
const refused = (code: string) => expect.objectContaining({ code })
const codeOf = (act: () => unknown): unknown => {
  try {
    act()
    return 'taken'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('data that comes with a launch', () => {
  it('is the patient’s by NHS number, or by a Patient of the Bundle who has it', () => {
    const taken = read(
      bundle(
        person(PATIENT.nhsNumber, 'p1', { birthDate: '1938-03-14' }),
        condition({ reference: 'urn:uuid:p1' }),
        condition({ reference: 'Patient/p1' }, { id: 'c2' }),
        condition(byNumber('999 000 0018'), { id: 'c3' }),
      ),
    )
    expect(taken.resources.map(({ id }) => id)).toEqual(['c1', 'c2', 'c3'])
  })

  // biome-ignore format: a table
  it.each([
    ['names another by number',                bundle(condition(byNumber(OTHER)))],
    ['names nobody',                           bundle(condition(undefined))],
    ['refers to a Patient who is not there',   bundle(condition({ reference: 'Patient/p9' }))],
    ['holds another’s Patient beside',         bundle(person(PATIENT.nhsNumber), person(OTHER, 'p2'), condition({ reference: 'urn:uuid:p1' }))],
    ['holds a Patient with two numbers',       bundle(person(PATIENT.nhsNumber, 'p1', { identifier: [{ system: SYSTEM, value: PATIENT.nhsNumber }, { system: SYSTEM, value: OTHER }] }))],
    ['holds a Patient without a number',       bundle(person('', 'p1', { identifier: [] }))],
    ['holds a Patient born another day',       bundle(person(PATIENT.nhsNumber, 'p1', { birthDate: '1938-03-15' }))],
    ['says one by reference, one by number',   bundle(person(PATIENT.nhsNumber), condition({ reference: 'urn:uuid:p1', ...byNumber(OTHER) }))],
    ['speaks of another further in',           bundle(person(PATIENT.nhsNumber), condition({ reference: 'urn:uuid:p1' }, { asserter: { reference: 'Patient/p2' } }))],
    ['speaks of another by address',           bundle(person(PATIENT.nhsNumber), condition({ reference: 'urn:uuid:p1' }, { evidence: [{ detail: [{ reference: 'https://x.example/Patient/p1' }] }] }))],
  ])('stops the launch where one resource %s', (_, data) => {
    expect(() => read(data)).toThrow(refused('launch_data_other_patient'))
  })

  const deep = (levels: number): object => (levels === 0 ? {} : { in: deep(levels - 1) })
  // biome-ignore format: a table
  it.each([
    ['is no Bundle',                    { resourceType: 'Condition' }],
    ['is a transaction',                { ...bundle(), type: 'transaction' }],
    ['is a list',                       []],
    ['is text',                         'Bundle'],
    ['has entries that are no list',    { ...bundle(), entry: {} }],
    ['has an entry without a resource', bundle({ fullUrl: 'x' })],
    ['has an id that is none',          bundle(condition(byNumber(PATIENT.nhsNumber), { id: '../x' }))],
    ['has 301 entries',                 bundle(...Array(301).fill(condition(byNumber(PATIENT.nhsNumber))))],
    ['is nested too deep',              bundle(condition(byNumber(PATIENT.nhsNumber), { extension: deep(60) }))],
  ])('is refused as malformed when it %s', (_, data) => {
    expect(() => read(data)).toThrow(refused('launch_malformed'))
  })

  it('is taken without what would not be looked at: pages of text, contained resources, types that we do not know', () => {
    const more = {
      text: { status: 'generated', div: '<div onclick=alert(1)>' },
      contained: [
        { resourceType: 'Patient', id: 'x' },
        { resourceType: 'Medication', id: 'm' },
      ],
    }
    const taken = read(
      bundle(condition(byNumber(PATIENT.nhsNumber), more), {
        resource: { resourceType: 'Communication', subject: byNumber(PATIENT.nhsNumber) },
      }),
    )
    expect(taken.resources).toHaveLength(1)
    expect(JSON.stringify(taken)).not.toMatch(/onclick|"Patient"|Communication/)
    expect(taken.resources[0]?.contained).toEqual([{ resourceType: 'Medication', id: 'm' }])
  })

  it('is released as the record’s patient’s, and only the types that may be read', () => {
    const allergy = { resourceType: 'AllergyIntolerance', patient: byNumber(PATIENT.nhsNumber) }
    const taken = read(bundle(condition(byNumber(PATIENT.nhsNumber)), { resource: allergy }))
    const to = { launch: 'lch_1', patient: 'fhir-1' }
    expect(releaseHandover(taken, to, (one) => one.resourceType === 'AllergyIntolerance')).toEqual({
      ...{ resourceType: 'Bundle', id: 'lch-1', type: 'collection' },
      timestamp: '2026-11-26T08:31:00.000Z',
      meta: {
        tag: [
          { system: 'urn:launch-gateway:launch-system', code: 'gp-push', display: 'Fernleigh' },
          { system: 'https://fhir.nhs.uk/Id/ods-organization-code', code: 'A83001' },
        ],
      },
      entry: [{ resource: { ...allergy, patient: { reference: 'Patient/fhir-1' } } }],
    })
    expect(handoverContext('lch_1').reference).toBe(`Bundle/${handoverId('lch_1')}`)
  })

  it('never holds anything of another patient, whatever is mixed into it', () => {
    const types: readonly HandedType[] = HANDED_OVER
    const resource = fc
      .record({
        type: fc.constantFrom(...types, 'Patient', 'Communication'),
        who: fc.constantFrom(PATIENT.nhsNumber, OTHER),
        how: fc.constantFrom('number', 'reference', 'none'),
        further: fc.constantFrom(undefined, 'Patient/theirs', 'Patient/ours', 'x/Patient/theirs'),
      })
      .map(({ type, who, how, further }) => {
        const mark = who === OTHER || further?.endsWith('theirs') ? 'CANARY' : 'ours'
        const id = who === OTHER ? 'theirs' : 'ours'
        const whose =
          how === 'number'
            ? byNumber(who)
            : how === 'reference'
              ? { reference: `Patient/${id}` }
              : {}
        const more =
          further === undefined ? {} : { note: [{ authorReference: { reference: further } }] }
        return type === 'Patient'
          ? person(who, id)
          : { resource: { resourceType: type, subject: whose, patient: whose, mark, ...more } }
      })
    fc.assert(
      fc.property(fc.array(resource, { maxLength: 6 }), (entries) => {
        try {
          const released = releaseHandover(
            read(bundle(...entries)),
            { launch: 'lch_1', patient: 'f' },
            () => true,
          )
          expect(JSON.stringify(released)).not.toContain('CANARY')
        } catch (error) {
          expect((error as { code?: string }).code).toBe('launch_data_other_patient')
        }
      }),
      { numRuns: 500 },
    )
    // Some are taken, some are not: else the property says nothing.
    expect(codeOf(() => read(bundle(condition(byNumber(PATIENT.nhsNumber)))))).toBe('taken')
  })
})
