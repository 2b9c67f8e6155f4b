/** Registered apps and launch systems: the configuration's rows, then what was added by command. */
import type { Client } from '../core/client.js'
import { clientRow } from '../core/client-registration.js'
import { STANDALONE } from '../core/launch.js'
import { type LaunchSystem, NO_SYSTEM } from '../core/launch-system.js'
import { launchSystemRow } from '../core/registration.js'
import type { Clock, EpochMs } from '../core/values.js'
import type { Store } from '../store/store.js'

export interface Registry {
  client(id: string): Promise<Client | undefined>
  system(id: string): Promise<LaunchSystem | undefined>
  /** By what it calls itself: `iss` of its tokens, or its FHIR base. */
  systemOf(issuer: string): Promise<LaunchSystem | undefined>
  systems(): Promise<readonly LaunchSystem[]>
  clients(): Promise<readonly Client[]>
  /** Whether an app is served from this origin. */
  hasOrigin(origin: string): Promise<boolean>
}

interface Parts {
  readonly store: Pick<Store, 'get' | 'list'>
  readonly apps: readonly Client[]
  readonly systems: readonly LaunchSystem[]
  readonly clock: Clock
}

/** How old the list of what was added by command may be. What is asked by its id is never old. */
const LIST_FOR_MS = 1_000
const MOST_PARSED = 1_000

interface Stored {
  readonly id: string
  readonly value: Readonly<Record<string, unknown>>
}

/**
 * A parsed row is kept with the stored one that it came from, so that its remote key set stays warm: those that were
 * asked for last, and none for having been listed.
 */
function parseOnce<T>(parse: (row: unknown) => T) {
  const parsed = new Map<string, { readonly text: string; readonly value: T }>()
  return (id: string, row: unknown): T => {
    const text = JSON.stringify(row)
    const known = parsed.get(id)
    const kept = known?.text === text ? known : { text, value: parse(row) }
    parsed.delete(id)
    parsed.set(id, kept)
    if (parsed.size > MOST_PARSED) parsed.delete(parsed.keys().next().value ?? '')
    return kept.value
  }
}

/** What is worked out from a whole list, once a second at most: anyone can ask for a name that nobody has. */
function atMostOften<T>(clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let held: { readonly at: EpochMs; readonly result: Promise<T> } | undefined
  return () => {
    if (held && Math.abs(clock() - held.at) < LIST_FOR_MS) return held.result
    const asked = { at: clock(), result: work() }
    held = asked
    asked.result.catch(() => {
      if (held === asked) held = undefined
    })
    return asked.result
  }
}

/** Which stored system has which issuer; an issuer that two have is nobody's. */
function byIssuer(rows: readonly Stored[]): ReadonlyMap<string, string | undefined> {
  const ids = new Map<string, string | undefined>()
  for (const { id, value } of rows) {
    const issuer = String(value.issuer ?? id)
    ids.set(issuer, ids.has(issuer) ? undefined : id)
  }
  return ids
}

export function createRegistry({ store, apps, systems, clock }: Parts): Registry {
  const toClient = parseOnce((row) => clientRow.parse(row))
  const toSystem = parseOnce((row) => launchSystemRow.parse(row))
  const appById = new Map(apps.map((app) => [app.id, app]))
  const systemById = new Map(systems.map((system) => [system.id, system]))
  const systemByIssuer = new Map(systems.map((system) => [system.issuer, system]))
  const configuredOrigins = new Set(apps.flatMap(({ origins }) => origins))
  const addedClients = async () =>
    (await store.list('app')).map(({ value }) => clientRow.parse(value))
  const addedSystems = async () =>
    (await store.list('system')).map(({ value }) => launchSystemRow.parse(value))
  const issuers = atMostOften(clock, async () => byIssuer(await store.list('system')))
  const origins = atMostOften(
    clock,
    async () => new Set((await addedClients()).flatMap((client) => client.origins)),
  )
  const system = async (id: string): Promise<LaunchSystem | undefined> => {
    const configured = id === STANDALONE ? NO_SYSTEM : systemById.get(id)
    if (configured) return configured
    const added = id.length > 64 ? undefined : await store.get('system', id)
    return added && toSystem(id, added)
  }
  return {
    system,
    async client(id) {
      const configured = appById.get(id)
      if (configured) return configured
      const added = id.length > 64 ? undefined : await store.get('app', id)
      return added && toClient(id, added)
    },
    async systemOf(issuer) {
      const configured = systemByIssuer.get(issuer)
      if (configured) return configured
      // Most are called by their id, and so known at the next request.
      const called = await system(issuer)
      if (called?.issuer === issuer && called !== NO_SYSTEM) return called
      const id = (await issuers()).get(issuer)
      const found = id === undefined ? undefined : await system(id)
      return found?.issuer === issuer ? found : undefined
    },
    systems: async () => [...systems, ...(await addedSystems())],
    clients: async () => [...apps, ...(await addedClients())],
    hasOrigin: async (origin) => configuredOrigins.has(origin) || (await origins()).has(origin),
  }
}
