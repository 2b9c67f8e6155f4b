/** One version as a walk asks it: what is left of its policies in a cell, and where each applies. */
import type { PolicyDecision, Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { cannotErr } from './certain.js'
import type { Dimension } from './domain.js'
import type { Engine } from './engine.js'
import { isHeard, layerTerms } from './layer-terms.js'
import { isLocal, type Layer } from './layers.js'
import type { ParsedPolicy } from './parse.js'
import { type Probe, probeOf } from './probe.js'
import { residualOf } from './residual.js'
import { choosing } from './slice.js'
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
  /** Those that could matter to anybody in the cell of this question. */
  inCell(question: Question): readonly ParsedPolicy[]
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

/** What is delegated permits nothing by itself: it is another thing than a permit of the centre. */
const kindOf = ({ effect, layer }: ParsedPolicy): string => (layer === 'delegated' ? layer : effect)

/** Terms that still speak of action or resource mean something else in each cell. */
const speaksOfCell = (terms: string): boolean => /"Var":"(action|resource)"/.test(terms)

/** A number beyond 2^53, which JSON holds only roughly: two of them may look alike and are not. */
export const isRough = (terms: string): boolean => /\d{16}/.test(terms)

/** @param under only this local layer's users are asked about: that they are its users need not be asked */
export function sideOf(engine: Engine, under?: Layer): Side {
  const probes = new Map<string, Probe>()
  const tables = new Map<string, Uint8Array>()
  const probe = (policy: ParsedPolicy): Probe => {
    const known = probes.get(policy.id) ?? probeOf(policy)
    probes.set(policy.id, known)
    return known
  }
  /** A policy of a local layer is not asked of others' users, so there it does not even err. */
  const asks = (policy: ParsedPolicy, question: Question): number =>
    CODES[isHeard(policy.layer, question) ? probe(policy).asks(question) : 'no']
  const { inCell } = choosing(engine.policies)
  return {
    policies: engine.policies,
    decide: (question) => engine.decide(question),
    inCell,
    leftIn(question) {
      const { user, action, resource } = question
      return inCell(question).flatMap((policy) => {
        const own = residualOf(policy.json, { roles: user.roles, action, resource })
        if (own === undefined) return []
        const terms = policy.layer === under ? own : [...layerTerms(policy.layer), ...own]
        const text = JSON.stringify(terms)
        const cell = speaksOfCell(text) ? `${action} ${resource.type} ${resource.id}` : ''
        const exactly = isRough(text) ? policy.text : ''
        return [{ policy, terms, key: `${kindOf(policy)} ${cell} ${text}${exactly}` }]
      })
    },
    table(left, dimensions, question) {
      const key = `${left.policy.id} ${left.key} ${JSON.stringify(dimensions.map(({ of, values }) => [of, values]))}`
      const known = tables.get(key)
      if (known) return known
      const table = Uint8Array.from(circumstances(dimensions, question), (one) =>
        asks(left.policy, one),
      )
      if (tables.size >= MOST_TABLES) tables.clear()
      tables.set(key, table)
      return table
    },
    ask: ({ policy }, question) => asks(policy, question),
    close() {
      for (const one of probes.values()) one.close()
      probes.clear()
    },
  }
}

const permitsIn = (left: readonly Left[], fits: (policy: ParsedPolicy) => boolean): boolean =>
  left.some(({ policy }) => policy.effect === 'permit' && fits(policy))

const mayErr = ({ terms }: Left): boolean => !terms.every(cannotErr)

/**
 * What can matter: nothing but a `forbid` that always applies; no `forbid` where there is no permit. A local permit
 * and what is delegated matter together; alone the first can still err, and the second is not asked.
 */
export function mattering(left: readonly Left[]): readonly Left[] {
  const always = left.filter(
    ({ policy, terms }) => policy.effect === 'forbid' && terms.length === 0,
  )
  if (always.length > 0) return always.slice(0, 1)
  const together =
    permitsIn(left, ({ layer }) => isLocal(layer)) &&
    permitsIn(left, ({ layer }) => layer === 'delegated')
  if (!together && !permitsIn(left, ({ layer }) => layer === 'central')) return []
  if (together) return left
  return left.filter((one) => {
    const { effect, layer } = one.policy
    return effect === 'forbid' || layer === 'central' || (isLocal(layer) && mayErr(one))
  })
}
