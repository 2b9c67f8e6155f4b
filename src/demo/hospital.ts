/** The pretend hospital: an OpenID provider and a record, on one origin. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import express, { type Express } from 'express'
import type { Logger } from 'pino'
import { parse } from 'yaml'
import type { PlanSection } from '../core/plan.js'
import type { Clock } from '../core/values.js'
import type { LaunchingUser } from './desktop-launches.js'
import { PATIENTS } from './patients.js'
import { checkPlans, readPlans } from './plans.js'
import { everyone, population } from './population/population.js'
import { createProvider, makeProviderKeys, type ProviderKeys } from './provider.js'
import type { ProviderUser } from './provider-people.js'
import { createRecord } from './record.js'

/** What the provider signs with, made at first start and readable by the owner alone. */
async function providerKeys(dataDir: string): Promise<ProviderKeys> {
  const file = join(dataDir, 'demo-provider.json')
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) return JSON.parse(kept) as ProviderKeys
  const keys = await makeProviderKeys()
  await writeFile(file, JSON.stringify(keys), { mode: 0o600 })
  return keys
}

export async function demoUsers(root: string): Promise<readonly LaunchingUser[]> {
  const people = parse(await readFile(join(root, 'config/demo/people.yaml'), 'utf8')) as {
    users: LaunchingUser[]
  }
  return people.users
}

/** The security team as the provider knows it: people without any role. Their duties stand in console.yaml. */
export async function demoTeam(root: string): Promise<readonly ProviderUser[]> {
  const people = parse(await readFile(join(root, 'config/demo/people.yaml'), 'utf8')) as {
    console: readonly Pick<ProviderUser, 'id' | 'name' | 'uid'>[]
  }
  const none = { role_profile: '', role_code: '', activities: [], ods: '', more_roles: [] }
  return people.console.map((person) => ({ ...none, ...person, org: `Their duty: ${person.id}` }))
}

export interface HospitalParts {
  readonly root: string
  readonly origins: { readonly gateway: string; readonly hospital: string }
  /** Where written plans and the provider's keys are kept. */
  readonly dataDir: string
  /** What the gateway shows the record. */
  readonly credential: string
  /** The sections of the plan. */
  readonly form: readonly PlanSection[]
  readonly clock: Clock
  readonly log: Logger
}

export async function createHospital(parts: HospitalParts): Promise<Express> {
  const { root, origins, dataDir, credential, form, clock, log } = parts
  const text = (path: string) => readFile(join(root, 'config', path), 'utf8')
  const users = await demoUsers(root)
  const plans = readPlans(await text('demo/plans.yaml'))
  checkPlans(plans, form, PATIENTS)
  const app = express().disable('x-powered-by')
  app.use(
    '/record',
    createRecord({
      ...{ people: users, credential, dataDir: join(dataDir, 'record'), form, clock },
      get patients() {
        return everyone()
      },
      get plans() {
        return [...plans, ...population().plans]
      },
    }),
  )
  app.use(
    '/oidc',
    createProvider({
      issuer: `${origins.hospital}/oidc`,
      gateway: {
        origin: origins.gateway,
        clientId: 'launch-gateway',
        jwksUri: `${origins.gateway}/oauth/jwks`,
      },
      users,
      team: await demoTeam(root),
      keys: await providerKeys(dataDir),
      clock,
      report: (what, error) => log.warn({ what, err: error }, 'the pretend provider'),
    }),
  )
  return app
}
