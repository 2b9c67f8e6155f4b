/** Secrets out of the environment, or out of files that it names. */
import { existsSync, readFileSync } from 'node:fs'
import type { LaunchSystem } from './core/launch-system.js'
import type { GatewayFile } from './core/settings.js'
import { named } from './core/values.js'
import { ENCRYPTION_VARIABLE, PREVIOUS_VARIABLE, readEncryptionKey } from './keys/encryption.js'

/** Bearer tokens as the environment gives them. */
export interface Credentials {
  readonly fhir?: string
  readonly openehr?: string
}

/** What only the environment says, or a file that it names. */
export interface Secrets {
  readonly fhirCredential?: string
  readonly openehrCredential?: string
  /** By the tenant's name. */
  readonly tenantCredentials: Readonly<Record<string, Credentials>>
  readonly redisUrl?: string
  /** What our own keys are encrypted under, 32 bytes each; the previous one only reads. */
  readonly keyEncryption?: Uint8Array
  readonly previousKeyEncryption?: Uint8Array
  /** Seal secrets by the name of their variable. */
  readonly seals: Readonly<Record<string, string>>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** `NAME`, or what the file named by `NAME_FILE` holds, without its last line break. */
function secret(env: Environment, name: string, problems: string[]): string | undefined {
  const file = env[`${name}_FILE`]
  if (file === undefined) return env[name]
  if (!existsSync(file)) {
    problems.push(`${name}_FILE: there is no file ${file}`)
    return undefined
  }
  return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
}

function secretKey(env: Environment, name: string, problems: string[]): Uint8Array | undefined {
  const text = secret(env, name, problems)
  const key = text === undefined ? undefined : readEncryptionKey(text)
  if (text !== undefined && !key)
    problems.push(`${name}: expected 32 random bytes in hex or base64url (openssl rand -hex 32)`)
  return key
}

/** 32 bytes: what A256GCM takes. */
const SEAL = /^[\w-]{43}=?$/

const FHIR_CREDENTIAL = 'LAUNCH_GATEWAY_FHIR_CREDENTIAL'
const OPENEHR_CREDENTIAL = 'LAUNCH_GATEWAY_OPENEHR_CREDENTIAL'

/** `LAUNCH_GATEWAY_FHIR_CREDENTIAL_NORTH_EAST` for the tenant `north-east`. */
const variableOf = (variable: string, tenant: string): string =>
  `${variable}_${tenant.toUpperCase().replaceAll('-', '_')}`

export function readSecrets(
  env: Environment,
  systems: readonly LaunchSystem[],
  tenants: GatewayFile['upstreams']['tenants'],
  problems: string[],
) {
  const seals: Record<string, string> = {}
  for (const { sealSecret, id } of systems) {
    if (sealSecret === undefined) continue
    const value = secret(env, sealSecret, problems)
    if (value === undefined)
      problems.push(`${sealSecret}: missing; launch system ${id} seals with it`)
    else if (!SEAL.test(value))
      problems.push(`${sealSecret}: expected 32 bytes in base64url (RFC 7518 §5.3)`)
    else seals[sealSecret] = value
  }
  return named({
    fhirCredential: secret(env, FHIR_CREDENTIAL, problems),
    openehrCredential: secret(env, OPENEHR_CREDENTIAL, problems),
    tenantCredentials: Object.fromEntries(
      tenants.map(({ name }) => [
        name,
        named({
          fhir: secret(env, variableOf(FHIR_CREDENTIAL, name), problems),
          openehr: secret(env, variableOf(OPENEHR_CREDENTIAL, name), problems),
        }),
      ]),
    ),
    redisUrl: secret(env, 'LAUNCH_GATEWAY_REDIS_URL', problems),
    keyEncryption: secretKey(env, ENCRYPTION_VARIABLE, problems),
    previousKeyEncryption: secretKey(env, PREVIOUS_VARIABLE, problems),
    seals,
  })
}
