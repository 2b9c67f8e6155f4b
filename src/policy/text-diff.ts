/** Two versions' files as text: what a reviewer of Git would see. */
import { createTwoFilesPatch } from 'diff'
import type { PolicyFiles } from './source.js'

export interface FileDiff {
  readonly file: string
  readonly change: 'added' | 'removed' | 'changed'
  /** A unified diff; absent where it would take too long. */
  readonly patch?: string
}

/** Lines that may come or go in one file; past these it is shown as changed and no more. */
const MOST_EDITS = 2_000
const CONTEXT_LINES = 3

export function textDiff(before: PolicyFiles, after: PolicyFiles): readonly FileDiff[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((file): FileDiff[] => {
    const [old, now] = [before[file], after[file]]
    if (old === now) return []
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    const options = { context: CONTEXT_LINES, maxEditLength: MOST_EDITS }
    const patch = createTwoFilesPatch(
      file,
      file,
      old ?? '',
      now ?? '',
      undefined,
      undefined,
      options,
    )
    return [{ file, change, ...(patch === undefined ? {} : { patch }) }]
  })
}
