/** What a policy's layer adds to its conditions, for whoever looks at a version as a whole. The engine needs none of it. */
import type { Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import type { Limit } from './domain.js'
import { isLocal, type Layer, layersOver, underLayer } from './layers.js'
import type { PolicyFiles } from './source.js'
import type { Setting, Subject } from './subject.js'

/** Of whom a local layer is: the one thing about a user that puts them under it. */
export function ownersOf(layer: `local/${string}`): { readonly of: Subject; readonly is: string } {
  const place = underLayer(layer.slice('local/'.length))
  return 'region' in place
    ? { of: 'principal.region', is: place.region }
    : { of: 'principal.organization', is: place.organization }
}

/** The first condition of every policy of a local layer, though its text does not have it. */
export function layerTerms(layer: Layer): readonly Expr[] {
  if (!isLocal(layer)) return []
  const { of, is } = ownersOf(layer)
  const left: Expr = {
    '.': { left: { Var: 'principal' }, attr: of.slice('principal.'.length) },
  }
  return [{ '==': { left, right: { Value: is } } }]
}

/** Whether a policy of this layer is asked at all when this user asks. */
export const isHeard = (layer: Layer, { user }: Pick<Question, 'user'>): boolean =>
  !isLocal(layer) || layersOver(user).includes(layer)

/** Of one thing, this value and no other. */
export const only = (of: Subject, is: Setting): readonly [Subject, Limit] => [
  of,
  { named: [is], fits: (value) => value === is },
]

/** Only users under this layer count. */
export function limitTo(layer: `local/${string}`): ReadonlyMap<Subject, Limit> {
  const { of, is } = ownersOf(layer)
  return new Map([only(of, is)])
}

const LOCAL = /^policies\/(local\/[^/]+)\//

/** The local layers of a version, by name. */
export const localLayersOf = (files: PolicyFiles): readonly `local/${string}`[] =>
  [...new Set(Object.keys(files).flatMap((file) => LOCAL.exec(file)?.[1] ?? []))]
    .sort()
    .filter((layer) => isLocal(layer as Layer)) as `local/${string}`[]

/** A version as it is for users under one local layer and no other; for users under none, where it is not named. */
export const filesUnder = (files: PolicyFiles, layer?: Layer): PolicyFiles =>
  Object.fromEntries(
    Object.entries(files).filter(([file]) => {
      const place = LOCAL.exec(file)?.[1]
      return place === undefined || place === layer
    }),
  )
