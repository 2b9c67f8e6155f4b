/** Apps that begin a launch themselves, and a browser that goes with them. */
import { createHash, randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import type { Client } from '../src/core/client.js'
import { clientRow } from '../src/core/client-registration.js'
import { hashOf } from '../src/core/ids.js'
import { signInAt } from './demo/sign-in.js'
import type { TestGateway } from './gateway.js'
import { newKey } from './gateway-surroundings.js'
import { formTo } from './launching.js'
import { type Answer, type Sent, send, type UserAgent } from './user-agent.js'

export const BACK = 'https://solo.example/back'
export const SECRET = 'a-secret-of-thirty-two-characters-'

export const row = (members: object): Client =>
  clientRow.parse({ name: 'An app', redirect_uris: [BACK], ...members })

const publicPart = ({ d: _, ...open }: JWK) => open

/** One of each kind, and the keys of those that have one. */
export async function standaloneApps() {
  const key = await newKey('ES256', 'solo-1')
  const jwks = { keys: [publicPart(key)] }
  const DATA = ['launch/patient', 'openid', 'fhirUser', 'patient/Patient.r']
  const apps = [
    row({ id: 'solo', type: 'public', scopes: [...DATA, 'offline_access', 'profile'] }),
    row({
      ...{ id: 'relying', profile: 'oidc', type: 'secret', secret_hash: hashOf(SECRET) },
      ...{ scopes: ['openid', 'profile'], id_token_algorithm: 'RS256' },
    }),
    row({
      ...{ id: 'old', profile: 'oidc', type: 'secret', secret_hash: hashOf(SECRET) },
      ...{ scopes: ['openid'], pkce: 'optional' },
    }),
    row({ id: 'strict', profile: 'fapi2', type: 'key', jwks, scopes: DATA }),
    row({ id: 'signing', type: 'key', jwks, request_objects: 'required', scopes: DATA }),
    row({ id: 'secretive', type: 'secret', secret_hash: hashOf(SECRET), scopes: DATA }),
  ]
  return { apps, key }
}

type Change = Readonly<Record<string, string | undefined>>

/** One authorize request of an app. */
export function asking(t: TestGateway, id: string, scope: string, change: Change = {}) {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(12).toString('base64url')
  const all: Change = {
    ...{ response_type: 'code', client_id: id, redirect_uri: BACK, scope, state },
    nonce: randomBytes(12).toString('base64url'),
    aud: `${t.issuer}/fhir`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...change,
  }
  const parameters = Object.fromEntries(
    Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  return { parameters, verifier, state }
}

/** Opens the authorize endpoint, and follows what stays at the gateway. */
export async function authorize(
  t: TestGateway,
  browser: UserAgent,
  parameters: Readonly<Record<string, string>>,
): Promise<Answer> {
  const url = new URL('/oauth/authorize', t.issuer)
  url.search = new URLSearchParams(parameters).toString()
  return follow(t, browser, await browser.visit(url))
}

/** Follows redirects as long as they lead to the gateway itself. */
export async function follow(t: TestGateway, browser: UserAgent, first: Answer): Promise<Answer> {
  let answer = first
  for (let steps = 0; answer.location?.origin === t.issuer && steps < 5; steps++)
    answer = await browser.visit(answer.location)
  return answer
}

/** From the provider's door back through it. */
export async function throughProvider(
  t: TestGateway,
  browser: UserAgent,
  answer: Answer,
  person = 'gp',
  assurance: 2 | 3 = 2,
): Promise<Answer> {
  if (answer.location?.origin !== t.origins.hospital)
    throw new Error(`not at the provider: ${answer.status} ${answer.location} ${answer.text}`)
  await t.clock.catchUp()
  const back = await signInAt(answer.location, { person, assurance }, browser.jar)
  return follow(t, browser, await browser.visit(back))
}

/** Answers the page that asks for a patient. */
export async function choose(
  t: TestGateway,
  browser: UserAgent,
  page: Answer,
  fields: Readonly<Record<string, string>>,
): Promise<Answer> {
  const form = { ...formTo(page, '/launch/continue', 'patient'), ...fields }
  return follow(t, browser, await browser.visit(new URL('/launch/continue', t.issuer), { form }))
}

export const named = (nhs_number: string, birthDate: string): Record<string, string> => {
  const [year = '', month = '', day = ''] = birthDate.split('-')
  return { nhs_number, year, month, day }
}

/** POST /oauth/token. */
export const token = (
  t: TestGateway,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
  more: Sent = {},
): Promise<Answer> => send(new URL('/oauth/token', t.issuer), { form, headers, ...more })

export const basic = (id: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
