/**
 * Ports for servers that come later, or come back: below those that the system hands out by itself (Linux: from 32,768
 * on), which any program's next call may hold in the meantime.
 */
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Each worker of the test runner has so many of its own. 10,000 above each is free as well: a node of a Redis Cluster takes both. */
const RANGE = 1_000
const FROM = 14_000 + RANGE * Number(process.env.JEST_WORKER_ID ?? 1)

/** Goes round, so that none is soon given twice: who was called at one may call again when it is somebody else's. */
let next = randomInt(RANGE)

/** A server that only takes a port of 127.0.0.1. */
export function occupy(port: number): Promise<Server> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

export const vacate = (server: Server): Promise<void> =>
  new Promise((resolve) => void server.close(() => resolve()))

async function areFree(ports: readonly number[]): Promise<boolean> {
  const held = await Promise.allSettled(ports.map(occupy))
  for (const each of held) if (each.status === 'fulfilled') await vacate(each.value)
  return held.every(({ status }) => status === 'fulfilled')
}

/** The first of some ports in a row that nobody has. */
export async function freePorts(count: number): Promise<number> {
  for (let tried = 0; tried < RANGE; tried += count) {
    const first = next + count > RANGE ? 0 : next
    next = first + count
    if (await areFree(Array.from({ length: count }, (_, i) => FROM + first + i)))
      return FROM + first
  }
  throw new Error(`no ${count} free ports in a row from ${FROM} on`)
}
