/** The child's side of a run: answers what its parent asks, and ends when the parent does. */
import { Session } from 'node:inspector/promises'
import type { Usage } from './children.js'

type Answer = (about: never) => unknown

interface Ask {
  readonly id: number
  readonly what: string
  readonly about: never
}

const usage = (): Usage => {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, rssMegabytes: process.memoryUsage.rss() / 1e6 }
}

/** Microseconds between two looks at what runs. */
const SAMPLING = 200

function profiling() {
  const session = new Session()
  return {
    async profile() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLING })
      await session.post('Profiler.start')
    },
    async profiled() {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return profile
    },
  }
}

/** @param close what ends with the process */
export function answer(
  answers: Readonly<Record<string, Answer>>,
  close: () => Promise<unknown>,
): void {
  const all: Readonly<Record<string, Answer>> = { usage, ...profiling(), ...answers }
  process.on('message', async ({ id, what, about }: Ask) => {
    try {
      const value = await all[what]?.(about)
      process.send?.({ id, value })
    } catch (error) {
      process.send?.({ id, error: (error as Error).stack ?? String(error) })
    }
  })
  process.once('disconnect', () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
