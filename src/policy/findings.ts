/**
 * What can be found out about a version, or about two: worked out in threads of its own (walks.ts), once for the same files,
 * and then known to whoever asks again. Who asks never waits; they are told how far it is.
 */
import type { Clock, EpochMs } from '../core/values.js'
import type { AskedQuestion } from './asked-pages.js'
import { createCache } from './cache.js'
import { isHeard } from './layer-terms.js'
import type { Layer } from './layers.js'
import type { Progress } from './matrix.js'
import { describeProblem, type Problem, Problems } from './problem.js'
import type { Impact } from './replay.js'
import { hashOfFiles, type PolicyFiles } from './source.js'
import { type Compared, type Options, WalkStopped, type Walks } from './walks.js'

export type Finding<T> =
  | { readonly state: 'under way'; readonly done: number; readonly total: number }
  | { readonly state: 'found'; readonly value: T; readonly at: EpochMs }
  | { readonly state: 'failed'; readonly why: string; readonly at: EpochMs }

/** Files with their hash, which is taken for them. */
export interface Hashed {
  readonly hash: string
  readonly files: PolicyFiles
}

export interface FindingsParts {
  /** Four queues: what a step waits for, what a page shows of a draft, and what is typed stand behind nothing longer. */
  readonly walks: Pick<Walks, 'compare' | 'replay' | 'check'>
  readonly checks: Pick<Walks, 'check'>
  readonly looks: Pick<Walks, 'check'>
  readonly typing: Pick<Walks, 'check'>
  /** Ids of the plan's sections. */
  readonly sections: readonly string[]
  /** What was really asked lately. */
  readonly questions: () => Promise<readonly AskedQuestion[]>
  readonly clock: Clock
}

export interface Findings {
  changes(before: Hashed, after: Hashed): Finding<Compared>
  /** @param layer that the change is in: of a local one, what its own users asked, for nobody else is touched */
  impact(before: Hashed, after: Hashed, layer: Layer): Finding<Impact>
  /**
   * What is wrong with a draft, its tests and invariants included. What the same draft held before is checked no longer:
   * nobody waits for it.
   */
  problems(draft: Hashed & { readonly id: string }): Finding<readonly Problem[]>
  /** What is known of it already, if anything. */
  known(hash: string): readonly Problem[]
  /**
   * The same, waited for by whoever makes a step: behind other steps alone, however many drafts are looked at.
   * @throws WalkStopped
   */
  check(files: PolicyFiles): Promise<readonly Problem[]>
  /**
   * What is wrong with files that somebody is still typing, without tests. A later call of the same person takes the
   * earlier one's place. @throws WalkStopped
   */
  typed(files: PolicyFiles, person: string): Promise<readonly Problem[]>
  /**
   * What is wrong with files that are no draft, tests included. One at a time for a person, behind matrices: publishing
   * does not wait for them. @throws WalkStopped
   */
  offered(files: PolicyFiles, person: string): Promise<readonly Problem[]>
  /** Once nothing is under way. */
  idle(): Promise<void>
}

const MOST_KEPT = 100
/** Questions go on being asked: what was replayed is replayed anew after so long, in milliseconds. */
const IMPACT_FOR = 300_000
/** A walk that was stopped is tried again after so long. */
const FAILED_FOR = 10_000

interface Kept<T> {
  finding: Finding<T>
  readonly done: Promise<T>
}

const wordsOf = (error: unknown): string =>
  error instanceof Problems
    ? error.problems.slice(0, 3).map(describeProblem).join('; ')
    : 'It took too long, or too much else is being worked out. Try again in a moment.'

