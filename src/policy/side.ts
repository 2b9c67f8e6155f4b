/** One version as a walk asks it: what is left of its policies in a cell, and where each applies. */
import type { PolicyDecision, Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import type { Dimension } from './domain.js'
import type { Engine } from './engine.js'
import type { ParsedPolicy } from './parse.js'
import { type Probe, probeOf } from './probe.js'
import { residualOf } from './residual.js'
import { withSetting } from './subject.js'

/** A policy of which something is left in a cell. */
export interface Left {
  readonly policy: ParsedPolicy
  readonly terms: readonly Expr[]
  /** Equal for what applies in equal circumstances. */
  readonly key: string
}

/** Tables that are kept for the next cell; past these, none is. */
const MOST_TABLES = 20_000

/** One version, ready to be walked. */
export interface Side {
  readonly policies: readonly ParsedPolicy[]
  decide(question: Question): PolicyDecision
  /** What is left in the cell of this question. Of several versions, equal keys mean equal conditions. */
  leftIn(question: Question): readonly Left[]
  /** Where a policy applies over these dimensions, in the order of their values, the last running fastest. */
  table(left: Left, dimensions: readonly Dimension[], question: Question): Uint8Array
  /** Whether a policy applies to one question. */
  ask(left: Left, question: Question): number
  /** Frees what Cedar holds for the tables; the engine is its opener's. */
  close(): void
}

const CODES = { no: 0, yes: 1, errs: 2 } as const

/** Every combination of the values of some dimensions, the last running fastest. */
function* circumstances(dimensions: readonly Dimension[], base: Question): Generator<Question> {
  const [first, ...others] = dimensions
  if (first === undefined) yield base
  else
    for (const value of first.values)
      yield* circumstances(others, withSetting(base, first.of, value))
}

/** Terms that still speak of action or resource mean something else in each cell. */
const speaksOfCell = (terms: string): boolean => /"Var":"(action|resource)"/.test(terms)

export function sideOf(engine: Engine): Side {
  const probes = new Map<string, Probe>()
  const tables = new Map<string, Uint8Array>()
  const probe = (policy: ParsedPolicy): Probe => {
    const known = probes.get(policy.id) ?? probeOf(policy)
    probes.set(policy.id, known)
    return known
  }
  const byCell = new Map<string, readonly ParsedPolicy[]>()
  /** Those that could matter here to somebody: there are many roles, and few of these. */
  const candidates = ({ action, resource }: Question): readonly ParsedPolicy[] => {
    const cell = `${action} ${resource.type} ${resource.id}`
    const known =
      byCell.get(cell) ??
      engine.policies.filter(({ json }) => {
        const { principal: _, conditions: __, ...scope } = json
        const open = { ...scope, principal: { op: 'All' as const }, conditions: [] }
        return residualOf(open, { roles: [], action, resource }) !== undefined
      })
    byCell.set(cell, known)
    return known
  }
  return {
    policies: engine.policies,
    decide: (question) => engine.decide(question),
    leftIn(question) {
      const { user, action, resource } = question
      return candidates(question).flatMap((policy) => {
        const terms = residualOf(policy.json, { roles: user.roles, action, resource })
        if (terms === undefined) return []
        const text = JSON.stringify(terms)
        const cell = speaksOfCell(text) ? `${action} ${resource.type} ${resource.id}` : ''
        return [{ policy, terms, key: `${policy.effect} ${cell} ${text}` }]
      })
    },
    table(left, dimensions, question) {
      const key = `${left.policy.id} ${left.key} ${JSON.stringify(dimensions.map(({ of, values }) => [of, values]))}`
      const known = tables.get(key)
      if (known) return known
      const { asks } = probe(left.policy)
      const table = Uint8Array.from(circumstances(dimensions, question), (one) => CODES[asks(one)])
      if (tables.size >= MOST_TABLES) tables.clear()
      tables.set(key, table)
      return table
    },
    ask: ({ policy }, question) => CODES[probe(policy).asks(question)],
    close() {
      for (const one of probes.values()) one.close()
      probes.clear()
    },
  }
}

/** What can matter: nothing but a `forbid` that always applies; no `forbid` where there is no permit. */
export function mattering(left: readonly Left[]): readonly Left[] {
  const always = left.filter(
    ({ policy, terms }) => policy.effect === 'forbid' && terms.length === 0,
  )
  if (always.length > 0) return always.slice(0, 1)
  return left.some(({ policy }) => policy.effect === 'permit') ? left : []
}
