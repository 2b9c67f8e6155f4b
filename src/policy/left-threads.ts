/**
 * Threads that their owners left without a job. A thread has compiled what it runs and learned what is the same for all
 * of its jobs, and that is dear: where gateways come and go in one process, the next one's threads are the last one's.
 */
import { Worker } from 'node:worker_threads'

export interface Kind {
  readonly file: URL
  readonly megabytes: number
}

interface Left {
  readonly worker: Worker
  readonly timer: NodeJS.Timeout
}

/** Of one kind. */
const MOST = 5

const left = new Map<string, Left[]>()
const nameOf = ({ file, megabytes }: Kind): string => `${megabytes} ${file.href}`
const EVENTS = ['message', 'error', 'exit'] as const

const forgetOwner = (worker: Worker): void => {
  for (const event of EVENTS) worker.removeAllListeners(event)
}

/**
 * Lets go of a thread that has no job. It keeps no process from ending.
 *
 * @param keptFor in milliseconds: it ends then, unless somebody took it
 */
export function leave(worker: Worker, kind: Kind, keptFor: number): void {
  const all = left.get(nameOf(kind)) ?? []
  left.set(nameOf(kind), all)
  const forget = (): void => {
    clearTimeout(timer)
    const at = all.findIndex((one) => one.worker === worker)
    if (at >= 0) all.splice(at, 1)
  }
  const timer = setTimeout(() => {
    forget()
    void worker.terminate()
  }, keptFor)
  timer.unref()
  forgetOwner(worker)
  worker.once('error', forget).once('exit', forget)
  worker.unref()
  all.push({ worker, timer })
  if (all.length > MOST) void all.shift()?.worker.terminate()
}

/** A thread that somebody left, or a new one. */
export function take(kind: Kind): Worker {
  const last = left.get(nameOf(kind))?.pop()
  if (last === undefined)
    return new Worker(kind.file, { resourceLimits: { maxOldGenerationSizeMb: kind.megabytes } })
  clearTimeout(last.timer)
  forgetOwner(last.worker)
  return last.worker
}
