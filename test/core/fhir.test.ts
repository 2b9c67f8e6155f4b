/** FHIR's rules by themselves: the tables, the grammar, whose a resource is, scopes' queries, patches, bundles. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Access } from '../../src/core/access.js'
import { readCall, readParameters, withForm } from '../../src/core/call.js'
import type { Policies } from '../../src/core/decision.js'
import { FHIR_INTERACTIONS, readFhirCall } from '../../src/core/fhir.js'
import { readBundle, readBundleEntry, requireWhole } from '../../src/core/fhir-bundle.js'
import { isOfPatient, namesAnother, type Whose } from '../../src/core/fhir-compartment.js'
import { judgeResource } from '../../src/core/fhir-judge.js'
import { heldToPatient, readCriteria } from '../../src/core/fhir-search.js'
import { FHIR_TYPES, type FhirType, rowOf, searchOf } from '../../src/core/fhir-types.js'
import { readResource, readVersion, requireLabels } from '../../src/core/fhir-write.js'
import { hasBoundlessNumber, hasRepeatedMember, isCrowded, type Json } from '../../src/core/json.js'
import { patched, readPatch } from '../../src/core/json-patch.js'
import { readScopes } from '../../src/core/scope.js'
import { matchesQuery, readScopeQuery } from '../../src/core/scope-query.js'

const refusal = (code: string) =>
  expect.objectContaining({ name: 'Refusal', code }) as unknown as Error
const read = (method: string, address: string) => readFhirCall(readCall(method, address, {}))
const TYPES = Object.keys(FHIR_TYPES) as FhirType[]
const whose: Whose = {
  patient: 'p1',
  upstream: 'http://behind/fhir',
  nhsNumber: '9990000018' as never,
}

describe('the table of interactions', () => {
  // biome-ignore format: a table
  it.each([
    ['GET',    '/Condition/c1',                  { interaction: 'read', id: 'c1' }],
    ['GET',    '/Condition/c1/_history/3',       { interaction: 'vread', id: 'c1', version: '3' }],
    ['GET',    '/Condition/c1/_history',         { interaction: 'history', id: 'c1' }],
    ['GET',    '/Condition?_format=json',        { interaction: 'search', form: false }],
    ['POST',   '/Condition/_search',             { interaction: 'search', form: true }],
    ['POST',   '/Condition',                     { interaction: 'create' }],
    ['PUT',    '/Condition/c1',                  { interaction: 'update', target: { id: 'c1' } }],
    ['PUT',    '/Condition?code=1',              { interaction: 'update', target: { criteria: { type: 'Condition' } } }],
    ['PATCH',  '/Condition/c1',                  { interaction: 'patch' }],
    ['PATCH',  '/Condition?code=1',              { interaction: 'patch' }],
    ['DELETE', '/Condition/c1',                  { interaction: 'delete' }],
    ['DELETE', '/Condition?code=1',              { interaction: 'delete' }],
    ['POST',   '/',                              { interaction: 'bundle' }],
  ])('reads %s %s', (method, address, call) => {
    expect(read(method, address)).toMatchObject(call)
  })

  // biome-ignore format: a table
  it.each([
    ['GET',    '/',                              'interaction_refused'],
    ['GET',    '/_history',                      'interaction_refused'],
    ['GET',    '/Condition/_history',            'interaction_refused'],
    ['GET',    '/Condition/c1/_history/3/x',     'interaction_refused'],
    ['GET',    '/Condition/_search',             'interaction_refused'],
    ['POST',   '/_search',                       'interaction_refused'],
    ['POST',   '/Condition/c1/_search',          'interaction_refused'],
    ['POST',   '/Condition/c1',                  'interaction_refused'],
    ['GET',    '/Patient/p1/$everything',        'interaction_refused'],
    ['POST',   '/Patient/p1/$everything',        'interaction_refused'],
    ['GET',    '/$graphql',                      'interaction_refused'],
    ['POST',   '/$graphql',                      'interaction_refused'],
    ['GET',    '/Observation/$lastn',            'interaction_refused'],
    ['POST',   '/$process-message',              'interaction_refused'],
    ['GET',    '/Patient/p1/Condition',          'interaction_refused'],
    ['GET',    '/Patient/p1/*',                  'parameter_invalid'],
    ['HEAD',   '/Condition/c1',                  'interaction_refused'],
    ['GET',    '/Binary/b1',                     'interaction_refused'],
    ['GET',    '/AuditEvent',                    'interaction_refused'],
    ['GET',    '/Practitioner',                  'interaction_refused'],
    ['POST',   '/Practitioner',                  'interaction_refused'],
    ['PUT',    '/Patient/p1',                    'interaction_refused'],
    ['PATCH',  '/Patient/p1',                    'interaction_refused'],
    ['DELETE', '/Patient/p1',                    'interaction_refused'],
    ['POST',   '/Patient',                       'interaction_refused'],
    ['PUT',    '/Condition',                     'parameter_missing'],
    ['DELETE', '/Condition?patient=p1',          'parameter_missing'],
    ['DELETE', '/Condition?_count=1',            'parameter_invalid'],
    ['PUT',    '/Condition/c1?code=1',           'parameter_invalid'],
    ['POST',   '/Condition?code=1',              'parameter_invalid'],
    ['GET',    '/Condition/c1?_summary=text',    'parameter_invalid'],
    ['GET',    '/Condition/c1/_history?_at=2020', 'parameter_invalid'],
  ])('refuses %s %s', (method, address, code) => {
    expect(() => read(method, address)).toThrow(refusal(code))
  })

  it('knows for every type that is written which letters do it, and changes neither patients nor directories', () => {
    for (const type of TYPES) {
      const { whose: member, writes } = rowOf(type)
      if (member === 'self' || member === 'directory') expect(writes).toEqual([])
      for (const { method, needs } of FHIR_INTERACTIONS)
        if (needs === 'u' && writes.length === 0)
          expect(() => read(method, `/${type}/x`)).toThrow(refusal('interaction_refused'))
    }
  })
})

describe('the grammar of searches', () => {
  it('knows names without modifiers and chains, and of FHIR’s own only those that say how much', () => {
    for (const type of TYPES) {
      const odd = /[:.]|^_(?!id$|count$|offset$|sort$|lastUpdated$|include$)/
      expect(searchOf(type).filter((name) => odd.test(name))).toEqual([])
    }
  })

  it.each([
    ...[
      '_include=Observation:subject',
      '_include:iterate=*',
      '_include=*',
      '_revinclude=Provenance:target',
    ],
    ...[
      '_revinclude:iterate=x',
      '_has:Observation:patient:code=1',
      'patient.name=x',
      'subject:Patient.name=x',
    ],
    ...[
      '_filter=code%20eq%201',
      '_query=x',
      '_elements=id',
      '_summary=count',
      '_total=accurate',
      '_type=Patient',
    ],
    ...[
      '_contained=both',
      '_containedType=contained',
      '_security=R',
      '_tag=x',
      '_profile=x',
      '_text=x',
      '_content=x',
    ],
    ...[
      '_list=x',
      '_source=x',
      '_getpages=x',
      '_pretty=true',
      '_id:not=x',
      '_sort=code',
      '_sort=patient.name',
    ],
    ...[
      'code:in=x',
      'code:not=1',
      'code:above=1',
      'status:missing=true',
      'performer=Patient/p2',
      'encounter=e1',
    ],
    ...[
      'date=yesterday',
      'date=ge2020-13-',
      '_count=-1',
      '_count=0',
      '_count=1000',
      '_lastUpdated=x',
      'subject=Patient/p2',
    ],
    ...['-filter=x', 'code=1%0a', 'code=%00', '_graphql=x', '__proto__=x', 'constructor=x'],
  ])('refuses %s', (query) => {
    expect(() => read('GET', `/Observation?${query}`)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^parameter_/) }) as unknown as Error,
    )
  })

  it.each([
    ...[
      'code=http://loinc.org|8867-4&date=ge2020-01-01',
      '_sort=-date,_lastUpdated&_count=10&_offset=20',
    ],
    ...[
      'category=vital-signs,laboratory&status=final',
      '_lastUpdated=gt2026-01-01T00:00:00Z',
      '_id=o1',
    ],
  ])('reads %s', (query) => {
    expect(read('GET', `/Observation?${query}`)).toMatchObject({ interaction: 'search' })
  })

  it('includes what a row names, and nothing else', () => {
    const search = (include: string) => () => read('GET', `/MedicationRequest?_include=${include}`)
    expect(search('MedicationRequest:medication')).not.toThrow()
    for (const other of [
      'MedicationRequest:subject',
      'MedicationRequest:medication:Medication',
      '*',
      'constructor',
    ])
      expect(search(other)).toThrow(refusal('parameter_invalid'))
  })

  it('takes a form’s parameters beside those of the address, each once', () => {
    const call = readCall('POST', '/Condition/_search?code=1', {})
    expect(readFhirCall(withForm(call, 'clinical-status=active'))).toMatchObject({
      parameters: new Map([
        ['code', '1'],
        ['clinical-status', 'active'],
      ]),
    })
    expect(() => withForm(call, 'code=2')).toThrow(refusal('parameter_repeated'))
    expect(() => withForm(call, 'patient=p1&patient=p2')).toThrow(refusal('parameter_repeated'))
    expect(() => withForm(call, '%70atient=p1&patient=p2')).toThrow(refusal('parameter_repeated'))
  })

  it('holds every search and every condition to the patient', () => {
    const criteria = readCriteria('Condition', readParameters('?code=1'))
    expect(heldToPatient(criteria, 'p1')).toBe('patient=Patient%2Fp1&code=1')
    const others = readCriteria('Condition', readParameters('code=1&patient=Patient/p2'))
    expect(() => heldToPatient(others, 'p1')).toThrow(refusal('record_other_patient'))
  })
})

const about = (type: FhirType, patient: unknown, more: object = {}): Json => {
  const member = rowOf(type).whose
  return {
    ...{ resourceType: type, id: member === 'self' ? patient : 'x1', ...more },
    ...(member === 'subject' || member === 'patient' ? { [member]: patient } : {}),
  }
}
const to = (reference: unknown) => ({ reference })

describe('whose a resource is', () => {
  it.each(TYPES.filter((type) => ['subject', 'patient'].includes(rowOf(type).whose)))(
    'is said by the one member of its row: %s',
    (type) => {
      for (const mine of ['Patient/p1', 'Patient/p1/_history/2', 'http://behind/fhir/Patient/p1'])
        expect(isOfPatient(about(type, to(mine)), whose)).toBe(true)
      for (const other of [
        ...[
          to('Patient/p2'),
          to('Patient/p11'),
          to('Patient/P1'),
          to('patient/p1'),
          to('Group/p1'),
          to('#p1'),
        ],
        ...[
          to('http://evil/fhir/Patient/p1'),
          to('http://behind/fhirx/Patient/p1'),
          to('Patient/p1?x'),
          to(''),
        ],
        ...[
          to('Patient?identifier=1'),
          to('urn:uuid:p1'),
          to(['Patient/p1']),
          [to('Patient/p1')],
          undefined,
          null,
        ],
        ...['Patient/p1', { identifier: { value: '9990000018' } }, { display: 'Patient/p1' }],
      ])
        expect(isOfPatient(about(type, other), whose)).toBe(false)
      // The compartment counts it to who did it as well: that opens nothing.
      for (const path of rowOf(type).also) {
        const [first = '', second] = path.split('.')
        const member = second === undefined ? to('Patient/p1') : [{ [second]: to('Patient/p1') }]
        expect(isOfPatient(about(type, to('Patient/p2'), { [first]: member }), whose)).toBe(false)
      }
    },
  )

  it('is never known of a type without a row, and of everybody in a directory', () => {
    for (const type of ['Binary', 'Bundle', 'Basic', 'constructor', undefined])
      expect(isOfPatient({ resourceType: type, subject: to('Patient/p1') }, whose)).toBe(false)
    expect(isOfPatient(about('Practitioner', 'x'), whose)).toBe(true)
    expect(isOfPatient(about('Patient', 'p1'), whose)).toBe(true)
    expect(isOfPatient(about('Patient', 'p2'), whose)).toBe(false)
  })

  // biome-ignore format: a table
  it.each([
    ['its number',                    [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }],                                             true],
    ['its number, as people write it', [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '999 000 0018' }],                                          true],
    ['its number and an old one',     [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000050' }, { system: 'urn:oid:2.16.840.1.113883.2.1.4.1', value: '9990000018' }], true],
    ['another kind of number',        [{ system: 'https://hospital.example/number', value: '9990000069' }],                                               true],
    ['a number that is none',         [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: 'unknown' }],                                                true],
    ['no number',                     undefined,                                                                                                          true],
    ['another’s number',              [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' }],                                             false],
  ])('is asked of a Patient’s NHS numbers as well: %s', (_what, identifier, right) => {
    expect(isOfPatient({ ...about('Patient', 'p1'), identifier }, whose)).toBe(right)
    const { nhsNumber: _, ...unnumbered } = whose
    expect(isOfPatient({ ...about('Patient', 'p1'), identifier }, unnumbered)).toBe(true)
  })

  // biome-ignore format: a table
  it.each([
    ['a medication',                         [{ resourceType: 'Medication', id: 'm' }],                                          true],
    ['a device',                             [{ resourceType: 'Device' }],                                                       true],
    ['an observation of the same patient',   [about('Observation', to('Patient/p1'))],                                           true],
    ['an observation of another',            [about('Observation', to('Patient/p2'))],                                           false],
    ['an observation of one inside as well', [{ resourceType: 'Patient', id: 'q' }, about('Observation', to('#q'))],             false],
    ['the patient',                          [{ resourceType: 'Patient', id: 'p1' }],                                            false],
    ['what nobody knows',                    [{ resourceType: 'Basic' }],                                                        false],
    ['another inside one inside',            [{ resourceType: 'Device', contained: [about('Patient', 'p2')] }],                  false],
    ['deeper ones',                          [about('Observation', to('Patient/p1'), { contained: [about('Observation', to('Patient/p1'), { contained: [about('Observation', to('Patient/p1'))] })] })], false],
    ['a specimen of the patient',            [{ resourceType: 'Specimen', subject: to('Patient/p1') }],                                  true],
    ['a specimen of a place',                [{ resourceType: 'Specimen', subject: to('Location/l1') }],                                 true],
    ['a specimen of another',                [{ resourceType: 'Specimen', subject: to('Patient/p2') }],                                  false],
    ['a device of another, by address',      [{ resourceType: 'Device', patient: to('https://elsewhere/Patient/p1') }],                  false],
    ['a device of another, by number',       [{ resourceType: 'Device', patient: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } } }], false],
    ['no list',                              { resourceType: 'Patient' },                                                        false],
    ['no resource',                          ['Patient/p2'],                                                                     false],
  ])('is asked of what stands inside too: %s', (_what, contained, right) => {
    expect(isOfPatient(about('Condition', to('Patient/p1'), { contained }), whose)).toBe(right)
  })
})

describe('a write that names another patient', () => {
  // biome-ignore format: a table
  it.each([
    ['as who did it',              { performer: [to('Patient/p2')] }],
    ['in an extension',            { extension: [{ url: 'x', valueReference: to('Patient/p2') }] }],
    ['by an address anywhere',     { extension: [{ url: 'x', valueUri: 'http://behind/fhir/Patient/p2' }] }],
    ['by another server’s address', { note: [{ authorReference: to('https://evil/Patient/p1') }] }],
    ['by a condition',             { performer: [to('Patient?identifier=1')] }],
    ['by a condition on others',   { performer: [to('Practitioner?name=x')] }],
    ['by number',                  { focus: [{ type: 'Patient', identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } }] }],
    ['by number, without type',    { focus: [{ identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } }] }],
    ['by another kind of number',  { focus: [{ type: 'Patient', identifier: { system: 'x', value: '1' } }] }],
    ['by a condition with spaces', { focus: [to('Patient?name=a b')] }],
    ['by a version',               { focus: [to('Patient/p2/_history/1')] }],
    ['below its attachments',      { content: [{ attachment: { url: 'Patient/p2/Binary' } }] }],
    ['after a space, which some leave out', { performer: [to(' Patient/p2')] }],
    ['between lines',              { extension: [{ url: 'x', valueUri: '\n\tPatient/p2\n' }] }],
    ['by a scheme in capitals',    { extension: [{ url: 'x', valueUrl: 'HTTPS://elsewhere/fhir/Patient/p2' }] }],
    ['by a number, its type by address', { focus: [{ type: 'http://hl7.org/fhir/StructureDefinition/Patient', identifier: { system: 'urn:local', value: '7' } }] }],
  ])('is known: %s', (_how, more) => {
    expect(namesAnother(about('Observation', to('Patient/p1'), more), whose)).toBe(true)
  })

  it('is not taken for one that names its own, or says “patient” in words', () => {
    const fine = about('Observation', to('http://behind/fhir/Patient/p1'), {
      note: [{ text: 'Patient/carer asked: Why? Patient agreed.' }],
      performer: [to('Practitioner/1'), to('Patient/p1/_history/4')],
      focus: [
        {
          type: 'Patient',
          identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' },
        },
      ],
    })
    expect(namesAnother(fine, whose)).toBe(false)
    expect(namesAnother({ note: 'the Patient/p2 ward' }, whose)).toBe(false)
  })
})

describe('a resource with many inside it', () => {
  it('is judged in a time that grows with their number, not with its square', () => {
    let looks = 0
    const contained = Array.from({ length: 300 }, () => ({
      ...about('Flag', to('Patient/p1')),
      get meta() {
        looks += 1
        return undefined
      },
    }))
    const access = {
      scopes: readScopes('patient/*.r'),
      grant: { circumstances: { patient: { sensitive: false, deceased: false } } },
    } as unknown as Access
    const policies = { decide: () => ({ effect: 'allow', policies: [], errors: [] }) }
    const judging = { access, policies: policies as unknown as Policies, whose }
    const resource = { ...about('Condition', to('Patient/p1')), contained }
    expect(judgeResource(judging, resource, 'r')).toMatchObject({ is: 'given' })
    expect(looks).toBeLessThan(contained.length * 5)
  })
})

describe('a scope’s query', () => {
  const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category'
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    category: [{ text: 'x' }, { coding: [{ system: LAB, code: 'laboratory' }, { code: 'local' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  }
  // biome-ignore format: a table
  it.each([
    [`category=${LAB}|laboratory`,                        true],
    ['category=laboratory',                               true],
    [`category=${LAB}|`,                                  true],
    ['category=|local',                                   true],
    ['category=|laboratory',                              false],
    ['category=vital-signs',                              false],
    ['category=vital-signs,laboratory',                   true],
    ['category=http://other|laboratory',                  false],
    [`category=${LAB}|local`,                             false],
    ['category=laboratory&status=final',                  true],
    ['category=laboratory&status=amended',                false],
    ['category=laboratory&category=vital-signs',          false],
    ['code=http://loinc.org|8867-4',                      true],
    ['code=8867',                                         false],
    ['status=Final',                                      false],
  ])('%s reaches it: %s', (query, reached) => {
    const rule = readScopeQuery('Observation', query)
    expect(rule && matchesQuery(rule, observation)).toBe(reached)
  })

  it('reaches nothing that does not say what it is asked about', () => {
    const rule = readScopeQuery('Observation', 'category=laboratory')
    for (const odd of [
      {},
      { category: 'laboratory' },
      { category: [null] },
      { category: { text: 'laboratory' } },
      { category: { code: 'laboratory' } },
      { category: [{ coding: { code: 'laboratory' } }] },
    ])
      expect(rule && matchesQuery(rule, odd)).toBe(false)
  })

  it('looks at all members that a parameter looks at', () => {
    const rule = readScopeQuery('AllergyIntolerance', 'code=1')
    const reaction = [{ substance: { coding: [{ code: '1' }] } }]
    expect(rule && matchesQuery(rule, { reaction })).toBe(true)
  })
})

describe('a patch', () => {
  const before = about('Condition', to('Patient/p1'), { note: [{ text: 'a' }] })
  const make = (patch: unknown) => patched(before, readPatch(patch))

  it('makes another resource and leaves the one that stands', () => {
    const after = make([
      { op: 'test', path: '/note/0/text', value: 'a' },
      { op: 'add', path: '/note/-', value: { text: 'b' } },
      { op: 'replace', path: '/subject/reference', value: 'Patient/p2' },
    ])
    expect(after).toMatchObject({ note: [{ text: 'a' }, { text: 'b' }], subject: to('Patient/p2') })
    expect(isOfPatient(after, whose)).toBe(false)
    expect(before.note).toEqual([{ text: 'a' }])
  })

  it.each([
    ['another id', [{ op: 'replace', path: '/id', value: 'x2' }]],
    ['no id', [{ op: 'remove', path: '/id' }]],
    ['another type', [{ op: 'replace', path: '/resourceType', value: 'Observation' }]],
    ['a test that fails', [{ op: 'test', path: '/note/0/text', value: 'z' }]],
    ['a member of a word', [{ op: 'add', path: '/resourceType/x', value: 1 }]],
    ['what is not there', [{ op: 'remove', path: '/nowhere' }]],
    ['a list that long', [{ op: 'replace', path: '/note/length', value: 4_000_000_000 }]],
    ['a list without its items', [{ op: 'replace', path: '/note/length', value: 0 }]],
    ['a member of a list', [{ op: 'replace', path: '/note/x', value: 1 }]],
    ['an item before the first', [{ op: 'replace', path: '/note/-1', value: 1 }]],
    ['an item by a number that is none', [{ op: 'remove', path: '/note/0x0' }]],
    ['an item by what every list has', [{ op: 'remove', path: '/note/push' }]],
    ['the end of a list less', [{ op: 'remove', path: '/note/-' }]],
    ['what every object has a member', [{ op: 'copy', from: '/toString', path: '/x' }]],
    ['what every object has another', [{ op: 'replace', path: '/valueOf', value: 1 }]],
    ['a test of what every object has', [{ op: 'test', path: '/note/length', value: 1 }]],
    [
      'itself a part of itself',
      Array.from({ length: 100 }, () => ({ op: 'copy', from: '/note', path: '/note/0/x' })),
    ],
    [
      'copies that double',
      [
        { op: 'add', path: '/x', value: 'x'.repeat(900) },
        ...Array.from({ length: 40 }, (_, at) => ({ op: 'copy', from: '', path: `/y${at}` })),
      ],
    ],
  ])('that makes %s fails', (_what, patch) => {
    const codes = expect.stringMatching(/^(?:patch_failed|body_unreadable)$/)
    expect(() => make(patch)).toThrow(expect.objectContaining({ code: codes }) as unknown as Error)
  })

  it.each([
    ['/toString/call', 'object'],
    ['/hasOwnProperty/call', 'object'],
    ['/__defineGetter__/apply', 'object'],
    ['/note/map/call', 'list'],
    ['/note/0/text/trim/call', 'word'],
  ])('changes nothing of what all objects share, as %s of every %s', (path) => {
    const shared = [
      {}.toString,
      {}.hasOwnProperty,
      Reflect.get({}, '__defineGetter__'),
      [].map,
      ''.trim,
    ]
    const own = () => shared.flatMap((one) => Reflect.ownKeys(one))
    const standing = own()
    try {
      for (const op of ['add', 'replace'])
        expect(() => make([{ op, path, value: 1 }])).toThrow(refusal('patch_failed'))
      expect(own()).toEqual(standing)
    } finally {
      for (const one of shared)
        for (const name of ['call', 'apply']) Reflect.deleteProperty(one, name)
    }
  })

  it.each([
    [{ a: 1, b: [{ c: null }, 'd'] }, { b: [{ c: null }, 'd'], a: 1.0 }, true],
    [[1, 2], [2, 1], false],
    [[1], [1, 1], false],
    [{ a: 1 }, { a: 1, b: 1 }, false],
    [{ a: null }, {}, false],
    ['1', 1, false],
    [[], {}, false],
    [-0, 0, true],
  ])('finds %j and %j the same: %s (RFC 6902 §4.6)', (standing, value, same) => {
    const test = () =>
      patched({ ...before, x: standing }, readPatch([{ op: 'test', path: '/x', value }]))
    if (same) expect(test()).toMatchObject({ id: before.id })
    else expect(test).toThrow(refusal('patch_failed'))
  })

  it('may name a member as it likes, where it is its own', () => {
    const patch = [
      { op: 'add', path: '/toString', value: { 'a/b': 1, length: 2 } },
      { op: 'test', path: '/toString/a~1b', value: 1 },
      { op: 'replace', path: '/toString/length', value: 3 },
      { op: 'move', from: '/toString', path: '/x' },
      { op: 'add', path: '/note/1', value: { text: 'b' } },
      { op: 'move', from: '/note/1', path: '/note/0' },
    ]
    expect(make(patch)).toMatchObject({
      ...{ x: { 'a/b': 1, length: 3 }, note: [{ text: 'b' }, { text: 'a' }] },
    })
  })

  it.each([
    [[]],
    [{ op: 'remove', path: '/note' }],
    [[{ op: 'remove', path: '' }]],
    [[{ op: 'remove', path: 'note' }]],
    [[{ op: 'add', path: '/x' }]],
    [[{ op: 'remove', path: '/note', value: 1, extra: 1 }]],
    [[{ op: 'add', path: '/__proto__/x', value: 1 }]],
    [[{ op: 'copy', from: '/constructor', path: '/x' }]],
    [[{ op: 'spam', path: '/note' }]],
    [Array.from({ length: 101 }, () => ({ op: 'remove', path: '/note' }))],
  ])('is not read from %j', (patch) => {
    expect(() => readPatch(patch)).toThrow(refusal('body_unreadable'))
  })
})

describe('what is sent to be written', () => {
  it('is of the type and id of its address, and says nothing that is the record’s to say', () => {
    const meta = { versionId: '9', lastUpdated: 'x', profile: ['p'] }
    expect(readResource({ resourceType: 'Condition', id: 'c1', meta }, 'Condition')).toEqual({
      resourceType: 'Condition',
      meta: { profile: ['p'] },
    })
    expect(() => readResource({ resourceType: 'Condition', id: 'c2' }, 'Condition', 'c1')).toThrow(
      refusal('parameter_invalid'),
    )
    expect(() => readResource({ resourceType: 'Goal' }, 'Condition')).toThrow(
      refusal('body_unreadable'),
    )
    expect(() => readResource([], 'Condition')).toThrow(refusal('body_unreadable'))
  })

  it('keeps every label of what it takes the place of', () => {
    const labelled = (...codes: string[]) => ({
      meta: { security: codes.map((code) => ({ system: 's', code })) },
    })
    expect(() => requireLabels(labelled('R'), labelled('R', 'V'))).not.toThrow()
    const security = [['s|R'], [{ system: 's', code: ['R'] }], [{ system: ['s'], code: 'R' }]]
    const like = security.map((labels) => ({ meta: { security: labels } }))
    for (const after of [{}, labelled(), labelled('V'), { meta: { security: 'R' } }, ...like])
      expect(() => requireLabels(labelled('R'), after)).toThrow(refusal('label_missing'))
  })

  it('keeps the labels of what stood inside it as its own, where a record had given it any (dom-5)', () => {
    const label = { security: [{ system: 's', code: 'R' }] }
    const inside = { resourceType: 'Condition', id: 'in', meta: label }
    const bare = { resourceType: 'Condition', id: 'in' }
    const before = { resourceType: 'Observation', contained: [inside] }
    for (const after of [
      { resourceType: 'Observation' },
      { resourceType: 'Observation', contained: [bare] },
      { resourceType: 'Observation', contained: [inside] },
      { resourceType: 'Observation', meta: { security: [{ code: 'R' }] } },
    ])
      expect(() => requireLabels(before, after)).toThrow(refusal('label_missing'))
    expect(() => requireLabels(before, { meta: label, contained: [bare] })).not.toThrow()
  })

  it('names the version that it changes, weakly or strongly', () => {
    expect(readVersion('W/"3"', true)).toBe('3')
    expect(readVersion('"a-1"', true)).toBe('a-1')
    expect(readVersion(undefined, false)).toBeUndefined()
    expect(() => readVersion(undefined, true)).toThrow(refusal('version_missing'))
    for (const text of ['3', '*', '"1", "2"', '""', `"${'1'.repeat(65)}"`])
      expect(() => readVersion(text, false)).toThrow(refusal('parameter_invalid'))
  })
})

describe('a bundle', () => {
  const entry = (method: string, url: string, more: object = {}) => ({
    request: { method, url },
    ...more,
  })
  const patch = (data: string) =>
    entry('PATCH', 'Condition/c1', {
      resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data },
    })
  const base64 = (text: string) => Buffer.from(text).toString('base64')

  it('is read entry by entry by the reader of single calls', () => {
    expect(readBundleEntry(entry('GET', 'Condition?code=1'))).toMatchObject({
      call: { interaction: 'search' },
    })
    expect(readBundleEntry(patch(base64('[{"op":"remove","path":"/note"}]')))).toMatchObject({
      body: [{ op: 'remove', path: '/note' }],
    })
  })

  it.each([
    ['a bundle inside', entry('POST', '')],
    ['a bundle inside, by a slash', entry('POST', '/')],
    ['another server', entry('GET', 'https://evil/fhir/Condition/1')],
    ['another server without scheme', entry('GET', '//evil/Condition/1')],
    ['dots', entry('GET', 'Condition/../Patient/p2')],
    ['an operation', entry('GET', 'Patient/p1/$everything')],
    ['a search by form', entry('POST', 'Condition/_search')],
    ['what the server can', entry('GET', 'metadata')],
    ['HEAD', entry('HEAD', 'Condition/c1')],
    ['a parameter twice', entry('GET', 'Condition?patient=p1&patient=p2')],
    [
      'a member of requests that it does not know',
      { request: { method: 'GET', url: 'Condition/c1', ifNoneMatch: '*' } },
    ],
    [
      'a condition on what is no create',
      { request: { method: 'PUT', url: 'Condition/c1', ifNoneExist: 'code=1' } },
    ],
    ['a patch that is no Binary', entry('PATCH', 'Condition/c1', { resource: [] })],
    ['a patch with a member twice', patch(base64('[{"op":"remove","path":"/a","path":"/b"}]'))],
    ['no request', { resource: {} }],
  ])('is refused with %s', (_what, given) => {
    expect(() => readBundleEntry(given)).toThrow()
  })

  it('has a bounded number of entries, and is a batch or a transaction', () => {
    const of = (type: string, count: number) => () =>
      readBundle({ resourceType: 'Bundle', type, entry: Array.from({ length: count }, () => ({})) })
    expect(of('batch', 50)).not.toThrow()
    for (const wrong of [
      of('batch', 51),
      of('transaction', 0),
      of('document', 1),
      of('message', 1),
      of('history', 1),
    ])
      expect(wrong).toThrow(refusal('body_unreadable'))
  })

  it('refers within a transaction to what it makes, and changes nothing twice', () => {
    const urn = 'urn:uuid:0b9a3a5e-1111-4222-8333-000000000001'
    const referring = {
      resource: { focus: [to(urn.toUpperCase().replace('URN:UUID', 'urn:uuid'))] },
    }
    expect(() => requireWhole([{ urn }, referring])).not.toThrow()
    expect(() => requireWhole([referring])).toThrow(refusal('parameter_invalid'))
    expect(() => requireWhole([{ urn }, { urn }])).toThrow(refusal('parameter_invalid'))
    expect(() => requireWhole([{ place: 'Goal/1' }, { place: 'Goal/1' }])).toThrow(
      refusal('parameter_invalid'),
    )
  })
})

describe('a member that stands twice in a JSON text', () => {
  it.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"x":[{"a":1,"b":{"a":1}},{"a":1}],"a":"{\\"a\\":1,\\"a\\":2}"}', false],
    ['{"x":{"a":1,"a":2}}', true],
    ['[{"a":"b","b":"a"}]', false],
    ['{"__proto__":1}', true],
    ['{"\\\\":1,"a":"\\\\","\\"":2}', false],
    ['"a"', false],
  ])('is found in %s: %s', (text, twice) => {
    JSON.parse(text)
    expect(hasRepeatedMember(text)).toBe(twice)
  })

  it('is not found in what JSON itself writes, and is found when one is added', () => {
    const value = fc.jsonValue().filter((each) => !JSON.stringify(each).includes('__proto__'))
    fc.assert(
      fc.property(value, fc.string(), (inner, name) => {
        fc.pre(name !== '__proto__')
        const text = JSON.stringify({ [name]: inner }, null, 1)
        expect(hasRepeatedMember(text)).toBe(false)
        expect(hasRepeatedMember(`${text.slice(0, -1)},${JSON.stringify(name)}:0}`)).toBe(true)
      }),
    )
  })
})

describe('a text that is dearer than it is long', () => {
  const list = (part: string, times: number) => `[${Array.from({ length: times }, () => part)}]`
  const members = (times: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: times }, (_, at) => [`m${at}`, ''])))
  // biome-ignore format: a table
  it.each([
    ['as many words as a body may have',  list('"a,[{1"', 99_990),                false],
    ['more',                              list('""', 100_001),                    true],
    ['as many numbers as it may have',    list('-1.5e3', 19_990),                 false],
    ['more',                              list('0', 20_001),                      true],
    ['lists without end',                 list('[]', 60_000),                     true],
    ['lists in lists',                    '['.repeat(100_001),                    true],
    ['a table',                           members(5_001),                         true],
    ['as many members as one may have',   members(5_000),                         false],
    ['many of those',                     list(members(4_000), 20),               false],
    ['a list of as many',                 list('""', 5_001),                      false],
    ['one long word',                     `"${'\\\\\\"'.repeat(250_000)}"`, false],
    ['a word without an end',             `"${',1'.repeat(250_000)}`,             false],
    ['one long number',                   '1'.repeat(1_000_000),                  false],
    ['nothing',                           '',                                     false],
  ])('is known by its parts: %s', (_what, text, crowded) => {
    expect(isCrowded(text)).toBe(crowded)
  })
})

describe('a number without bounds', () => {
  it.each([
    ['{"value":0.1,"x":"1e999","y":123456789012345}', false],
    ['{"value":-12.50e-3,"zero":0.000,"n":[0]}', false],
    ['{"value":12345678901234567890,"other":0.1234567890123456789}', false],
    ['{"value":0.30000000000000004,"x":-70.30000000000001}', false],
    ['{"value":1e999}', true],
    ['{"value":-1e-999}', true],
  ])('is found in %s: %s', (text, found) => {
    JSON.parse(text)
    expect(hasBoundlessNumber(text)).toBe(found)
  })
})
