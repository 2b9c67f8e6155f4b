import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type Composition,
  composed,
  revised,
  unclearFields,
  unshown,
  valuesOf,
} from '../../public/care-plan/composition.js'
import { misattributed } from '../../public/care-plan/decision-check.js'
import type { Field, Section, Values } from '../../public/care-plan/definition.js'
import {
  type Content,
  ForeignPatient,
  findingOf,
  type Index,
  isNone,
  readEntries,
  readIndex,
} from '../../public/care-plan/finding.js'
import { changedFields, mergeOf } from '../../public/care-plan/merge.js'
import { mayBegin, rightsOf, sightOf } from '../../public/care-plan/rights.js'
import { harmless } from '../../public/care-plan/text.js'
import { groupText } from '../../src/core/plan-values.js'
import { checkComposition, compositionOf } from '../../src/demo/composition.js'
import { beginning, PLAN, SECTIONS, scopeFor } from './scenario.js'

const sections = SECTIONS

/** Texts as a form would hold them. */
const typed = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .map((text) => harmless(text).replace(/\s+/g, ' ').trim())
function textArbitrary(field: Field): fc.Arbitrary<string> {
  const codes = Object.keys(field.options ?? {})
  const number = fc.tuple(fc.integer({ min: -999, max: 999 }), fc.constantFrom('', '.5', '.50'))
  const units = Object.keys(field.units ?? {})
  const group = fc.array(texts(field.fields ?? []), { maxLength: 4 })
  // biome-ignore format: a table
  const of: Readonly<Record<Field['type'], () => fc.Arbitrary<string>>> = {
    text:        () => typed,
    'long-text': () => fc.array(typed, { maxLength: 3 }).map((lines) => lines.join('\n').trim()),
    date:        () => fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10)),
    choice:      () => fc.constantFrom(...codes),
    choices:     () => fc.uniqueArray(fc.constantFrom(...codes)).map((some) => some.join('\n')),
    'yes-no':    () => fc.constantFrom('yes', 'no'),
    quantity:    () => fc.tuple(number, fc.constantFrom(...units)).map(([[whole, part], unit]) => `${whole}${part} ${unit}`),
    group:       () => group.map((rows) => groupText(field, rows)),
  }
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 3, arbitrary: of[field.type]() },
  )
}
function texts(fields: readonly Field[]): fc.Arbitrary<Values> {
  return fc.record(Object.fromEntries(fields.map((field) => [field.id, textArbitrary(field)])))
}
const section = (id: string): Section => {
  const found = sections.find((one) => one.id === id)
  if (!found) throw new Error(id)
  return found
}

describe('what the granted scopes allow', () => {
  const granted =
    'launch patient/composition-care-plan::contacts.v1.ru patient/composition-care-plan::symptoms.v1.cr openid'

  it('is read section by section', () => {
    expect(rightsOf(granted, 'care-plan::contacts.v1')).toEqual({
      read: true,
      create: false,
      update: true,
    })
    expect(rightsOf(granted, 'care-plan::symptoms.v1')).toEqual({
      read: true,
      create: true,
      update: false,
    })
    expect(rightsOf(granted, 'care-plan::prognosis.v1')).toEqual({
      read: false,
      create: false,
      update: false,
    })
  })

  it('divides the plan into what is seen and what is hidden, in its own order', () => {
    const { seen, hidden } = sightOf(granted, sections)
    expect(seen.map(({ id }) => id)).toEqual(['symptoms', 'contacts'])
    expect(hidden).toHaveLength(sections.length - 2)
  })
})

