/** A thread that is kept for the next job: to start one and load Cedar in it costs half a second of CPU. */
import type { Worker } from 'node:worker_threads'
import { type Kind, leave, take } from './left-threads.js'

export interface Job<Message> {
  /** Ends it: whoever waits is told at once. */
  readonly signal: AbortSignal
  /** That it may take, in milliseconds. */
  readonly longest: number
  /** @returns whether this was its last word */
  heard(message: Message): boolean
}

/** A job that was not done to its end. */
export class JobStopped extends Error {
  override readonly name = 'JobStopped'
  constructor(
    readonly why: 'time' | 'cancelled' | 'failed',
    detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options)
  }
}

export interface Thread<Task, Message> {
  /** Begins a job, which must not be before {@link free}. @throws JobStopped */
  run(task: Task, job: Job<Message>): Promise<void>
  /** Once it can take a job: one that nobody wants any more may still be in its last moments. */
  free(): Promise<void>
  /** Stops what runs. Without a job, the thread is left to the next owner of one of its kind. */
  close(): void
}

export interface ThreadOptions extends Kind {
  /** How long it is kept without a job, in milliseconds. */
  readonly keptFor?: number
}

const KEPT_FOR = 300_000
/** A job that nobody wants may end by itself within this, in milliseconds; otherwise it is ended with its thread. */
const GRACE = 300

interface Running<Message> {
  hear(message: Message): void
  stop(why: JobStopped['why'], detail: string, cause?: unknown): void
}

/** Between its own start and end, a job's timers. @param over is called once */
function watching<Message>(job: Job<Message>, over: (stopped?: JobStopped) => void) {
  const { signal, longest, heard } = job
  const timers: NodeJS.Timeout[] = []
  const end = (stopped?: JobStopped): void => {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
    over(stopped)
  }
  const running: Running<Message> = {
    hear: (message) => {
      if (heard(message)) end()
    },
    stop: (why, detail, cause) => end(new JobStopped(why, detail, { cause })),
  }
  const cancel = (): void => {
    timers.push(setTimeout(() => running.stop('cancelled', 'nobody wants it any more'), GRACE))
  }
  timers.push(setTimeout(() => running.stop('time', `not done after ${longest} ms`), longest))
  signal.addEventListener('abort', cancel, { once: true })
  return running
}

/** Rejects when it is aborted, whatever else becomes of it. */
const unlessAborted = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const cancel = () => reject(new JobStopped('cancelled', 'nobody wants it any more'))
    signal.addEventListener('abort', cancel, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel))
  })

export function createThread<Task, Message>({
  keptFor = KEPT_FOR,
  ...kind
}: ThreadOptions): Thread<Task, Message> {
  let worker: Worker | undefined
  let running: Running<Message> | undefined
  let idle: NodeJS.Timeout | undefined
  let freed: Promise<unknown> = Promise.resolve()

  /** It may be in the middle of a step: nothing is lost with it. */
  function drop(): void {
    clearTimeout(idle)
    void worker?.terminate()
    worker = undefined
  }

  function started(): Worker {
    const mine = take(kind)
    const failed = (cause: unknown): void => {
      if (worker !== mine) return
      worker = undefined
      running?.stop('failed', 'its thread failed', cause)
    }
    mine.on('message', (message: Message) => {
      if (worker === mine) running?.hear(message)
    })
    mine.on('error', failed)
    mine.on('exit', (code) => failed(new Error(`the thread ended with ${code}`)))
    return mine
  }

  /** Without a job it keeps no process from ending, and after a while it ends itself. */
  function rest(): void {
    worker?.unref()
    idle = setTimeout(drop, keptFor)
    idle.unref()
  }

  const begin = (task: Task, job: Job<Message>) =>
    new Promise<void>((resolve, reject) => {
      clearTimeout(idle)
      worker ??= started()
      worker.ref()
      running = watching(job, (stopped) => {
        running = undefined
        if (stopped) drop()
        rest()
        if (stopped) reject(stopped)
        else resolve()
      })
      worker.postMessage(task)
    })

  return {
    run(task, job) {
      const done = begin(task, job)
      freed = done.catch(() => undefined)
      return unlessAborted(job.signal, done)
    },
    async free() {
      await freed
    },
    close() {
      running?.stop('cancelled', 'its owner ended')
      clearTimeout(idle)
      if (worker) leave(worker, kind, keptFor)
      worker = undefined
    },
  }
}
