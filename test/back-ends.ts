/** Programs that call the gateway from server to server, by hand: services, apps' back ends, resource servers. */
import { randomBytes } from 'node:crypto'
import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Config } from '../src/config.js'
import { type Client, TOKEN_EXCHANGE } from '../src/core/client.js'
import { clientRow } from '../src/core/client-registration.js'
import { ACCESS_TOKEN_TYPE } from '../src/core/exchange.js'
import { hashOf } from '../src/core/ids.js'
import { ASSERTION_TYPE } from '../src/demo/desktop-launches.js'
import type { Change } from './app-by-hand.js'
import { openTestGateway, type StoreKind, type TestGateway } from './gateway.js'
import { newKey } from './gateway-surroundings.js'
import { type Answer, type Sent, send } from './user-agent.js'

export const SECRET = 'a-secret-that-is-thirty-two-characters-long'

/** Scopes of apps' back ends: more than any one launch gives. */
const BEHIND =
  'launch openid profile patient/*.rs patient/composition-care-plan::*.rs patient/aql-care-plan::sections.rs'

// biome-ignore format: a table
const ROWS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  service:      { type: 'key', grant_types: ['client_credentials'], scopes: ['system/*.rs', 'system/CarePlan.cruds', 'system/composition-care-plan::*.r', 'patient/Patient.r', 'user/Patient.r', '__introspect', 'openid'] },
  reader:       { type: 'key', grant_types: ['client_credentials'], scopes: ['system/Patient.r'], introspects: true },
  'back-end':   { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['care-plan', 'key-app'], scopes: BEHIND.split(' ') },
  'back-end-2': { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['back-end'], scopes: BEHIND.split(' ') },
  'back-end-3': { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['back-end-2'], scopes: BEHIND.split(' ') },
  'back-end-4': { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['back-end-3', 'back-end'], scopes: BEHIND.split(' ') },
  circle:       { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['circle-2', 'care-plan'], scopes: BEHIND.split(' ') },
  'circle-2':   { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['circle'], scopes: BEHIND.split(' ') },
  'other-end':  { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['v1-app'], scopes: BEHIND.split(' ') },
  'small-end':  { type: 'key', grant_types: [TOKEN_EXCHANGE], exchanges_for: ['care-plan'], scopes: ['patient/Patient.r'], access_token_lifetime: 60 },
  'secret-app': { type: 'secret', profile: 'oidc', introspects: true, secret_hash: hashOf(SECRET), redirect_uris: ['https://secret.example/'], scopes: ['openid'] },
  'fapi-app':   { type: 'key', profile: 'fapi2', redirect_uris: ['https://fapi.example/'], scopes: ['openid'] },
  'resource':   { type: 'key', profile: 'fapi2', introspects: true, redirect_uris: ['https://fapi.example/'], scopes: ['openid'] },
}

const publicPart = ({ kty, crv, x, y, kid, alg, use }: JWK) => ({ kty, crv, x, y, kid, alg, use })

export interface BackEnds {
  readonly t: TestGateway
  readonly keys: Readonly<Record<string, JWK>>
}

/** A gateway with all of them registered. `key-app` signs its userinfo, and may ask for more. */
export async function openWithBackEnds(
  store: StoreKind,
  more: (config: Config) => Partial<Config> = () => ({}),
): Promise<BackEnds> {
  const ids = Object.keys(ROWS).filter((id) => ROWS[id]?.type === 'key')
  const made = await Promise.all(ids.map(async (id) => [id, await newKey('ES256', `${id}-1`)]))
  const keys = Object.fromEntries(made) as Record<string, JWK>
  const clients = Object.entries(ROWS).map(([id, row]): Client => {
    const key = keys[id]
    const jwks = key ? { jwks: { keys: [publicPart(key)] } } : {}
    return clientRow.parse({ id, name: id, ...row, ...jwks })
  })
  const widened = (app: Client): Client =>
    app.id === 'key-app'
      ? {
          ...app,
          userinfoAlgorithm: 'ES256',
          scopes: [...app.scopes, 'profile', 'offline_access'],
        }
      : app
  const t = await openTestGateway({
    store,
    change: (config) => ({
      apps: [...config.apps.map(widened), ...clients],
      ...more(config),
    }),
  })
  return { t, keys }
}

/** `private_key_jwt` of one of them. */
export async function proofOf(
  { t, keys }: BackEnds,
  id: string,
  change: JWTPayload = {},
): Promise<Record<string, string>> {
  const key = keys[id]
  if (!key) return { client_id: id }
  const iat = Math.floor(t.clock() / 1000)
  const claims = {
    ...{ iss: id, sub: id, aud: t.issuer, iat, exp: iat + 60 },
    ...{ jti: randomBytes(12).toString('base64url'), ...change },
  }
  const header = { alg: 'ES256', kid: key.kid ?? '', typ: 'JWT' }
  const client_assertion = await new SignJWT(claims)
    .setProtectedHeader(header)
    .sign(await importJWK(key))
  return { client_assertion_type: ASSERTION_TYPE, client_assertion }
}

const filled = (form: Change): [string, string][] =>
  Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined)

/** A post to one of our endpoints, with a proof of who posts. */
export async function postAs(
  ends: BackEnds,
  id: string,
  path: string,
  form: Change,
  more: Sent = {},
): Promise<Answer> {
  const whole = filled({ ...(await proofOf(ends, id)), ...form })
  return send(new URL(path, ends.t.issuer), { ...more, form: whole })
}

export const introspectAs = (ends: BackEnds, id: string, token = '', more: Sent = {}) =>
  postAs(ends, id, '/oauth/introspect', { token }, more)

/** What introspection says, as JSON. */
export async function introspected(ends: BackEnds, id: string, token = '') {
  const answer = await introspectAs(ends, id, token)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return JSON.parse(answer.text) as Record<string, unknown>
}

export const askAsService = (ends: BackEnds, id: string, scope?: string, change: Change = {}) =>
  postAs(ends, id, '/oauth/token', { grant_type: 'client_credentials', scope, ...change })

export const exchangeAs = (
  ends: BackEnds,
  id: string,
  subject_token: string,
  change: Change = {},
  more: Sent = {},
) => {
  const form = { grant_type: TOKEN_EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN_TYPE }
  return postAs(ends, id, '/oauth/token', { ...form, ...change }, more)
}
