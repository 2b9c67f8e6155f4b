/** What the GP record's items would put into a section, and what a composition may say of having come from there. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ADOPTABLE } from '../../src/core/adoptable.js'
import { allOffers, holds, names, offersOf } from '../../src/core/adoption.js'
import { feederAudit, sourceOf } from '../../src/core/feeder-audit.js'
import { HANDED_OVER } from '../../src/core/handed-over.js'
import type { Json } from '../../src/core/json.js'
import { readJson } from '../../src/core/json-text.js'
import type { PlanField, PlanSection } from '../../src/core/plan.js'
import { dataValueOf } from '../../src/core/plan-values.js'
import { claimsIn, proven } from '../../src/core/provenance.js'

const SNOMED = 'http://snomed.info/sct'
const concept = (text: string, code?: string) => ({
  text,
  ...(code === undefined ? {} : { coding: [{ system: SNOMED, code, display: 'of the code' }] }),
})
const allergy = (more: object = {}) => ({
  ...{ resourceType: 'AllergyIntolerance', id: 'a1', code: concept('Penicillin', '91936005') },
  reaction: [{ manifestation: [{ text: 'Itchy rash' }, { text: 'Wheeze' }] }],
  ...more,
})
const medicine = (more: object = {}) => ({
  ...{ resourceType: 'MedicationStatement', id: 'm1', status: 'active' },
  medicationCodeableConcept: { text: 'Bisoprolol 2.5 mg tablets' },
  dosage: [{ text: 'one each morning' }],
  ...more,
})
const weight = (more: object = {}) => ({
  ...{ resourceType: 'Observation', id: 'o1', status: 'final' },
  code: concept('Body weight', '27113001'),
  effectiveDateTime: '2026-11-03T10:00:00Z',
  valueQuantity: { value: 54.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  ...more,
})

const text = { title: 'T', type: 'text' } as const
const SECTION: PlanSection = {
  ...{ id: 's', title: 'S', template: 'care-plan::s.v1', author: 'clinician', pathway: 'p' },
  adopt: [
    {
      of: 'AllergyIntolerance',
      into: 'allergies',
      as: { allergies: ['code', 'reaction.manifestation'] },
    },
    {
      of: 'MedicationStatement',
      into: 'rows',
      as: { medicine: ['medication'], dose: ['dosage.text'] },
    },
    { of: 'Observation', into: 'weight', as: { weight: ['value'] }, codes: ['27113001'] },
    { of: 'Observation', into: 'weighed', as: { weighed: ['effective'] }, codes: ['27113001'] },
    { of: 'Condition', into: 'what', as: { what: ['code', 'onset'] } },
  ],
  fields: [
    { id: 'allergies', node: 'at0002', title: 'Allergies', type: 'long-text' },
    {
      ...{ id: 'rows', node: 'at0003', title: 'Medicine', type: 'group' },
      fields: [
        { ...text, id: 'medicine', node: 'at0004', required: true },
        { ...text, id: 'dose', node: 'at0005' },
        { ...text, id: 'for', node: 'at0006' },
      ],
    },
    {
      id: 'weight',
      node: 'at0007',
      title: 'W',
      type: 'quantity',
      units: { kg: 'kg' },
      range: [1, 300],
    },
    { id: 'weighed', node: 'at0008', title: 'D', type: 'date' },
    { ...text, id: 'what', node: 'at0009' },
  ],
}
const texts = (resource: Json) => offersOf(SECTION, resource).map(({ text: said }) => said)

describe('what an item of the GP record would put into a section', () => {
  // biome-ignore format: a table
  it.each<[string, object, readonly string[]]>([
    ['an allergy with its reactions',         allergy(),                                              ['Penicillin (Itchy rash, Wheeze)']],
    ['one without any',                       allergy({ reaction: undefined }),                       ['Penicillin']],
    ['one that nobody has confirmed: said',   allergy({ verificationStatus: { coding: [{ code: 'unconfirmed' }] } }), ['Penicillin (Itchy rash, Wheeze; unconfirmed)']],
    ['one with a name by its code alone',     allergy({ code: { coding: [{ display: 'Latex' }] } }),  ['Latex (Itchy rash, Wheeze)']],
    ['a medicine, by field of its row',       medicine(),                                             ['[{"medicine":"Bisoprolol 2.5 mg tablets","dose":"one each morning"}]']],
    ['one on hold: said with the medicine',   medicine({ status: 'on-hold', dosage: undefined }),     ['[{"medicine":"Bisoprolol 2.5 mg tablets (on hold)"}]']],
    ['one named by what stands within it',    medicine({ medicationCodeableConcept: undefined, medicationReference: { reference: '#x' }, contained: [{ id: 'x', code: { text: 'Senna' } }], dosage: [] }), ['[{"medicine":"Senna"}]']],
    ['a weight, and its day',                 weight(),                                               ['54.5 kg', '2026-11-03']],
    ['a problem with the year it began',      { resourceType: 'Condition', id: 'c', code: { text: 'COPD' }, onsetDateTime: '2011' },       ['COPD (2011)']],
    ['one with a whole day',                  { resourceType: 'Condition', id: 'c', code: { text: 'COPD' }, onsetPeriod: { start: '2011-02-09' } }, ['COPD (09-Feb-2011)']],
  ])('%s', (_, resource, said) => {
    expect(texts(resource as Json)).toEqual(said)
  })

  // biome-ignore format: a table
  it.each<[string, object]>([
    ['an allergy that was refuted',                 allergy({ verificationStatus: { coding: [{ code: 'refuted' }] } })],
    ['one that was resolved',                       allergy({ clinicalStatus: { coding: [{ code: 'resolved' }] } })],
    ['one entered in error',                        allergy({ verificationStatus: { coding: [{ code: 'entered-in-error' }] } })],
    ['a medicine that was stopped',                 medicine({ status: 'stopped' })],
    ['one that was never taken',                    medicine({ status: 'not-taken' })],
    ['one that must not be given',                  medicine({ doNotPerform: true })],
    ['what a modifier could turn round',            allergy({ modifierExtension: [{ url: 'x' }] })],
    ['what one deep within could',                  medicine({ dosage: [{ text: 'one', modifierExtension: [{ url: 'x' }] }] })],
    ['what has no id to be named by',               allergy({ id: undefined })],
    ['what has no name',                            allergy({ code: { coding: [{ code: '1' }] } })],
    ['what is named by something else than words',  allergy({ code: ['x', 7] })],
    ['what is too long for a line: never cut',      allergy({ code: { text: 'x'.repeat(501) } })],
    ['what is no type of this section',             { ...allergy(), resourceType: 'Procedure' }],
    ['what is no type at all',                      { ...allergy(), resourceType: '__proto__' }],
    ['another observation than the section asks',   weight({ code: concept('Height', '50373000') })],
  ])('nothing of %s', (_, resource) => {
    expect(texts(resource as Json)).toEqual([])
  })

  // biome-ignore format: a table
  it.each<[string, object]>([
    ['in another unit',          { valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: '[lb_av]' } }],
    ['in a unit of no system',   { valueQuantity: { value: 54, code: 'kg' } }],
    ['that says less than',      { valueQuantity: { value: 54, system: 'http://unitsofmeasure.org', code: 'kg', comparator: '<' } }],
    ['out of range',             { valueQuantity: { value: 540, system: 'http://unitsofmeasure.org', code: 'kg' } }],
    ['that is a word',           { valueQuantity: undefined, valueString: 'heavy' }],
  ])('no number from a weight %s', (_, more) => {
    expect(texts(weight(more))).toEqual(['2026-11-03'])
  })

  it('no date or number that is in doubt, and no date without its day', () => {
    expect(texts(weight({ status: 'preliminary' }))).toEqual([])
    expect(texts(weight({ effectiveDateTime: '2026-11' }))).toEqual(['54.5 kg'])
  })

  it('keeps the SNOMED CT concept beside the words, as what they mean or as part of it', () => {
    const mapping = (resource: Json) => offersOf(SECTION, resource)[0]?.elements[0]?.value.mappings
    expect(mapping(allergy())).toMatchObject([{ match: '>', target: { code_string: '91936005' } }])
    expect(mapping(allergy({ reaction: [] }))).toMatchObject([{ match: '=' }])
    expect(mapping(allergy({ code: { text: 'Latex' } }))).toBeUndefined()
  })

  it('each text once, with how many were over or could not be read', () => {
    const stopped = medicine({ status: 'stopped' })
    const resources = [allergy(), allergy({ id: 'a2' }), stopped, allergy({ code: {} }), 'x', null]
    const all = allOffers(SECTION, resources)
    expect(all.offers.map(({ item }) => item.id)).toEqual(['AllergyIntolerance/a1'])
    expect(all).toMatchObject({ over: 1, unreadable: 1 })
    expect(allOffers({ ...SECTION, adopt: [] }, resources)).toMatchObject({ offers: [], over: 0 })
  })

  it('is one line of words, whatever the resource holds', () => {
    const paths = Object.values(ADOPTABLE).flatMap(({ name, elements }) => [
      name,
      ...Object.keys(elements),
    ])
    const part = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('active', '2026-01-02', 'a\nb\u202e', '', 'x'.repeat(600)),
        fc.anything(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'text',
            'coding',
            'code',
            'display',
            'value',
            'manifestation',
            'reference',
            'start',
          ),
          tie('value'),
        ),
      ),
    })).value
    const key = fc.constantFrom(
      ...paths.map((path) => path.split('.')[0] ?? ''),
      'medicationCodeableConcept',
      'valueQuantity',
      'status',
    )
    const resource = fc
      .tuple(fc.constantFrom(...HANDED_OVER), fc.dictionary(key, part))
      .map(([resourceType, more]) => ({ ...more, resourceType, id: 'x1' }))
    fc.assert(
      fc.property(resource, (one) => {
        for (const { text: said, field, elements } of offersOf(SECTION, one)) {
          expect(said).not.toBe('')
          for (const { text: words } of elements) expect(words).not.toMatch(/[\n\u202e]/)
          expect(holds({ field, text: said }, said)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('which option of a choice an item is', () => {
  const LPA = '816361000000101'
  const part = { title: 'T', node: 'at0002' }
  const section = (field: object, adoption: object): PlanSection => ({
    ...SECTION,
    adopt: [{ of: 'Condition', into: 'f', as: { f: ['code'] }, ...adoption }],
    fields: [{ ...part, id: 'f', ...field } as PlanField],
  })
  const options = { appointed: 'Registered', none: 'None', unknown: 'Not known' }
  const choice = section(
    { type: 'choice', options, codes: { appointed: LPA, none: '1234567' } },
    {},
  )
  const yesNo = section({ type: 'yes-no' }, { means: { yes: [LPA], no: ['1234567'] } })
  const problem = (code: unknown, more: object = {}) => ({
    ...{ resourceType: 'Condition', id: 'c1', code, ...more },
  })
  const coded = (...codes: readonly string[]) => ({
    ...{ text: 'Has a lasting power of attorney' },
    coding: codes.map((code) => ({ system: SNOMED, code })),
  })
  const said = (of: PlanSection, resource: Json) => offersOf(of, resource).map(({ text }) => text)

  it('is told by its concept, whatever it is called there, with our own value and mapping', () => {
    const [offer] = offersOf(choice, problem(coded(LPA)))
    expect(offer).toMatchObject({ text: 'appointed', item: { concept: LPA } })
    expect(offer?.elements[0]?.value).toMatchObject({
      _type: 'DV_CODED_TEXT',
      value: 'Registered',
      defining_code: { code_string: 'appointed' },
      mappings: [{ match: '=', target: { code_string: LPA } }],
    })
    expect(said(yesNo, problem(coded(LPA)))).toEqual(['yes'])
    expect(said(yesNo, problem(coded('1234567')))).toEqual(['no'])
    const several = section({ type: 'choices', options, codes: { appointed: LPA } }, {})
    expect(said(several, problem(coded(LPA)))).toEqual(['appointed'])
  })

  // biome-ignore format: a table
  it.each<[string, Json]>([
    ['a concept that is near it',          problem(coded('816381000000105'))],
    ['the option’s own words, uncoded',    problem({ text: 'Registered' })],
    ['our own code',                       problem({ coding: [{ system: SNOMED, code: 'appointed' }] })],
    ['the same digits of another system',  problem({ coding: [{ system: 'http://read.info/readv2', code: LPA }] })],
    ['a code without a system',            problem({ coding: [{ code: LPA }] })],
    ['a number',                           problem({ coding: [{ system: SNOMED, code: 816361000000101 }] })],
    ['two concepts, one of them it',       problem(coded(LPA, '13645005'))],
    ['two concepts, each an option',       problem(coded(LPA, '1234567'))],
    ['one that the GP system doubts',      problem(coded(LPA), { verificationStatus: { coding: [{ code: 'provisional' }] } })],
    ['one that is over',                   problem(coded(LPA), { clinicalStatus: { coding: [{ code: 'resolved' }] } })],
    ['one that a modifier could turn',     problem(coded(LPA), { modifierExtension: [{ url: 'x' }] })],
  ])('is never guessed from %s', (_, resource) => {
    expect(said(choice, resource)).toEqual([])
    expect(said(yesNo, resource)).toEqual([])
  })

  it('is none where two options are the same concept', () => {
    const codes = { appointed: LPA, none: LPA }
    expect(said(section({ type: 'choice', options, codes }, {}), problem(coded(LPA)))).toEqual([])
    const means = { yes: [LPA], no: [LPA] }
    expect(said(section({ type: 'yes-no' }, { means }), problem(coded(LPA)))).toEqual([])
  })

  it('is what an Observation found, not what it asked', () => {
    const codes = { appointed: LPA }
    const field = { type: 'choice', options, codes }
    const as = { f: ['value'] }
    const found = section(field, { of: 'Observation', as, codes: ['1111111'] })
    const observed = (asked: string, value?: object) => ({
      ...{ resourceType: 'Observation', id: 'o1', status: 'final', code: coded(asked) },
      ...(value ? { valueCodeableConcept: value } : {}),
    })
    expect(said(found, observed('1111111', coded(LPA)))).toEqual(['appointed'])
    expect(said(found, observed('2222222', coded(LPA)))).toEqual([])
    expect(said(found, observed(LPA))).toEqual([])
    expect(ADOPTABLE.Observation.elements.code).toBe('words')
  })

  it('keeps silent of all that is none of them: only what is one and not offered is counted', () => {
    const doubted = problem(coded(LPA), {
      verificationStatus: { coding: [{ code: 'provisional' }] },
    })
    const over = problem(coded(LPA), { clinicalStatus: { coding: [{ code: 'resolved' }] } })
    const others = [problem(coded('13645005')), problem({ text: 'Registered' })]
    expect(allOffers(choice, others)).toEqual({ offers: [], over: 0, unreadable: 0 })
    expect(allOffers(choice, [...others, doubted, over])).toMatchObject({ over: 1, unreadable: 1 })
    const [offer] = offersOf(choice, problem({ ...coded(LPA), text: 'Appointed' }))
    expect(offer && names(offer, 'appointed')).toBe(false)
  })
})

describe('what is in the plan already', () => {
  const [offer] = offersOf(SECTION, allergy())
  const [row] = offersOf(SECTION, medicine())
  if (!offer || !row) throw new Error('no offer')

  it('is told by a whole line, or a row that says at least as much', () => {
    expect(holds(offer, 'Latex\n Penicillin (Itchy rash, Wheeze) ')).toBe(true)
    expect(holds(offer, 'No Penicillin (Itchy rash, Wheeze)')).toBe(false)
    const more = { medicine: 'Bisoprolol 2.5 mg tablets', dose: 'one each morning', for: 'heart' }
    expect(holds(row, JSON.stringify([{ medicine: 'Senna' }, more]))).toBe(true)
    expect(holds(row, JSON.stringify([{ ...more, dose: 'two' }]))).toBe(false)
  })

  it('may be named in other words, which is no reason to keep it back', () => {
    expect(names(offer, 'Not allergic to PENICILLIN, whatever the wristband says')).toBe(true)
    expect(names(offer, 'Penicillinase')).toBe(false)
    expect(names(row, '')).toBe(false)
  })
})

describe('a value that says that it came from the GP record', () => {
  const FROM = {
    ...{ system: 'gp-push', name: 'Fernleigh', organization: 'A83001' },
    ...{ organizationName: 'Fernbank Surgery', at: Date.parse('2026-11-26T08:31:00Z') },
  }
  const LAUNCH = 'lch_0aaaaaaaa0123456789abcdef'
  const audit = (item = 'AllergyIntolerance/a1', more: object = {}) => ({
    ...feederAudit({ from: FROM, item, launch: LAUNCH, gateway: 'gateway.example' }),
    ...more,
  })
  const element = (node: string, value: unknown, feeder_audit: unknown) => ({
    ...{ _type: 'ELEMENT', name: { value: 'n' }, archetype_node_id: node, value, feeder_audit },
  })
  const made = (resource: Json, at = 0) => {
    const one = offersOf(SECTION, resource)[0]?.elements[at]
    if (!one) throw new Error('nothing is made of it')
    return one
  }
  const own = (feeder: unknown = audit()) => {
    const { node, value } = made(allergy())
    return element(node, value, feeder)
  }
  const composition = (...items: readonly unknown[]) => ({ _type: 'COMPOSITION', content: items })
  const judge = (
    body: Json,
    standing?: unknown,
    resources: readonly Json[] = [allergy(), medicine()],
  ) =>
    proven(body, standing, claimsIn(body, standing), {
      ...{ id: LAUNCH, gateway: 'gateway.example', section: SECTION },
      handover: { from: FROM, resources },
    })
  const refused = expect.objectContaining({ code: 'provenance_unproven' })

  it('is believed where the launch brought it, and the gateway’s own words replace the app’s', () => {
    const lied = audit('AllergyIntolerance/a1', {
      originating_system_audit: { system_id: 'another-system', time: { value: '1999-01-01' } },
    })
    const judged = judge(composition(own(lied)))
    expect(judged).toEqual(composition(own()))
    expect(sourceOf((judged.content as readonly Json[])[0]?.feeder_audit)).toEqual({
      ...{ item: 'AllergyIntolerance/a1', system: 'Fernleigh', organization: 'Fernbank Surgery' },
      ...{ at: '2026-11-26T08:31:00.000Z', launch: LAUNCH },
    })
  })

  const { value } = made(allergy())
  // biome-ignore format: a table
  it.each<[string, Json]>([
    ['an item that the launch did not bring',     own(audit('AllergyIntolerance/a9'))],
    ['other words than the item’s',               element('at0002', { ...value, value: 'No known allergies' }, audit())],
    ['the item’s words with another code',        element('at0002', { ...value, mappings: [{ target: { code_string: '1234567' } }] }, audit())],
    ['the item’s words in another field',         element('at0009', value, audit())],
    ['an item of another type',                   own(audit('MedicationStatement/m1'))],
    ['an item, and that it is not known',         { ...own(), null_flavour: { value: 'unknown' } }],
    ['an item that leads elsewhere',              { ...own(), links: [{ target: { value: 'ehr://other' } }] }],
    ['an item whose name has a source too',       { ...own(), name: { value: 'n', feeder_audit: audit('x/1') } }],
    ['a source that is no launch',                own({ _type: 'FEEDER_AUDIT', originating_system_audit: { system_id: 'TPP SystmOne' } })],
    ['a source that is no object',                own('from the GP')],
    ['itself as a whole from the GP record',      { _type: 'EVALUATION', feeder_audit: audit(), data: { items: [] } }],
    ['a row as a whole from the GP record',       { _type: 'CLUSTER', archetype_node_id: 'at0003', feeder_audit: audit('MedicationStatement/m1'), items: [] }],
  ])('is refused where it says %s', (_, item) => {
    expect(() => judge(composition(item))).toThrow(refused)
    // As little deep within, or beside what is true.
    expect(() => judge(composition(own(), { items: [[{ data: item }]] }))).toThrow(refused)
  })

  it('is refused where the launch brought nothing, or nothing that may be read', () => {
    expect(() => judge(composition(own()), undefined, [])).toThrow(refused)
    expect(() =>
      proven(composition(own()), undefined, claimsIn(composition(own())), {
        ...{ id: LAUNCH, gateway: 'g', section: SECTION, handover: undefined },
      }),
    ).toThrow(refused)
  })

  it('is refused where it is said more often than anybody would look at', () => {
    const said = (times: number) => composition(...Array.from({ length: times }, () => own()))
    expect(judge(said(400))).toEqual(said(400))
    expect(() => judge(said(401))).toThrow(refused)
  })

  it('is compared at the cost of its size, however deep one stands within another', () => {
    let written = 0
    const toJSON = () => {
      written += 1
      return 'long'
    }
    const within = (depth: number): unknown =>
      depth === 0
        ? { toJSON }
        : { ...element('at0002', within(depth - 1), { feeder_audit: within(depth - 1) }) }
    const body = composition(within(7))
    expect(() => judge(body, body)).not.toThrow()
    expect(written).toBe(2 * 2 ** 7)
    const audits = composition({ feeder_audit: { feeder_audit: { feeder_audit: { toJSON } } } })
    written = 0
    claimsIn(audits, audits)
    expect(written).toBe(2)
  })

  it('stays as it stood there, whoever brought it, for as long as its value does', () => {
    const foreign = element(
      'at0002',
      { value: 'Latex' },
      { originating_system_audit: { system_id: 'lab' } },
    )
    const before = composition(foreign, own())
    expect(judge(composition(own(), foreign, { more: 1 }), before, [])).toEqual(
      composition(own(), foreign, { more: 1 }),
    )
    // One server says null where another says nothing.
    const nulls = { ...foreign, null_flavour: null, value: { value: 'Latex', mappings: null } }
    expect(judge(composition(nulls, own()), before, [])).toEqual(composition(nulls, own()))
    const changed = { ...foreign, value: { value: 'Latex, mild' } }
    expect(() => judge(composition(changed, own()), before, [])).toThrow(refused)
  })

  it('is one and the same number, however exactly the record, the launch or the app writes it', () => {
    const written = (number: string) =>
      weight({ valueQuantity: { ...weight().valueQuantity, value: readJson(number) } })
    const { node, value } = made(weight())
    const item = (number: string) =>
      element(node, { ...value, magnitude: readJson(number) }, audit('Observation/o1'))
    for (const number of ['54.5', '54.50', '5.45e1']) {
      for (const said of ['54.5', '54.500'])
        expect(judge(composition(item(said)), undefined, [written(number)])).toEqual(
          composition(item(said)),
        )
      // And it stood there before: a browser writes it back without its last zero.
      expect(claimsIn(composition(item('54.5')), composition(item(number)))).toEqual([])
    }
    for (const other of ['54.51', '54.5000000000000001', '"54.5"'])
      expect(() => judge(composition(item(other)), undefined, [written('54.50')])).toThrow(refused)
  })

  it('never vouches in a row for what another item said', () => {
    const part = (at: number, item: string, resource: Json) => {
      const { node, value: said } = made(resource, at)
      return element(node, said, audit(item))
    }
    const other = medicine({ id: 'm2', dosage: [{ text: 'ten at night' }] })
    const rows = (...pairs: readonly (readonly unknown[])[]) =>
      composition(
        ...pairs.map((items) => ({ _type: 'CLUSTER', archetype_node_id: 'at0003', items })),
      )
    const [m1, m2] = ['MedicationStatement/m1', 'MedicationStatement/m2']
    const [what, dose] = [part(0, m1, medicine()), part(1, m1, medicine())]
    const [what2, dose2] = [part(0, m2, other), part(1, m2, other)]
    const brought = [medicine(), other]
    expect(judge(rows([what, dose], [what2, dose2]), undefined, brought)).toEqual(
      rows([what, dose], [what2, dose2]),
    )
    expect(() => judge(rows([what, dose2]), undefined, brought)).toThrow(refused)
    const standing = rows([what, dose], [what2, dose2])
    expect(() => judge(rows([what, dose2], [what2, dose]), standing, [])).toThrow(refused)
    // What was typed beside says nothing of its source.
    const typed = { ...dose, feeder_audit: undefined, value: { value: 'two' } }
    expect(judge(rows([what, typed]), standing, [])).toEqual(rows([what, typed]))
    // But a dose of the GP record's says nothing beside another medicine than its own.
    const morphine = { ...what, feeder_audit: undefined, value: { value: 'Morphine' } }
    expect(() => judge(rows([morphine, dose]), undefined, brought)).toThrow(refused)
    expect(() => judge(rows([morphine, dose], [what2, dose2]), standing, [])).toThrow(refused)
    expect(judge(rows([morphine, dose]), rows([morphine, dose]), [])).toEqual(
      rows([morphine, dose]),
    )
  })
})

it('a text is written in whole characters, whatever was cut off', () => {
  const field = { id: 'a', node: 'at1', title: 'A', type: 'text' } as unknown as PlanField
  const value = (text: string) => dataValueOf(field, text).value
  expect([value('well 😀'), value('cut \ud83d'), value('\ude00 off')]).toEqual([
    'well 😀',
    'cut \ufffd',
    '\ufffd off',
  ])
})
