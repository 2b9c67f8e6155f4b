/** The load generator: so many flows, so many at a time. */
import { Pool } from 'undici'
import { answer } from './answering.js'
import { quantile } from './figures.js'
import { authorizations, type Flow, launches } from './flows.js'
import type { Algorithm, Kind } from './people.js'
import { strictAuthorizations, strictLaunches } from './strict.js'

interface Target {
  readonly name: string
  readonly origin: string
  readonly algorithm: Algorithm
  readonly kind: Kind
  /** The private key of the launch system and of the apps that have one. */
  readonly jwk: object
  /** The peer's: what signed-in browsers send. */
  readonly cookies?: readonly string[]
}

/** What a round showed from outside. Times in milliseconds. */
export interface Outside {
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  /** The first few of the flows that did not complete. */
  readonly errors: readonly string[]
  readonly failed: number
}

const targets = new Map<string, { readonly flow: Flow; readonly http: Pool }>()
const IN_FLIGHT = 16
let ready: { readonly http: Pool; readonly flows: Flow.Prepared[] } | undefined

function flowOf({ jwk, cookies, algorithm, kind, origin }: Target): Flow {
  if (kind === 'strict')
    return cookies
      ? strictAuthorizations(jwk, cookies, algorithm, origin)
      : strictLaunches(jwk, algorithm)
  return cookies ? authorizations(cookies, algorithm) : launches(jwk, algorithm)
}

async function go(): Promise<Outside> {
  if (!ready) throw new Error('nothing was prepared')
  const { http, flows } = ready
  const [took, errors]: [number[], string[]] = [[], []]
  const work = async (): Promise<void> => {
    for (let flow = flows.pop(); flow; flow = flows.pop()) {
      const start = performance.now()
      await flow(http).catch((error: Error) => errors.push(error.message))
      took.push(performance.now() - start)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  const seconds = (performance.now() - start) / 1000
  ready = undefined
  return {
    ...{ seconds, p50: quantile(took, 0.5), p99: quantile(took, 0.99) },
    ...{ errors: errors.slice(0, 3), failed: errors.length },
  }
}

answer(
  {
    target(target: Target) {
      const http = new Pool(target.origin, { connections: IN_FLIGHT, pipelining: 1 })
      targets.set(target.name, { flow: flowOf(target), http })
    },
    prepare({ name, flows }: { readonly name: string; readonly flows: number }) {
      const target = targets.get(name)
      if (!target) throw new Error(`no target ${name}`)
      const prepared = Array.from({ length: flows }, () => target.flow.prepare())
      ready = { http: target.http, flows: prepared }
    },
    go,
  },
  async () => Promise.all([...targets.values()].map(({ http }) => http.destroy())),
)
