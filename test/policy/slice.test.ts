import { afterAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { PURPOSES, RUNGS } from '../../src/core/context.js'
import type { PolicyDecision, Question } from '../../src/core/decision.js'
import { ROLES, type Role } from '../../src/core/roles.js'
import { createAnswerMemory } from '../../src/policy/answer-memory.js'
import { createPolicies } from '../../src/policy/engine.js'
import { parsePolicies } from '../../src/policy/parse.js'
import { choosing, couldDecide } from '../../src/policy/slice.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { ask, EVERYTHING, FILES, ORDINARY } from './asking.js'
import { anyone, anyRules, filesOf, isOver } from './layered.js'
import { wholeOf } from './whole.js'

// Thousands of questions, each asked in the slowest way there is.
jest.setTimeout(60_000)

const CODES = ['B0360', 'B0370', 'B0380', 'B8028', 'B8029', 'B1611']
const LISTS: readonly (readonly string[])[] = [
  [],
  ['B0360'],
  ['B0370'],
  ['B0360', 'B0380'],
  ['B0360', 'B8028'],
  ['B0380', 'B8029'],
  ['B0370', 'B1611'],
  ['B0001', 'B0360', 'B0380', 'B8029', 'B1611', 'B9999'],
]

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] as T

/** The `n`th of all circumstances that policies can tell apart by these lists: 8 × 2 × 3 × 4 × 4 × 2 × 2. */
function circumstances(n: number, roles: readonly Role[]) {
  const digits = [8, 2, 3, 4, 4, 2, 2].reduce<{ rest: number; out: number[] }>(
    ({ rest, out }, base) => ({ rest: Math.floor(rest / base), out: [...out, rest % base] }),
    { rest: n, out: [] },
  ).out
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = digits
  return {
    ...ORDINARY,
    user: {
      ...ORDINARY.user,
      roles,
      activities: pick(LISTS, a),
      activitySource: pick(['listed', 'baseline'] as const, b),
      assurance: pick([1, 2, 3] as const, c),
    },
    purpose: pick(PURPOSES, d),
    launch: { ...ORDINARY.launch, rung: pick(RUNGS, e) },
    patient: { sensitive: f === 1, deceased: g === 1 },
  }
}
const CIRCUMSTANCES = 8 * 2 * 3 * 4 * 4 * 2 * 2

const told = ({ effect, policies }: Pick<PolicyDecision, 'effect' | 'policies'>) => ({
  effect,
  policies,
})

const anyQuestion: fc.Arbitrary<Question> = fc
  .record({
    n: fc.nat({ max: CIRCUMSTANCES - 1 }),
    roles: fc.subarray([...ROLES]),
    activities: fc.option(fc.subarray([...CODES, 'B0001', 'B0168'])),
    what: fc.constantFrom(...EVERYTHING),
    id: fc.constantFrom('somebody', 'u:1', '555254239101'),
    system: fc.constantFrom('gp-push', 'other'),
    type: fc.constantFrom('gp-practice', 'hospice', 'unknown'),
    hour: fc.nat({ max: 23 }),
    weekday: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ n, roles, activities, what, id, system, type, hour, weekday }) => {
    const base = circumstances(n, roles)
    const organization = { ...base.user.organization, type }
    const user = { ...base.user, id, organization, activities: activities ?? base.user.activities }
    const launch = { ...base.launch, system }
    return ask({ ...base, user, launch, hour, weekday }, what.action, what.resource)
  })

describe('an answer from the few policies that could decide is the answer of all policies', () => {
  const policies = createPolicies(FILES)
  const whole = wholeOf('shipped', FILES)
  afterAll(() => policies.close())

  it.each([['nobody', []], ...ROLES.map((role): [string, Role[]] => [role, [role]])])(
    'for %s: every action on every resource, with all circumstances taking turns',
    (name, roles) => {
      // Odd, so that the turns visit all of them.
      const stride = 1_021
      let turn = name.length * 97
      for (const { action, resource } of EVERYTHING) {
        for (let i = 0; i < 2; i++) {
          turn = (turn + stride) % CIRCUMSTANCES
          const question = ask(circumstances(turn, roles), action, resource)
          expect({ question, ...told(policies.decide(question)) }).toEqual({
            question,
            ...whole(question),
          })
        }
      }
    },
  )

  it('for any number of roles at once, whoever asks, whenever', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        expect(told(policies.decide(question))).toEqual(whole(question))
      }),
      { numRuns: 250 },
    )
  })
})