describe('who may begin a plan', () => {
  const author = scopeFor({ '*': 'cru' })
  const one = (letters: string) => beginning(scopeFor({ symptoms: letters }))
  // biome-ignore format: a table
  it.each<[string, string, boolean]>([
    ['one section is enough',                       one('cru'),                                                             true],
    ['where sections are only changed',             one('ru'),                                                              false],
    ['where none is written',                       beginning(scopeFor({ '*': 'r' })),                                      false],
    ['where a section is written that is not seen', one('c'),                                                               false],
    ['without the right to list',                   author,                                                                 false],
    ['with the right to list only some',            beginning(author).replace('CarePlan.crs', 'CarePlan.crs?status=active'), false],
    ['with the right to all types',                 `${author} patient/*.c`,                                                true],
    ['with the right to list something else',       `${author} patient/Goal.c`,                                             false],
  ])('by scopes: %s', (_, granted, may) => {
    expect(mayBegin(granted, sections)).toBe(may)
  })
})

const INDEXES: readonly Index[] = ['active', 'listed', 'none', 'unread']
const CONTENTS: readonly Content[] = ['found', 'empty', 'hidden', 'no-ehr', 'withheld', 'unread']
const pairs = INDEXES.flatMap((index) => CONTENTS.map((content) => [index, content] as const))

describe('what may be said about a plan', () => {
  it('is that one may be begun only when the record was read and holds nothing of one', () => {
    expect(pairs.filter(([index, content]) => isNone(index, content))).toEqual([['none', 'empty']])
  })

  it('is "none" only when the search and the sections were both read and both were empty', () => {
    expect(pairs.filter(([index, content]) => findingOf(index, content, 1) === 'none')).toEqual([
      ['none', 'empty'],
      ['none', 'no-ehr'],
    ])
  })

  it('is "plan" without asking for the sections only when the role would see none of them', () => {
    expect(findingOf('active', 'withheld', 0)).toBe('plan')
    expect(findingOf('active', 'withheld', 1)).toBe('unknown')
    expect(findingOf('none', 'withheld', 0)).toBe('unknown')
  })

  const plan = (status: string | undefined, reference = 'Patient/pat-1') => ({
    resource: { resourceType: 'CarePlan', status, subject: { reference } },
  })
  const bundle = (...entry: unknown[]) => ({ resourceType: 'Bundle', entry })

  it('counts only active plans', () => {
    expect(readIndex(bundle(plan('completed'), plan('active')), 'pat-1')).toBe('active')
    expect(readIndex(bundle(plan('completed')), 'pat-1')).toBe('none')
    expect(readIndex(bundle(), 'pat-1')).toBe('none')
  })

  it.each(['draft', 'on-hold', 'unknown', 'paused', undefined])(
    'does not take a plan whose status is %s for none',
    (status) => {
      expect(readIndex(bundle(plan('completed'), plan(status)), 'pat-1')).toBe('listed')
    },
  )

  it.each(['completed', 'revoked', 'entered-in-error'])(
    'takes a plan that is %s for none',
    (status) => {
      expect(readIndex(bundle(plan(status)), 'pat-1')).toBe('none')
    },
  )

  it('does not take sections that the role may not see for none', () => {
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    expect(readEntries({ columns, rows: [], __withheld: true }, 'ehr-1').withheld).toBe(true)
    expect(readEntries({ columns, rows: [] }, 'ehr-1').withheld).toBe(false)
  })

  it('does not take a first page for the whole answer', () => {
    const page = { ...bundle(plan('completed')), link: [{ relation: 'next' }] }
    expect(readIndex(page, 'pat-1')).toBe('unread')
  })

  it('does not take an unreadable answer for an empty one', () => {
    expect(() => readIndex({ resourceType: 'OperationOutcome' }, 'pat-1')).toThrow(TypeError)
    expect(() => readEntries({ rows: [] }, 'ehr-1')).toThrow(TypeError)
  })

  it('stops at a plan, or a section, of another patient', () => {
    expect(() => readIndex(bundle(plan('active', 'Patient/pat-2')), 'pat-1')).toThrow(
      ForeignPatient,
    )
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    const rows = [['t', 'o::s::1', { _type: 'COMPOSITION' }, 'ehr-2']]
    expect(() => readEntries({ columns, rows }, 'ehr-1')).toThrow(ForeignPatient)
  })
})

