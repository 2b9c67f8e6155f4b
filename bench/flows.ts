/** One flow from outside, as the browser and the app make it: ours in three requests, the peer's in two. */
import { createHash, createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { Dispatcher } from 'undici'
import {
  type Algorithm,
  APP_ORIGIN,
  appOf,
  ISSUER,
  PATIENTS,
  REDIRECT,
  SCOPES,
  SYSTEM,
} from './people.js'

export interface Flow {
  /** Everything that is not the server's: made before the clock runs. */
  prepare(): Flow.Prepared
}
export namespace Flow {
  /** @throws Error when any step answers otherwise than a complete flow does */
  export type Prepared = (http: Dispatcher) => Promise<void>
}

export const form = { 'content-type': 'application/x-www-form-urlencoded' }
export const text = (bytes: number): string => randomBytes(bytes).toString('base64url')

export function pkce() {
  const verifier = text(32)
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export async function send(http: Dispatcher, request: Dispatcher.RequestOptions, expected: number) {
  const answer = await http.request(request)
  const body = await answer.body.text()
  if (answer.statusCode !== expected)
    throw new Error(`${request.path.split('?')[0]}: ${answer.statusCode} ${body.slice(0, 300)}`)
  return { headers: answer.headers, body }
}

export const locationOf = (headers: Dispatcher.ResponseData['headers']): URL =>
  new URL(String(headers.location))

/** The access token, where an id_token came with it. */
function tokenOf(body: string): string {
  const { access_token, id_token } = JSON.parse(body) as Record<string, unknown>
  if (typeof access_token !== 'string' || typeof id_token !== 'string')
    throw new Error(`no tokens: ${body.slice(0, 300)}`)
  return access_token
}

export const encode = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

export function launchToken(key: KeyObject, app: string, number: number): string {
  const now = Math.floor(Date.now() / 1000)
  const patient = PATIENTS[number % PATIENTS.length]
  const head = encode({ alg: 'ES256', typ: 'launch+jwt', kid: 'bench' })
  const body = encode({
    iss: SYSTEM,
    aud: ISSUER,
    iat: now,
    exp: now + 290,
    jti: text(16),
    sub: `clinician-${number % 200}`,
    app,
    patient: { nhs_number: patient?.nhsNumber, birth_date: patient?.birthDate },
    practitioner: {
      name: 'Dr Amara Okafor',
      sds_user_id: `5552542${String(10_000 + (number % 200))}`,
      sds_role_profile_id: '555254240101',
      role_codes: ['S0010:G0020:R0260'],
      activity_codes: ['B0360', 'B0380', 'B8028'],
    },
    organization: { ods_code: 'A83001' },
    purpose: 'direct-care',
  })
  return jwsOf(key, head, body)
}

/** ES256. */
export function jwsOf(key: KeyObject, head: string, body: string): string {
  const input = Buffer.from(`${head}.${body}`)
  const signature = sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })
  return `${head}.${body}.${signature.toString('base64url')}`
}

async function redeem(http: Dispatcher, path: string, code: string | null, fields: object) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: REDIRECT,
    ...fields,
  }).toString()
  const headers = { ...form, origin: APP_ORIGIN }
  const answer = await send(http, { method: 'POST', path, headers, body }, 200)
  return tokenOf(answer.body)
}

/**
 * A launch in a browser that has none of our cookies: it signs its user on, opens, lands, gets its tokens.
 * @param number which clinician and patient
 */
export function launch(
  key: KeyObject,
  client_id: string,
  scopes: readonly string[],
  number: number,
) {
  const token = launchToken(key, client_id, number)
  const { verifier, challenge } = pkce()
  const [state, nonce] = [text(12), text(12)]
  return async (http: Dispatcher): Promise<string> => {
    const body = `launch_token=${token}`
    const opened = await send(http, { method: 'POST', path: '/launch', headers: form, body }, 303)
    const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? ''
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: REDIRECT,
      scope: scopes.join(' '),
      state,
      nonce,
      aud: `${ISSUER}/fhir`,
      launch: locationOf(opened.headers).searchParams.get('launch') ?? '',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    const path = `/oauth/authorize?${query}`
    const granted = await send(http, { method: 'GET', path, headers: { cookie } }, 303)
    const code = locationOf(granted.headers).searchParams.get('code')
    return redeem(http, '/oauth/token', code, { client_id, code_verifier: verifier })
  }
}

export function launches(jwk: object, algorithm: Algorithm): Flow {
  const key = createPrivateKey({ key: jwk as never, format: 'jwk' })
  let made = 0
  return {
    prepare() {
      const flow = launch(key, appOf(algorithm), SCOPES, made++)
      return async (http) => void (await flow(http))
    },
  }
}

/** The peer's flow, for users who are signed in there. */
export function authorizations(cookies: readonly string[], algorithm: Algorithm): Flow {
  let made = 0
  return {
    prepare() {
      const cookie = cookies[made++ % cookies.length] ?? ''
      const { verifier, challenge } = pkce()
      const [state, nonce, client_id] = [text(12), text(12), appOf(algorithm)]
      return async (http) => {
        const query = new URLSearchParams({
          response_type: 'code',
          client_id,
          redirect_uri: REDIRECT,
          scope: 'openid plan.read plan.write',
          state,
          nonce,
          code_challenge: challenge,
          code_challenge_method: 'S256',
        })
        const path = `/auth?${query}`
        const granted = await send(http, { method: 'GET', path, headers: { cookie } }, 303)
        const code = locationOf(granted.headers).searchParams.get('code')
        await redeem(http, '/token', code, { client_id, code_verifier: verifier })
      }
    },
  }
}
