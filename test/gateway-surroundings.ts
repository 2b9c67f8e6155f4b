/** What stands around the gateway in tests from outside: listeners, a hospital that can fail, the GP systems' keys. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Config } from '../src/config.js'
import type { LaunchingSystem } from '../src/demo/desktop-launches.js'
import { type DemoSystems, PORTRAITS, SYSTEM_IDS } from '../src/demo/desktop-systems.js'

export const listen = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

export const hangUp = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** A tenant's own record: the coast's, whose district nurses launch from there. */
export const coastAt =
  (origin: string, credential: string, fhir: Partial<Config['upstreams']['fhir']> = {}) =>
  ({ upstreams, secrets }: Config): Partial<Config> => ({
    upstreams: {
      ...upstreams,
      tenants: [
        {
          ...{ name: 'coast', organizations: ['RYX01'], regions: [] },
          fhir: { ...upstreams.fhir, base: `${origin}/record/fhir`, ...fhir },
          openehr: { ...upstreams.openehr, base: `${origin}/record/openehr/v1` },
        },
      ],
    },
    secrets: {
      ...secrets,
      tenantCredentials: { coast: { fhir: credential, openehr: credential } },
    },
  })

/** An origin first, and who answers there later: each must know the others' addresses. @param at a port, or any */
export async function openSite(host: string, at = 0) {
  let handler: RequestListener = (_req, res) => res.writeHead(503).end()
  const server = createServer((req, res) => handler(req, res))
  const port = await listen(server, at)
  const serve = (next: RequestListener) => {
    handler = next
  }
  return { server, origin: `http://${host}:${port}`, serve }
}

/** `'down'` hangs up; a listener answers by itself. */
export type Condition = 'up' | 'down' | RequestListener

/** The hospital, whose record and provider can be made to fail. */
export function breakable(
  hospital: RequestListener,
  behind: { readonly record: Condition; readonly provider: Condition },
): RequestListener {
  return (req, res) => {
    const now = req.url?.startsWith('/record/') ? behind.record : behind.provider
    if (now === 'down') req.socket.destroy()
    else if (now === 'up') hospital(req, res)
    else now(req, res)
  }
}

export async function newKey(alg: 'ES256' | 'ES384', kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' }
}

/** The demonstration's four systems as they launch, and the two that the tests add. */
export function launchingSystems(
  keys: DemoSystems,
  others: Readonly<Record<'clinic' | 'ward', JWK>>,
): Readonly<Record<string, LaunchingSystem>> {
  const rows = SYSTEM_IDS.map((id): LaunchingSystem => {
    const { rung, claims } = PORTRAITS[id]
    return { id, rung, key: keys[id].key, claims }
  })
  const added: readonly LaunchingSystem[] = [
    { id: 'gp-clinic', rung: 'pushed', key: others.clinic },
    { id: 'gp-ward', rung: 'signed', key: others.ward },
  ]
  return Object.fromEntries([...rows, ...added].map((system) => [system.id, system]))
}
