/** The load of reads: so many a second, whether or not the ones before have been answered; or so many at a time. */
import { createPrivateKey } from 'node:crypto'
import { Pool } from 'undici'
import { answer } from './answering.js'
import { quantile } from './figures.js'
import { launch } from './flows.js'
import type { Outside } from './load.js'
import { PATIENTS, READER } from './people.js'

interface Target {
  readonly origin: string
  /** Of the launch system: tokens are needed. */
  readonly jwk?: object
}

interface Reads extends Target {
  readonly perSecond: number
  readonly seconds: number
}

const SCOPES = ['launch', 'openid', 'patient/Condition.rs']
const READERS = 50
const TOKEN_LENGTH = 900
const IN_FLIGHT = 16

interface Reader {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}
interface Readers {
  readonly all: readonly Reader[]
  /** When they signed on, by `performance.now()`. */
  readonly since: number
}
const readers = new Map<string, Readers>()
/** Their tokens are good for five minutes, in milliseconds here. */
const SIGNED_ON = 150_000

const pathOf = (number: number): string => `/fhir/Condition?patient=${PATIENTS[number]?.fhirId}`

/** People with a launch behind them, each with a token for one patient. */
async function signedIn(http: Pool, jwk: object): Promise<readonly Reader[]> {
  const key = createPrivateKey({ key: jwk as never, format: 'jwk' })
  const found: Reader[] = []
  for (let number = 0; number < READERS; number++) {
    const token = await launch(key, READER, SCOPES, number)(http)
    found.push({ path: pathOf(number), headers: { authorization: `Bearer ${token}` } })
  }
  return found
}

async function readersOf({ jwk }: Target, http: Pool): Promise<readonly Reader[]> {
  const all = Array.from({ length: READERS }, (_, number) => ({
    path: pathOf(number),
    // The same read carries a token as long as ours, whoever looks at it.
    headers: { authorization: `Bearer ${'x'.repeat(TOKEN_LENGTH)}` },
  }))
  return jwk ? await signedIn(http, jwk) : all
}

const prepared = new Map<string, Pool>()

async function read(http: Pool, { path, headers }: Reader): Promise<void> {
  const { statusCode, body } = await http.request({ method: 'GET', path, headers })
  const text = await body.text()
  if (statusCode !== 200 || text.length < 8_000)
    throw new Error(`${statusCode} ${text.slice(0, 300)}`)
}

/** Each has read once: what a token stands for is worked out at its first call. */
async function prepare(target: Target): Promise<void> {
  const http = prepared.get(target.origin) ?? new Pool(target.origin, { connections: 32 })
  prepared.set(target.origin, http)
  const since = performance.now()
  if (since - (readers.get(target.origin)?.since ?? -SIGNED_ON) < SIGNED_ON) return
  const all = await readersOf(target, http)
  for (const reader of all) await read(http, reader)
  readers.set(target.origin, { all, since })
}

function preparedFor({ origin }: Target) {
  const [http, { all } = {}] = [prepared.get(origin), readers.get(origin)]
  if (!http || !all) throw new Error('nothing was prepared')
  return { http, all }
}

/** As many at a time as keep the server's core full, each as soon as one before it has been answered. */
async function fill({ count, ...target }: Target & { readonly count: number }): Promise<void> {
  const { http, all } = preparedFor(target)
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await read(http, all[next++ % all.length] as Reader)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
}

async function go(reads: Reads): Promise<Outside> {
  const { http, all } = preparedFor(reads)
  const [took, errors]: [number[], string[]] = [[], []]
  const count = reads.perSecond * reads.seconds
  const start = performance.now()
  const under: Promise<void>[] = []
  for (let number = 0; number < count; number++) {
    const due = start + (number * 1000) / reads.perSecond
    // A timer is a millisecond coarse: those that are due together go together, and none before it is due.
    while (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, 1))
    const reader = all[number % all.length] as Reader
    const from = performance.now()
    under.push(
      read(http, reader).then(
        () => void took.push(performance.now() - from),
        (error: Error) => void errors.push(error.message),
      ),
    )
  }
  await Promise.all(under)
  const seconds = (performance.now() - start) / 1000
  return {
    ...{ seconds, p50: quantile(took, 0.5), p99: quantile(took, 0.99) },
    ...{ errors: errors.slice(0, 3), failed: errors.length },
  }
}

answer({ prepare, go, fill }, async () =>
  Promise.all([...prepared.values()].map((http) => http.destroy())),
)
