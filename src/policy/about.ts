/**
 * Which policies are about a cell (an action on a kind of data), found without reading all of them: of a thousand, most
 * name the few kinds that they are about. It may find too many, never too few.
 */
import type { Action, Resource } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { cannotErr } from './certain.js'
import { entities, operands, operation, variable } from './expression.js'
import type { ParsedPolicy } from './parse.js'
import { residualOf } from './residual.js'
import { ACTION_TYPE, RESOURCE_TYPES } from './vocabulary.js'

/** `undefined`: any. */
interface About {
  readonly actions: ReadonlySet<string> | undefined
  /** Names of kinds of data, and of whole types of them. */
  readonly resources: readonly string[] | undefined
}

const nameOf = (type: string, id: string): string => `${type} ${id}`

/** What a term says outright of a variable: that it is one of these, or of a type. Such a term cannot err. */
function saidBy(term: Expr): { of: 'action' | 'resource'; names: readonly string[] } | undefined {
  const op = operation(term)
  if (op !== '==' && op !== 'in' && op !== 'is') return undefined
  const { left, right } = operands(term)
  const of = variable(left)
  if (of !== 'action' && of !== 'resource') return undefined
  if (op === 'is') {
    const { entity_type } = Object.values(term)[0] as { entity_type: string }
    return { of, names: [entity_type] }
  }
  const named = entities(right)
  return named && { of, names: named.map(({ type, id }) => nameOf(type, id)) }
}

/** `undefined`: about nothing at all. */
function aboutOf({ json }: ParsedPolicy): About | undefined {
  const terms = residualOf(json, { roles: undefined, action: undefined, resource: undefined })
  if (terms === undefined) return undefined
  const said: { [K in 'action' | 'resource']?: readonly string[] } = {}
  for (const term of terms) {
    const one = saidBy(term)
    // What stands after a term that may err does not keep the policy from erring.
    if (!one && !cannotErr(term)) break
    // A name says more than a type, which has no space in it.
    if (one && !said[one.of]?.some((name) => name.includes(' '))) said[one.of] = one.names
  }
  return { actions: said.action && new Set(said.action), resources: said.resource }
}

/** @returns the policies that may be about a cell, in their order */
export function findingByCell(policies: readonly ParsedPolicy[]) {
  const byResource = new Map<string, number[]>()
  const anywhere: number[] = []
  const actions = policies.map((policy, at) => {
    const about = aboutOf(policy)
    if (about === undefined) return new Set<string>()
    if (about.resources === undefined) anywhere.push(at)
    for (const name of new Set(about.resources)) {
      const others = byResource.get(name)
      if (others) others.push(at)
      else byResource.set(name, [at])
    }
    return about.actions
  })
  return (action: Action, { type, id }: Resource): readonly ParsedPolicy[] => {
    const cedarType = RESOURCE_TYPES[type]
    const at = (name: string) => byResource.get(name) ?? []
    const all = [...anywhere, ...at(cedarType), ...at(nameOf(cedarType, id))]
    return all
      .sort((a, b) => a - b)
      .filter((i) => actions[i]?.has(nameOf(ACTION_TYPE, action)) ?? true)
      .flatMap((i) => policies[i] ?? [])
  }
}
