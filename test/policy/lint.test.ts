import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { adviceOn } from '../../src/policy/advice.js'
import { checkFiles, checkSource } from '../../src/policy/check.js'
import { createPolicies } from '../../src/policy/engine.js'
import { parsePolicies } from '../../src/policy/parse.js'
import { describeProblem } from '../../src/policy/problem.js'
import { covers, reachOf } from '../../src/policy/reach.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { CONFIG, FILES, SECTIONS } from './asking.js'
import { anyone, anyRules, filesOf } from './layered.js'

jest.setTimeout(60_000)

const policy = (id: string, text: string, layer = 'central', more = ''): string =>
  `@id("${id}") @layer("${layer}") @reason("x") ${more} ${text}\n`
const advice = (files: PolicyFiles): string[] => {
  const { policies, problems } = parsePolicies(files)
  expect(problems).toEqual([])
  return adviceOn(policies).map(describeProblem)
}
const READ = 'permit (principal in Role::"gp", action == Action::"read", resource is Section)'
const own = (...texts: string[]): PolicyFiles => ({ 'policies/own.cedar': texts.join('') })

describe('what a writer can hardly have meant is pointed out', () => {
  // biome-ignore format: a table
  it.each([
    ['a permit that a forbid covers',          own(policy('one', `${READ};`), policy('never', 'forbid (principal, action, resource is Section);')),                            ['policies/own.cedar:1: policy one: it never takes effect: never (policies/own.cedar:2) forbids all of it']],
    ['a permit that a wider one covers',       own(policy('one', `${READ} when { context.hour > 9 };`), policy('two', `${READ};`)),                                            ['policies/own.cedar:1: policy one: it adds nothing: two (policies/own.cedar:2) permits all of it']],
    ['one thing of what a list permits',       own(policy('one', 'permit (principal in Role::"gp", action == Action::"read", resource == Section::"contacts");'), policy('two', 'permit (principal, action in [Action::"read", Action::"search"], resource is Section);')), ['policies/own.cedar:1: policy one: it adds nothing: two (policies/own.cedar:2) permits all of it']],
    ['the second of two that say the same',    own(policy('one', `${READ};`), policy('two', `${READ};`)),                                                                       ['policies/own.cedar:2: policy two: it adds nothing: one (policies/own.cedar:1) permits all of it']],
    ['every action',                           own(policy('one', 'permit (principal, action, resource is FhirType);')),                                                        ['policies/own.cedar:1: policy one: it permits every action, and any that is added later: name the actions']],
    ['every resource',                         own(policy('one', 'permit (principal, action == Action::"read", resource);')),                                                  ['policies/own.cedar:1: policy one: it permits everything, and whatever is added later: name the resources, as in resource is Section']],
    ['writing for any purpose',                own(policy('one', 'permit (principal, action == Action::"update", resource == Section::"symptoms");')),                         ['policies/own.cedar:1: policy one: it permits writing the plan whatever the launch is for: add context.purpose == "direct-care", or a forbid for other purposes']],
    ['one value that is to be two',            own(policy('one', `${READ} when { context.purpose == "direct-care" && context.purpose == "safeguarding" };`)),                  ['policies/own.cedar:1: policy one: it can never apply: one value cannot be "direct-care" and "safeguarding" at once']],
    ['what is asked for and excluded',         own(policy('one', `${READ} when { context.hour > 9 } unless { context.patientDeceased || context.hour > 9 };`)),                ['policies/own.cedar:1: policy one: it can never apply: what it asks for, it also excludes']],
    ['a local permit where nothing is delegated', { 'policies/local/A1/own.cedar': policy('one', `${READ};`, 'local') },                                                       ['policies/local/A1/own.cedar:1: policy one: it permits nothing: no central policy is @layer("delegated")']],
    ['a local permit of what is not delegated', { ...own(policy('two', `permit (principal, action == Action::"read", resource) when { resource in [Section::"symptoms"] };`, 'delegated')), 'policies/local/A1/own.cedar': policy('one', 'permit (principal, action == Action::"read", resource == Section::"contacts");', 'local') }, ['policies/local/A1/own.cedar:1: policy one: it permits nothing: what it is about is not delegated (two)']],
    ['a local permit of what all may',         { ...own(policy('two', `${READ};`), policy('to-them', READ.replace('"gp"', '"administrator"').concat(';'), 'delegated')), 'policies/local/A1/own.cedar': policy('one', `${READ};`, 'local') }, ['policies/local/A1/own.cedar:1: policy one: it adds nothing: two (policies/own.cedar:1) permits all of it']],
  ])('%s', (_, files, expected) => {
    expect(advice(files as PolicyFiles)).toEqual(expected)
  })

  // biome-ignore format: a table
  it.each([
    ['a permit for its obligation',            own(policy('one', `${READ} when { context.patientSensitive };`, 'central', '@obligation("mark-sensitive")'), policy('two', `${READ};`))],
    ['a permit that a forbid covers in part',  own(policy('one', `${READ};`), policy('at-night', 'forbid (principal, action, resource is Section) when { context.hour < 6 };'))],
    ['writing that a forbid bounds',           own(policy('one', 'permit (principal, action == Action::"update", resource == Section::"symptoms");'), policy('two', 'forbid (principal, action, resource) unless { context.purpose == "direct-care" };'))],
    ['a local forbid beside what all may',     { ...own(policy('one', `${READ};`)), 'policies/local/A1/own.cedar': policy('two', `${READ.replace('permit', 'forbid')};`, 'local') }],
    ['layers that say the same',               { ...own(policy('two', `${READ};`, 'delegated')), 'policies/local/A1/own.cedar': policy('one', `${READ};`, 'local'), 'policies/local/B1/own.cedar': policy('three', `${READ};`, 'local') }],
    ['a wide scope that a condition narrows',  own(policy('one', 'permit (principal, action, resource) when { action == Action::"read" && resource is Section };'))],
  ])('and nothing is said of %s', (_, files) => {
    expect(advice(files as PolicyFiles)).toEqual([])
  })

  it('and it stops nothing: a version with advice passes', () => {
    const { problems, warnings } = checkFiles(
      {
        ...FILES,
        'policies/own.cedar': policy(
          'own-one',
          'permit (principal in Role::"gp", action == Action::"read", resource == FhirType::"Patient") when { true && context.hour > 25 };',
        ),
        'policies/zzz.cedar': policy(
          'own-two',
          'permit (principal in Role::"gp", action == Action::"read", resource == FhirType::"Patient");',
        ),
      },
      SECTIONS,
      { withTests: false },
    )
    expect(problems).toEqual([])
    expect(warnings.map(describeProblem)).toEqual([
      'policies/own.cedar:1: policy own-one: it adds nothing: own-two (policies/zzz.cedar:1) permits all of it',
    ])
  })

  it('a policy that is said to cover another holds wherever the other does', () => {
    fc.assert(
      fc.property(anyRules, fc.array(anyone, { maxLength: 6 }), (rules, questions) => {
        const files = filesOf(
          rules.map((rule) => ({ ...rule, effect: 'permit' })),
          'central',
        )
        const engine = createPolicies(files)
        const { policies } = engine
        for (const wide of policies)
          for (const narrow of policies)
            if (covers(reachOf(wide.json), reachOf(narrow.json)))
              for (const { policies: by } of questions.map(engine.decide))
                expect(by.includes(wide.id)).toBe(by.includes(wide.id) || by.includes(narrow.id))
        engine.close()
      }),
    )
  })
})

