/**
 * Matrices of versions, worked out in a thread of their own, once for the same files, and then known to whoever asks
 * again. Who asks never waits: they are told how far it is.
 */
import { createCache } from './cache.js'
import { filesUnder } from './layer-terms.js'
import type { Matrix, Progress } from './matrix.js'
import { describeProblem, Problems } from './problem.js'
import { hashOfFiles, type PolicyFiles } from './source.js'
import { WalkStopped, type Walks, type Whose } from './walks.js'

/** How a matrix stands. */
export type Standing =
  | { readonly state: 'under way'; readonly progress: Progress }
  | { readonly state: 'known'; readonly matrix: Matrix }
  | { readonly state: 'failed'; readonly why: string }

export interface Matrices {
  /** Begins it where nobody has. */
  of(files: PolicyFiles, apps: readonly string[], whose?: Whose): Standing
  /** Once nothing is under way. */
  idle(): Promise<void>
}

/** Of a thousand policies one has some 10,000 cells, which share most of their texts. */
const MOST_KEPT = 24
const MOST_PROBLEMS = 3

const wordsOf = (error: unknown): string => {
  if (error instanceof Problems)
    return error.problems.slice(0, MOST_PROBLEMS).map(describeProblem).join('; ')
  return error instanceof WalkStopped && error.why === 'time'
    ? 'It took too long.'
    : 'Too much is being worked out at the moment. Try again.'
}

/** @param walks lasting as long as the gateway does */
export function createMatrices(walks: Pick<Walks, 'matrix'>): Matrices {
  const known = createCache<Standing>(MOST_KEPT)
  const pending = new Set<Promise<void>>()

  function begin(key: string, files: PolicyFiles, apps: readonly string[], whose: Whose): Standing {
    const first: Standing = { state: 'under way', progress: { done: 0, total: 0 } }
    known.set(key, first)
    const progress = (now: Progress) => known.set(key, { state: 'under way', progress: now })
    const over = walks
      .matrix(filesUnder(files, whose.layer), apps, { ...whose, progress })
      .then(
        (matrix) => void known.set(key, { state: 'known', matrix }),
        (error: unknown) => void known.set(key, { state: 'failed', why: wordsOf(error) }),
      )
      .finally(() => pending.delete(over))
    pending.add(over)
    return first
  }

  return {
    of(files, apps, whose = {}) {
      const { layer = '', organizationType = '' } = whose
      const key = JSON.stringify([hashOfFiles(files), [...apps].sort(), layer, organizationType])
      const before = known.get(key)
      if (before === undefined) return begin(key, files, apps, whose)
      // It is told, and tried anew for whoever looks again.
      if (before.state === 'failed') begin(key, files, apps, whose)
      return before
    },
    async idle() {
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
