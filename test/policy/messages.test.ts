import { describe, expect, it } from '@jest/globals'
import { checkFiles } from '../../src/policy/check.js'
import { describeProblem } from '../../src/policy/problem.js'
import { FILES, SECTIONS } from './asking.js'

/** What is said of a policy that starts on the third line of its file. */
const said = (body: string): string[] =>
  checkFiles(
    {
      ...FILES,
      'policies/own.cedar': `@id("own-one") @layer("central")\n@reason("Own.")\n${body}\n`,
    },
    SECTIONS,
    { withTests: false },
  )
    .problems.filter(({ file }) => file === 'policies/own.cedar')
    .map(describeProblem)
const when = (condition: string): string =>
  `permit (principal, action == Action::"read", resource is Section)\nwhen { ${condition} };`

describe('what Cedar says is said in plain words: what is wrong, where, and what would mend it', () => {
  // biome-ignore format: a table
  it.each([
    ['no semicolon at the end',      'permit (principal, action, resource)',                                3, 'a semicolon (;) is missing at the end of the policy'],
    ['no semicolon between',         'permit (principal, action, resource)\n@id("own-two")',                4, 'a semicolon (;) is missing before this'],
    ['no semicolon before permit',   'permit (principal, action, resource)\npermit (principal, action, resource);', 4, 'a condition stands in braces, when { … }, and a semicolon (;) before the next policy'],
    ['another verb',                 'allow (principal, action, resource);',                                3, 'a policy begins with permit or forbid, not with "allow"'],
    ['another condition',            'permit (principal, action, resource) where { true };',                3, 'a condition begins with when or unless, not with "where"'],
    ['a condition in round brackets', 'permit (principal, action, resource) when (true);',                  3, 'a condition stands in braces, when { … }, and a semicolon (;) before the next policy'],
    ['one sign for equality',        when('context.purpose = "direct-care"'),                               4, '"=" does not compare: write "=="'],
    ['single quotes',                when("context.purpose == 'direct-care'"),                              4, 'texts stand in double quotes ("…"), not in single ones'],
    ['a text that is not closed',    when('context.purpose == "direct-care'),                               4, 'a text is not closed: its second double quote (") is missing'],
    ['curly quotes',                 when('context.purpose == “direct-care”'),                              4, 'this character means nothing here: quotes are straight ("), a comment begins with //, "and" is &&'],
    ['a word without quotes',        when('context.purpose == care'),                                       4, '"care" is not a name that is known here: a text stands in double quotes, an attribute follows principal. or context.'],
    ['and',                          when('context.hour > 9 and context.hour < 17'),                        4, '"and" is written &&'],
    ['two comparisons in a row',     when('9 < context.hour < 17'),                                         4, 'two comparisons stand in a row: join them with &&'],
    ['a bracket that is missing',    'permit (principal, action in [Action::"read", resource);',            3, 'a "]" is missing before ")"'],
    ['an action as a text',          'permit (principal, action == "read", resource);',                     3, 'what kind of thing "read" is must be said, as in Action::"read" or Role::"gp"'],
    ['a list of roles above',        'permit (principal in [Role::"gp"], action, resource);',               3, 'only "action in […]" takes a list here: write the others in a condition, when { resource in […] }'],
    ['a part left out',              'permit (principal, action);',                                         3, '"resource" is missing: a policy begins with (principal, action, resource), in that order'],
    ['parts out of order',           'permit (principal, resource, action);',                               3, '"resource" stands where "action" belongs: a policy begins with (principal, action, resource), in that order'],
    ['a method of another language', when('principal.activities.includes("B0360")'),                        4, 'there is no ".includes(…)": sets have contains, containsAny, containsAll and isEmpty'],
    ['an empty condition',           'permit (principal, action, resource) unless { };',                    3, 'there is nothing in unless { }: say what it depends on, or take it away'],
    ['an annotation twice',          '@reason("Again.") permit (principal, action, resource);',             3, '@reason stands twice'],
  ])('%s', (_, body, line, words) => {
    expect(said(body)).toContain(`policies/own.cedar:${line}: ${words}`)
  })

  // biome-ignore format: a table
  it.each([
    ['a circumstance that is not given', 'context.purpos == "direct-care"',                   'the context has no attribute "purpos"; there are purpose, rung, system, app, '],
    ['an attribute of nobody',           'principal.organisation == "A83001"',                'User has no attribute "organisation"; there are activities, activitySource, assurance, organization, '],
    ['a role as an attribute',           'principal.role == "gp"',                            'User has no attribute "role": roles are asked for with principal in Role::"…"'],
    ['an attribute of a section',        'resource.id == "contacts"',                         'Section has no attribute "id": name it, as in Section::"…"'],
    ['a role that does not exist',       'principal in Role::"nurse"',                        'there is no Role "nurse"; there are "gp", "practice-nurse", '],
    ['a kind of thing that is not',      'principal in Roles::"gp"',                          'there is no entity "Roles"; did you mean "Role"?'],
    ['a number in quotes',               'context.hour > "9"',                                'expected a number, is a text: numbers stand without quotes, texts in double quotes'],
    ['a number compared with a text',    'context.hour == "9"',                               'a number and a text cannot be compared: numbers stand without quotes, texts in double quotes'],
    ['a set compared with a text',       'principal.activities == "B0360"',                   'a text and a set of texts cannot be compared: ask a set of texts with .contains("…")'],
    ['a text that is no condition',      'context.patientSensitive && context.purpose',       'this is a text, not a condition: compare it with something'],
    ['a text looked for with in',        'context.purpose in ["direct-care"]',                '"in" is for roles and other named things: ask for a text with ["a", "b"].contains(…)'],
    ['a text asked as a set',            'principal.region.contains("north")',                'a text is no set: compare it with ==, or look for it with ["a", "b"].contains(…)'],
    ['what cannot be',                   'resource is App',                                   'it can never apply'],
  ])('%s', (_, condition, words) => {
    expect(said(when(condition)).join('\n')).toContain(`: policy own-one: ${words}`)
  })

  it('says once what holds of eight actions', () => {
    const wide =
      'permit (principal in Role::"gp", action, resource) when { context.purpos == "x" };'
    expect(said(wide).filter((line) => line.includes('purpos"'))).toHaveLength(1)
  })
})
