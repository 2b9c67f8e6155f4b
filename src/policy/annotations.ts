/** What stands above a policy: `@id`, `@layer`, `@reason`, `@obligation`. */
import { isLocal, type Layer } from './layers.js'

type Annotations = Readonly<Record<string, string>>
type Effect = 'permit' | 'forbid'

/** The annotations that are read, and how many characters of each. */
const MOST_CHARACTERS: ReadonlyMap<string, number> = new Map([
  ['id', 81],
  ['layer', 20],
  ['reason', 600],
  ['obligation', 200],
])

/** What is wrong with a policy's `@layer`, by where it stands. */
function layerFault(layer: string | undefined, effect: Effect, place: Layer): string | undefined {
  if (isLocal(place))
    return layer === 'local' ? undefined : `: every policy of ${place} is @layer("local")`
  if (!layer) return ' has no @layer("central")'
  if (layer === 'local')
    return ': @layer("local") stands in policies/local/, in a folder named for the organisation (ODS code) or region'
  if (layer === 'delegated')
    return effect === 'permit'
      ? undefined
      : ': @layer("delegated") says what others may permit: a forbid is @layer("central")'
  return layer === 'central'
    ? undefined
    : `: @layer("${layer.slice(0, 100)}") is not read; "central" and "delegated" are`
}

/** What an annotated policy lacks to take part in the layer whose file it stands in. */
export function* lacks(annotations: Annotations, effect: Effect, place: Layer): Generator<string> {
  const { id, reason, layer } = annotations
  if (!id) yield 'a policy has no @id("…")'
  else if (!/^[a-z][a-z0-9-]{2,80}$/.test(id))
    yield `@id("${id.slice(0, 100)}") should be lower case words with hyphens`
  const name = id ? `policy ${id.slice(0, 100)}` : 'the policy'
  if (!reason?.trim()) yield `${name} has no @reason("…"): say in plain words what it does`
  const fault = layerFault(layer, effect, place)
  if (fault) yield `${name}${fault}`
  for (const [key, value] of Object.entries(annotations)) {
    const most = MOST_CHARACTERS.get(key)
    if (most === undefined) yield `${name}: @${key} is not an annotation that is read here`
    else if (value.length > most) yield `${name}: @${key} is longer than ${most} characters`
  }
}
