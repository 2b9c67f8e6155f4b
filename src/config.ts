/** Files and environment → one frozen Config, or every problem at once. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Client } from './core/client.js'
import type { LaunchSystem } from './core/launch-system.js'
import { address, clientRow, launchSystemRow } from './core/registration.js'

const lifetime = (standard: number, most: number) =>
  z.number().int().min(1).max(most).default(standard)

const listen = z.strictObject({ host: z.string(), port: z.number().int().min(0).max(65535) })
const upstream = { base: address, timeout_ms: z.number().int().min(100).max(30_000).default(5_000) }

const gatewayFile = z.strictObject({
  issuer: address.refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    message: 'expected an origin without a trailing slash (RFC 8414 §2)',
  }),
  listen,
  tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  operations: z.strictObject({ listen }).optional(),
  trust_proxy: z.array(z.string()).default([]),
  data_dir: z.string(),
  store: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('embedded') }),
    z.strictObject({
      kind: z.literal('redis'),
      url: z
        .string()
        .regex(/^rediss?:\/\//)
        .optional(),
      replicas: z.number().int().min(0).max(5).default(0),
    }),
  ]),
  lifetimes: z
    .strictObject({
      link: lifetime(60, 300),
      handle: lifetime(60, 300),
      pending: lifetime(600, 1800),
      code: lifetime(60, 600),
      access_token: lifetime(300, 600),
      session_idle: lifetime(900, 3600),
      session: lifetime(43_200, 43_200),
    })
    .prefault({}),
  limits: z.strictObject({ skew: z.number().int().min(0).max(60).default(30) }).prefault({}),
  upstreams: z.strictObject({
    fhir: z.strictObject(upstream),
    openehr: z.strictObject({ ...upstream, subject_namespace: z.string().min(1) }),
  }),
  identity: z.strictObject({
    clinician: z.strictObject({
      issuer: address,
      client_id: z.string().min(1),
      scope: z.string().default('openid profile nationalrbacaccess selectedrole associatedorgs'),
      acr_values: z
        .strictObject({ aal2: z.string(), aal3: z.string() })
        .default({ aal2: 'AAL2_OR_AAL3_ANY', aal3: 'AAL3_ANY' }),
      max_age: lifetime(43_200, 43_200),
    }),
  }),
  pages: z.strictObject({
    emergency_text: z.string().min(1).max(500),
    support: z.string().min(1).max(500),
  }),
  policies: z.string().default('policies'),
  roles: z.string().default('roles.yaml'),
  organizations: z.string().default('organizations.yaml'),
  plan: z.string().default('plan/sections.yaml'),
})

const planFile = z.object({
  sections: z
    .array(z.object({ id: z.string(), title: z.string(), template: z.string() }))
    .min(1)
    .max(200),
})

type GatewayFile = z.infer<typeof gatewayFile>

export interface Config
  extends Omit<GatewayFile, 'policies' | 'roles' | 'organizations' | 'plan' | 'data_dir'> {
  readonly dataDir: string
  readonly apps: readonly Client[]
  readonly systems: readonly LaunchSystem[]
  readonly plan: readonly {
    readonly id: string
    readonly title: string
    readonly template: string
  }[]
  /** Absolute places of what the policies area reads itself. */
  readonly paths: {
    readonly policies: string
    readonly roles: string
    readonly organizations: string
  }
  readonly secrets: {
    readonly fhirCredential?: string
    readonly openehrCredential?: string
    readonly redisUrl?: string
    /** Seal secrets by the name of their variable. */
    readonly seals: Readonly<Record<string, string>>
  }
}