/** Policies written to catch a slice or a key that leaves out too much. Each can err. */
const HARD: PolicyFiles = {
  'policies/hard.cedar': Object.entries({
    'allow-all': 'permit (principal, action, resource);',
    'false-then-error':
      'forbid (principal, action, resource) when { principal in Role::"gp" && context.nope };',
    'error-then-false':
      'forbid (principal, action == Action::"search", resource) when { context.nope && principal in Role::"gp" };',
    'error-in-first-when':
      'forbid (principal, action == Action::"create", resource) when { context.nope } when { principal in Role::"gp" };',
    'unless-true-or-error':
      'forbid (principal, action, resource) unless { principal in [Role::"gp", Role::"care-home"] || resource is App || context.nope };',
    'unless-error-or-true':
      'forbid (principal, action == Action::"update", resource) unless { context.nope || principal in [Role::"gp"] };',
    'not-a-role':
      'permit (principal == User::"u:1", action, resource) unless { !(principal in Role::"gp") };',
    'role-is-no-user': 'forbid (principal, action, resource) when { principal == Role::"gp" };',
    'if-then-else':
      'forbid (principal, action, resource) when { if principal in Role::"gp" then false else resource == Section::"prognosis" };',
    overflow:
      'forbid (principal, action == Action::"delete", resource) when { context.hour * 9223372036854775807 > 0 };',
    'whole-list':
      'permit (principal, action, resource) when { principal.activities == ["B0360"].containsAll([]) || principal.activities.isEmpty() };',
    'codes-from-elsewhere':
      'permit (principal, action, resource) when { ["B0001"].containsAll(principal.activities) };',
    'record-words':
      'permit (principal, action, resource) when { { Value: context.weekday, Var: context.system } == { Value: 3, Var: "gp-push" } };',
    'bare-context':
      'permit (principal, action, resource) when { (if context.hour > 3 then context else context).purpose == "safeguarding" };',
    someone:
      'permit (principal, action, resource) when { [User::"somebody"].contains(principal) };',
    'in-user':
      'permit (principal in User::"u:1", action in [Action::"read"], resource in Section::"contacts");',
    typed:
      'permit (principal is User in Role::"gp", action, resource is Section in Section::"contacts") when { principal has region && context has hour };',
    'other-type': 'permit (principal is Role, action, resource);',
    'type-of-hour':
      'permit (principal, action, resource) when { principal.organizationType == "hospice" && principal.assurance > 1 };',
  })
    .map(([id, text]) => `@id("${id}") @layer("central") @reason("${id}") ${text}`)
    .join('\n'),
}

describe('policies that are written to be misread', () => {
  const all = wholeOf('hard', HARD, false)

  it('are answered as Cedar answers them, all together', () => {
    const policies = createPolicies(HARD)
    fc.assert(
      fc.property(anyQuestion, (question) => {
        expect(told(policies.decide(question))).toEqual(all(question))
      }),
      { numRuns: 250 },
    )
    policies.close()
  })

  it('are answered as Cedar answers them, each beside a plain permit', () => {
    const lines = (HARD['policies/hard.cedar'] ?? '').split('\n')
    for (const [i, line] of lines.slice(1).entries()) {
      const files = { 'policies/hard.cedar': `${lines[0]}\n${line}` }
      const policies = createPolicies(files)
      const whole = wholeOf(`hard-${i}`, files, false)
      fc.assert(
        fc.property(anyQuestion, (question) => {
          expect(told(policies.decide(question))).toEqual(whole(question))
        }),
        { numRuns: 100 },
      )
      policies.close()
    }
  })
})

