import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { withTest } from '../../src/console/simulate-keep.js'
import { FHIR_TYPES } from '../../src/core/fhir.js'
import { readCases, runCases } from '../../src/policy/cases.js'
import { checkFiles, checkSource } from '../../src/policy/check.js'
import { createPolicies } from '../../src/policy/engine.js'
import { describeProblem } from '../../src/policy/problem.js'
import { hashOfFiles, type PolicyFiles, placesIn, readSource } from '../../src/policy/source.js'
import { CONFIG, FILES, SECTIONS } from './asking.js'

// All tests of the policies are run several times over.
jest.setTimeout(60_000)

const said = (files: PolicyFiles): string[] =>
  checkFiles(files, SECTIONS).problems.map(describeProblem)
const withPolicy = (text: string): PolicyFiles => ({ ...FILES, 'policies/own.cedar': text })
const annotated = (body: string) => `// a comment – with a dash\n@id("own-one")
@layer("central")
@reason("Own.")
${body}`

describe('what is shipped', () => {
  it('has nothing wrong with it, its own tests included', async () => {
    const check = await checkSource(CONFIG)
    expect(check.problems).toEqual([])
    expect(check.policies).toBeGreaterThan(25)
    expect(check.tests).toBeGreaterThan(500)
  })

  it('has demonstration organisations that are kept apart from the real ones', async () => {
    const demo = join(CONFIG, 'demo', 'organizations.yaml')
    const check = await checkSource(CONFIG, { organizations: demo })
    expect(check.problems).toEqual([])
  })

  it('can speak of every FHIR type that the record offers', () => {
    const schema = FILES['policies/gateway.cedarschema'] ?? ''
    for (const type of Object.keys(FHIR_TYPES)) expect(schema).toContain(`"${type}"`)
  })

  it('is tested: whichever policy is taken away, one of its tests notices', () => {
    const whole = createPolicies(FILES)
    const { cases } = readCases(FILES, SECTIONS)
    const decided = cases.map((one) => ({ one, by: whole.decide(one.question).policies }))
    for (const { id, file, text } of whole.policies) {
      const without = createPolicies({ ...FILES, [file]: (FILES[file] ?? '').replace(text, '') })
      expect(without.policies).toHaveLength(whole.policies.length - 1)
      const concerned = decided.filter(({ by }) => by.includes(id)).map(({ one }) => one)
      expect([id, runCases(concerned, without).length > 0]).toEqual([id, true])
      without.close()
    }
    whole.close()
  })
})

