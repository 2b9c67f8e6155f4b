import { describe, expect, it, jest } from '@jest/globals'
import { checkFiles } from '../../src/policy/check.js'
import { readInvariants } from '../../src/policy/invariant-rows.js'
import { invariantProblems } from '../../src/policy/invariants.js'
import type { Problem, Problems } from '../../src/policy/problem.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { surveyOf } from '../../src/policy/survey.js'
import { FILES, needleWith, SECTIONS } from './asking.js'

jest.setTimeout(60_000)

const said = (files: PolicyFiles): readonly string[] => {
  const survey = surveyOf(files, { apps: ['care-plan'] })
  try {
    return invariantProblems(files, survey).map(({ text }) => text)
  } finally {
    survey.close()
  }
}
const planted = (text: string): PolicyFiles => ({
  ...FILES,
  'policies/own.cedar': `@id("planted") @layer("central") @reason("planted") ${text}`,
})
const without = (...ids: readonly string[]): PolicyFiles =>
  Object.fromEntries(
    Object.entries(FILES).map(([name, text]) => [
      name,
      name.endsWith('.cedar')
        ? text
            .split(/(?=^@id)/m)
            .filter((part) => !ids.some((id) => part.startsWith(`@id("${id}")`)))
            .join('')
        : text,
    ]),
  )
const invariants = (rows: string): PolicyFiles => ({
  ...FILES,
  'policies/invariants.yaml': `invariants:\n${rows}`,
})

/** With one of the shipped rows alone: the others would cost most of the time, and are not what is asked about. */
function rowAlone(name: string, files: PolicyFiles): PolicyFiles {
  const [head = '', ...rows] = (FILES['policies/invariants.yaml'] ?? '').split(/(?=^ {2}- name: )/m)
  const row = rows.find((one) => one.startsWith(`  - name: ${name}\n`))
  if (row === undefined) throw new Error(`no invariant is named "${name}"`)
  return { ...files, 'policies/invariants.yaml': head + row }
}