/** One kind of finding, by key. */
function kind<T>(clock: Clock, pending: Set<Promise<unknown>>, keptFor: number) {
  const known = createCache<Kept<T>>(MOST_KEPT)
  const isOver = ({ finding }: Kept<T>): boolean =>
    finding.state !== 'under way' &&
    clock() - finding.at >= (finding.state === 'failed' ? FAILED_FOR : keptFor)
  const found = (key: string, find: (options: Options) => Promise<T>): Kept<T> => {
    const before = known.get(key)
    if (before && !isOver(before)) return before
    const progress = ({ done, total }: Progress): void => {
      kept.finding = { state: 'under way', done, total }
    }
    const kept: Kept<T> = {
      finding: { state: 'under way', done: 0, total: 0 },
      done: find({ progress }),
    }
    known.set(key, kept)
    const over = kept.done
      .then(
        (value) => {
          kept.finding = { state: 'found', value, at: clock() }
        },
        (error: unknown) => {
          // One that was not wanted any more is no answer: whoever asks again has it worked out.
          const cancelled = error instanceof WalkStopped && error.why === 'cancelled'
          const at = cancelled ? Number.NEGATIVE_INFINITY : clock()
          kept.finding = { state: 'failed', why: wordsOf(error), at }
        },
      )
      .finally(() => pending.delete(over))
    pending.add(over)
    return kept
  }
  return { found, known: (key: string) => known.get(key)?.finding }
}

export function createFindings(parts: FindingsParts): Findings {
  const { walks, checks, looks, sections, questions, clock } = parts
  const pending = new Set<Promise<unknown>>()
  const changes = kind<Compared>(clock, pending, Number.POSITIVE_INFINITY)
  const impacts = kind<Impact>(clock, pending, IMPACT_FOR)
  const looked = kind<readonly Problem[]>(clock, pending, Number.POSITIVE_INFINITY)
  const stepped = kind<readonly Problem[]>(clock, pending, Number.POSITIVE_INFINITY)
  const known = (hash: string) => {
    const [step, look] = [stepped.known(hash), looked.known(hash)]
    return look?.state === 'found' ? look : (step ?? look)
  }
  const under = new Map<string, AbortController>()
  /** A later one of the same name takes the earlier one's place. */
  async function alone<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    under.get(name)?.abort()
    const mine = new AbortController()
    under.set(name, mine)
    try {
      return await work(mine.signal)
    } finally {
      if (under.get(name) === mine) under.delete(name)
    }
  }
  /** What is checked of each draft. */
  const drafts = createCache<{ readonly hash: string; readonly stop: AbortController }>(MOST_KEPT)
  return {
    async idle() {
      while (pending.size > 0) await Promise.all(pending)
    },
    changes: (before, after) =>
      changes.found(`${before.hash} ${after.hash}`, (options) =>
        walks.compare(before.files, after.files, [], options),
      ).finding,
    impact: (before, after, layer) =>
      impacts.found(`${before.hash} ${after.hash} ${layer}`, async (options) => {
        const own = (await questions()).filter(({ question }) => isHeard(layer, question))
        return walks.replay(own, before.files, after.files, options)
      }).finding,
    problems({ id, hash, files }) {
      const before = drafts.get(id)
      if (before?.hash !== hash) {
        before?.stop.abort()
        drafts.set(id, { hash, stop: new AbortController() })
      }
      const already = stepped.known(hash)
      if (already && already.state !== 'failed') return already
      const { signal } = drafts.get(id)?.stop ?? new AbortController()
      return looked.found(hash, (options) => looks.check(files, sections, { ...options, signal }))
        .finding
    },
    known(hash) {
      const finding = known(hash)
      return finding?.state === 'found' ? finding.value : []
    },
    async check(files) {
      const hash = hashOfFiles(files)
      const already = known(hash)
      if (already?.state === 'found') return already.value
      return stepped.found(hash, (options) => checks.check(files, sections, options)).done
    },
    typed: (files, person) =>
      alone(`typed ${person}`, (signal) =>
        parts.typing.check(files, sections, { signal, withTests: false }),
      ),
    offered: (files, person) =>
      alone(`offered ${person}`, (signal) => walks.check(files, sections, { signal })),
  }
}