describe('what duties allow is said in one guarded file, and nowhere beside it', () => {
  const problemsIn = (file: string, text: string, layer = 'central') =>
    checkFiles({ ...FILES, [file]: policy('own-one', text, layer) }, SECTIONS, {
      withTests: false,
    }).problems.map(describeProblem)
  const SAID =
    'policy own-one: it is about the console: what duties allow is said in policies/console.cedar, which guardians change'

  // biome-ignore format: a table
  it.each([
    ['a permit of an act of the console',     'permit (principal in Role::"author", action == Action::"console-guard", resource is Console);'],
    ['one by a condition alone',              'permit (principal in Role::"author", action, resource) when { action == Action::"console-approve" };'],
    ['one of several actions',                'permit (principal, action in [Action::"read", Action::"console-view"], resource);'],
    ['a permit of everything',                'permit (principal, action, resource);'],
    ['a permit of all but a plan',            'permit (principal in Role::"viewer", action, resource) unless { resource is Section };'],
    ['a forbid that names a duty’s act',      'forbid (principal, action == Action::"console-review", resource is Console);'],
    ['a forbid that names a part',            'forbid (principal, action, resource == Console::"trail");'],
  ])('%s', (_, text) => {
    expect(problemsIn('policies/own.cedar', text)).toEqual([`policies/own.cedar:1: ${SAID}`])
  })

  // biome-ignore format: a table
  it.each([
    ['a permit that is about the record',     'permit (principal in Role::"gp", action, resource is Section);'],
    ['a forbid of everything at one rung',    'forbid (principal, action, resource) when { context.rung == "sealed" };'],
  ])('and nothing is said of %s', (_, text) => {
    expect(problemsIn('policies/own.cedar', text)).toEqual([])
  })

  it('nor of the guarded file itself', () => {
    const [console = '', more] = [
      FILES['policies/console.cedar'],
      policy(
        'own-one',
        'permit (principal, action == Action::"console-view", resource is Console);',
      ),
    ]
    const files = { ...FILES, 'policies/console.cedar': `${console}\n${more}` }
    expect(checkFiles(files, SECTIONS, { withTests: false }).problems).toEqual([])
  })
})

