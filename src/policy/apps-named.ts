/** The apps that must be asked about, for nothing about any app to be missed. */
import { another } from './atoms.js'
import { parsePolicies } from './parse.js'
import type { PolicyFiles } from './source.js'
import { RESOURCE_TYPES } from './vocabulary.js'

interface Named {
  readonly type?: unknown
  readonly id?: unknown
}

/** Every app in a policy as Cedar read it: its text may spell a name in many ways (`App :: "care\u{2d}plan"`). */
function* appsIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  const { type, id } = node as Named
  if (type === RESOURCE_TYPES.app && typeof id === 'string') yield id
  for (const member of Object.values(node)) yield* appsIn(member)
}

/** The apps that policies name, and one that none does: what is asked depends on the files alone. */
export function appsNamed(...versions: readonly PolicyFiles[]): readonly string[] {
  const policies = versions.flatMap((files) => parsePolicies(files).policies)
  const named = [...new Set(policies.flatMap(({ json }) => [...appsIn(json)]))]
  return [...named, another(named, 'any-app')]
}