describe('what is remembered of versions before changes no answer', () => {
  const lines = (HARD['policies/hard.cedar'] ?? '').split('\n')
  const someLines = fc.subarray(lines, { minLength: 1 })
  const questions = fc.array(anyQuestion, { minLength: 3, maxLength: 6 })

  it('whichever policies come and go from version to version', () => {
    fc.assert(
      fc.property(fc.array(someLines, { minLength: 2, maxLength: 5 }), questions, (all, asked) => {
        const memory = createAnswerMemory()
        for (const [i, some] of all.entries()) {
          const files = { 'policies/hard.cedar': some.join('\n') }
          const options = { version: i % 2, remember: 0 }
          const [plain, mindful] = [options, { ...options, memory }].map((each) =>
            createPolicies(files, each),
          )
          for (const question of [...asked, ...asked])
            expect(mindful?.decide(question)).toEqual(plain?.decide(question))
          plain?.close()
          mindful?.close()
        }
      }),
      { numRuns: 30 },
    )
  })

  it('in layers', () => {
    const versions = fc.array(anyRules, { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(versions, fc.array(anyone, { maxLength: 6 }), (all, asked) => {
        const memory = createAnswerMemory()
        for (const rules of all) {
          const [plain, mindful] = [{}, { memory }].map((each) =>
            createPolicies(filesOf(rules), each),
          )
          for (const question of asked)
            expect(mindful?.decide(question)).toEqual(plain?.decide(question))
          plain?.close()
          mindful?.close()
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('the policies of a cell are found without reading all of them', () => {
  const NAMELESS = `
    permit (principal, action, resource == Section::"");
    forbid (principal, action, resource is Section) when { resource in [Section::"", Section::"a b"] };
    forbid (principal, action, resource) when { context.nope && resource == Section::"a b" };
    permit (principal, action in [Action::"read", Action::"search"], resource) when { resource is App };
    permit (principal, action, resource) unless { resource == Section::"a b" || !(action == Action::"read") };`
  const texts: readonly [string, PolicyFiles][] = [
    ['shipped', FILES],
    ['written to be misread', HARD],
    [
      'of nameless things',
      {
        'policies/n.cedar': NAMELESS.trim()
          .split('\n')
          .map((text, i) => `@id("n-${i}") @layer("central") @reason("n") ${text}`)
          .join('\n'),
      },
    ],
  ]

  it.each(texts)('and are the same: %s', (_, files) => {
    const { policies } = parsePolicies(files)
    const { inCell } = choosing(policies)
    const cells = [
      ...EVERYTHING,
      ...EVERYTHING.map(({ action }) => ({
        action,
        resource: { type: 'section', id: '' } as const,
      })),
      ...EVERYTHING.map(({ action }) => ({
        action,
        resource: { type: 'section', id: 'a b' } as const,
      })),
    ]
    for (const { action, resource } of cells) {
      const all = policies.filter(({ json }) =>
        couldDecide(json, { roles: undefined, action, resource }),
      )
      const found = inCell(ask(ORDINARY, action, resource)).map(({ id }) => id)
      expect({ action, resource, found }).toEqual({
        action,
        resource,
        found: all.map(({ id }) => id),
      })
    }
  })
})

describe('policies in layers', () => {
  it('are answered as Cedar answers central permits and every forbid, then what is delegated and what is permitted locally', () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.array(anyone, { minLength: 5, maxLength: 10 }),
        (rules, questions) => {
          const policies = createPolicies(filesOf(rules))
          for (const question of questions) {
            const own = rules.map((rule) => isOver(question, rule))
            /** Cedar's own word on the rules that are picked; the others are made to apply to nobody. */
            const ask = (pick: (i: number) => boolean) => {
              const none = '(principal == User::"nobody", action, resource)'
              const some = rules.map((rule, i) => (pick(i) ? rule : { ...rule, body: none }))
              return wholeOf('layered', filesOf(some, 'central'), false)(question)
            }
            const first = ask(
              (i) =>
                rules[i]?.layer === 'central' || (own[i] && rules[i]?.effect === 'forbid') === true,
            )
            const delegated = ask((i) => rules[i]?.layer === 'delegated')
            const local = ask((i) => own[i] === true && rules[i]?.effect === 'permit')
            const wanted =
              first.policies.length === 0 &&
              delegated.effect === 'allow' &&
              local.effect === 'allow'
                ? { effect: 'allow', policies: [...delegated.policies, ...local.policies].sort() }
                : first
            expect(told(policies.decide(question))).toEqual(wanted)
          }
          policies.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('more slices than are kept', () => {
  it('are parsed again when they are asked, and never take one for another', () => {
    const apps = Array.from({ length: 1_200 }, (_, i) => `app-${i}`)
    const text = apps.map(
      (app, i) =>
        `@id("${app}") @layer("central") @reason("${app}") permit (principal, action, resource == App::"${app}") when { context.hour != ${i % 24} };`,
    )
    const policies = createPolicies({ 'policies/apps.cedar': text.join('\n') }, { remember: 0 })
    const wrong = [...apps, ...apps.toReversed(), ...apps].filter((id) => {
      const question = ask(ORDINARY, 'launch', { type: 'app', id })
      const hour = Number(id.slice(4)) % 24
      const [yes, no] = [
        { ...question, hour: (hour + 1) % 24 },
        { ...question, hour },
      ]
      return policies.decide(yes).policies.join() !== id || policies.decide(no).effect !== 'deny'
    })
    expect(wrong).toEqual([])
    policies.close()
  })
})
