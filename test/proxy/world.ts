/** A pretend world for the proxies: the demonstration's record behind, hand-made tokens in front. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import pino from 'pino'
import type { Work } from '../../src/audit/trail.js'
import type { Access } from '../../src/core/access.js'
import type { Happening } from '../../src/core/audit.js'
import type { BirthDate, KnownUser, NhsNumber, OdsCode } from '../../src/core/context.js'
import type { Chart } from '../../src/core/context-id.js'
import type { Policies, Question } from '../../src/core/decision.js'
import type { Handover } from '../../src/core/handover.js'
import { NO_SYSTEM } from '../../src/core/launch-system.js'
import type { Writing, Written } from '../../src/core/outcome.js'
import { Refusal } from '../../src/core/refusal.js'
import { readScopes } from '../../src/core/scope.js'
import { PLAN, storedQueryRow } from '../../src/core/stored-query.js'
import { type DemoPatient, PATIENTS } from '../../src/demo/patients.js'
import { readPlans } from '../../src/demo/plans.js'
import { createRecord } from '../../src/demo/record.js'
import { startJourney } from '../../src/http/journey.js'
import type { Pages } from '../../src/http/pages.js'
import { refusals } from '../../src/http/refusals.js'
import { encryptionKey } from '../../src/keys/encryption.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { createInContext } from '../../src/proxy/context.js'
import { fhirProxy } from '../../src/proxy/fhir.js'
import { openehrProxy } from '../../src/proxy/openehr.js'
import { createOwners } from '../../src/proxy/openehr-owners.js'
import { openRecord, type SharedRecord } from '../../src/record/record.js'
import { createUnsaved } from '../../src/session/unsaved.js'
import type { Ask, Commit } from '../../src/store/store.js'

export const ISSUER = 'https://gateway.example'
/** The header of a write in the launch of {@link accessOf}. */
export const IN_CONTEXT = { 'launch-context': 'ctx_test' }
export const NOW = Date.parse('2026-11-23T12:00:00Z')
/** For how long a section is held for who begins it. */
export const HOLD_MS = 15_000
export const FORM = openPlan('config/plan/sections.yaml').sections
export const PLANS = readPlans(readFileSync('config/demo/plans.yaml', 'utf8'))
export const CREDENTIAL = 'the-record-credential'

export function patient(nhsNumber: string): DemoPatient & { readonly ehrId: string } {
  const found = PATIENTS.find((each) => each.nhsNumber === nhsNumber)
  if (found === undefined) throw new Error('no such demonstration patient')
  return { ...found, ehrId: found.ehrId ?? '' }
}
export const PEGGY = patient('9990000018')
export const WINSTON = patient('9990000069')

const PEOPLE = [
  { name: 'Dr Amara Okafor', uid: '555254239101', ods: 'A83001', org: 'Fernbank Surgery' },
  { name: 'Sue Hartley', uid: '555254239107', ods: 'A83001', org: 'Fernbank Surgery' },
]

const USER: KnownUser = {
  localId: 'gp',
  name: 'Dr Stanisława "Stasia" Okafor',
  sdsUserId: '555254239101',
  sdsRoleProfileId: '555254240101',
  roleCodes: ['S0010:G0020:R0260'],
  roles: ['gp'],
  activities: ['B0360'],
  activitySource: 'listed',
  organization: { odsCode: 'A83001' as OdsCode, type: 'gp-practice', region: 'northbank' },
  assurance: 2,
}

export const ALL_SCOPES =
  'launch openid fhirUser patient/*.rs patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs'

export interface Asked {
  readonly of?: Pick<DemoPatient, 'fhirId' | 'ehrId' | 'nhsNumber'>
  readonly scope?: string
  readonly audience?: readonly string[]
  readonly hour?: number
}

/** An access as access/bearer.ts makes it. */
export function accessOf({
  of = PEGGY,
  scope = ALL_SCOPES,
  audience,
  hour = 9,
}: Asked = {}): Access {
  const bases = audience ?? [`${ISSUER}/fhir`, `${ISSUER}/openehr/v1`]
  return {
    token: 'tok_test',
    user: USER,
    scopes: readScopes(scope),
    audience: bases,
    grant: {
      id: 'grt_test',
      obligations: [],
      nhsNumber: of.nhsNumber as NhsNumber,
      launch: 'lch_test',
      signOn: 'sgn_test',
      user: USER,
      person: '555254239101',
      offline: false,
      claims: { userinfo: [], idToken: [] },
      client: 'care-plan',
      subject: '555254239101',
      fhirUser: `${ISSUER}/fhir/Practitioner/555254239101`,
      scopes: scope.split(' '),
      audience: bases,
      context: {
        patient: of.fhirId,
        ...(of.ehrId === undefined || of.ehrId === '' ? {} : { ehrId: of.ehrId }),
        need_patient_banner: true,
        tenant: 'A83001',
      },
      circumstances: {
        user: {
          id: '555254239101',
          roles: ['gp'],
          activities: [],
          activitySource: 'listed',
          assurance: 2,
          organization: { odsCode: 'A83001', type: 'gp-practice', region: 'northbank' },
        },
        patient: { sensitive: false, deceased: false },
        launch: { rung: 'pushed', system: 'gp-push', app: 'care-plan' },
        purpose: 'direct-care',
        emergencyReason: '',
        hour,
        weekday: 1,
      },
      policyVersion: 1,
      code: { hash: '', until: NOW, redirectUri: '', challenge: '' },
      tokens: ['tok_test'],
      since: NOW,
      until: NOW + 3_600_000,
    },
  }
}

