import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { appsNamed } from '../../src/policy/apps-named.js'
import { type Comparison, compareOf } from '../../src/policy/compare.js'
import { createPolicies } from '../../src/policy/engine.js'
import { finished } from '../../src/policy/matrix.js'
import { postChanges } from '../../src/policy/post-changes.js'
import { roleChanges } from '../../src/policy/role-changes.js'
import { readRoles } from '../../src/policy/roles.js'
import { sentencesOf } from '../../src/policy/sentences.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { surveyOf } from '../../src/policy/survey.js'
import { textDiff } from '../../src/policy/text-diff.js'
import { anyPolicy, NAMED, questionsWith, soundPolicy, versionOf } from './arbitrary.js'
import { FILES, needleWith } from './asking.js'

jest.setTimeout(60_000)

function compare(before: PolicyFiles, after: PolicyFiles): Comparison {
  const surveys = [before, after].map((files) => surveyOf(files, { apps: ['care-plan'] }))
  const [one, other] = surveys as [ReturnType<typeof surveyOf>, ReturnType<typeof surveyOf>]
  try {
    return finished(compareOf(one, other))
  } finally {
    for (const survey of surveys) survey.close()
  }
}
const TITLES = { resuscitation: 'Resuscitation', contacts: 'Contacts', prognosis: 'Prognosis' }
const said = (before: PolicyFiles, after: PolicyFiles) =>
  sentencesOf(compare(before, after).changes, TITLES)
const plus = (id: string, text: string): PolicyFiles => ({
  ...FILES,
  'policies/own.cedar': `@id("${id}") @layer("central") @reason("one more") ${text}`,
})
const edited = (file: string, from: string, to: string): PolicyFiles => {
  const text = FILES[file] ?? ''
  expect(text).toContain(from)
  return { ...FILES, [file]: text.replace(from, to) }
}