describe('words that nobody has are problems', () => {
  // biome-ignore format: a table
  it.each([
    ['an organisation in small letters', 'principal.organization == "a83001"',   '"a83001" is not an ODS code such as A83001: capital letters and digits'],
    ['a region with capitals',           'principal.region == "North"',          '"North" is not a region as in organizations.yaml: small letters, digits, hyphens'],
    ['an activity that is misspelt',     'principal.activities.contains("B36")', '"B36" is not an activity code such as B0360'],
  ])('%s', (_, condition, words) => {
    const files = { ...FILES, ...own(policy('own-one', `${READ} when { ${condition} };`)) }
    const { problems } = checkFiles(files, SECTIONS, { withTests: false })
    expect(problems.map(describeProblem)).toEqual([`policies/own.cedar:1: policy own-one: ${words}`])
  })

  it('so are invisible characters in tests and roles', () => {
    const roles = `# \u200b\n${FILES['roles.yaml']}`
    const { problems } = checkFiles({ ...FILES, 'roles.yaml': roles }, SECTIONS, {
      withTests: false,
    })
    expect(problems.map(describeProblem)).toEqual([
      'roles.yaml:1: holds the invisible character U+200B: take it out, or write the line anew',
    ])
  })

  it('and a layer over nobody is pointed out, for no user of theirs will ever come', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lint-'))
    await cp(CONFIG, dir, { recursive: true })
    for (const name of ['A83001', 'capital', 'capitol']) {
      await mkdir(join(dir, 'policies/local', name), { recursive: true })
      const text = policy(
        `not-in-${name.toLowerCase()}`,
        'forbid (principal, action == Action::"delete", resource is Section);',
        'local',
      )
      await writeFile(join(dir, 'policies/local', name, 'own.cedar'), text)
    }
    const organizations = join(dir, 'demo/organizations.yaml')
    const { problems, warnings } = await checkSource(dir, { organizations })
    expect({ problems, warnings: warnings.map(describeProblem) }).toEqual({
      problems: [],
      warnings: [
        'policies/local/capitol: there is no organisation or region capitol in organizations.yaml: nobody is under this layer',
      ],
    })
    await rm(dir, { recursive: true })
  })
})
