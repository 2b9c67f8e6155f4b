/**
 * As much of a gateway and its record as the care-plan app needs to be tested alone: each launch handle
 * is a scenario.
 */
import { createHash } from 'node:crypto'
import express, { type Express } from 'express'
import { HANDOVER_ROLE } from '../../src/core/handed-over.js'
import { failed, fakeRecord } from './fake-record.js'
import type { Json, Scenario } from './scenario.js'

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export interface FakeGateway {
  readonly app: Express
  readonly scenarios: Map<string, Scenario>
}

/** @param appOrigin the one origin that CORS lets in */
export function createFakeGateway(origin: string, appOrigin: string): FakeGateway {
  const scenarios = new Map<string, Scenario>()
  const app = express()
  app.use((req, res, next) => {
    res.set({
      'Access-Control-Allow-Origin': appOrigin,
      'Access-Control-Allow-Headers':
        'authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist, launch-context',
      'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
      'Access-Control-Expose-Headers': 'ETag, Location, X-Request-Id',
      'X-Request-Id': 'ref_fakeRequest1',
    })
    if (req.method === 'OPTIONS') res.sendStatus(204)
    else next()
  })
  app.use(
    express.json({ type: ['application/json', 'application/fhir+json'] }),
    express.urlencoded({ extended: false }),
  )
  authorization(app, origin, scenarios)
  fakeRecord(app, scenarios)
  return { app, scenarios }
}

function authorization(app: Express, origin: string, scenarios: Map<string, Scenario>): void {
  const challenges = new Map<string, string>()
  const chains = new Map<string, Chain>()
  app.get('/fhir/.well-known/smart-configuration', (_, res) => {
    res.json({
      issuer: origin,
      authorization_endpoint: `${origin}/oauth/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      code_challenge_methods_supported: ['S256'],
      services: { 'org.openehr.rest': { baseUrl: `${origin}/openehr/v1` } },
    })
  })
  app.get('/oauth/authorize', (req, res) => {
    const { launch, redirect_uri: back, state, code_challenge: challenge } = req.query
    const scenario = scenarios.get(String(launch))
    if (!scenario) return void res.status(400).send('unknown handle')
    scenario.log.push(`authorize ${String(req.query.scope)}`)
    const to = new URL(String(back))
    to.searchParams.set('state', String(state))
    to.searchParams.set('iss', scenario.answersAs ?? origin)
    if (scenario.denied) {
      to.searchParams.set('error', scenario.denied.error)
      to.searchParams.set('error_description', scenario.denied.description)
    } else {
      const code = `cod_${String(launch)}`
      challenges.set(code, String(challenge))
      to.searchParams.set('code', code)
    }
    res.redirect(to.href)
  })
  app.post('/oauth/token', (req, res) => {
    const body = req.body as Record<string, string>
    const [launch = ''] = (body.code ?? body.refresh_token ?? '').slice(4).split('.')
    const scenario = scenarios.get(launch)
    if (!scenario) return void res.status(400).json({ error: 'invalid_grant' })
    scenario.log.push(`token ${body.grant_type ?? ''} ${body.client_id ?? ''}`)
    if (failed(scenario, 'token', req, res)) return
    const hashed = createHash('sha256')
      .update(body.code_verifier ?? '')
      .digest('base64url')
    const proven = body.code === undefined || challenges.get(body.code) === hashed
    if (body.code !== undefined) challenges.delete(body.code)
    const refresh = proven ? nextRefresh(chains, launch, body.refresh_token) : undefined
    if (refresh === undefined && body.refresh_token !== undefined) scenario.ended = true
    if (refresh === undefined || scenario.ended) {
      return void res.status(400).json({ error: 'invalid_grant' })
    }
    if (failed(scenario, 'token-answer', req, res)) return
    res.json({ ...tokenResponse(origin, launch, scenario), refresh_token: refresh })
  })
}

/** How many refresh tokens a launch has had, and when the newest was made. */
interface Chain {
  readonly count: number
  readonly at: number
}

const GRACE = 60_000

/**
 * The refresh token that is to be used next. The predecessor works for as long as its answer may have been
 * lost; a second use of any older one means that somebody else holds it, and ends the session.
 */
function nextRefresh(
  chains: Map<string, Chain>,
  launch: string,
  sent: string | undefined,
): string | undefined {
  const chain = chains.get(launch)
  const name = (count: number) => `rft_${launch}.${count}`
  const retried =
    chain && sent === name(chain.count - 1) && Date.now() - chain.at < GRACE ? chain : undefined
  const known = sent === undefined || (chain && sent === name(chain.count)) || retried
  if (!known) return undefined
  const next = retried ?? { count: (chain?.count ?? 0) + 1, at: Date.now() }
  chains.set(launch, next)
  return name(next.count)
}

function tokenResponse(origin: string, launch: string, scenario: Scenario): Json {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: origin, iat: now, fhirUser: `${origin}/fhir/Practitioner/user-1` }
  return {
    access_token: `tok_${launch}`,
    token_type: 'Bearer',
    expires_in: 600,
    scope: scenario.scope,
    id_token: `${segment({ alg: 'RS256' })}.${segment(claims)}.c2ln`,
    patient: scenario.patientId,
    ...(scenario.ehrId === undefined ? {} : { ehrId: scenario.ehrId }),
    need_patient_banner: true,
    ...(scenario.gpRecord === undefined
      ? {}
      : { fhirContext: [{ reference: 'Bundle/lch-fake', role: HANDOVER_ROLE }] }),
    __session_idle_seconds: scenario.idleSeconds,
    __session_ends: now + scenario.endsInSeconds,
    __launch: `lch_fake${launch}`,
    __context: `ctx_fake${launch}`,
    ...(scenario.numberReplaced ? { __nhs_number_replaced: true } : {}),
    ...(scenario.emergency
      ? {
          __emergency: true,
          __emergency_id: 'emg_fake',
          __emergency_ends: now + scenario.endsInSeconds,
        }
      : {}),
  }
}