describe('a section in its composition', () => {
  const at = new Date('2026-11-23T10:00:00Z')
  const author = { name: 'Dr Amara Okafor', at }
  const cpr = section('resuscitation')
  const values = { decision: 'do-not-attempt', reason: 'Frailty', decided: '2026-03-12' }
  const stored = () =>
    compositionOf(SECTIONS[0] as never, values, 'Dr Marsh', '2026-03-12T14:10:00Z') as never

  it('is read as it was written', () => {
    expect(valuesOf(cpr, stored())).toMatchObject({ ...values, review: '' })
  })

  it('keeps everything that was not changed, and names its new author', () => {
    const before = stored()
    const next = { ...valuesOf(cpr, before), decision: 'attempt', review: '2027-01-01', reason: '' }
    const after = revised(
      cpr,
      before,
      next,
      changedFields(cpr, valuesOf(cpr, before), next),
      author,
    )
    expect(valuesOf(cpr, after)).toEqual({ ...valuesOf(cpr, before), ...next })
    expect(after.composer).toEqual({ _type: 'PARTY_IDENTIFIED', name: 'Dr Amara Okafor' })
    expect(after.context?.start_time?.value).toBe(at.toISOString())
    expect(checkComposition(after, SECTIONS)).toEqual({ template: cpr.template })
  })

  it('would put a changed decision under the day and the name of the one before it', () => {
    const before = { ...values, 'decided-by': 'Dr Marsh' }
    const changed = { ...before, decision: 'attempt' }
    // biome-ignore format: a table
    const cases: readonly (readonly [boolean, Values, Values])[] = [
      [true,  before, changed],
      [true,  before, { ...changed, reason: 'She is well', review: '2027-01-01' }],
      [false, before, { ...changed, decided: '2026-11-23' }],
      [false, before, { ...changed, 'decided-by': 'Dr Okafor' }],
      [false, before, { ...before, reason: 'Frailty and heart failure' }],
      [false, before, { ...before, decision: '' }],
      [false, { decision: 'attempt' }, { decision: 'do-not-attempt' }],
      [false, {}, changed],
    ]
    for (const [asks, was, now] of cases)
      expect([misattributed(cpr, was, now) !== undefined, now]).toEqual([asks, now])
    expect(misattributed(cpr, before, changed)).toContain('on 12-Mar-2026 by Dr Marsh')
    expect(misattributed(section('contacts'), before, changed)).toBeUndefined()
  })

  it('leaves values alone that the form does not know, and counts them for the reader', () => {
    const before = JSON.parse(JSON.stringify(stored()).replaceAll('at0003', 'at0099'))
    const next = { ...valuesOf(cpr, before), decision: 'attempt' }
    const after = revised(cpr, before, next, ['decision'], author)
    expect(JSON.stringify(after)).toContain('Frailty')
    expect(unshown(cpr, after)).toBe(1)
  })

  it.each(sections.map((one) => [one.id, one] as const))(
    'holds whatever is written in %s, in both directions, as the record accepts it',
    (_, one) => {
      fc.assert(
        fc.property(texts(one.fields), texts(one.fields), (first, then) => {
          const made = composed(one, first, author)
          expect(checkComposition(made, SECTIONS)).toEqual({ template: one.template })
          expect(changedFields(one, valuesOf(one, made), first)).toEqual([])
          const all = one.fields.map(({ id }) => id)
          const next = revised(one, made, then, all, author)
          expect(checkComposition(next, SECTIONS)).toEqual({ template: one.template })
          expect(changedFields(one, valuesOf(one, next), then)).toEqual([])
        }),
        { numRuns: 25 },
      )
    },
  )

  it('keeps what another system wrote beside and within our rows, whatever is changed', () => {
    const contacts = section('contacts')
    const all = contacts.fields.map(({ id }) => id)
    const foreign = {
      _type: 'ELEMENT',
      name: { _type: 'DV_TEXT', value: 'Preferred time' },
      archetype_node_id: 'at0090',
      value: { _type: 'DV_TEXT', value: 'After six' },
    }
    fc.assert(
      fc.property(texts(contacts.fields), texts(contacts.fields), (first, then) => {
        const made = JSON.parse(JSON.stringify(composed(contacts, first, author)))
        const { items } = made.content[0].data
        const rows = items.filter((item: { _type: string }) => item._type === 'CLUSTER')
        for (const row of rows) row.items.push(foreign)
        items.push(foreign)
        const next = revised(contacts, made, then, all, author)
        expect(changedFields(contacts, valuesOf(contacts, next), then)).toEqual([])
        expect(JSON.stringify(next).split('After six')).toHaveLength(rows.length + 2)
        expect(unshown(contacts, next)).toBe(rows.length + 1)
      }),
      { numRuns: 100 },
    )
  })

  it('keeps the row of somebody whose number changed, and what else is known of them', () => {
    const contacts = section('contacts')
    const people = (...rows: object[]) => JSON.stringify(rows)
    const [ruth, ben] = [
      { name: 'Ruth', phone: '1' },
      { name: 'Ben', phone: '2' },
    ]
    const made = JSON.parse(
      JSON.stringify(composed(contacts, { people: people(ruth, ben) }, author)),
    )
    made.content[0].data.items[1].items[0].name.value = 'As Ben wrote it'
    const then = { people: people({ name: 'Ben', phone: '3' }) }
    const next = revised(contacts, made, then, ['people'], author)
    expect(valuesOf(contacts, next).people).toBe(then.people)
    expect(JSON.stringify(next)).toContain('As Ben wrote it')
    expect(JSON.stringify(next)).not.toContain('Ruth')
  })

  it('reads a concept that another system wrote as our option, and a code that nobody knows as it came', () => {
    const made = composed(cpr, { decision: 'attempt' }, author)
    const other = (code: string) => {
      const copy = JSON.parse(JSON.stringify(made))
      const { value } = copy.content[0].data.items[0]
      value.defining_code = { terminology_id: { value: 'SNOMED-CT' }, code_string: code }
      delete value.mappings
      return copy
    }
    expect(valuesOf(cpr, other('450476008')).decision).toBe('do-not-attempt')
    expect(valuesOf(cpr, other('1')).decision).toBe('Attempt CPR')
  })

  it('takes a number without a unit, a yes that is no boolean and two days for nothing that it could tell', () => {
    const prognosis = section('functional-status')
    const made = composed(prognosis, { akps: '40 %', assessed: '2026-01-01' }, author)
    const bad = JSON.parse(JSON.stringify(made).replace('"units":"%"', '"units":7'))
    expect([...unclearFields(prognosis, bad)]).toEqual(['akps'])
    const consent = section('consent')
    const yes = composed(consent, { register: 'yes' }, author)
    const odd = JSON.parse(JSON.stringify(yes).replace('"value":true', '"value":"true"'))
    expect([...unclearFields(consent, odd)]).toEqual(['register'])
  })
})

