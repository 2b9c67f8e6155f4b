/** A draft brought up to another version than the one that it was built on: both changes, where both can be. */
import { applyPatch, createPatch } from 'diff'
import type { PolicyFiles } from './source.js'

export interface Merged {
  /** With theirs where it is a conflict. */
  readonly files: PolicyFiles
  /** Files of which both changed the same place, or which one of them took away. */
  readonly conflicts: readonly string[]
}

/** Past these lines that come or go, a file is a conflict. */
const MOST_EDITS = 2_000

/** `undefined`: no file. */
type Text = string | undefined

function merged(base: Text, mine: Text, theirs: Text): { readonly text: Text } | undefined {
  if (mine === base) return { text: theirs }
  if (theirs === base || theirs === mine) return { text: mine }
  if (base === undefined || mine === undefined || theirs === undefined) return undefined
  const patch = createPatch('file', base, mine, '', '', { maxEditLength: MOST_EDITS })
  const text = patch === undefined ? false : applyPatch(theirs, patch)
  return text === false ? undefined : { text }
}

/** @param base what both were built on */
export function mergeFiles(base: PolicyFiles, mine: PolicyFiles, theirs: PolicyFiles): Merged {
  const of = (files: PolicyFiles, name: string): Text =>
    Object.hasOwn(files, name) ? files[name] : undefined
  const names = new Set([base, mine, theirs].flatMap(Object.keys))
  const conflicts: string[] = []
  const files: Record<string, string> = {}
  for (const name of [...names].sort()) {
    const all = [of(base, name), of(mine, name), of(theirs, name)] as const
    const found = merged(...all)
    if (!found) conflicts.push(name)
    const text = found ? found.text : of(theirs, name)
    if (text !== undefined) files[name] = text
  }
  return { files, conflicts }
}
