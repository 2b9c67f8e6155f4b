import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readConfig } from '../../src/config.js'
import { checkPlan } from '../../src/policy/plan-check.js'
import { openPlan, readPlan } from '../../src/policy/plan-files.js'
import { describeProblem } from '../../src/policy/problem.js'

const folder = mkdtempSync(join(tmpdir(), 'plan-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const main = join(folder, 'sections.yaml')

/** What is said of files, each place without its folder. */
function said(files: Readonly<Record<string, string>>): readonly string[] {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return readPlan(main).problems.map((problem) =>
    describeProblem(problem).replaceAll(`${folder}/`, ''),
  )
}

const SECTION = `pathway: { id: universal, title: Universal }
sections:
  - id: crisis
    title: Crisis
    template: care-plan::crisis.v1
    author: clinician
    fields:
      - { id: what, node: at0002, title: What, type: text }
      - { id: when, node: at0003, title: When, type: date }
`
const GROUP = '    fhir: [MedicationStatement]\n    adopt: [{ of: MedicationStatement, into: rows, '
const ROWS = `    fields:
      - id: rows
        node: at0004
        title: Rows
        type: group
        fields:
          - { id: medicine, node: at0005, title: Medicine, type: text }
          - { id: sort, node: at0006, title: Sort, type: choice, options: { a: A } }`
const choice = (options: string) =>
  `    fields:\n      - { id: sort, node: at0004, title: Sort, type: choice, options: { ${options} } }`
const YES_NO = '    fields:\n      - { id: sort, node: at0004, title: Sort, type: yes-no }'
const ADOPTS = '    fhir: [Condition]\n    adopt: [{ of: Condition'
const with_ = (...changes: (readonly [string, string])[]) =>
  changes.reduce((text, [from, to]) => text.replace(from, to), SECTION)

describe('the plan’s definitions', () => {
  it('that are shipped are sound, and their sections are those of the policies', () => {
    const { plan, problems } = checkPlan({
      plan: 'config/plan/sections.yaml',
      policies: 'config/policies',
    })
    expect(problems).toEqual([])
    expect(plan.pathways[0]).toEqual({
      id: 'universal',
      title: 'Universal Care Plan',
      universal: true,
    })
  })

  it('are read in the order of their files, each section with its pathway', () => {
    const frailty = SECTION.replace('universal, title: Universal', 'frailty, title: Frailty')
      .replace('id: crisis', 'id: falls')
      .replace('crisis.v1', 'falls.v1')
    expect(said({ 'sections.yaml': SECTION, 'pathways/frailty.yaml': frailty })).toEqual([])
    const { pathways, sections } = openPlan(main)
    expect(pathways.map(({ id, universal }) => [id, universal])).toEqual([
      ['universal', true],
      ['frailty', undefined],
    ])
    expect(sections.map(({ id, pathway }) => [id, pathway])).toEqual([
      ['crisis', 'universal'],
      ['falls', 'frailty'],
    ])
  })

  // biome-ignore format: a table
  it.each<[string, string, string, string]>([
    ['a member with a slip',          '    author:',      '    hnt: Now.\n    author:', 'sections.yaml:3: section crisis: "hnt" is not known here: did you mean "hint"?'],
    ['a member that is missing',      '    author: clinician\n', '',             'sections.yaml:3: section crisis, author: is missing: person or clinician: who writes it in the first place'],
    ['an author who is nobody',       'clinician',        'doctor',             'sections.yaml:6: section crisis, author: expected person or clinician: who writes it in the first place'],
    ['a template of another family',  'care-plan::crisis','ward::crisis',       'sections.yaml:5: section crisis, template: expected a template id such as care-plan::crisis-plan.v1: the app may ask for care-plan:: only'],
    ['a type that there is not',      'type: text',       'type: txt',          'sections.yaml:8: section crisis, field what, type: expected one of text, long-text, date, choice, choices, yes-no, quantity, group'],
    ['an id with a capital',          'id: what',         'id: What',           'sections.yaml:8: section crisis, field What, id: expected an id of small letters, digits and hyphens that begins with a letter, such as crisis-plan'],
    ['a node that stands twice',      'at0003',           'at0002',             'sections.yaml:9: section crisis, field when, node: the node "at0002" stands twice: give one of them another'],
    ['a field that stands twice',     'id: when',         'id: what',           'sections.yaml:9: section crisis, field what, id: the field "what" stands twice: give one of them another'],
    ['a choice of nothing',           'type: text',       'type: choice',       'sections.yaml:8: section crisis, field what, type: it has nothing to choose from: give it options, or a value_set'],
    ['a value set that there is not', 'type: text',       'type: choice, value_set: colours', 'sections.yaml:8: section crisis, field what, value_set: there is no value set "colours"'],
    ['options of a date',             'type: date',       'type: date, options: { a: A }',    'sections.yaml:9: section crisis, field when, options: a date has no options: take them out, or make it a choice'],
    ['a number without a unit',       'type: text',       'type: quantity',     'sections.yaml:8: section crisis, field what, type: a quantity needs units'],
    ['a range that is the wrong way', 'type: text',       'type: quantity, units: { "%": per cent }, range: [9, 1]', 'sections.yaml:8: section crisis, field what, range: the greatest stands before the least: turn them round'],
    ['a group of nothing',            'type: text',       'type: group',        'sections.yaml:8: section crisis, field what, type: a group needs fields'],
    ['a SNOMED code that lost its end', 'type: text',     'type: text, snomed: 450476008', 'sections.yaml:8: section crisis, field what, snomed: expected a SNOMED CT concept id of 6 to 18 digits, in quotes'],
    ['a review by a field that there is not', '    fields:', '    review: { field: wehn }\n    fields:', 'sections.yaml:7: section crisis, review, field: this section has no field "wehn": did you mean "when"?'],
    ['a review by a text',            '    fields:', '    review: { field: what }\n    fields:', 'sections.yaml:7: section crisis, review, field: the field "what" is a text: a date is needed'],
    ['a review that says nothing',    '    fields:', '    review: {}\n    fields:',               'sections.yaml:7: section crisis, review: says nothing: give it the field with the day, or how many months an entry holds'],
    ['a type that no launch hands over', '    fields:', '    adopt: [{ of: Flag, into: what, as: code }]\n    fields:', 'sections.yaml:7: section crisis, adopt 1, of: expected a type that a launch may hand over: AllergyIntolerance, Condition, MedicationStatement, MedicationRequest, Observation, Procedure, Immunization'],
    ['a type that the section’s FHIR types lack', '    fields:', '    adopt: [{ of: Condition, into: what, as: code }]\n    fields:', 'sections.yaml:7: section crisis, adopt 1, of: Condition is none of the section’s FHIR types: add it to fhir'],
    ['a field to take over into that there is not', '    fields:', `${ADOPTS}, into: wht, as: code }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, into: this section has no field "wht": did you mean "what"?'],
    ['an element that the type has not',   '    fields:', `${ADOPTS}, into: what, as: [code, onst] }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, as: a Condition has no "onst" to take over: did you mean "onset"?'],
    ['words for a date',                   '    fields:', `${ADOPTS}, into: when, as: code }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, as: "code" is no date, as the field "when" is'],
    ['two days for a date',                '    fields:', `${ADOPTS}, into: when, as: [onset, recordedDate] }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, as: a date takes one element'],
    ['a row for what is no group',         '    fields:', `${ADOPTS}, into: what, as: { what: code } }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, as: "what" is no group: list what it takes'],
    ['one that is taken over twice',       '    fields:', `${ADOPTS}, into: what, as: code }, { of: Condition, into: what, as: onset }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 2, into: Condition into "what" stands twice: take one of them out'],
    ['a list for a group',                 '    fields:', `${GROUP}as: medication }]\n${ROWS}`, 'sections.yaml:8: section crisis, adopt 1, as: "rows" is a group: say for each field of its row what it takes'],
    ['a field that the rows have not',     '    fields:', `${GROUP}as: { medicin: medication } }]\n${ROWS}`, 'sections.yaml:8: section crisis, adopt 1, as: a row of "rows" has no field "medicin": did you mean "medicine"?'],
    ['a choice to take over into',         '    fields:', `${GROUP}as: { sort: medication } }]\n${ROWS}`, 'sections.yaml:8: section crisis, adopt 1, as, sort: no option of "sort" has a SNOMED CT concept (snomed), by which an item could be told'],
    ['words for a choice',                 '    fields:', `${ADOPTS}, into: sort, as: onset }]\n${choice('a: { title: A, snomed: "1234567" }')}`, 'sections.yaml:8: section crisis, adopt 1, as: "onset" is no choice, as the field "sort" is'],
    ['two options that are one concept',   '    fields:', `${ADOPTS}, into: sort, as: code }]\n${choice('a: { title: A, snomed: "1234567" }, b: { title: B, snomed: "1234567" }')}`, 'sections.yaml:8: section crisis, adopt 1, as: two options of "sort" are 1234567: an item could be either'],
    ['two elements for a choice',          '    fields:', `${ADOPTS}, into: sort, as: [code, severity] }]\n${choice('a: { title: A, snomed: "1234567" }')}`, 'sections.yaml:8: section crisis, adopt 1, as: a choice takes one element'],
    ['a yes-no of which nobody says what means yes', '    fields:', `${ADOPTS}, into: sort, as: code }]\n${YES_NO}`, 'sections.yaml:8: section crisis, adopt 1, as: "sort" is a yes-no: say which concepts mean yes, and which no, in means'],
    ['a concept that means yes and no',    '    fields:', `${ADOPTS}, into: sort, as: code, means: { yes: ["1234567"], no: ["1234567"] } }]\n${YES_NO}`, 'sections.yaml:8: section crisis, adopt 1, means: 1234567 cannot mean yes and no'],
    ['a meaning of what is no yes-no',     '    fields:', `${ADOPTS}, into: what, as: code, means: { yes: ["1234567"] } }]\n    fields:`, 'sections.yaml:8: section crisis, adopt 1, means: only a yes-no needs means: take it out'],
    ['an observation of anything',         '    fields:', `    fhir: [Observation]\n    adopt: [{ of: Observation, into: sort, as: value }]\n${choice('a: { title: A, snomed: "1234567" }')}`, 'sections.yaml:8: section crisis, adopt 1, of: what an Observation found says nothing without what it asked: name that in codes'],
    ['the question of an observation',     '    fields:', `    fhir: [Observation]\n    adopt: [{ of: Observation, into: sort, as: code, codes: ["1234567"] }]\n${choice('a: { title: A, snomed: "1234567" }')}`, 'sections.yaml:8: section crisis, adopt 1, as: "code" is no choice, as the field "sort" is'],
    ['a listing without a title',          'sections:',   'listing: { description: Held elsewhere. }\nsections:', 'sections.yaml:2: listing, title: is missing: what people call it, at most 120 characters'],
    ['a listing with a slip',              'sections:',   'listing: { title: A, categry: [] }\nsections:',        'sections.yaml:2: listing: "categry" is not known here: did you mean "category"?'],
    ['a listing’s code that is a number',  'sections:',   'listing: { title: A, category: [{ system: http://snomed.info/sct, code: 736373009, display: Plan }] }\nsections:', 'sections.yaml:2: listing, category 1, code: expected a code without spaces, in quotes, such as "2181441000000107"'],
    ['a listing’s profile that is a name', 'sections:',   'listing: { title: A, profile: [UKCore-CarePlan] }\nsections:', 'sections.yaml:2: listing, profile 1: expected a list of canonical addresses, such as [https://fhir.example/StructureDefinition/plan]'],
  ])('say of %s where it is and what would help', (_, from, to, problem) => {
    expect(said({ 'sections.yaml': with_([from, to]) })).toEqual([problem])
  })

  it('say everything at once, of every file', () => {
    const frailty = with_(
      ['universal, title: Universal', 'universal, title: Frailty'],
      ['clinician', 'nurse'],
    )
    const other = with_(['id: universal', 'id: other'])
    const files = {
      'sections.yaml': with_(['at0003', 'at0002']),
      'pathways/frailty.yaml': frailty,
      'pathways/other.yaml': other,
      'pathways/notes.yml': '',
    }
    expect(said(files)).toEqual([
      'pathways/notes.yml: is not read: give it a name that ends in .yaml',
      'pathways/frailty.yaml:6: section crisis, author: expected person or clinician: who writes it in the first place',
      'sections.yaml:9: section crisis, field when, node: the node "at0002" stands twice: give one of them another',
      'pathways/other.yaml:3: section crisis, id: the section "crisis" stands twice: policies could not tell them apart',
      'pathways/other.yaml:5: section crisis, template: the template "care-plan::crisis.v1" is another section’s too: give it one of its own',
    ])
  })

  it('say once how a plan is listed that is begun in the app, in the main file', () => {
    const listing =
      'listing: { title: Shared plan, profile: [https://fhir.example/plan] }\nsections:'
    const whole = with_(['sections:', listing])
    const frailty = with_(
      ['universal, title: Universal', 'frailty, title: Frailty'],
      ['id: crisis', 'id: falls'],
      ['crisis.v1', 'falls.v1'],
      ['sections:', listing],
    )
    expect(said({ 'sections.yaml': whole, 'pathways/frailty.yaml': frailty })).toEqual([
      'pathways/frailty.yaml:2: listing: a plan is listed once, whatever pathways it has: it belongs to the main file',
    ])
    expect(readPlan(main).plan.listing).toEqual({
      ...{ title: 'Shared plan', profile: ['https://fhir.example/plan'] },
    })
    expect(said({ 'sections.yaml': SECTION })).toEqual([])
    expect(openPlan(main)).not.toHaveProperty('listing')
  })

  it('refuse what is no plain YAML: aliases, keys that stand twice, a folder in the place of a file', () => {
    expect(said({ 'sections.yaml': 'pathway: &a { id: x }\nsections: *a\n' })).toEqual([
      'sections.yaml:2: aliases (*name) are not read here',
    ])
    expect(said({ 'sections.yaml': 'pathway: 1\npathway: 2\n' })[0]).toContain('sections.yaml:2: ')
    expect(said({ 'sections.yaml': SECTION, 'pathways/more/x.yaml': '' })).toEqual([
      'pathways/more: a folder: only files directly in pathways are read',
    ])
    expect(said({})).toEqual(['sections.yaml: there is no such file'])
  })

  it('that are not sound keep a gateway from starting, which says all of it', () => {
    said({ 'sections.yaml': with_(['at0003', 'at0002'], ['type: text', 'type: choice']) })
    const overrides = { plan: main }
    const registrations = { apps: [], systems: [] }
    const start = () => readConfig({ directory: 'config', env: {}, overrides, registrations })
    expect(start).toThrow(
      ':8: section crisis, field what, type: it has nothing to choose from: give it options, or a value_set\n',
    )
    expect(start).toThrow(':9: section crisis, field when, node: the node "at0002" stands twice')
  })

  it('know where the policies’ schema lacks a section, or has one too many', () => {
    said({
      'sections.yaml': with_(
        ['sections:', 'listing: { title: Shared plan }\nsections:'],
        ['    author:', '    fhir: [Observaton]\n    author:'],
      ),
      'policies/gateway.cedarschema': `entity Role; entity User in [Role];
entity Section enum ["crises"];
entity FhirType enum ["Observation"];
action "read" appliesTo { principal: User, resource: [Section, FhirType] };`,
    })
    const { problems } = checkPlan({ plan: main, policies: join(folder, 'policies') })
    expect(problems.map(({ text }) => text)).toEqual([
      'entity Section: "crisis" is missing: add it, so that policies can speak of the section',
      'entity Section: the plan has no section "crises": did you mean "crisis"?',
      'section crisis: the gateway knows no FHIR type Observaton: did you mean "Observation"?',
      `listing: add "CarePlan" to entity FhirType in ${join(folder, 'policies/gateway.cedarschema')}, so that policies can say who begins a plan`,
    ])
  })
})