describe('two people who changed one section', () => {
  it('are told apart field by field', () => {
    const contacts = section('contacts')
    const changes = (yours: Values) =>
      mergeOf(contacts, base, theirs, yours)
        .filter(({ field }) => field.id in base)
        .map((one) => one.changed)
    const base = { 'next-of-kin': 'a', attorney: 'b', professionals: 'c' }
    const theirs = { 'next-of-kin': 'A', attorney: 'B', professionals: 'c' }
    const yours = { 'next-of-kin': 'a', attorney: 'X', professionals: 'C' }
    expect(changes(yours)).toEqual(['theirs', 'both', 'yours'])
    expect(changes(theirs)).toEqual(['same', 'same', 'same'])
  })
})

describe('allergies near the top, where none was found', () => {
  const [one, other] = [section('medication'), section('sickle-cell')]
  const found = { _type: 'COMPOSITION', content: [] } as unknown as Composition
  const entry = { version: 'o::s::1', composition: found }
  const entries = { newest: new Map(), several: new Set<string>(), withheld: false }
  const plan = { sight: { seen: [one, other], hidden: [] }, entries, content: 'found' }
  // Of another archetype, so that no field shows it.
  const value = { _type: 'DV_TEXT', value: 'Penicillin' }
  const item = { _type: 'ELEMENT', archetype_node_id: 'at0099', value }
  const more = { ...entry, composition: { ...found, content: [item] } }

  it.each<[string, object, boolean]>([
    ['where all of the plan is seen', {}, true],
    [
      'where a section without a place for them is hidden',
      {
        sight: { seen: [one], hidden: [section('prognosis')] },
        entries: { ...entries, withheld: true },
      },
      true,
    ],
    [
      'where a section with a place for them is hidden',
      { sight: { seen: [other], hidden: [one] } },
      false,
    ],
    ['where something else was left out', { entries: { ...entries, withheld: true } }, false],
    ['where the sections could not be read', { content: 'unread' }, false],
    [
      'where the record has two entries of a section with a place for them',
      {
        entries: {
          ...entries,
          newest: new Map([[one.template, entry]]),
          several: new Set([one.template]),
        },
      },
      false,
    ],
    [
      'where a section of the plan is not known',
      { entries: { ...entries, newest: new Map([['care-plan::medication.v2', entry]]) } },
      false,
    ],
    [
      'where a value of their section cannot be shown',
      { entries: { ...entries, newest: new Map([[one.template, more]]) } },
      false,
    ],
  ])('are said not to be in the plan, %s, or only not in what is shown', async (_, change, all) => {
    const { saidOfNone } = await import(`../../public/care-plan/${'allergies'}.js`)
    expect(saidOfNone({ ...plan, ...change })).toBe(
      all
        ? 'none recorded in this plan. This does not mean that there are none.'
        : 'none recorded in what is shown here. There may be some in the record that is not shown: check the full record.',
    )
  })
})

