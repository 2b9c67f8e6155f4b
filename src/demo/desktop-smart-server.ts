/**
 * The SMART authorization server of the pretend GP system `gp-smart`. It launches an app the way an EHR
 * does: the app gets a handle, and redeems it here for the launch's facts. One client, the gateway.
 *
 * @see SMART App Launch 2.2, "App Launch: Launch and Authorization"; RFC 7636; RFC 7523; RFC 9207
 */
import { createHash } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Clock, type Random, seconds } from '../core/values.js'
import type { LaunchDraft } from './desktop-faults.js'
import { ASSERTION_TYPE, type LaunchingSystem, signJws } from './desktop-launches.js'
import { ONE_USE_SECONDS, type OneUse, oneUse } from './desktop-one-use.js'
import { RELAY } from './desktop-systems.js'

const CLIENT_ALGORITHMS = ['ES256', 'ES384', 'RS384']

export interface SmartServerParts {
  /** `{desktop}/smart`: issuer and FHIR base in one. */
  readonly issuer: string
  /** The gateway's issuer: its keys are at `/oauth/jwks`, its redirect at `/launch/smart/callback`. */
  readonly gateway: string
  readonly system: LaunchingSystem
  readonly clock: Clock
  readonly random: Random
  /** The gateway's public keys, when they need not be fetched. */
  readonly clientKeys?: JWTVerifyGetKey
}

/** What a handle stands for: a user and an open chart. */
export interface SmartLaunch {
  readonly draft: LaunchDraft
  /** This system's own number of the chart: the `patient` launch context. */
  readonly chart: string
}

interface Code {
  readonly launch: SmartLaunch
  readonly challenge: string
  readonly scope: string
  readonly nonce?: string
}

