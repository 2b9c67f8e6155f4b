/** An app that registers itself, by hand. */
import { randomBytes } from 'node:crypto'
import { hashOf, newSecret } from '../src/core/ids.js'
import type { TestGateway } from './gateway.js'
import { type Answer, send } from './user-agent.js'

export const SCOPES = ['launch', 'launch/patient', 'openid', 'fhirUser', 'online_access']
export const REGISTRATION = {
  by: 'initial-token' as const,
  profile: 'smart' as const,
  scopes: [...SCOPES, 'patient/*.rs'],
  most: 100,
  issuers: [],
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

/** What `app token` makes. */
export async function initialToken(t: TestGateway, uses = 1, until = t.clock() + 3_600_000) {
  const token = newSecret('ini', random)
  const value = { uses, used: 0, until }
  await t.running.store.commit({ puts: [{ kind: 'initial', id: hashOf(token), value, until }] })
  return token
}

export const APP = {
  client_name: 'An app of somebody',
  redirect_uris: ['https://app.example/back'],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  initiate_login_uri: 'https://app.example/launch.html',
  scope: 'launch openid fhirUser online_access patient/Patient.r patient/CarePlan.rs',
}

interface How {
  readonly method?: string
  readonly token?: string | undefined
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A call of the registration's endpoints; a text is sent as it stands. */
export function callRegistration(
  t: TestGateway,
  path: string,
  body: unknown,
  { method = 'POST', token, type = 'application/json', headers = {} }: How = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return send(new URL(`/oauth/register${path}`, t.issuer), {
    method,
    ...(body === undefined ? {} : { body: text }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  })
}

export const registerApp = (t: TestGateway, body: unknown, token?: string, how: How = {}) =>
  callRegistration(t, '', body, { token, ...how })

export interface Registered {
  readonly client_id: string
  readonly client_secret?: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
  readonly [more: string]: unknown
}

/** Registers with a token of its own. @throws Error with the answer, where that fails */
export async function registered(t: TestGateway, more: object = {}): Promise<Registered> {
  const answer = await registerApp(t, { ...APP, ...more }, await initialToken(t))
  if (answer.status !== 201) throw new Error(`not registered: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text)
}