/** By a path that types do not follow: it leads to those of a browser. */
const load = (name: string) => import(`../../public/care-plan/${name}.js`)

describe('what others have changed since a plan was shown', () => {
  const [cpr, contacts] = [section('resuscitation'), section('contacts')]
  const author = (name: string) => ({ name, at: new Date('2026-11-23T10:00:00Z') })
  const entry = (one: Section, values: Values, version: number, by = 'Dr Marsh') => ({
    version: `${one.id}::s::${version}`,
    composition: composed(one, values, author(by)),
  })
  type Entry = ReturnType<typeof entry>
  const shown = (minute: number, found: readonly (readonly [Section, Entry])[], changes = {}) => ({
    ...{ content: 'found', index: 'active', granted: 'x', finding: 'plan' },
    sight: { seen: [cpr, contacts], hidden: [] },
    readAt: new Date(Date.UTC(2026, 10, 23, 10, minute)),
    entries: {
      newest: new Map(found.map(([one, it]) => [one.template, it])),
      ...{ several: new Set<string>(), withheld: false },
    },
    ...changes,
  })
  const not = entry(cpr, { decision: 'do-not-attempt' }, 1)
  const before = shown(0, [[cpr, not]])
  const turned = shown(5, [[cpr, entry(cpr, { decision: 'attempt' }, 2, 'Dr Okafor')]])

  it('is told by section and author, a decision by what it said and says', async () => {
    const { newsOf, newsAloud } = await load('news')
    const ruth = entry(contacts, { attorney: 'Ruth' }, 1, 'Tom')
    const after = shown(
      5,
      [...turned.entries.newest].map(([, it]) => [cpr, it]).concat([[contacts, ruth]]) as never,
    )
    const news = newsOf(before, after)
    const decision = { name: 'CPR', was: 'Do not attempt CPR (DNACPR)', now: 'Attempt CPR' }
    expect(news.changes).toMatchObject([{ section: cpr, decision }, { section: contacts }])
    expect(news.changes[1]).not.toHaveProperty('decision')
    expect(newsAloud(news)).toMatch(
      /^The CPR decision has changed\. Now: Attempt CPR\. Before: Do not attempt CPR \(DNACPR\)\. Personal and professional contacts: changed 23-Nov-2026 at \d\d:00 by Tom\.$/,
    )
  })

  it('is a decision that says the same in a newer version, or is only seen to be missing', async () => {
    const { newsOf } = await load('news')
    const again = newsOf(
      before,
      shown(5, [[cpr, entry(cpr, { decision: 'do-not-attempt', reason: 'Frailty' }, 2)]]),
    )
    expect(again.changes).toMatchObject([{ section: cpr }])
    expect(again.changes[0]).not.toHaveProperty('decision')
    const gone = newsOf(before, shown(5, []))
    const decision = { was: 'Do not attempt CPR (DNACPR)', now: 'No CPR decision was found' }
    expect(gone.changes).toMatchObject([{ decision, about: 'no entry is found any more' }])
    // The same entry, beside which another stands by now.
    const entries = { ...before.entries, newest: new Map(), withheld: true }
    const hidden = newsOf(before, { ...before, entries })
    expect(hidden.changes).toMatchObject([
      { decision: { now: 'The CPR decision cannot be shown here' } },
    ])
  })

  it('is nothing where nothing was changed, and not known where something was not read', async () => {
    const { newsOf } = await load('news')
    expect(newsOf(before, { ...before, readAt: turned.readAt }).changes).toEqual([])
    expect(newsOf(before, { ...turned, content: 'unread' })).toBeUndefined()
    expect(newsOf({ ...before, content: 'unread' }, turned)).toBeUndefined()
    // What a renewal took away was not changed by anybody.
    const less = { sight: { seen: [contacts], hidden: [cpr] } }
    expect(newsOf(before, shown(5, [], less)).changes).toEqual([])
  })

  it('stays told until it was seen: a decision that was changed twice from its first words', async () => {
    const { anew } = await load('anew')
    const once = anew(before, turned, false)
    const back = shown(9, [[cpr, entry(cpr, { decision: '', reason: 'Under review' }, 3)]])
    const decision = { was: 'Do not attempt CPR (DNACPR)' }
    const twice = anew(once, back, false)
    expect(twice.news).toMatchObject({ since: before.readAt, changes: [{ section: cpr }] })
    expect(twice.news.changes[0].decision).toMatchObject({ was: decision.was })
    // Changed there and back: a change, and the decision that was shown.
    const restored = anew(once, shown(9, [[cpr, { ...not, version: 'o::s::3' }]]), false)
    expect(restored.news.changes).toMatchObject([{ section: cpr }])
    expect(restored.news.changes[0]).not.toHaveProperty('decision')
    // A look that finds nothing more takes nothing away.
    expect(anew(once, { ...turned, readAt: back.readAt }, false).news).toBe(once.news)
    expect(anew(before, before, false).news).toBeUndefined()
    expect(anew(before, before, true).news).toMatchObject({ changes: [] })
  })

  it('stands beside a form only where it is the plan that is being changed', async () => {
    const { beside } = await load('anew')
    expect(beside(before, turned, undefined)).toMatchObject({
      news: { changes: [{ section: cpr }] },
    })
    expect(beside(before, { ...turned, granted: 'less' }, undefined)).toBeUndefined()
    expect(beside(before, { ...turned, finding: 'none' }, undefined)).toBeUndefined()
    const begun = { ...shown(0, []), content: 'empty', index: 'none', begun: 'unlisted' }
    const none = { ...begun, readAt: turned.readAt, finding: 'none' }
    expect(beside(begun, none, none)).toMatchObject({ begun: 'unlisted', readAt: turned.readAt })
    const joined = { begun: 'listed', joined: true, news: { changes: [{ section: cpr }] } }
    expect(beside(begun, turned, undefined)).toMatchObject(joined)
    // Begun by others, and not listed: the next save lists it before.
    expect(beside(begun, { ...turned, index: 'none' }, undefined)).toBeUndefined()
  })
})