/** A stored query beside the plan's, as a configuration has it. */
export const MEDICINES = storedQueryRow.parse({
  ...{ name: 'org.northbank::medicines', version: '1.2.0' },
  ...{ ehr_column: 'ehr', template_column: 'template', columns: ['drug', 'since'] },
  parameters: { since: 'date', drug: 'code' },
})

/** Policies that a test writes by hand, with what they were asked. */
export function policiesOf(allowed: (question: Question) => boolean) {
  const questions: Question[] = []
  const state = { version: 7, mayIssue: true, errors: [] as string[] }
  const policies: Policies = {
    version: () => state.version,
    mayIssue: () => state.mayIssue,
    stepUp: () => undefined,
    decide(question) {
      questions.push(question)
      const effect = allowed(question) ? 'allow' : 'deny'
      return {
        effect,
        policies: [`${effect}-by-test`],
        reasons: [],
        obligations: [],
        version: state.version,
        errors: state.errors,
      }
    },
  }
  return { policies, questions, state }
}

export async function listen(
  listener: RequestListener,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

export function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** A request as it reached the record, its body as far as it has come. */
export interface Reached {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, unknown>
  body: string
}

/** Hears a request's body without taking it from whoever reads it. */
function overhear(req: IncomingMessage): Reached {
  const { method = '', url = '', headers } = req
  const reached: Reached = { method, url, headers: { ...headers }, body: '' }
  const push = req.push.bind(req)
  req.push = (chunk, encoding) => {
    if (chunk !== null) reached.body += String(chunk)
    return push(chunk, encoding)
  }
  return reached
}

/** Whether it changes the record: a query is asked by POST, and changes nothing. */
export const isWrite = ({ method, url }: Pick<Reached, 'method' | 'url'>): boolean =>
  method !== 'GET' && !url.includes('/query/') && !url.endsWith('/_search')

/** One act of writing, as the launch's outcome keeps it. */
export interface Told {
  readonly writings: readonly Writing[]
  readonly came: 'under way' | 'undone' | readonly Written[]
  /** How many writes had reached the record before it was begun. */
  readonly after: number
}

export interface World {
  readonly app: Express
  readonly record: SharedRecord
  /** The demonstration's. */
  readonly hospital: Express
  readonly origin: string
  readonly entries: Happening[]
  /** Every request that reached the record behind us. */
  readonly upstream: Reached[]
  /** What the launch's outcome was told of writes, in order. */
  readonly told: Told[]
  access: Access
  allowed: (question: Question) => boolean
  readonly policy: ReturnType<typeof policiesOf>
  /** Makes the trail fail. */
  trailFails: boolean
  /** Makes the store fail. */
  storeFails: boolean
  /** What becomes of the session meanwhile: it is ended, or nobody can say. */
  over: 'ended' | 'unknown' | undefined
  /** How often it was asked whether what let a call in still stands. */
  stillAsked: number
  /** The clock's time, moved by hand. */
  now: number
  /** Where the chart is that launched. */
  chart: Chart | undefined
  /** Records of the store, by kind and id. */
  readonly kept: Map<string, { readonly value: unknown; readonly until: number }>
  /** What the launch brought. */
  handover: Handover | undefined
  end(): Promise<void>
}

/** The demonstration's record unless `behind` says otherwise. */
export async function openWorld(
  behind?: RequestListener,
  timeoutMs = 5_000,
  ifMatch: 'quoted' | 'bare' = 'quoted',
): Promise<World> {
  const hospital = express()
  const parts = { patients: PATIENTS, plans: PLANS, form: FORM, people: PEOPLE }
  hospital.use('/record', createRecord({ ...parts, credential: CREDENTIAL, clock: () => NOW }))
  const upstream: World['upstream'] = []
  const { server, origin } = await listen((req, res) => {
    upstream.push(overhear(req))
    const handler = behind ?? hospital
    handler(req, res)
  })
  const record = openRecord({
    clock: Date.now,
    fhir: { base: `${origin}/record/fhir`, credential: CREDENTIAL, timeoutMs },
    openehr: {
      base: `${origin}/record/openehr/v1`,
      credential: CREDENTIAL,
      subjectNamespace: 'https://fhir.nhs.uk/Id/nhs-number',
      ifMatch,
      timeoutMs,
    },
  })
  const entries: Happening[] = []
  const policy = policiesOf((question) => world.allowed(question))
  const trail = {
    async commit({ record: happenings = [], ...acts }: Work) {
      if (world.trailFails) throw new Error('disk full')
      if (Object.keys(acts).length > 0 && !(await store.commit(acts))) return false
      entries.push(...happenings)
      return true
    },
    async record(...happenings: readonly Happening[]) {
      entries.push(...happenings)
    },
  }
  const claims = new Map<string, number>()
  const kept: World['kept'] = new Map()
  const found = ({ kind, id }: { readonly kind: string; readonly id: string }) => {
    const { value, until = 0 } = kept.get(`${kind} ${id}`) ?? {}
    return (until > world.now ? value : undefined) as never
  }
  const store = {
    async commit({ claims: wanted = [], puts = [], drops = [] }: Commit) {
      if (world.storeFails) throw new Error('no store')
      const won = wanted.every(({ what, until }) => {
        if ((claims.get(what) ?? 0) > world.now) return false
        claims.set(what, until)
        return true
      })
      if (!won) return false
      for (const { kind, id, ...put } of puts) kept.set(`${kind} ${id}`, put)
      for (const { kind, id } of drops) kept.delete(`${kind} ${id}`)
      return true
    },
    async get(kind: string, id: string) {
      return found({ kind, id })
    },
    async getAll(asks: readonly Ask[]) {
      return asks.map(found) as never
    },
  }
  const inContext = createInContext({
    store: { get: async () => world.chart as never },
    registry: { system: async () => ({ ...NO_SYSTEM, supersede: 'other-patient' }) },
  })
  const told: Told[] = []
  const common = {
    inContext,
    records: { of: () => record },
    outcomes: {
      async begin(_access: Access, writings: readonly Writing[]) {
        const one: Told = { writings, came: 'under way', after: upstream.filter(isWrite).length }
        told.push(one)
        return {
          done: async (written: readonly Written[]) => void Object.assign(one, { came: written }),
          undone: async () => void Object.assign(one, { came: 'undone' }),
        }
      },
    },
    policies: policy.policies,
    trail,
    bearer: async () => ({
      access: world.access,
      async still() {
        world.stillAsked += 1
        if (world.over === 'unknown') throw new Error('no store')
        if (world.over) throw new Refusal('token_ended', 'by the test')
      },
    }),
    again: () => undefined,
    clock: () => world.now,
  }
  const app = express()
  app.disable('etag')
  app.use('/fhir', (_req, res, next) => {
    startJourney(res, 'fhir', 'access_refused')
    next()
  })
  app.use('/openehr', (_req, res, next) => {
    startJourney(res, 'json', 'access_refused')
    next()
  })
  const handovers = { read: async () => world.handover }
  const encryption = { current: encryptionKey(new Uint8Array(32).map((_, i) => i)) }
  const clock = () => world.now
  const unsaved = createUnsaved({ store, trail, clock, encryption })
  app.use('/fhir', fhirProxy({ ...common, handovers, base: `${ISSUER}/fhir` }))
  app.use(
    '/openehr/v1',
    openehrProxy({
      ...common,
      ...{ handovers, plan: FORM, skew: 30, holdMs: HOLD_MS, store, queries: [PLAN, MEDICINES] },
      unsaved,
      adHoc: true,
      owners: createOwners(() => world.now),
      base: `${ISSUER}/openehr/v1`,
    }),
  )
  app.use((_req, res) => {
    startJourney(res, 'json', 'access_refused')
    throw new Refusal('not_found', 'no such endpoint')
  })
  app.use(
    refusals({
      issuer: ISSUER,
      random: (bytes) => new Uint8Array(bytes),
      pages: {} as Pages,
      log: pino({ level: 'silent' }),
      trail,
      limits: { refused: async (_req, _about, refusal) => refusal },
      claimedAncestors: async () => [],
    }),
  )
  const world: World = {
    app,
    record,
    hospital,
    origin,
    entries,
    upstream,
    told,
    access: accessOf(),
    allowed: () => true,
    policy,
    trailFails: false,
    storeFails: false,
    over: undefined,
    stillAsked: 0,
    now: NOW,
    chart: undefined,
    kept,
    handover: undefined,
    async end() {
      await close(server)
      await record.close()
    },
  }
  return world
}

export const date = (text: string) => text as BirthDate

/** Every identifier by which another patient than Peggy could be known. */
export const OTHERS: readonly string[] = PATIENTS.filter(
  (each) => each.fhirId !== PEGGY.fhirId,
).flatMap((each) => [
  each.fhirId,
  each.nhsNumber,
  ...(each.ehrId === undefined ? [] : [each.ehrId]),
])