/** Everything that is wrong with a configuration, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  ${p}`).join('\n')}`,
    )
  }
}

type Environment = Readonly<Record<string, string | undefined>>

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

function readFile<T>(path: string, schema: z.ZodType<T>, problems: string[]): T | undefined {
  if (!existsSync(path)) {
    problems.push(`${path}: there is no such file`)
    return undefined
  }
  try {
    // Aliases are off: they are how a few lines of YAML become gigabytes.
    const read = schema.safeParse(parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }))
    if (read.success) return read.data
    for (const { path: where, message } of read.error.issues) {
      problems.push(`${path}: ${where.join('.') || '(whole file)'}: ${message}`)
    }
  } catch (error) {
    problems.push(`${path}: ${(error as Error).message}`)
  }
  return undefined
}

const unique = <T extends { id: string }>(rows: z.ZodType<T[]>, what: string) =>
  rows.superRefine((list, context) => {
    const seen = new Set<string>()
    for (const { id } of list) {
      if (seen.has(id)) context.addIssue({ code: 'custom', message: `${what} ${id} stands twice` })
      seen.add(id)
    }
  })

const named = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never

export interface ConfigInput {
  readonly directory: string
  readonly env: Environment
  /** Laid over gateway.yaml, member by member of the first level: the demonstration's ports and origins. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Taken instead of apps.yaml and launch-systems.yaml. */
  readonly registrations?: {
    readonly apps: readonly Client[]
    readonly systems: readonly LaunchSystem[]
  }
}

/** @throws ConfigError naming every problem */
export function readConfig({ directory, env, overrides = {}, registrations }: ConfigInput): Config {
  const problems: string[] = []
  const place = (name: string): string => resolve(directory, name)
  const over = z.preprocess((value) => ({ ...(value as object), ...overrides }), gatewayFile)
  const apps = unique(z.array(clientRow).max(500), 'app')
  const systems = unique(z.array(launchSystemRow).max(5000), 'launch system')
  const gateway = readFile(place('gateway.yaml'), over as z.ZodType<GatewayFile>, problems)
  const appRows: readonly Client[] | undefined =
    registrations?.apps ??
    readFile(place('apps.yaml'), apps as never as z.ZodType<Client[]>, problems)
  const systemRows: readonly LaunchSystem[] | undefined =
    registrations?.systems ??
    readFile(place('launch-systems.yaml'), systems as never as z.ZodType<LaunchSystem[]>, problems)
  const plan = gateway && readFile(place(gateway.plan), planFile, problems)
  const seals: Record<string, string> = {}
  for (const { sealSecret, id } of systemRows ?? []) {
    if (sealSecret === undefined) continue
    const value = secret(env, sealSecret, problems)
    if (value === undefined)
      problems.push(`${sealSecret}: missing; launch system ${id} seals with it`)
    else seals[sealSecret] = value
  }
  const secrets = named({
    fhirCredential: secret(env, 'LAUNCH_GATEWAY_FHIR_CREDENTIAL', problems),
    openehrCredential: secret(env, 'LAUNCH_GATEWAY_OPENEHR_CREDENTIAL', problems),
    redisUrl: secret(env, 'LAUNCH_GATEWAY_REDIS_URL', problems),
    seals,
  })
  if (gateway?.store.kind === 'redis' && !(gateway.store.url ?? secrets.redisUrl)) {
    problems.push('store.url or LAUNCH_GATEWAY_REDIS_URL: missing; store.kind redis needs it')
  }
  const known = new Set((appRows ?? []).map(({ id }) => id))
  for (const system of systemRows ?? []) {
    for (const app of system.apps) {
      if (!known.has(app)) problems.push(`launch system ${system.id}: app ${app} is not registered`)
    }
  }
  if (!gateway || !appRows || !systemRows || !plan || problems.length > 0)
    throw new ConfigError(problems)
  const { policies, roles, organizations, plan: _, data_dir, ...rest } = gateway
  return Object.freeze({
    ...rest,
    dataDir: place(data_dir),
    apps: appRows,
    systems: systemRows,
    plan: plan.sections,
    paths: { policies: place(policies), roles: place(roles), organizations: place(organizations) },
    secrets,
  })
}