describe('a problem is told in plain words, with its place', () => {
  // biome-ignore format: a table
  it.each([
    ['a role that does not exist',       'permit (principal in Role::"gpp", action == Action::"read", resource is Section);',                                  'policies/own.cedar:5: policy own-one: there is no Role "gpp"; there are "gp", '],
    ['a section that does not exist',    'permit (principal in Role::"gp", action == Action::"read",\n  resource == Section::"contact");',                       'policies/own.cedar:6: policy own-one: there is no Section "contact"; there are '],
    ['an action that does not exist',    'permit (principal in Role::"gp", action == Action::"wriet", resource is Section);',                                   'policies/own.cedar:5: policy own-one: there is no action "wriet"'],
    ['a FHIR type that does not exist',  'permit (principal in Role::"gp", action == Action::"read", resource == FhirType::"Patients");',                       'policies/own.cedar:5: policy own-one: there is no FhirType "Patients"; there are '],
    ['an attribute of nobody',           'permit (principal, action == Action::"read", resource is Section)\nwhen { principal.age > 1 };',                       'policies/own.cedar:6: policy own-one: User has no attribute "age"'],
    ['a circumstance that is not given', 'permit (principal, action == Action::"read", resource is Section) when { context.weather == "fine" };',               'policies/own.cedar:5: policy own-one: the context has no attribute "weather"'],
    ['a purpose that nobody has',        'permit (principal, action == Action::"read", resource is Section) when { context.purpose == "care" };',               'policies/own.cedar:2: policy own-one: there is no purpose "care"; there are direct-care, '],
    ['an organisation type of nobody',   'permit (principal, action == Action::"read", resource is Section) when { ["gp"].contains(principal.organizationType) };', 'policies/own.cedar:2: policy own-one: there is no organizationType "gp"; there are gp-practice, '],
    ['an activity that is misspelt',     'permit (principal, action == Action::"read", resource is Section) when { principal.activities.contains("B036O") };',  'policies/own.cedar:2: policy own-one: "B036O" is not an activity code such as B0360'],
    ['a policy that can never apply',    'permit (principal, action == Action::"launch", resource is Section);',                                               'it can never apply'],
    ['a missing semicolon',              'permit (principal, action, resource)',                                                                               'policies/own.cedar:5: '],
  ])('%s', (_, body, problem) => {
    expect(said(withPolicy(annotated(body))).join('\n')).toContain(problem)
  })

  // biome-ignore format: a table
  it.each([
    ['no @id',            '@reason("x") @layer("central") permit (principal, action, resource);',                                            'policies/own.cedar:1: a policy has no @id("…")'],
    ['no @reason',        '@id("own-one") @layer("central") permit (principal, action, resource);',                                          'policies/own.cedar:1: policy own-one has no @reason("…"): say in plain words what it does'],
    ['no @layer',         '@id("own-one") @reason("x") permit (principal, action, resource);',                                               'policies/own.cedar:1: policy own-one has no @layer("central")'],
    ['a local layer',     '@id("own-one") @reason("x") @layer("local") permit (principal, action, resource);',                               'policies/own.cedar:1: policy own-one: @layer("local") stands in policies/local/, in a folder named for the organisation (ODS code) or region'],
    ['a layer of nobody', '@id("own-one") @reason("x") @layer("regional") permit (principal, action, resource);',                            'policies/own.cedar:1: policy own-one: @layer("regional") is not read; "central" and "delegated" are'],
    ['a delegated forbid','@id("own-one") @reason("x") @layer("delegated") forbid (principal, action, resource);',                           'policies/own.cedar:1: policy own-one: @layer("delegated") says what others may permit: a forbid is @layer("central")'],
    ['an id of another',  '\n@id("nothing-is-deleted") @reason("x") @layer("central") permit (principal, action, resource);',                'policies/writing.cedar:79: @id("nothing-is-deleted") already stands in policies/own.cedar:2'],
    ['a duty of nobody',  '@id("own-one") @reason("x") @layer("central") @obligation("ring-bells") forbid (principal, action, resource);',   'policies/own.cedar:1: policy own-one: nothing carries out @obligation("ring-bells"); there is mark-sensitive'],
    ['an odd annotation', '@id("own-one") @reason("x") @layer("central") @owner("me") forbid (principal, action, resource);',                'policies/own.cedar:1: policy own-one: @owner is not an annotation that is read here'],
    ['a template',        '@id("own-one") @reason("x") @layer("central") permit (principal == ?principal, action, resource);',               'policies/own.cedar:1: templates (?principal) are not read here'],
  ])('%s', (_, text, problem) => {
    expect(said(withPolicy(text))).toContain(problem)
  })

  it('a schema that says other than the gateway does', () => {
    const schema = (FILES['policies/gateway.cedarschema'] ?? '')
      .replace('assurance: Long', 'assurance: String')
      .replace('    "daily-support"', '    "hobbies"')
      .replace('weekday: Long', 'weekday?: Long')
      .replace('    "privacy-officer"', '    "owner"')
    const problems = said({ ...FILES, 'policies/gateway.cedarschema': schema }).join('\n')
    for (const words of [
      'attribute "assurance" of User is Long, not String',
      'section "daily-support" is missing',
      'there is no section "hobbies" in plan/sections.yaml',
      'role "privacy-officer" is missing',
      'attribute "weekday" of the context of "read" is always present',
    ])
      expect(problems).toContain(words)
  })

  it('a test that is not met: what was expected, what is, and by which policy', () => {
    const tests = `people: { a-gp: { roles: [gp], activities: [B0360] } }
tests:
  - { name: GPs delete, who: a-gp, action: delete, on: section/contacts, expect: allow }
  - { name: GPs read, who: a-gp, action: read, on: section/contacts, expect: allow, by: administrators-read-contacts }
  - { name: GPs open, who: a-gp, action: launch, on: app/care-plan, expect: allow, obligations: [mark-sensitive] }
`
    expect(said({ ...FILES, 'policies/tests/own.yaml': tests })).toEqual([
      'policies/tests/own.yaml:3: GPs delete (a-gp delete section/contacts): expected allow, is deny (decided by nothing-is-deleted)',
      'policies/tests/own.yaml:4: GPs read (a-gp read section/contacts): expected it allowed by administrators-read-contacts, is decided by clinicians-read-the-plan',
      'policies/tests/own.yaml:5: GPs open (a-gp launch app/care-plan): expected obligations mark-sensitive, are none',
    ])
  })

  it('a test about nobody, or of a field that does not exist', () => {
    const problems = said({
      ...FILES,
      'policies/tests/own.yaml':
        'tests:\n  - { name: Who, who: ghost, action: read, on: section/contacts, expect: deny }\n',
      'policies/tests/two.yaml':
        'tests:\n  - { name: What, role: gp, action: read, on: section/contacts, expect: deny }\n',
    })
    expect(problems).toContain('policies/tests/own.yaml:2: there is no "ghost" among the people')
    expect(problems.join('\n')).toContain('policies/tests/two.yaml:2: tests.0: ')
  })

  it('a test whose lists multiply to millions of questions: none of them is made', () => {
    const many = (word: string, n: number) => `[${Array(n).fill(word).join(',')}]`
    const bomb = `tests:\n  - { name: bomb, action: ${many('read', 700)}, on: ${many('section/*', 400)}, expect: deny }\n`
    const { cases, problems } = readCases({ 'policies/tests/bomb.yaml': bomb }, SECTIONS)
    expect([cases, problems.map(describeProblem)]).toEqual([
      [],
      ['policies/tests/bomb.yaml:2: asks too much: 100000 questions may be asked at most'],
    ])
    // Kept from the simulator it is one question or none, on the thread that serves launches.
    expect(() => withTest(undefined, bomb, SECTIONS)).toThrow('no such test')
    const two = 'tests: [{ name: two, action: [read, search], on: section/contacts, expect: deny }]'
    expect(() => withTest(undefined, two, SECTIONS)).toThrow('no such test')
    const one = two.replace(', search', '')
    expect(withTest(undefined, one, SECTIONS)).toBe(one)
  })

  it('what is missing or cannot be read at all', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'check-'))
    expect((await checkSource(dir)).problems.map(describeProblem).join('\n')).toContain(
      'cannot be read',
    )
    await cp(CONFIG, dir, { recursive: true })
    await writeFile(join(dir, 'organizations.yaml'), 'organizations: [{ ods: x }]')
    expect((await checkSource(dir)).problems[0]?.file).toBe(join(dir, 'organizations.yaml'))
    await rm(dir, { recursive: true })
  })
})