describe('the invariants', () => {
  it('hold of the policies that are shipped', () => {
    expect(readInvariants(FILES)).toHaveLength(6)
    expect(said(FILES)).toEqual([])
  })

  it('are not held where a needle could hide: of more circumstances than can be asked', () => {
    const needle = needleWith('context.patientDeceased', 'principal.assurance == 1').join(' && ')
    const text = `permit (principal in Role::"administrator", action == Action::"read", resource == Section::"prognosis") when { ${needle} };`
    const files = {
      ...without('prognosis-is-for-clinicians', 'administrators-see-contacts-only'),
      'policies/own.cedar': planted(text)['policies/own.cedar'] ?? '',
    }
    expect(said(rowAlone('No administrator ever reads prognosis', files)).join('\n')).toMatch(
      /No administrator ever reads prognosis: .*planted/,
    )
  })

  it.each([
    ['arithmetic', 'context.hour * 3 == 51 && principal.organization like "Z9*"'],
    [
      'a pattern that its shortest text does not show',
      'principal.organization like "Z*9" && principal.organization != "Z9"',
    ],
    [
      'three codes of ten, and none of the others',
      'principal.activities.containsAll(["B0001", "B0002", "B0003"]) && !principal.activities.containsAny(["B0004", "B0005", "B0006"]) && !principal.activities.contains("B0007") && !principal.activities.contains("B0008") && !principal.activities.contains("B0009") && !principal.activities.contains("B0010")',
    ],
    [
      'codes that stand beside an empty list',
      '!principal.activities.isEmpty() && !principal.activities.containsAny(["B0001", "B0002", "B0003", "B0004", "B0005"]) && !principal.activities.contains("B0006") && !principal.activities.contains("B0007") && !principal.activities.contains("B0008") && !principal.activities.contains("B0009")',
    ],
  ])('are not held where a condition is hard to see through: %s', (_, condition) => {
    const text = `permit (principal in Role::"administrator", action == Action::"read", resource == Section::"prognosis") when { ${condition} };`
    const files = {
      ...without('prognosis-is-for-clinicians', 'administrators-see-contacts-only'),
      'policies/own.cedar': planted(text)['policies/own.cedar'] ?? '',
    }
    expect(said(rowAlone('No administrator ever reads prognosis', files)).join('\n')).toMatch(
      /No administrator ever reads prognosis: .*planted/,
    )
  })

  it.each<[string, string, string[], string]>([
    [
      'who lets an administrator read prognosis at night',
      'permit (principal in Role::"administrator", action == Action::"read", resource) when { context.hour >= 22 };',
      ['prognosis-is-for-clinicians', 'administrators-see-contacts-only'],
      'No administrator ever reads prognosis: Administrator may read prognosis when',
    ],
    [
      'who gives nobody something',
      'permit (principal, action == Action::"check-availability", resource) when { principal.region == "north" };',
      ['no-role-no-access'],
      'Nobody without a role gets anything: Somebody without a role may availability check the app',
    ],
    [
      'who lets a service read a section',
      'permit (principal in Role::"service", action == Action::"search", resource == Section::"contacts");',
      ['services-see-no-section'],
      'A service never reads a section of the plan: Service may search contacts',
    ],
  ])('catch somebody %s', (_, text, removed, sentence) => {
    const files = {
      ...without(...removed),
      'policies/own.cedar': planted(text)['policies/own.cedar'] ?? '',
    }
    expect(said(files)).toEqual(expect.arrayContaining([expect.stringContaining(sentence)]))
    expect(said(files).join()).toContain('(by planted)')
    // With the guard rails in place the same permit does no harm.
    expect(said(planted(text))).toEqual([])
  })

  it('name the circumstances of a guard rail that is gone', () => {
    const gone = (row: string, id: string) => said(rowAlone(row, without(id)))[0]
    expect(
      gone(
        'Nobody writes the plan of somebody who has died',
        'plans-of-the-deceased-are-read-only',
      ),
    ).toMatch(
      /^Nobody writes the plan of somebody who has died: GP may create resuscitation when .*holds activit/,
    )
    expect(gone('Emergency access is read-only', 'emergency-access-is-read-only')).toMatch(
      /^Emergency access is read-only: GP may create/,
    )
  })

  it('can ask that something is always allowed', () => {
    const row = (when: string) =>
      invariants(
        `  - { name: Somebody reads allergies, roles: gp, actions: read, on: fhir/AllergyIntolerance, when: ${when}, expect: always }\n`,
      )
    expect(
      said(
        row(
          '{ activities: [B0360], sensitive: false, rung: [pushed, redeemed], purpose: direct-care, emergency: false }',
        ),
      ),
    ).toEqual([])
    expect(
      said(row('{ activities: [B0360], sensitive: false, rung: [pushed, redeemed] }')),
    ).toEqual([
      'Somebody reads allergies: GP may not read AllergyIntolerance when the purpose is administration, or when an emergency reason is given and signed on with AAL1 (by administration-sees-no-clinical-record)',
    ])
  })

  it('count users who hold more than the activities that a row names', () => {
    const files = {
      ...invariants(
        '  - { name: Not for B0360, roles: gp, actions: check-availability, on: any, when: { activities: [B0360] }, expect: never }\n',
      ),
      'policies/own.cedar':
        planted(
          'permit (principal in Role::"gp", action == Action::"check-availability", resource) when { principal.activities.contains("B0370") };',
        )['policies/own.cedar'] ?? '',
    }
    expect(said(files).join('\n')).toMatch(/^Not for B0360: GP may .*B0370.*\(by planted\)$/)
  })

  it('hold of an app whose name is written with an escape', () => {
    const files = {
      ...without('no-role-no-access'),
      'policies/own.cedar':
        planted(
          'permit (principal, action == Action::"check-availability", resource == App::"care\\u{2d}plan");',
        )['policies/own.cedar'] ?? '',
    }
    const texts = checkFiles(files, SECTIONS).problems.map(({ text }) => text)
    expect(texts.join('\n')).toContain(
      'Nobody without a role gets anything: Somebody without a role may availability check the app care-plan',
    )
  })

  it('block a version, at their line', () => {
    const { problems } = checkFiles(without('services-see-no-section', 'x'), SECTIONS)
    expect(problems.filter(({ file }) => file === 'policies/invariants.yaml')).toEqual([])
    const row = invariants(
      '  - { name: No GP reads contacts, roles: gp, actions: read, on: section/contacts, expect: never }\n',
    )
    expect(checkFiles(row, SECTIONS).problems).toMatchObject([
      { file: 'policies/invariants.yaml', line: 2 },
    ])
  })

  it('are about something', () => {
    expect(
      said(
        invariants(
          '  - { name: A misspelt section, roles: any, actions: read, on: section/prognoses, expect: never }\n',
        ),
      ),
    ).toEqual(['A misspelt section: no such action on such data'])
  })

  it.each([
    ['- { name: abc, roles: gp }', /actions|on|expect/],
    ['- { name: abc, roles: gps, actions: read, on: any, expect: never }', /roles/],
    ['- { name: abc, roles: gp, actions: read, on: any, expect: seldom }', /expect/],
    [
      '- { name: abc, roles: gp, actions: read, on: any, when: { nope: 1 }, expect: never }',
      /nope/,
    ],
    ['- &a { name: abc }\n  - *a', /aliases/],
  ])('are refused when they cannot be read: %s', (row, words) => {
    const problems = (): readonly Problem[] => {
      try {
        readInvariants(invariants(`  ${row}\n`))
        return []
      } catch (error) {
        return (error as Problems).problems
      }
    }
    expect(
      problems()
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(words)
    const checked = checkFiles(invariants(`  ${row}\n`), SECTIONS).problems
    expect(checked.map(({ text }) => text).join('\n')).toMatch(words)
  })
})
