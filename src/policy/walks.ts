/** Walks over whole versions, in threads of their own: the request that wants one never waits on its thread. */
import { existsSync } from 'node:fs'
import type { AskedQuestion } from './asked-pages.js'
import type { Comparison } from './compare.js'
import type { Layer } from './layers.js'
import type { Matrix, Progress } from './matrix.js'
import { type Problem, Problems } from './problem.js'
import type { Impact } from './replay.js'
import type { RoleChange } from './role-changes.js'
import type { Trial, Tried } from './simulate.js'
import type { PolicyFiles } from './source.js'
import { createThread, type Job, JobStopped, type Thread } from './thread.js'

export interface Compared extends Comparison {
  readonly roles: readonly RoleChange[]
}
export interface Answers {
  readonly matrix: Matrix
  readonly compare: Compared
  readonly replay: Impact
  readonly check: readonly Problem[]
  readonly try: Tried | undefined
}
/** @property apps to ask about; two versions are compared over those as well that their policies name */
export type Task =
  | {
      readonly walk: 'matrix'
      readonly files: PolicyFiles
      readonly apps: readonly string[]
      readonly layer?: Layer | undefined
      readonly organizationType?: string | undefined
    }
  | { readonly walk: 'try'; readonly trial: Trial }
  | {
      readonly walk: 'compare'
      readonly before: PolicyFiles
      readonly after: PolicyFiles
      readonly apps: readonly string[]
    }
  | {
      readonly walk: 'replay'
      readonly before: PolicyFiles
      readonly after: PolicyFiles
      readonly questions: readonly AskedQuestion[]
    }
  | {
      readonly walk: 'check'
      readonly files: PolicyFiles
      readonly sections: readonly string[]
      readonly withTests: boolean
    }
/** What a worker says: how far it is, and at last what it found. */
export type Message =
  | { readonly progress: Progress }
  | { readonly answer: Answers[keyof Answers] }
  | { readonly problems: readonly Problem[] }

export interface Options {
  /** Stops the walk, also while it waits for its turn. */
  readonly signal?: AbortSignal
  progress?(progress: Progress): void
}

/** Whose matrix: of users under this local layer, and of those alone whose organisation is of a type. */
export interface Whose {
  readonly layer?: Layer | undefined
  readonly organizationType?: string | undefined
}

/** A walk that was not walked to its end. */
export class WalkStopped extends Error {
  override readonly name = 'WalkStopped'
  constructor(
    readonly why: 'time' | 'cancelled' | 'failed',
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`a walk over the policies was stopped: ${detail}`, options)
  }
}

export interface Walks {
  /**
   * @param options with `layer` as its users see it: of files that are theirs (layer-terms.ts); with
   * `organizationType` as those see it whose organisation is of this type
   * @throws Problems where the version cannot be read
   * @throws WalkStopped
   */
  matrix(files: PolicyFiles, apps: readonly string[], options?: Options & Whose): Promise<Matrix>
  /** @throws the same */
  compare(
    before: PolicyFiles,
    after: PolicyFiles,
    apps: readonly string[],
    options?: Options,
  ): Promise<Compared>
  /** What the change would have turned of these questions. @throws the same */
  replay(
    questions: readonly AskedQuestion[],
    before: PolicyFiles,
    after: PolicyFiles,
    options?: Options,
  ): Promise<Impact>
  /** What is wrong with a version. @throws WalkStopped */
  check(
    files: PolicyFiles,
    sections: readonly string[],
    options?: Options & { readonly withTests?: boolean },
  ): Promise<readonly Problem[]>
  /**
   * Tries questions out.
   * @returns `undefined` where no question is answered as it was
   * @throws the same
   */
  tryOut(trial: Trial, options?: Options): Promise<Tried | undefined>
  /** Stops what runs and what waits. */
  close(): void
}

/** In milliseconds. */
const LONGEST = 300_000
/** One at a time: the other cores answer requests. */
const MOST_WAITING = 20
const MOST_MEGABYTES = 1024

/** Threads run what was compiled: beside this file, or where the build puts it when this file is still TypeScript. */
function workerFile(): URL {
  const places = ['./walk-worker.js', '../../dist/src/policy/walk-worker.js']
  const found = places
    .map((place) => new URL(place, import.meta.url))
    .find((url) => existsSync(url))
  if (found === undefined) throw new Error('walk-worker.js is missing: build first')
  return found
}

/** @param longest that one walk may take, in milliseconds */
export function createWalks({ longest = LONGEST } = {}): Walks {
  const closing = new AbortController()
  let thread: Thread<Task, Message> | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  /** @throws Problems, WalkStopped */
  async function walked(
    task: Task,
    { signal, progress }: Required<Pick<Options, 'signal'>> & Options,
  ) {
    thread ??= createThread({ file: workerFile(), megabytes: MOST_MEGABYTES })
    let said: Message | undefined
    const job: Job<Message> = {
      ...{ signal, longest },
      heard(message) {
        if (!('progress' in message)) said = message
        else if (!signal.aborted) progress?.(message.progress)
        return said !== undefined
      },
    }
    await thread.run(task, job).catch((error: unknown) => {
      if (!(error instanceof JobStopped)) throw error
      throw new WalkStopped(error.why, error.message, { cause: error.cause })
    })
    if (said && 'problems' in said) throw new Problems(said.problems)
    return said && 'answer' in said ? said.answer : undefined
  }

  async function inTurn<T>(task: Task, options: Options): Promise<T> {
    if (waiting >= MOST_WAITING) throw new WalkStopped('cancelled', 'too many wait already')
    const signals = [closing.signal, ...(options.signal ? [options.signal] : [])]
    const signal = AbortSignal.any(signals)
    waiting += 1
    const turn = last.then(() => {
      waiting -= 1
      if (signal.aborted) throw new WalkStopped('cancelled', 'nobody wants it any more')
      return walked(task, { ...options, signal })
    })
    last = turn.catch(() => undefined).then(() => thread?.free())
    return (await turn) as T
  }

  return {
    matrix: (files, apps, { layer, organizationType, ...options } = {}) =>
      inTurn({ walk: 'matrix', files, apps, layer, organizationType }, options),
    tryOut: (trial, options = {}) => inTurn({ walk: 'try', trial }, options),
    compare: (before, after, apps, options = {}) =>
      inTurn({ walk: 'compare', before, after, apps }, options),
    replay: (questions, before, after, options = {}) =>
      inTurn({ walk: 'replay', before, after, questions }, options),
    check: (files, sections, { withTests = true, ...options } = {}) =>
      inTurn({ walk: 'check', files, sections, withTests }, options),
    close() {
      closing.abort()
      thread?.close()
    },
  }
}
