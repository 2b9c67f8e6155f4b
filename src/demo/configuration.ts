/** The demonstration's configuration: for whoever starts it, and for commands that only look into its store. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Config, readConfig } from '../config.js'
import type { Client } from '../core/client.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { Clock, Random } from '../core/values.js'
import { demoSystems, launchSystemRows } from './desktop-systems.js'
import { demoKeyEncryption } from './key-encryption.js'

export interface Origins {
  readonly gateway: string
  readonly desktop: string
  readonly hospital: string
  readonly app: string
}

/** Four sites on one machine: cookies and framing are as hard as in a hospital. */
export const demoOrigins = (port: number): Origins => ({
  gateway: `http://localhost:${port}`,
  desktop: `http://127.0.0.1:${port + 1}`,
  hospital: `http://127.0.0.1:${port + 2}`,
  app: `http://app.localhost:${port + 3}`,
})

export interface DemoSettings {
  /** The package's folder: `config/`, `dist/public/`. */
  readonly root: string
  readonly origins: Origins
  readonly dataDir?: string
  /** Laid over config/demo/gateway.yaml. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Certificate and key in PEM, when the gateway itself speaks https. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Where clients with certificates call, by the same certificate of ours: the alias of `overrides.mtls`. */
  readonly mtls?: { readonly origin: string; readonly ca?: Buffer }
  /** The address that the gateway listens on. What plays the hospital is for this machine alone. */
  readonly host?: string
  /** Whether the console begins with a past. */
  readonly history?: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Where all four servers listen. */
export const LISTEN = '127.0.0.1'

const APP_SCOPES = [
  'launch',
  'openid',
  'fhirUser',
  'online_access',
  'patient/Patient.r',
  'patient/CarePlan.crs',
  'patient/composition-care-plan::*.crus',
  'patient/aql-care-plan::sections.rs',
  // What sections take over of the GP record (`adopt` of config/plan/).
  'patient/MedicationStatement.r',
  'patient/MedicationRequest.r',
  'patient/AllergyIntolerance.r',
  'patient/Condition.r',
]

export const demoApp = (origin: string): Client => ({
  id: 'care-plan',
  name: 'Shared care plan',
  profile: 'smart',
  type: 'public',
  assertionAlgorithms: [],
  grantTypes: ['authorization_code', 'refresh_token'],
  pushed: false,
  redirectUris: [`${origin}/`],
  launchUrls: [`${origin}/launch.html`],
  scopes: APP_SCOPES,
  idTokenAlgorithm: 'RS256',
  origins: [origin],
})

/** The demonstration's configuration, with this start's ports, origins and credential. */
export function demoConfig(
  { root, origins, dataDir, overrides = {} }: DemoSettings,
  systems: readonly LaunchSystem[],
  credential: string,
): Config {
  const { port, hostname } = new URL(origins.gateway)
  return readConfig({
    directory: join(root, 'config/demo'),
    env: {
      LAUNCH_GATEWAY_FHIR_CREDENTIAL: credential,
      LAUNCH_GATEWAY_OPENEHR_CREDENTIAL: credential,
      LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY_FILE: demoKeyEncryption(dataDir ?? join(root, '.data')),
    },
    overrides: {
      issuer: origins.gateway,
      listen: { host: hostname === 'localhost' ? LISTEN : hostname, port: Number(port || 443) },
      ...(dataDir === undefined ? {} : { data_dir: dataDir }),
      upstreams: {
        fhir: { base: `${origins.hospital}/record/fhir` },
        openehr: {
          base: `${origins.hospital}/record/openehr/v1`,
          subject_namespace: 'https://fhir.nhs.uk/Id/nhs-number',
        },
      },
      identity: { clinician: { issuer: `${origins.hospital}/oidc`, client_id: 'launch-gateway' } },
      ...overrides,
    },
    registrations: { apps: [demoApp(origins.app)], systems },
  })
}

/** The same configuration without a running demonstration: for commands that only look into its store. */
export async function keptDemoConfig(
  settings: DemoSettings & { readonly dataDir: string },
): Promise<Config> {
  const systems = await demoSystems(settings.dataDir)
  return demoConfig(settings, launchSystemRows(systems, settings.origins.desktop), '')
}
