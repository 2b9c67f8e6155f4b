import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { KnownPatient, NhsNumber } from '../../src/core/context.js'
import { anyOf, asOne, patientFlags } from '../../src/core/patient-flags.js'

const HL7 = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const patient = (more: object) => ({ resourceType: 'Patient', id: 'p1', ...more })
const labelled = (security: unknown) => patientFlags(patient({ meta: { security } })).sensitive

describe('what a Patient says of itself (FHIR R4, "Security Labels"; PDS, "Sensitive patients")', () => {
  it.each([
    ['no meta', {}],
    ['no labels', { meta: { versionId: '1' } }],
    ['an empty list of labels', { meta: { security: [] } }],
    ['an unrestricted label', { meta: { security: [{ system: HL7, code: 'U' }] } }],
    ['a normal label', { meta: { security: [{ system: HL7, code: 'N' }] } }],
  ])('is not sensitive with %s', (_, more) => {
    expect(patientFlags(patient(more))).toEqual({ sensitive: false, deceased: false })
  })

  it('is sensitive by a label of what stands inside it, of whatever type', () => {
    const inside = (code: string) => ({
      contained: [
        { resourceType: 'Device' },
        { resourceType: 'Organization', meta: { security: [{ code }] } },
      ],
    })
    expect(['R', 'N'].map((code) => patientFlags(patient(inside(code))).sensitive)).toEqual([
      true,
      false,
    ])
  })

  it.each([
    ['R', HL7],
    ['V', HL7],
    ['REDACTED', HL7],
    ['R', 'http://hl7.org/fhir/v3/Confidentiality'],
    ['V', 'urn:oid:2.16.840.1.113883.5.25'],
    ['R', undefined],
    ['r', HL7],
    [' V ', HL7],
  ])('is sensitive by the label %s of the system %s', (code, system) => {
    expect(
      labelled([
        { system: HL7, code: 'U' },
        { system, code },
      ]),
    ).toBe(true)
  })

  it.each([
    ['that is no list', { system: HL7, code: 'U' }],
    ['that is null', null],
    ['without a code', [{ system: HL7, display: 'restricted' }]],
    ['with a code that is no text', [{ code: ['U'] }]],
    ['with an entry that is a text', ['R']],
    ['with an entry that is null', [null]],
  ])('is sensitive by a security label %s: what cannot be read may be one', (_, security) => {
    expect(labelled(security)).toBe(true)
  })

  it('is sensitive when its meta cannot be read', () => {
    expect(patientFlags(patient({ meta: 'R' })).sensitive).toBe(true)
    expect(patientFlags(patient({ meta: [] })).sensitive).toBe(true)
  })

  it.each([
    [{ deceasedBoolean: true }, true],
    [{ deceasedBoolean: false }, false],
    [{ deceasedDateTime: '2026-11-01' }, true],
    [{ _deceasedDateTime: { extension: [] } }, true],
    [{ deceasedBoolean: 'true' }, true],
    [{}, false],
  ])('tells of a death by %j: %s', (more, deceased) => {
    expect(patientFlags(patient(more)).deceased).toBe(deceased)
  })
})

describe('one person whom several records know', () => {
  const place = fc.record({
    tenant: fc.constantFrom(undefined, 'north', 'south'),
    fhirId: fc.constantFrom('p1', 'p2'),
  })
  const patient = fc
    .record({
      place,
      flags: fc.record({ sensitive: fc.boolean(), deceased: fc.boolean() }),
      knownIn: fc.array(place, { maxLength: 2 }),
    })
    .map(({ place: { tenant, fhirId }, flags, knownIn }): KnownPatient => {
      const where = { fhirId, ...(tenant === undefined ? {} : { tenant }) }
      const also = knownIn.length === 0 ? {} : { knownIn }
      return { nhsNumber: '9990000018' as NhsNumber, ...where, ...flags, ...also }
    })
  const nameOf = ({ tenant = '', fhirId }: { tenant?: string | undefined; fhirId: string }) =>
    `${tenant}/${fhirId}`

  it('is sensitive, or dead, when any of them says so, and stays who was chosen', () => {
    fc.assert(
      fc.property(patient, fc.array(patient, { maxLength: 4 }), (chosen, all) => {
        const one = asOne(chosen, all)
        const { sensitive, deceased, knownIn, ...rest } = one
        expect({ sensitive, deceased }).toEqual(anyOf([chosen, ...all]))
        for (const flag of ['sensitive', 'deceased'] as const)
          expect(one[flag]).toBe([chosen, ...all].some((each) => each[flag]))
        const { sensitive: _, deceased: __, knownIn: ___, ...before } = chosen
        expect(rest).toEqual(before)
      }),
    )
  })

  it('is remembered in each of the others once', () => {
    fc.assert(
      fc.property(patient, fc.array(patient, { maxLength: 4 }), (chosen, all) => {
        const names = (asOne(chosen, all).knownIn ?? []).map(nameOf)
        const known = [chosen, ...all].flatMap((each) => [each, ...(each.knownIn ?? [])])
        const others = new Set(known.map(nameOf))
        others.delete(nameOf(chosen))
        expect(names.toSorted()).toEqual([...others].toSorted())
      }),
    )
  })

  it('is nothing new where one alone knows them', () => {
    const chosen = {
      ...{ nhsNumber: '9990000018' as NhsNumber, fhirId: 'p1' },
      ...{ sensitive: false, deceased: false },
    }
    expect(asOne(chosen, [chosen])).toEqual(chosen)
    expect(asOne(chosen, [])).not.toHaveProperty('knownIn')
  })
})