describe('two versions compared', () => {
  it('are the same when they are, whatever their comments and reasons say', () => {
    const reworded = edited(
      'policies/reading.cedar',
      '@reason("Administrators may',
      '@reason("They may',
    )
    expect(compare(FILES, FILES).changes).toEqual([])
    expect(compare(FILES, reworded)).toMatchObject({ changes: [], exhaustive: true })
  })

  it('say in words who gains what', () => {
    const more = plus(
      'nurses-write-prognosis',
      `permit (principal in Role::"community-nurse", action == Action::"update", resource == Section::"prognosis")
       when { context.purpose == "direct-care" };`,
    )
    expect(said(FILES, more)).toEqual([
      'Community nurse gains update on Prognosis when the purpose is direct care',
    ])
    expect(said(more, FILES)).toEqual([
      'Community nurse loses update on Prognosis when the purpose is direct care',
    ])
    const [change] = compare(FILES, more).changes
    expect(change).toMatchObject({
      widening: true,
      from: { effect: 'deny', policies: [] },
      to: { effect: 'allow', policies: ['nurses-write-prognosis'] },
      example: { purpose: 'direct-care', action: 'update', user: { roles: ['community-nurse'] } },
    })
  })

  it('say several actions and kinds of data at once', () => {
    const more = plus(
      'all',
      'permit (principal in Role::"call-handler", action in [Action::"read", Action::"search"], resource == Section::"daily-support") when { principal.activities.contains("B0370") };',
    )
    expect(said(FILES, more)).toEqual([
      'Call handler gains read and search on daily-support when holds activity B0370',
    ])
  })

  it('say what a forbid takes, and under what it took it already', () => {
    const fewer = plus(
      'night',
      'forbid (principal in Role::"gp", action == Action::"read", resource == Section::"contacts") when { context.hour >= 22 };',
    )
    expect(said(FILES, fewer)).toEqual([
      'GP loses read on Contacts when holds activity B0360 and the hour is 22:00 or 23:00, or when an emergency reason is given and the hour is 22:00 or 23:00',
      'GP who is call handler, social care, care home or administrator as well loses read on Contacts when holds activity B0370 and does not hold activities B0168 or B0360 and the hour is 22:00 or 23:00, or when holds activity B0370 and does not hold activity B0360 and no emergency reason is given and the hour is 22:00 or 23:00',
    ])
  })

  it('see a change of a number that is too large for JSON', () => {
    const sum = (most: string) =>
      plus(
        'sum',
        `permit (principal in Role::"call-handler", action == Action::"read", resource == Section::"contacts") when { context.hour + ${most} > 0 };`,
      )
    // Past 7 and past 17 o'clock Cedar's numbers end, and an error is a refusal.
    const [narrow, wide] = [sum('9223372036854775800'), sum('9223372036854775790')]
    const { changes, exhaustive } = compare(narrow, wide)
    expect(exhaustive).toBe(true)
    expect(changes[0]).toMatchObject({ widening: true, when: ['the hour is 08:00 to 17:00'] })
  })

  it.each([
    ['by an escape', 'resource == App::"care\\u{2d}plan"'],
    ['with spaces', 'resource == App :: "care-plan"'],
    [
      'in a set of a condition',
      'resource) when { [App::"x", App::"care\\x2dplan"].contains(resource) }; //',
    ],
    [
      'by no name: all but the app that stands for all',
      'resource) unless { resource == App::"any-app" }; //',
    ],
  ])('ask about every app that a policy names: %s', (_, resource) => {
    const more = plus(
      'apps',
      `permit (principal, action == Action::"check-availability", ${resource});`,
    )
    const apps = appsNamed(FILES, more)
    const asked = [FILES, more].map((files) => surveyOf(files, { apps }))
    const [before, after] = asked as [(typeof asked)[0], (typeof asked)[0]]
    const { changes } = finished(compareOf(before, after))
    for (const survey of asked) survey.close()
    expect(changes.some(({ role, widening }) => role !== 'none' && widening)).toBe(true)
  })

  it.each<[string, string, string, string[]]>([
    [
      'a permit for who has two roles, which neither alone can use',
      '',
      'permit (principal in Role::"administrator", action == Action::"update", resource == Section::"contacts") when { principal in Role::"call-handler" };',
      ['Call handler who is administrator as well gains update on Contacts'],
    ],
    [
      'a permit for who has three duties',
      '',
      'permit (principal in Role::"approver", action == Action::"console-guard", resource == Console::"keys") when { principal in Role::"viewer" && principal in Role::"author" };',
      ['Console viewer who is policy author and policy approver as well gains guard on keys'],
    ],
    [
      'a forbid of one role that stopped what another role permits',
      'forbid (principal in Role::"care-home", action == Action::"read", resource == Section::"contacts");',
      '',
      ['GP who is care home as well gains read on Contacts when'],
    ],
  ])('tell of users in several roles at once: %s', (_, before, after, sentences) => {
    const files = (text: string) => ({
      ...(text ? plus('several', text) : FILES),
      'policies/nobody-else.cedar':
        '@id("home") @layer("central") @reason("x") forbid (principal in Role::"care-home", action == Action::"read", resource == Section::"contacts") unless { principal in Role::"gp" };',
    })
    const words = said(files(before), files(after))
    expect(words).toEqual(sentences.map((one) => expect.stringContaining(one)))
  })

  it('say that an activity is asked for no more', () => {
    const eased = edited(
      'policies/resuscitation.cedar',
      `principal.activitySource == "listed" &&
    principal.activities.containsAny(["B0380", "B8028", "B8029"])
};`,
      `principal.activities.containsAny(["B0380", "B8028", "B8029"])
};`,
    )
    // The guard rail holds each role to its own test: nothing is gained.
    expect(said(FILES, eased)).toEqual([])
  })

  const NEEDLE = needleWith('context.patientSensitive', 'principal.assurance == 3')
  const CELL =
    'permit (principal in Role::"community-nurse", action == Action::"update", resource == Section::"prognosis")'
  /** Policies that hold only apart from one another, in more ways than are walked at once. */
  const hay = NEEDLE.map(
    (term, i) =>
      `@id("hay-${i}") @layer("central") @reason("hay") ${CELL} when { !(${term}) && context.hour > ${i} };`,
  )

  it('find the one circumstance in millions that another policy turns', () => {
    const before = { ...FILES, 'policies/hay.cedar': hay.join('\n') }
    const after = { ...before, ...plus('needle', `${CELL} when { ${NEEDLE.join(' && ')} };`) }
    const { changes, exhaustive } = compare(before, after)
    expect(exhaustive).toBe(true)
    expect(sentencesOf(changes, TITLES)).toEqual([
      expect.stringMatching(
        /^Community nurse gains update on Prognosis when .*the organisation is Z99 .*the hour is 03:00 and the day is Sunday$/,
      ),
    ])
    expect(compare(after, before)).toMatchObject({
      exhaustive: true,
      changes: [{ from: { effect: 'allow' } }],
    })
  })

  it('tell an obligation that is dropped, though everybody may what they might', () => {
    const eased = edited('policies/patients.cedar', '@obligation("mark-sensitive")\n', '')
    const changes = compare(FILES, eased).changes
    expect(changes.every(({ widening }) => widening)).toBe(true)
    expect(sentencesOf(changes)[0]).toContain('GP is spared "mark-sensitive" on launch on the app')
  })

  // The seeds are of runs in which asking finds many differences, and none takes most of the time without one.
  it.each([
    ['sound policies', soundPolicy, 8],
    ['policies that may err', anyPolicy, 6],
  ])('miss no difference that asking at random finds: %s', (_, policy, seed) => {
    let flips = 0
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 3 }),
        policy,
        fc.array(questionsWith(2, NAMED), { minLength: 60, maxLength: 60 }),
        (texts, other, questions) => {
          const base = ['permit (principal, action, resource is Section);', ...texts]
          const [before, after] = [versionOf(base), versionOf([...base.slice(0, -1), other])]
          const { changes, exhaustive } = compare(before, after)
          const engines = [before, after].map((files) => createPolicies(files))
          const ask = (question: Parameters<(typeof engines)[0]['decide']>[0]) =>
            engines.map((engine) => engine.decide(question).effect)
          // Each example is one.
          for (const { example, from, to } of changes)
            expect(ask(example)).toEqual([from.effect, to.effect])
          for (const question of questions) {
            const [from, to] = ask(question)
            if (from === to || !exhaustive) continue
            flips += 1
            const { roles } = question.user
            const told = changes.filter(
              ({ role, also = [], action, resource, widening }) =>
                [role, ...also].every((one) => one === 'none' || roles.includes(one)) &&
                (role === 'none') === (roles.length === 0) &&
                action === question.action &&
                resource.id === question.resource.id &&
                widening === (to === 'allow'),
            )
            expect({ question, told: told.length > 0 }).toEqual({ question, told: true })
          }
          for (const engine of engines) engine.close()
        },
      ),
      { numRuns: 8, seed },
    )
    expect(flips).toBeGreaterThan(10)
  })
})

