/** Policies in layers, for tests: any of a few bodies in any layer, and questions of users under some of them. */
import fc from 'fast-check'
import type { PolicyDecision, Question } from '../../src/core/decision.js'
import type { Role } from '../../src/core/roles.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { ask, ORDINARY, section } from './asking.js'

/** A policy before it stands in a file. `layer` is a file's place: central, delegated, or a local layer's name. */
export interface Rule {
  readonly effect: 'permit' | 'forbid'
  readonly body: string
  readonly layer: string
}

export const ORGANIZATIONS = ['A83001', 'B82002', '12345'] as const
export const REGIONS = ['north', 'south-east'] as const
const LOCALS = [...ORGANIZATIONS, ...REGIONS]

const BODIES = [
  '(principal, action, resource)',
  '(principal in Role::"gp", action == Action::"read", resource)',
  '(principal in Role::"administrator", action, resource == Section::"contacts")',
  '(principal, action in [Action::"read", Action::"update"], resource is Section) when { context.hour > 12 }',
  '(principal, action == Action::"update", resource) when { principal in [Role::"gp", Role::"care-home"] && context.purpose == "direct-care" }',
  // As an author would write it who wants to reach others.
  '(principal, action, resource) when { principal.organization == "B82002" || principal.region == "south-east" }',
  '(principal, action, resource == Section::"prognosis") unless { principal.assurance > 1 }',
]

const layerOf = (layer: string): string => (LOCALS.some((name) => name === layer) ? 'local' : layer)

/** @param as puts every rule into one layer, as if it had been written there */
export function filesOf(rules: readonly Rule[], as?: string): PolicyFiles {
  const files: Record<string, string> = {}
  rules.forEach(({ effect, body, layer: own }, i) => {
    const layer = as ?? own
    const file =
      layerOf(layer) === 'local' ? `policies/local/${layer}/own.cedar` : 'policies/all.cedar'
    const text = `@id("rule-${i}") @layer("${layerOf(layer)}") @reason("Rule ${i}.")\n${effect} ${body};\n`
    files[file] = (files[file] ?? '') + text
  })
  return files
}

const ruleIn = (...layers: string[]): fc.Arbitrary<Rule> =>
  fc
    .record({
      effect: fc.constantFrom('permit' as const, 'forbid' as const),
      body: fc.constantFrom(...BODIES),
      layer: fc.constantFrom(...layers),
    })
    .map((rule) => (rule.layer === 'delegated' ? { ...rule, effect: 'permit' } : rule))

/** A few central and delegated rules, and many local ones. */
export const anyRules: fc.Arbitrary<readonly Rule[]> = fc
  .tuple(
    fc.array(ruleIn('central', 'delegated', 'delegated'), { maxLength: 4 }),
    fc.array(ruleIn(...LOCALS), { maxLength: 8 }),
  )
  .map(([central, local]) => [...central, ...local])

export const anyone: fc.Arbitrary<Question> = fc
  .record({
    roles: fc.subarray<Role>(['gp', 'administrator', 'care-home']),
    odsCode: fc.constantFrom(...ORGANIZATIONS, 'Z99999', 'north'),
    region: fc.constantFrom(...REGIONS, '', 'A83001', '12345'),
    action: fc.constantFrom('read' as const, 'update' as const, 'delete' as const),
    id: fc.constantFrom('contacts', 'prognosis', 'symptoms'),
    hour: fc.constantFrom(9, 15),
    assurance: fc.constantFrom(1 as const, 2 as const),
  })
  .map(({ roles, odsCode, region, action, id, hour, assurance }) => {
    const organization = { odsCode, type: 'gp-practice', region }
    const user = { ...ORDINARY.user, roles, assurance, organization }
    return ask({ ...ORDINARY, user, hour }, action, section(id))
  })

/** Whether a rule's layer is over the user: written down anew, so as not to believe the code under test. */
export const isOver = ({ user }: Question, { layer }: Rule): boolean =>
  ORGANIZATIONS.some((name) => name === layer)
    ? user.organization.odsCode === layer
    : REGIONS.some((name) => name === layer) && user.organization.region === layer

export const told = ({ effect, policies }: Pick<PolicyDecision, 'effect' | 'policies'>) => ({
  effect,
  policies,
})
