/** Policies and questions at random, small ones: some err, some never apply. */
import fc from 'fast-check'
import { PURPOSES, RUNGS } from '../../src/core/context.js'
import type { Question } from '../../src/core/decision.js'
import { ROLES } from '../../src/core/roles.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { ask, EVERYTHING, FILES, ORDINARY } from './asking.js'

const role = fc.constantFrom('gp', 'care-home', 'administrator').map((id) => `Role::"${id}"`)
const code = fc.constantFrom('B0360', 'B0370', 'B8029').map((id) => `"${id}"`)
const list = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 2 }).map((all) => `[${all.join(', ')}]`)
const section = fc.constantFrom('prognosis', 'contacts').map((id) => `Section::"${id}"`)
const comparison = fc.constantFrom('==', '!=', '<', '<=', '>', '>=')
const purpose = fc.constantFrom(...PURPOSES).map((word) => `"${word}"`)

/** Tests that come to a truth in every question. */
const sound = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    'context.patientSensitive',
    'context.patientDeceased',
    'context.emergencyReason == ""',
    'context.emergencyReason != "fall"',
    'principal.activitySource == "listed"',
    'principal.activities.isEmpty()',
    'resource is Section',
    'resource is FhirType',
    'principal has region',
    'context.app == context.system',
    'principal.region == "north"',
    'principal == User::"u:1"',
    '(if principal in Role::"gp" then context.hour > 17 else context.patientSensitive)',
  ),
  role.map((one) => `principal in ${one}`),
  list(role).map((some) => `principal in ${some}`),
  list(section).map((some) => `resource in ${some}`),
  section.map((one) => `resource == ${one}`),
  list(section).map((some) => `${some}.contains(resource)`),
  code.map((one) => `principal.activities.contains(${one})`),
  list(code).map((some) => `principal.activities.containsAny(${some})`),
  list(code).map((some) => `principal.activities.containsAll(${some})`),
  list(code).map((some) => `${some}.containsAll(principal.activities)`),
  fc.tuple(comparison, fc.nat({ max: 4 })).map(([op, n]) => `principal.assurance ${op} ${n}`),
  fc.tuple(comparison, fc.constantFrom(0, 8, 18, 23)).map(([op, n]) => `${n} ${op} context.hour`),
  purpose.map((word) => `context.purpose == ${word}`),
  list(purpose).map((some) => `${some}.contains(context.purpose)`),
  fc.constantFrom(...RUNGS).map((word) => `context.rung != "${word}"`),
)
/** And some that err: no such attribute, a number where a truth belongs, a sum too large. */
const erring = fc.constantFrom(
  'context.nope',
  'principal.assurance',
  'context.hour * 9007199254740991 * 9007199254740991 > 0',
  '(if context.nope then true else true)',
)

const expressions = (leaf: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('node').map((a) => `!(${a})`),
      fc
        .tuple(tie('node'), tie('node'), tie('node'))
        .map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
    ),
  })).node

/**
 * Of characters in one policy. By chance a policy looks at so many things at once that all their circumstances, tens of
 * thousands in each cell, take a minute where another takes a hundredth of a second.
 */
const LONGEST = 400

const policyWith = (leaf: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .record({
      effect: fc.constantFrom('permit', 'permit', 'forbid'),
      principal: fc.oneof(
        fc.constantFrom('principal', 'principal is User', 'principal == User::"u:1"'),
        role.map((one) => `principal in ${one}`),
      ),
      action: fc.constantFrom(
        'action',
        'action == Action::"read"',
        'action in [Action::"read", Action::"update"]',
      ),
      resource: fc.oneof(
        fc.constantFrom('resource', 'resource is Section'),
        section.map((one) => `resource == ${one}`),
      ),
      conditions: fc.array(fc.tuple(fc.constantFrom('when', 'unless'), expressions(leaf)), {
        maxLength: 2,
      }),
    })
    .map(
      ({ effect, principal, action, resource, conditions }) =>
        `${effect} (${principal}, ${action}, ${resource})${conditions.map(([kind, body]) => ` ${kind} { ${body} }`).join('')};`,
    )
    .filter((text) => text.length <= LONGEST)

export const soundPolicy = policyWith(sound)
export const anyPolicy = policyWith(fc.oneof({ weight: 5, arbitrary: sound }, erring))

/** A version with these policies and no other, the shipped roles and schema. */
export const versionOf = (policies: readonly string[]): PolicyFiles => ({
  'roles.yaml': FILES['roles.yaml'] ?? '',
  'policies/gateway.cedarschema': FILES['policies/gateway.cedarschema'] ?? '',
  'policies/own.cedar': policies
    .map((text, i) => `@id("policy-${i}") @layer("central") @reason("policy ${i}") ${text}`)
    .join('\n'),
})

/** The actions and sections that the policies above name. */
export const NAMED = EVERYTHING.filter(
  ({ action, resource }) =>
    ['read', 'update'].includes(action) && ['contacts', 'prognosis'].includes(resource.id),
)

/** @param most roles at once */
export const questionsWith = (most: number, what = EVERYTHING): fc.Arbitrary<Question> =>
  fc
    .record({
      id: fc.constantFrom('somebody', 'u:1'),
      roles: fc.subarray([...ROLES], { maxLength: most }),
      activities: fc.subarray(['B0360', 'B0370', 'B0380', 'B8029', 'B1611', 'B0001']),
      activitySource: fc.constantFrom('listed' as const, 'baseline' as const),
      assurance: fc.constantFrom(1 as const, 2 as const, 3 as const),
      region: fc.constantFrom('', 'north', 'south'),
      type: fc.constantFrom('gp-practice', 'hospice', 'unknown'),
      rung: fc.constantFrom(...RUNGS),
      system: fc.constantFrom('', 'gp-push', 'care-plan'),
      purpose: fc.constantFrom(...PURPOSES),
      emergencyReason: fc.constantFrom('', 'fall', 'other'),
      sensitive: fc.boolean(),
      deceased: fc.boolean(),
      hour: fc.nat({ max: 23 }),
      weekday: fc.integer({ min: 1, max: 7 }),
      what: fc.constantFrom(...what),
    })
    .map((q) =>
      ask(
        {
          ...ORDINARY,
          user: {
            id: q.id,
            roles: q.roles,
            activities: q.activities,
            activitySource: q.activitySource,
            assurance: q.assurance,
            organization: { odsCode: 'A83001', type: q.type, region: q.region },
          },
          launch: { rung: q.rung, system: q.system, app: 'care-plan' },
          patient: { sensitive: q.sensitive, deceased: q.deceased },
          purpose: q.purpose,
          emergencyReason: q.emergencyReason,
          hour: q.hour,
          weekday: q.weekday,
        },
        q.what.action,
        q.what.resource,
      ),
    )
