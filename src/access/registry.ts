/** Registered apps and launch systems: the configuration's rows, then what was added by command. */
import type { Client } from '../core/client.js'
import { clientRow } from '../core/client-registration.js'
import { STANDALONE } from '../core/launch.js'
import { type LaunchSystem, NO_SYSTEM } from '../core/launch-system.js'
import { launchSystemRow } from '../core/registration.js'
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
  readonly store: Store
  readonly apps: readonly Client[]
  readonly systems: readonly LaunchSystem[]
}

/** A parsed row is kept with the stored one that it came from, so that its remote key set stays warm. */
function parseOnce<T>(parse: (row: unknown) => T) {
  const parsed = new Map<string, T>()
  return (row: unknown): T => {
    const text = JSON.stringify(row)
    const known = parsed.get(text)
    if (known) return known
    const value = parse(row)
    if (parsed.size > 1000) parsed.clear()
    parsed.set(text, value)
    return value
  }
}

export function createRegistry({ store, apps, systems }: Parts): Registry {
  const toClient = parseOnce((row) => clientRow.parse(row))
  const toSystem = parseOnce((row) => launchSystemRow.parse(row))
  const appById = new Map(apps.map((app) => [app.id, app]))
  const systemById = new Map(systems.map((system) => [system.id, system]))
  const systemByIssuer = new Map(systems.map((system) => [system.issuer, system]))
  const configuredOrigins = new Set(apps.flatMap(({ origins }) => origins))
  const addedApps = async () => (await store.list('app')).map(({ value }) => toClient(value))
  const addedSystems = async () => (await store.list('system')).map(({ value }) => toSystem(value))
  return {
    async client(id) {
      const configured = appById.get(id)
      if (configured) return configured
      const added = id.length > 64 ? undefined : await store.get('app', id)
      return added && toClient(added)
    },
    async system(id) {
      const configured = id === STANDALONE ? NO_SYSTEM : systemById.get(id)
      if (configured) return configured
      const added = id.length > 64 ? undefined : await store.get('system', id)
      return added && toSystem(added)
    },
    async systemOf(issuer) {
      const configured = systemByIssuer.get(issuer)
      if (configured) return configured
      return (await addedSystems()).find((system) => system.issuer === issuer)
    },
    systems: async () => [...systems, ...(await addedSystems())],
    clients: async () => [...apps, ...(await addedApps())],
    hasOrigin: async (origin) =>
      configuredOrigins.has(origin) ||
      (await addedApps()).some(({ origins }) => origins.includes(origin)),
  }
}
