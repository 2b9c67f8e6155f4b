/** Our gateway as `serve` runs it, but for TLS: what is measured. */
import '../src/policy/v8-flags.js'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readConfig } from '../src/config.js'
import type { LaunchSystem } from '../src/core/launch-system.js'
import { packageRoot } from '../src/http/pages.js'
import { createHttpServer } from '../src/http/server.js'
import { createLog } from '../src/log.js'
import { type OpenGateway, openGateway } from '../src/open.js'
import type { Head, Store } from '../src/store/store.js'
import { answer } from './answering.js'
import { ALGORITHMS, appOf, appsWith, ISSUER, KINDS, READER, SYSTEM } from './people.js'

interface Setting {
  readonly store: object
  readonly dataDir: string
  /** Where the record answers. */
  readonly record: string
  /** With what the launch system signs. */
  readonly jwk: Readonly<Record<string, unknown>>
  /** Entries of the trail are made, chained and never written: what a call costs before they are. */
  readonly unwritten?: boolean
}

const systemOf = (jwk: Setting['jwk']): LaunchSystem => ({
  id: SYSTEM,
  issuer: SYSTEM,
  name: 'Bench GP',
  rung: 'signed',
  keys: { jwks: { keys: [jwk] } },
  algorithms: ['ES256'],
  signOn: 'launch',
  organizations: ['A83001'],
  apps: [READER, ...ALGORITHMS.flatMap((algorithm) => KINDS.map((kind) => appOf(algorithm, kind)))],
  purposes: ['direct-care'],
  defaultPurpose: 'direct-care',
  frameAncestors: ['https://gp.example'],
  claims: {},
  supersede: 'never',
  outcome: 'text',
  maxLifetime: 300,
})

let gateway: OpenGateway | undefined
let server: Server | undefined

/** Commits of entries alone, which is what a read makes, are answered as soon as the entries are there. */
function leaveUnwritten(store: Store): void {
  const { commit } = store
  let head: Head = { writer: 'unwritten', seq: 0, hash: '' }
  store.commit = async (all) => {
    const { entries, claims = [], puts = [], drops = [] } = all
    if (!entries || claims.length + puts.length + drops.length > 0) return commit(all)
    head = entries(head).at(-1) ?? head
    return true
  }
}

async function open({ store, dataDir, record, jwk, unwritten }: Setting): Promise<string> {
  const config = readConfig({
    directory: join(packageRoot(), 'config/demo'),
    env: {
      LAUNCH_GATEWAY_FHIR_CREDENTIAL: 'bench',
      LAUNCH_GATEWAY_OPENEHR_CREDENTIAL: 'bench',
      LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    },
    overrides: {
      issuer: ISSUER,
      data_dir: dataDir,
      // All of the load comes from one address and few people: counted as ever, but never too much.
      limits: { rates: { flood: 1e9, apps: 1e9, calls: 1e9, launches: 1e9 } },
      store,
      upstreams: {
        fhir: { base: `${record}/fhir` },
        openehr: {
          base: `${record}/openehr`,
          subject_namespace: 'https://fhir.nhs.uk/Id/nhs-number',
        },
      },
    },
    registrations: { apps: appsWith(jwk), systems: [systemOf(jwk)] },
  })
  gateway = await openGateway(config, {
    clock: Date.now,
    random: (bytes) => randomBytes(bytes),
    log: createLog('warn'),
    allowHttp: true,
  })
  if (unwritten) leaveUnwritten(gateway.store)
  server = createHttpServer(gateway.app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  gateway.tick()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

answer({ open }, async () => {
  server?.closeAllConnections()
  await gateway?.close()
})