describe('two role maps compared', () => {
  const before = readRoles(FILES['roles.yaml'] ?? '')
  const changed = (from: string, to: string) => {
    const text = FILES['roles.yaml'] ?? ''
    expect(text).toContain(from)
    return roleChanges(before, readRoles(text.replace(from, to))).map(({ sentence }) => sentence)
  }
  it('say which code gives which role where', () => {
    expect(roleChanges(before, before)).toEqual([])
    expect(
      changed('codes: [R0260, R0270, R6200, R6300, R8000] }', 'codes: [R0260, R0270, R1547] }'),
    ).toEqual([
      'R1547 in gp practice now gives GP instead of no role',
      'R6200, R6300 and R8000 in gp practice now give no role instead of GP',
    ])
  })
  it('say what a job role implies, and what an activity carries', () => {
    expect(
      changed(
        '{ codes: [R8002], activities: [B0360, B0380, B8028] }',
        '{ codes: [R8002], activities: [B0360] }',
      ),
    ).toEqual(['R8002 now implies B0360 instead of B0360, B0380 and B8028'])
    expect(changed('includes: {}', 'includes: { B8029: [B8028] }')).toEqual([
      'B8029 now carries B8028 and B8029 instead of nothing',
    ])
  })
})

describe('two versions as text', () => {
  it('show what was added, removed and changed', () => {
    const { 'policies/services.cedar': _, ...others } = FILES
    const after = { ...others, 'policies/new.cedar': 'permit;\n', 'roles.yaml': 'x: 1\n' }
    const diffs = textDiff(FILES, after)
    expect(diffs.map(({ file, change }) => [file, change])).toEqual([
      ['policies/new.cedar', 'added'],
      ['policies/services.cedar', 'removed'],
      ['roles.yaml', 'changed'],
    ])
    expect(diffs[0]?.patch).toContain('+permit;')
  })
  it('give up on what would take too long', () => {
    const lines = (word: string) =>
      Array.from({ length: 4000 }, (_, i) => `${word} ${i}`).join('\n')
    const [diff] = textDiff({ 'a.cedar': lines('old') }, { 'a.cedar': lines('new') })
    expect(diff).toEqual({ file: 'a.cedar', change: 'changed' })
  })
})

describe('who has which duty in the console', () => {
  const people = (rows: string) => ({ 'console.yaml': `people:\n${rows}` })
  const ANN = '  - { uid: "555254239201", name: Ann, duties: [viewer, author] }\n'
  const OLA = '  - { uid: "555254239202", name: Ola, duties: [approver], layer: local/A83001 }\n'

  it('is told by name, number and layer, gains and losses apart', () => {
    const after = people(ANN.replace('[viewer, author]', '[viewer, approver, guardian]') + OLA)
    expect(postChanges(people(ANN), after).map(({ sentence }) => sentence)).toEqual([
      'Ann (555254239201) gains the duties Policy approver and Policy guardian',
      'Ann (555254239201) loses the duty Policy author',
      'Ola (555254239202) gains the duty Policy approver in local/A83001',
    ])
    expect(postChanges(after, people(ANN)).map(({ widening }) => widening)).toEqual([
      ...[true, false, false],
    ])
    expect(postChanges(after, after)).toEqual([])
    // Without the file nobody has a duty; to another layer is to lose one and to gain another.
    expect(postChanges({}, people(OLA)).map(({ widening }) => widening)).toEqual([true])
    const moved = people(OLA.replace('A83001', 'north'))
    expect(postChanges(people(OLA), moved).map(({ sentence }) => sentence)).toEqual([
      'Ola (555254239202) loses the duty Policy approver in local/A83001',
      'Ola (555254239202) gains the duty Policy approver in local/north',
    ])
  })
})
