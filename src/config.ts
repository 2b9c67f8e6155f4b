/** Files and environment → one frozen Config, or every problem at once. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { mutualTlsOf, pairAt, upstreamsAt } from './config-places.js'
import { type Environment, readSecrets, type Secrets } from './config-secrets.js'
import type { Client } from './core/client.js'
import { clientRow } from './core/client-registration.js'
import type { LaunchSystem } from './core/launch-system.js'
import type { Plan } from './core/plan.js'
import { sharedIssuers, unregistered } from './core/registered.js'
import { launchSystemRow } from './core/registration.js'
import { type GatewayFile, gatewayFile } from './core/settings.js'
import { named } from './core/values.js'
import { ENCRYPTION_VARIABLE } from './keys/encryption.js'
import { readPlan } from './policy/plan-files.js'
import { describeProblem } from './policy/problem.js'

export interface Config
  extends Omit<
    GatewayFile,
    'policies' | 'roles' | 'console' | 'organizations' | 'plan' | 'data_dir'
  > {
  readonly dataDir: string
  readonly apps: readonly Client[]
  readonly systems: readonly LaunchSystem[]
  /** The plan's sections, in the order in which they are shown. */
  readonly plan: Plan['sections']
  readonly pathways: Plan['pathways']
  /** How the app lists a plan that is begun in it; absent: it begins none. */
  readonly listing?: Plan['listing']
  /** Absolute places of what the policies area reads itself. */
  readonly paths: {
    readonly policies: string
    readonly roles: string
    readonly console: string
    readonly organizations: string
  }
  readonly secrets: Secrets
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

/** Said by `serve`, and by every command that works with our own keys. */
export const ENCRYPTION_MISSING = `${ENCRYPTION_VARIABLE}: missing; the gateway encrypts its own keys under it (openssl rand -hex 32)`

/** What a file holds, unchecked. */
function readYaml(path: string, problems: string[]): unknown {
  if (!existsSync(path)) {
    problems.push(`${path}: there is no such file`)
    return undefined
  }
  try {
    // Aliases are off: they are how a few lines of YAML become gigabytes.
    return parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 })
  } catch (error) {
    problems.push(`${path}: ${(error as Error).message}`)
    return undefined
  }
}

function check<T>(
  path: string,
  value: unknown,
  schema: z.ZodType<T>,
  problems: string[],
): T | undefined {
  if (value === undefined) return undefined
  const read = schema.safeParse(value)
  if (read.success) return read.data
  for (const { path: where, message } of read.error.issues) {
    problems.push(`${path}: ${where.join('.') || '(whole file)'}: ${message}`)
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
  /** Says what else is wrong with the files as they stand, sound or not, so that everything is told at once. */
  readonly judge?: (files: {
    readonly gateway: unknown
    readonly apps: unknown
    readonly systems: unknown
  }) => readonly string[]
}

type Rows<T> = z.ZodType<T[]>

function planAt(main: string, problems: string[]): Plan {
  const { plan, problems: found } = readPlan(main)
  problems.push(...found.map(describeProblem))
  return plan
}

/** The files of a directory, each checked as far as it could be read. */
function readFiles(input: ConfigInput, place: (name: string) => string, problems: string[]) {
  const { overrides = {}, registrations, judge } = input
  const read = (name: string): unknown => readYaml(place(name), problems)
  const files = {
    gateway: read('gateway.yaml'),
    apps: registrations ? undefined : read('apps.yaml'),
    systems: registrations ? undefined : read('launch-systems.yaml'),
  }
  const over = z.preprocess((value) => ({ ...(value as object), ...overrides }), gatewayFile)
  const apps = unique(z.array(clientRow).max(500) as never as Rows<Client>, 'app')
  const systems = unique(
    z.array(launchSystemRow).max(5000) as never as Rows<LaunchSystem>,
    'launch system',
  )
  const gateway = check(
    place('gateway.yaml'),
    files.gateway,
    over as z.ZodType<GatewayFile>,
    problems,
  )
  const found = {
    gateway,
    apps: registrations?.apps ?? check(place('apps.yaml'), files.apps, apps, problems),
    systems:
      registrations?.systems ??
      check(place('launch-systems.yaml'), files.systems, systems, problems),
    plan: gateway && planAt(place(gateway.plan), problems),
  }
  problems.push(...(judge?.(files) ?? []))
  return found
}

/** @throws ConfigError naming every problem */
export function readConfig(input: ConfigInput): Config {
  const problems: string[] = []
  const place = (name: string): string => resolve(input.directory, name)
  const { gateway, apps, systems, plan } = readFiles(input, place, problems)
  const tenants = gateway?.upstreams.tenants ?? []
  const secrets = readSecrets(input.env, systems ?? [], tenants, problems)
  if (gateway?.store.kind === 'redis' && !(gateway.store.url ?? secrets.redisUrl)) {
    problems.push('store.url or LAUNCH_GATEWAY_REDIS_URL: missing; store.kind redis needs it')
  }
  if (apps && systems) problems.push(...unregistered(apps, systems))
  if (systems) problems.push(...sharedIssuers(systems, gateway?.identity.clinician.issuer))
  const tls = pairAt(gateway?.tls, 'tls', place, problems)
  const mtls = gateway && mutualTlsOf(gateway, place, problems)
  const upstreams = gateway && upstreamsAt(gateway.upstreams, secrets, place, problems)
  if (!gateway || !upstreams || !apps || !systems || !plan || problems.length > 0)
    throw new ConfigError(problems)
  const { policies, roles, console, organizations, plan: _, data_dir, ...rest } = gateway
  return Object.freeze({
    ...rest,
    ...named({ tls, mtls, listing: plan.listing }),
    upstreams,
    dataDir: place(data_dir),
    apps,
    systems,
    plan: plan.sections,
    pathways: plan.pathways,
    paths: {
      policies: place(policies),
      roles: place(roles),
      console: place(console),
      organizations: place(organizations),
    },
    secrets,
  })
}
