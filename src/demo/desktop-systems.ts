/**
 * The four pretend GP systems: between them every rung of the trust ladder. Names are invented. Keys are
 * made at first start in the data directory and never shipped.
 */
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { SystemRung } from '../core/context.js'
import type { ClaimMapping, LaunchSystem } from '../core/launch-system.js'

export const SYSTEM_IDS = ['gp-push', 'gp-post', 'gp-smart', 'gp-sealed'] as const
export type SystemId = (typeof SYSTEM_IDS)[number]

/** A system's ES256 key pair: the private JWK with its `kid`. */
export type DemoSystems = Readonly<Record<SystemId, { readonly key: JWK }>>

interface Portrait {
  readonly name: string
  readonly rung: SystemRung
  readonly signOn: 'launch' | 'provider'
  /** How it launches, for a newcomer. */
  readonly how: string
  readonly claims: ClaimMapping
}

/** What `gp-post` calls things, in the manner of the audit tokens that GP systems already write. */
const POST_CLAIMS: ClaimMapping = {
  sub: 'requesting_practitioner.id',
  app: 'target_application',
  'patient.nhs_number': 'subject_nhs',
  'patient.birth_date': 'subject_born',
  'practitioner.name': 'requesting_practitioner.display',
  'practitioner.sds_user_id': 'requesting_practitioner.sds_user',
  'practitioner.sds_role_profile_id': 'requesting_practitioner.sds_role_profile',
  'practitioner.role_codes': 'requesting_practitioner.job_roles',
  'practitioner.activity_codes': 'requesting_practitioner.activities',
  'organization.ods_code': 'requesting_organization.ods',
  purpose: 'reason_for_request',
  device: 'requesting_device',
}

/** Where the facts stand in the id_token of `gp-smart`: flat, as OpenID Connect claims are. */
const SMART_CLAIMS: ClaimMapping = {
  'patient.nhs_number': 'nhs_number',
  'patient.birth_date': 'birth_date',
  'practitioner.name': 'name',
  'practitioner.sds_user_id': 'sds_user_id',
  'practitioner.sds_role_profile_id': 'sds_role_profile_id',
  'practitioner.role_codes': 'role_codes',
  'practitioner.activity_codes': 'activity_codes',
  'organization.ods_code': 'ods_code',
}

// biome-ignore format: a table
export const PORTRAITS: Readonly<Record<SystemId, Portrait>> = {
  'gp-push':   { name: 'Fernleigh', rung: 'pushed',   signOn: 'launch',   claims: {},           how: 'Its server tells the gateway who launches whom, and the browser only opens a link that works once.' },
  'gp-post':   { name: 'Calder',    rung: 'signed',   signOn: 'launch',   claims: POST_CLAIMS,  how: 'The browser carries a launch token that the system signed, in a form. It uses claim names of its own.' },
  'gp-smart':  { name: 'Tamar',     rung: 'redeemed', signOn: 'launch',   claims: SMART_CLAIMS, how: 'A SMART App Launch: the gateway redeems a handle at this system’s own authorization server.' },
  'gp-sealed': { name: 'Wrekin',    rung: 'sealed',   signOn: 'provider', claims: {},           how: 'Encrypted parameters: only a hint, so that the user signs in and types the date of birth.' },
}

/** The gateway's registration at the authorization server of `gp-smart`. */
export const RELAY = {
  clientId: 'launch-gateway',
  scope: 'launch openid fhirUser profile',
} as const

/** The organisations of `config/demo/people.yaml`. Named one by one, so that any other is refused. */
const ORGANIZATIONS = ['A83001', 'RYX01', '8HK21', 'RRU01', 'NLO11', 'T5A01']

const publicJwk = ({ kty, crv, x, y, kid, alg, use }: JWK): Record<string, unknown> => ({
  ...{ kty, crv, x, y, kid, alg, use },
})

/** What a system calls itself where it signs. */
export const issuerOf = (id: SystemId, desktop: string): string =>
  id === 'gp-smart' ? `${desktop}/smart` : id

/** Where the public keys of each system are, as its registration names them; `gp-sealed` signs nothing. */
const keysOf = (id: SystemId, systems: DemoSystems, desktop: string) => {
  if (id === 'gp-sealed') return {}
  if (id === 'gp-smart') return { keys: { jwksUri: `${desktop}/smart/jwks` } }
  return { keys: { jwks: { keys: [publicJwk(systems[id].key)] } } }
}

/** The four systems as the gateway registers them. @param desktop the origin of the GP desktop */
export function launchSystemRows(systems: DemoSystems, desktop: string): readonly LaunchSystem[] {
  return SYSTEM_IDS.map((id) => {
    const { name, rung, signOn, claims } = PORTRAITS[id]
    return {
      ...{ id, issuer: issuerOf(id, desktop), name, rung, signOn, claims },
      ...keysOf(id, systems, desktop),
      ...(id === 'gp-smart' ? { relay: RELAY } : {}),
      algorithms: id === 'gp-sealed' ? [] : ['ES256'],
      organizations: ORGANIZATIONS,
      apps: ['care-plan'],
      purposes: ['direct-care', 'emergency-care'],
      frameAncestors: [desktop],
      supersede: 'other-patient',
      outcome: 'text',
      maxLifetime: 60,
      defaultPurpose: 'direct-care',
    } satisfies LaunchSystem
  })
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }
}

/** Readable by the owner alone. Of two processes that start at once, one makes the keys for both. */
async function keepKeys(file: string): Promise<void> {
  const rows = await Promise.all(SYSTEM_IDS.map(async (id) => [id, { key: await newKey() }]))
  const draft = `${file}.${crypto.randomUUID()}`
  await writeFile(draft, JSON.stringify(Object.fromEntries(rows)), { mode: 0o600 })
  await link(draft, file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
  })
  await rm(draft)
}

/** The systems' keys: those in the data directory, or new ones, kept there. */
export async function demoSystems(dataDir: string): Promise<DemoSystems> {
  const file = join(dataDir, 'demo-gp-systems.json')
  const read = () => readFile(file, 'utf8').catch(() => undefined)
  let text = await read()
  if (text === undefined) {
    await mkdir(dataDir, { recursive: true })
    await keepKeys(file)
    text = await read()
  }
  return JSON.parse(text ?? '') as DemoSystems
}
