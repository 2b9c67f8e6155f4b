/** The processes of a run, as their parent sees them: started, asked, stopped. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a process has used of the processor, all of its threads, and what it holds of memory now. */
export interface Usage {
  readonly cpuSeconds: number
  readonly rssMegabytes: number
}

export interface Child {
  /** @throws Error what went wrong in the child */
  ask<T>(what: string, about?: object): Promise<T>
  usage(): Promise<Usage>
  stop(): Promise<void>
}

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

const HERE = dirname(fileURLToPath(import.meta.url))
/** run.js keeps everything on the second core; what is measured has the first to itself. */
const MEASURED_CORE = '0'

/**
 * @param measured whether the process has the measured core
 * @param nodeOptions before the script
 */
export async function startChild(
  script: string,
  { measured = false, nodeOptions = [] as readonly string[] } = {},
): Promise<Child> {
  const command = [process.execPath, ...nodeOptions, join(HERE, `${script}.mjs`)]
  const pin = measured && process.env.BENCH_PINNED === 'yes'
  const [program = '', ...args] = pin ? ['taskset', '-c', MEASURED_CORE, ...command] : command
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, { done: (value: never) => void; fail: (error: Error) => void }>()
  let asked = 0
  child.on('message', ({ id, value, error }: Reply) => {
    const waits = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) waits?.done(value as never)
    else waits?.fail(new Error(`${script}: ${error}`))
  })
  const ended = once(child, 'exit')
  void ended.then(() => {
    for (const { fail } of waiting.values()) fail(new Error(`${script} ended`))
  })
  const ask = <T>(what: string, about: object = {}): Promise<T> =>
    new Promise<T>((done, fail) => {
      asked += 1
      waiting.set(asked, { done, fail })
      child.send({ id: asked, what, about }, (error) => error && fail(error))
    })
  return {
    ask,
    usage: () => ask<Usage>('usage'),
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