/** What an endpoint refuses; answered as the endpoint's section says. */
class SmartError extends Error {
  constructor(
    readonly error: string,
    override readonly message: string,
  ) {
    super(message)
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const demand = (right: boolean, error: string, message: string): void => {
  if (!right) throw new SmartError(error, message)
}

function discovery(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    grant_types_supported: ['authorization_code'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    subject_types_supported: ['public'],
    scopes_supported: RELAY.scope.split(' '),
    id_token_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    capabilities: [
      'launch-ehr',
      'client-confidential-asymmetric',
      'sso-openid-connect',
      'context-ehr-patient',
    ],
  }
}

/**
 * The launch's facts as id_token claims, under this system's names: flat.
 * @see OpenID Connect Core §2; SMART App Launch 2.2, "Scopes for requesting identity data"
 */
function idTokenClaims(parts: SmartServerParts, { launch, nonce }: Code) {
  const { patient, practitioner, organization, ...sent } = launch.draft.claims
  const { iat, jti, sub, app, purpose, data } = sent
  return {
    ...{ iss: parts.issuer, aud: RELAY.clientId, sub, jti, app, purpose },
    ...{ iat: seconds(parts.clock()), exp: seconds(parts.clock()) + ONE_USE_SECONDS },
    ...{ auth_time: iat - 600, ...(nonce === undefined ? {} : { nonce }) },
    ...{ ...practitioner, ...patient, ...organization, ...(data === undefined ? {} : { data }) },
    fhirUser: `${parts.issuer}/Practitioner/${encodeURIComponent(sub)}`,
  }
}

/** What the server remembers: all of it short, bounded and in memory. */
interface Held extends SmartServerParts {
  readonly redirectUri: string
  readonly handles: OneUse<SmartLaunch>
  readonly codes: OneUse<Code>
  readonly assertions: OneUse<true>
  readonly clientKeys: JWTVerifyGetKey
}

/** SMART App Launch 2.2, "Request authorization code". The redirect has been proven. */
function grantCode({ issuer, handles, codes }: Held, query: Request['query']): string {
  demand(query.response_type === 'code', 'unsupported_response_type', 'code only')
  demand([issuer, `${issuer}/`].includes(text(query.aud)), 'invalid_request', 'aud')
  const challenge = text(query.code_challenge)
  const s256 = query.code_challenge_method === 'S256' && /^[\w-]{43}$/.test(challenge)
  demand(s256, 'invalid_request', 'PKCE with S256 is required')
  const asked = new Set(text(query.scope).split(' '))
  demand(asked.has('launch') && asked.has('openid'), 'invalid_scope', 'launch and openid')
  // The handle is spent last, so that a request with another fault does not use it up.
  const launch = handles.spend(text(query.launch))
  if (!launch) throw new SmartError('invalid_request', 'The launch is unknown, used or over')
  const scope = RELAY.scope.split(' ').filter((word) => asked.has(word))
  const nonce = text(query.nonce)
  return codes.mint({ launch, challenge, scope: scope.join(' '), ...(nonce ? { nonce } : {}) })
}

const authorize = (held: Held) => (req: Request, res: Response) => {
  const { client_id, redirect_uri, state } = req.query
  if (client_id !== RELAY.clientId || redirect_uri !== held.redirectUri) {
    res.status(400).type('text').send('Unknown client or redirect address.')
    return
  }
  const back = new URL(held.redirectUri)
  try {
    back.searchParams.set('code', grantCode(held, req.query))
  } catch (cause) {
    if (!(cause instanceof SmartError)) throw cause
    back.searchParams.set('error', cause.error)
    back.searchParams.set('error_description', cause.message)
  }
  back.searchParams.set('iss', held.issuer)
  if (typeof state === 'string') back.searchParams.set('state', state)
  res.redirect(303, back.href)
}

/** @see RFC 7523 §3 */
async function authenticate(held: Held, body: Record<string, unknown>): Promise<void> {
  const { issuer, assertions, clientKeys, clock } = held
  demand(body.client_assertion_type === ASSERTION_TYPE, 'invalid_client', 'private_key_jwt')
  const { payload } = await jwtVerify(text(body.client_assertion), clientKeys, {
    ...{ issuer: RELAY.clientId, subject: RELAY.clientId, algorithms: CLIENT_ALGORITHMS },
    audience: [issuer, `${issuer}/token`],
    requiredClaims: ['exp', 'jti'],
    currentDate: new Date(clock()),
  }).catch(() => {
    throw new SmartError('invalid_client', 'The assertion could not be checked')
  })
  const { jti = '', exp = 0 } = payload
  const lifetime = exp - seconds(clock())
  demand(lifetime <= 300 && !assertions.peek(jti), 'invalid_client', 'The assertion was used')
  assertions.keep(jti, true, lifetime)
}

/** RFC 6749 §4.1.3; RFC 7636 §4.6. A wrong guess leaves the code as it was. */
async function redeem(held: Held, body: Record<string, unknown>): Promise<object> {
  demand(body.grant_type === 'authorization_code', 'unsupported_grant_type', 'code only')
  await authenticate(held, body)
  const secret = text(body.code)
  const verifier = createHash('sha256').update(text(body.code_verifier)).digest('base64url')
  const right = held.codes.peek(secret)?.challenge === verifier
  demand(right && body.redirect_uri === held.redirectUri, 'invalid_grant', 'The code is not valid')
  const code = held.codes.spend(secret)
  if (!code) throw new SmartError('invalid_grant', 'The code is not valid')
  const { draft, chart } = code.launch
  const { jws } = await signJws(held.system, draft.signing, 'JWT', idTokenClaims(held, code))
  return {
    access_token: Buffer.from(held.random(24)).toString('base64url'),
    ...{ token_type: 'Bearer', expires_in: ONE_USE_SECONDS, scope: code.scope },
    ...{ id_token: jws, patient: chart, need_patient_banner: false },
  }
}

const token = (held: Held) => async (req: Request, res: Response) => {
  res.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' })
  try {
    res.json(await redeem(held, (req.body ?? {}) as Record<string, unknown>))
  } catch (cause) {
    if (!(cause instanceof SmartError)) throw cause
    const status = cause.error === 'invalid_client' ? 401 : 400
    res.status(status).json({ error: cause.error, error_description: cause.message })
  }
}

export interface SmartServer {
  readonly router: Router
  /** A handle for the desktop's signed-in user and open chart: one use, one minute. */
  mint(launch: SmartLaunch): string
  /** Uses a handle up, as whoever copied it would. */
  spend(handle: string): void
}

export function createSmartServer(parts: SmartServerParts): SmartServer {
  const { issuer, gateway, clock, random } = parts
  const held: Held = {
    ...parts,
    redirectUri: `${gateway}/launch/smart/callback`,
    handles: oneUse(clock, random),
    codes: oneUse(clock, random),
    assertions: oneUse(clock, random),
    clientKeys: parts.clientKeys ?? createRemoteJWKSet(new URL(`${gateway}/oauth/jwks`)),
  }
  const { kty, crv, x, y, kid, alg, use } = parts.system.key
  const router = express.Router()
  router.get(
    ['/.well-known/smart-configuration', '/.well-known/openid-configuration'],
    (_req, res) => void res.json(discovery(issuer)),
  )
  router.get('/jwks', (_req, res) => void res.json({ keys: [{ kty, crv, x, y, kid, alg, use }] }))
  router.get('/authorize', authorize(held))
  router.post('/token', express.urlencoded({ extended: false, limit: '16kb' }), token(held))
  return {
    router,
    mint: (launch) => held.handles.mint(launch),
    spend: (handle) => void held.handles.spend(handle),
  }
}