describe('no file of a version is left out unnoticed', () => {
  const FORBID =
    '@id("stop") @layer("central") @reason("Stop.") forbid (principal, action, resource);'
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'source-'))
    await cp(CONFIG, dir, { recursive: true })
  })
  afterEach(() => rm(dir, { recursive: true }))
  const problemsIn = async () => (await checkSource(dir)).problems.map(describeProblem)

  // biome-ignore format: a table
  it.each([
    ['a folder of policies',                  'policies/more',             'stop.cedar',         'policies/more: a folder: only files directly in'],
    ['a policy beside the local layers',      'policies/local',            'stop.cedar',         'policies/local/stop.cedar: is not read: put it in a folder named for its organisation or region'],
    ['a local layer that is nobody\'s',       'policies/local/Northern',   'stop.cedar',         'policies/local/Northern: is named for nobody: an ODS code (A83001) or a region (north-east) is'],
    ['a folder in a local layer',             'policies/local/north/more', 'stop.cedar',         'policies/local/north/more: a folder: only files directly in'],
    ['a schema of a local layer',             'policies/local/north',      'own.cedarschema',    'policies/local/north/own.cedarschema: is not read: only .cedar is'],
    ['a local test under another ending',     'policies/local/north/tests', 'own.yml',           'policies/local/north/tests/own.yml: is not read: only .yaml is'],
    ['a folder of tests',                     'policies/tests/local',      'own.yaml',           'policies/tests/local: a folder: only files directly in'],
    ['a policy whose ending is written large', 'policies',                 'stop.CEDAR',         'policies/stop.CEDAR: is not read: only .cedar, gateway.cedarschema and invariants.yaml are'],
    ['another schema',                        'policies',                  'own.cedarschema',    'policies/own.cedarschema: is not read: only .cedar, gateway.cedarschema and invariants.yaml are'],
    ['tests under another ending',            'policies/tests',            'own.yml',            'policies/tests/own.yml: is not read: only .yaml is'],
    ['a policy among the tests',              'policies/tests',            'stop.cedar',         'policies/tests/stop.cedar: is not read'],
  ])('%s', async (_, folder, name, problem) => {
    await mkdir(join(dir, folder), { recursive: true })
    await writeFile(join(dir, folder, name), FORBID)
    expect((await problemsIn()).join('\n')).toContain(join(dir, problem))
  })

  it('a folder that is reached by a link', async () => {
    await symlink(tmpdir(), join(dir, 'policies/elsewhere'))
    expect((await problemsIn()).join('\n')).toContain('policies/elsewhere: a folder')
  })

  it('the tests, when their folder is missing or holds none', async () => {
    await rm(join(dir, 'policies/tests'), { recursive: true })
    expect(await problemsIn()).toEqual([`${join(dir, 'policies/tests')}: cannot be read`])
    await mkdir(join(dir, 'policies/tests'))
    expect(await problemsIn()).toEqual(['policies/tests: there is no test'])
  })

  it('a local layer is read, with its tests, which are about its own users', async () => {
    const north = join(dir, 'policies/local/north')
    await mkdir(join(north, 'tests'), { recursive: true })
    await writeFile(join(north, 'own.cedar'), FORBID.replace('central', 'local'))
    await writeFile(
      join(north, 'tests/own.yaml'),
      `people: { doctor: { roles: [gp], activities: [B0360] } }
tests:
  - { name: Nothing here, who: doctor, action: read, on: section/contacts, expect: deny, by: stop }
  - { name: All else there, who: doctor, region: south, action: read, on: section/contacts, expect: deny }
`,
    )
    expect(await problemsIn()).toEqual([
      'policies/local/north/tests/own.yaml:4: All else there (doctor read section/contacts): expected deny, is allow (decided by clinicians-read-the-plan)',
    ])
  })

  it('but notes beside the policies, and what volumes and editors hide, are no policies', async () => {
    const hashIn = async () => hashOfFiles(await readSource(placesIn(dir)))
    const before = await hashIn()
    await mkdir(join(dir, 'policies/..2026_11_23'))
    await writeFile(join(dir, 'policies/..2026_11_23/stop.cedar'), FORBID)
    await symlink('..2026_11_23', join(dir, 'policies/..data'))
    await writeFile(join(dir, 'policies/.#launch.cedar'), FORBID)
    await writeFile(join(dir, 'policies/README.md'), 'Ask the security team.')
    expect(await hashIn()).toBe(before)
  })

  it('and a policy that a link leads to is read', async () => {
    await writeFile(join(dir, 'stop.txt'), FORBID)
    await symlink('../stop.txt', join(dir, 'policies/stop.cedar'))
    expect((await problemsIn()).length).toBeGreaterThan(100)
  })
})

describe('the hash of a version', () => {
  it('does not depend on the order of files or on line endings, and on everything else', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hash-'))
    await cp(CONFIG, dir, { recursive: true })
    const file = join(dir, 'policies', 'launch.cedar')
    const text = FILES['policies/launch.cedar'] ?? ''
    await writeFile(file, text.replaceAll('\n', '\r\n'))
    const hash = hashOfFiles(FILES)
    expect(hashOfFiles(await readSource(placesIn(dir)))).toBe(hash)
    await writeFile(file, `${text} `)
    expect(hashOfFiles(await readSource(placesIn(dir)))).not.toBe(hash)
    expect(hashOfFiles(Object.fromEntries(Object.entries(FILES).reverse()))).toBe(hash)
    await rm(dir, { recursive: true })
  })
})
