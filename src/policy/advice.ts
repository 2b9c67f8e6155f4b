/**
 * What policies say that their writer can hardly have meant. None of it makes a version unsound: it is advice, and
 * stops no publication.
 */
import type { PolicyJson } from './cedar.js'
import { isLocal } from './layers.js'
import type { ParsedPolicy } from './parse.js'
import type { Problem } from './problem.js'
import { conjuncts, covers, overlap, type Reach, reachOf, type Term } from './reach.js'
import { ACTION_TYPE, RESOURCE_TYPES } from './vocabulary.js'

interface Known {
  readonly policy: ParsedPolicy
  readonly reach: Reach
}

const problem = ({ id, file, line }: ParsedPolicy, text: string): Problem => ({
  file,
  line,
  text: `policy ${id}: ${text}`,
})

/** `context.purpose == "…"` → the attribute and the text. */
function equality({ wanted, expr }: Term): readonly [string, string] | undefined {
  const [op, { left, right }] = Object.entries(expr)[0] as [string, Record<string, unknown>]
  const is = (value: unknown, key: string): value is Record<string, unknown> =>
    value !== null && typeof value === 'object' && key in value
  if (!wanted || op !== '==' || !is(left, '.') || !is(right, 'Value')) return undefined
  return [JSON.stringify(left['.']), JSON.stringify(right.Value)]
}

/** Terms that cannot all hold, which Cedar does not see: one text cannot be two. */
function* contradictions({ policy, reach }: Known): Generator<string> {
  const both = [...reach.terms].some(
    (term) => term.startsWith('true ') && reach.terms.has(term.replace('true', 'false')),
  )
  if (both) yield 'it can never apply: what it asks for, it also excludes'
  const values = new Map<string, string>()
  for (const term of conjuncts(policy.json)) {
    const [attribute, value] = equality(term) ?? []
    if (attribute === undefined || value === undefined) continue
    const other = values.get(attribute)
    if (other !== undefined && other !== value)
      yield `it can never apply: one value cannot be ${other} and ${value} at once`
    values.set(attribute, value)
  }
}

/** A permit that also permits what is not thought of yet. */
function* wildcards({ policy, reach }: Known): Generator<string> {
  if (policy.effect !== 'permit') return
  const terms = [...reach.terms].join(' ')
  if (reach.actions === undefined && !terms.includes('"Var":"action"'))
    yield 'it permits every action, and any that is added later: name the actions'
  const open = reach.type === undefined && reach.resources === undefined
  if (open && !terms.includes('"Var":"resource"'))
    yield 'it permits everything, and whatever is added later: name the resources, as in resource is Section'
}

/** Any writing of the plan, as a policy would say it. */
const WRITING: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: {
    op: 'in',
    entities: ['create', 'update', 'delete'].map((id) => ({ type: ACTION_TYPE, id })),
  },
  resource: { op: 'is', entity_type: RESOURCE_TYPES.section },
  conditions: [],
}
const asksPurpose = ({ conditions }: ParsedPolicy['json']): boolean =>
  JSON.stringify(conditions).includes('"attr":"purpose"')

/** A permit to write the plan that nobody bounds by purpose: neither it, nor a central forbid about the same. */
function* purposeless({ policy }: Known, forbids: readonly Known[]): Generator<string> {
  const { effect, layer, json } = policy
  if (effect !== 'permit' || layer === 'delegated' || !overlap(json, WRITING)) return
  const bounded = forbids.some(
    ({ policy: { json: forbid } }) => asksPurpose(forbid) && overlap(forbid, json),
  )
  if (!bounded && !asksPurpose(json))
    yield 'it permits writing the plan whatever the launch is for: add context.purpose == "direct-care", or a forbid for other purposes'
}

/** Whether what one layer says reaches the users of another's policy. */
const reaches = (from: ParsedPolicy, to: ParsedPolicy): boolean =>
  from.layer === 'central' || from.layer === to.layer

/** A permit that makes no difference, whatever is asked. */
function* shadowed(known: Known, others: readonly Known[]): Generator<string> {
  const { policy, reach } = known
  if (policy.effect !== 'permit') return
  for (const other of others) {
    if (other === known || !reaches(other.policy, policy) || !covers(other.reach, reach)) continue
    const { id, effect, file, line } = other.policy
    if (effect === 'forbid') {
      yield `it never takes effect: ${id} (${file}:${line}) forbids all of it`
      return
    }
    // Of two that say the same, the later one is superfluous. One may be there for its obligation.
    const same = covers(reach, other.reach) && other.policy.layer === policy.layer
    if (policy.obligations.length > 0 || (same && others.indexOf(known) < others.indexOf(other)))
      continue
    yield `it adds nothing: ${id} (${file}:${line}) permits all of it`
    return
  }
}

/** @param policies of every layer, in the order of files and lines */
export function adviceOn(policies: readonly ParsedPolicy[]): Problem[] {
  const all = policies.map((policy) => ({ policy, reach: reachOf(policy.json) }))
  const central = all.filter(({ policy }) => !isLocal(policy.layer))
  const forbids = central.filter(({ policy }) => policy.effect === 'forbid')
  const byLayer = new Map<string, Known[]>()
  for (const known of all) {
    const { layer } = known.policy
    if (!isLocal(layer)) continue
    const own = byLayer.get(layer) ?? []
    own.push(known)
    byLayer.set(layer, own)
  }
  const said = all.flatMap((known) => {
    const own = byLayer.get(known.policy.layer) ?? []
    return [
      ...contradictions(known),
      ...wildcards(known),
      ...purposeless(known, forbids),
      ...shadowed(known, [...central, ...own]),
    ].map((text) => problem(known.policy, text))
  })
  return [...said, ...undelegated(policies)]
}

/**
 * Local permits of which can be seen that nothing of the kind was delegated: they never take effect. Advice, because
 * whoever takes a delegation back must not have to wait for every practice to take its permits away.
 */
function undelegated(policies: readonly ParsedPolicy[]): Problem[] {
  const delegated = policies.filter(({ layer }) => layer === 'delegated')
  return policies
    .filter(({ layer, effect }) => isLocal(layer) && effect === 'permit')
    .filter(({ json }) => !delegated.some((other) => overlap(other.json, json)))
    .map((policy) =>
      problem(
        policy,
        delegated.length === 0
          ? 'it permits nothing: no central policy is @layer("delegated")'
          : `it permits nothing: what it is about is not delegated (${delegated.map(({ id }) => id).join(', ')})`.slice(
              0,
              500,
            ),
      ),
    )
}
