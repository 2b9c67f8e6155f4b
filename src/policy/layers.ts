/**
 * Whose rule a policy is. `central` rules hold for everybody. `delegated` ones permit nothing by themselves: they say
 * what local layers may permit. A local layer, `policies/local/<name>`, is an organisation's (its ODS code) or a
 * region's, and touches nobody else's users, whatever its text says.
 *
 * allowed = (central allow, or delegated allow and own local allow), minus every forbid, central or own local
 */
import type { PolicyDecision, Question } from '../core/decision.js'

export type Layer = 'central' | 'delegated' | `local/${string}`

export const isLocal = (layer: Layer): layer is `local/${string}` => layer.startsWith('local/')

type User = Question['user']

/** How a local layer's name says whose it is. No name fits both: a region's has a small letter or a hyphen. */
const WHOSE: readonly { readonly reads: RegExp; readonly by: 'odsCode' | 'region' }[] = [
  { reads: /^[A-Z0-9]{1,12}$/, by: 'odsCode' },
  { reads: /^(?=.*[a-z-])[a-z0-9-]{1,40}$/, by: 'region' },
]

export const isLayerName = (name: string): boolean => WHOSE.some(({ reads }) => reads.test(name))

/** The part of a user's organisation that puts them under a layer, in the words of the policies' tests. */
export const underLayer = (name: string): { organization: string } | { region: string } =>
  WHOSE.some(({ reads, by }) => by === 'region' && reads.test(name))
    ? { region: name }
    : { organization: name }

const PLACE = /^policies\/(?:local\/(?<name>[^/]+)\/)?[^/]+\.cedar$/

/** Whose policies a file may hold, by its name; `undefined` where none are read. Central files hold delegated ones too. */
export function layerOfFile(file: string): 'central' | `local/${string}` | undefined {
  const place = PLACE.exec(file)
  const name = place?.groups?.name
  if (!place) return undefined
  return name === undefined ? 'central' : isLayerName(name) ? `local/${name}` : undefined
}

/** The local layers that a user could be under, their organisation's first. */
export const layersOver = ({ organization }: User): readonly `local/${string}`[] =>
  WHOSE.flatMap(({ reads, by }) =>
    reads.test(organization[by]) ? [`local/${organization[by]}` as const] : [],
  )

type Some = readonly [PolicyDecision, ...PolicyDecision[]]

/** Several answers of one effect as one, in the order of the policies' names. */
function together(answers: Some): PolicyDecision {
  const [first, ...others] = answers
  if (others.length === 0) return first
  const said = answers
    .flatMap(({ policies, reasons }) =>
      policies.map((id, i): [id: string, reason: string | undefined] => [id, reasons[i]]),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    effect: first.effect,
    policies: said.map(([id]) => id),
    reasons: said.flatMap(([, reason]) => reason ?? []),
    obligations: [...new Set(answers.flatMap(({ obligations }) => obligations))],
    version: first.version,
    errors: answers.flatMap(({ errors }) => errors),
  }
}

const any = (answers: readonly PolicyDecision[]): answers is Some => answers.length > 0

/**
 * One answer of those of the layers over a user.
 *
 * @param locals of the user's own local layers; an allow of theirs is a wish until it has been delegated
 * @param delegated asked only where a local layer permits what central policies neither permit nor forbid
 */
export function combine(
  central: PolicyDecision,
  locals: readonly PolicyDecision[],
  delegated: () => PolicyDecision,
): PolicyDecision {
  const all = [central, ...locals]
  const failed = all.filter(({ errors }) => errors.length > 0)
  if (any(failed)) return together(failed)
  const forbidding = all.filter(({ effect, policies }) => effect === 'deny' && policies.length > 0)
  if (any(forbidding)) return together(forbidding)
  if (central.effect === 'allow') return central
  const permitting = locals.filter(({ effect }) => effect === 'allow')
  if (!any(permitting)) return central
  const answer = delegated()
  if (answer.errors.length > 0) return answer
  return answer.effect === 'allow' ? together([answer, ...permitting]) : central
}