describe('the first section of a plan', () => {
  type Shown = {
    readonly index: Index
    readonly content: Content
    readonly begun?: string
    readonly unchecked?: Date
  }
  const plan: Shown = { begun: 'unlisted', index: 'none', content: 'empty' }
  const { template } = section('symptoms')
  const found = { _type: 'COMPOSITION', context: { start_time: { value: '2026-11-20' } } }
  const subject = { reference: 'Patient/pat-1' }

  /** Saved through a connection that answers the listing so (a status, or why it failed), and then a look at the record. */
  async function begin(
    answer: number | string,
    {
      index = 'none',
      unread = false,
      from = plan,
      fails = false,
      theirs = answer !== 201,
      whose = 'pat-1',
      again = false,
    } = {},
  ) {
    const { CallFailed } = await load('connection')
    const failed = (why: string) => new CallFailed(why, 'Words.', 'ref_1', true)
    const calls: string[] = []
    const states: Shown[] = []
    const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
    const sections = { columns, rows: theirs ? [[template, 'o::s::1', found, 'ehr-1']] : [] }
    const resource = { resourceType: 'CarePlan', status: index, subject }
    const entry = index === 'none' ? [] : [{ resource }]
    const connection = {
      ...{ patient: 'pat-1', fhir: '/fhir', openEhr: '/openehr' },
      token: (name: string) => (name === 'ehrId' ? 'ehr-1' : 'patient/aql-care-plan::sections.rs'),
      async call(url: string, { method = 'GET', headers }: RequestInit = {}) {
        const unless = (headers as Record<string, string> | undefined)?.['if-none-exist']
        calls.push([method, url.split('?')[0], unless].filter(Boolean).join(' '))
        if (method === 'POST' && typeof answer === 'string') throw failed(answer)
        const written = { resourceType: 'CarePlan', subject: { reference: `Patient/${whose}` } }
        if (method === 'POST') return { status: answer, json: written }
        if (url.startsWith('/fhir')) return { json: { resourceType: 'Bundle', entry } }
        if (unread) throw failed('unreachable')
        return { json: sections }
      },
    }
    const save = async () => {
      calls.push('save')
      if (fails) throw failed('failed')
      return 'saved'
    }
    const listed = (next: Shown) => void states.push(next)
    const { saveBegun } = await load('begin')
    const outcome = await saveBegun(
      { connection, definitions: PLAN, plan: from, again, listed },
      save,
    ).catch((error: unknown) => error)
    return { calls, outcome, states }
  }
  const LIST = 'POST /fhir/CarePlan patient=pat-1&status=active'
  const ROWS = 'GET /openehr/query/care-plan::sections'

  it('is saved once that plan is listed, and the next without listing it again', async () => {
    const { calls, outcome, states } = await begin(201)
    expect([calls, outcome]).toEqual([[LIST, ROWS, 'save'], 'saved'])
    expect(states).toMatchObject([{ begun: 'listed', index: 'active', content: 'empty' }])
    expect(states[0]).not.toHaveProperty('joined')
    expect((await begin(201, { from: states[0] as Shown })).calls).toEqual(['save'])
    const other = { index: 'active', content: 'empty' } as const
    expect((await begin(201, { from: other })).calls).toEqual(['save'])
  })

  it.each([
    ['before this call', 200, [LIST]],
    ['in the moment before it', 'stale', [LIST, 'GET /fhir/CarePlan']],
    ['without listing it', 201, [LIST]],
  ])(
    'is saved into what somebody else has begun %s, of which all is read anew',
    async (_, answer, looks) => {
      const from = { ...plan, unchecked: new Date() }
      const { calls, outcome, states } = await begin(answer, {
        index: 'active',
        theirs: true,
        from,
      })
      expect([calls, outcome]).toEqual([[...looks, ROWS, 'save'], 'saved'])
      const now = { begun: 'listed', index: 'active', content: 'found', joined: true }
      expect(states).toMatchObject([now])
      expect(states[0]).not.toHaveProperty('unchecked')
    },
  )

  it('says so where what somebody else has begun could not be read', async () => {
    const { states, outcome } = await begin(200, { index: 'active', unread: true, fails: true })
    expect(states).toMatchObject([{ begun: 'listed', content: 'unread' }])
    // Others may find more than "a plan without sections".
    expect(outcome).toMatchObject({ why: 'failed', also: '' })
    const again = await begin(200, { from: states[0] as Shown })
    expect([again.calls, again.outcome]).toEqual([[ROWS, 'save'], 'saved'])
    expect(again.states).toMatchObject([{ content: 'found', joined: true }])
  })

  describe('of one that has sections and is not listed', () => {
    const ended: Shown = { index: 'none', content: 'found' }

    it.each<[string, number | string, readonly string[]]>([
      ['listed again', 201, [LIST]],
      ['listed by somebody else by now', 200, [LIST]],
      ['listed by somebody else in that moment', 'stale', [LIST, 'GET /fhir/CarePlan']],
    ])('is saved once it is %s', async (_, answer, looks) => {
      const { calls, outcome, states } = await begin(answer, {
        index: 'active',
        from: ended,
        again: true,
      })
      expect([calls, outcome]).toEqual([[...looks, 'save'], 'saved'])
      expect(states).toEqual([{ index: 'active', content: 'found' }])
    })

    it('lists nothing where its user did not say so, or somebody listed it meanwhile', async () => {
      expect((await begin(201, { from: ended })).calls).toEqual(['save'])
      const from: Shown = { ...ended, index: 'active' }
      expect((await begin(201, { from, again: true })).calls).toEqual(['save'])
      const held: Shown = { ...ended, index: 'listed' }
      expect((await begin(201, { from: held, again: true })).calls).toEqual(['save'])
    })

    it('is not sent where it could not be listed, and says that it is listed where it failed after', async () => {
      const none = await begin('refused', { from: ended, again: true })
      expect([none.calls, none.states]).toEqual([[LIST], []])
      expect(none.outcome).toMatchObject({ why: 'refused', unsettled: false })
      const failed = await begin(201, { from: ended, again: true, fails: true })
      expect(failed.outcome).toMatchObject({
        why: 'failed',
        also: expect.stringContaining('listed as active'),
      })
    })
  })

  it.each([200, 201])(
    'is not sent where %s was answered with a plan of another patient',
    async (status) => {
      const { calls, outcome } = await begin(status, { whose: 'pat-2' })
      expect([calls, outcome]).toEqual([[LIST], expect.any(ForeignPatient)])
    },
  )

  it.each([
    ['unreachable', 'unlisted'],
    ['failed', 'unlisted'],
    ['absent', 'unlisted'],
    ['stale', 'unlisted'],
    ['refused', 'refused'],
    ['superseded', 'superseded'],
    ['ended', 'ended'],
  ])('is not sent, and known not to be saved, where the listing is %s', async (why, told) => {
    const { calls, outcome, states } = await begin(why)
    expect([calls.includes('save'), states]).toEqual([false, []])
    expect(outcome).toMatchObject({ why: told, words: 'Words.', reference: 'ref_1' })
    expect(outcome).toMatchObject({ unsettled: false })
  })

  it('that fails after its plan was listed says that the plan is there', async () => {
    const { outcome, states } = await begin(201, { fails: true })
    const also = expect.stringContaining('The new plan itself is listed in the record by now')
    expect(outcome).toMatchObject({ why: 'failed', words: 'Words.', unsettled: true, also })
    const again = await begin(201, { from: states[0] as Shown, fails: true })
    expect(again.outcome).toMatchObject({ also })
    // Of a plan in which something stands there is nothing more to say.
    const theirs = await begin(200, { index: 'active', fails: true })
    expect(theirs.outcome).toMatchObject({ why: 'failed', also: '' })
  })
})
