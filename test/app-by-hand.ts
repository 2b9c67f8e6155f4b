/** A SMART app by hand: authorize, redeem, refresh, call the record. */
import { createHash, randomBytes } from 'node:crypto'
import { decodeJwt, importJWK, type JWTPayload, SignJWT } from 'jose'
import { ASSERTION_TYPE } from '../src/demo/desktop-launches.js'
import type { TestGateway } from './gateway.js'
import { APP_ORIGINS } from './gateway-registrations.js'
import { handleOf, type Order, open } from './launching.js'
import { type Answer, type Sent, send, UserAgent } from './user-agent.js'

/** Laid over the parameters; `undefined` leaves one out. */
export type Change = Readonly<Record<string, string | undefined>>

export interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly scope: string
  readonly expires_in: number
  readonly patient: string
  readonly ehrId?: string
  readonly __launch: string
  readonly [more: string]: unknown
}

export const CARE_PLAN_SCOPES =
  'launch openid fhirUser online_access patient/Patient.r patient/CarePlan.crs ' +
  'patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs'

// biome-ignore format: a table
const SCOPES: Readonly<Record<string, string>> = {
  'care-plan': CARE_PLAN_SCOPES,
  'key-app':   'launch openid fhirUser online_access patient/Patient.r patient/CarePlan.rs',
  'v1-app':    'launch openid fhirUser patient/Patient.read patient/CarePlan.read',
}

const filled = (parameters: Readonly<Record<string, string>>, change: Change) =>
  Object.entries({ ...parameters, ...change }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  )

/** One start of one app: it makes its own state, nonce and verifier. */
export class App {
  readonly state = randomBytes(12).toString('base64url')
  readonly nonce = randomBytes(12).toString('base64url')
  readonly verifier = randomBytes(32).toString('base64url')
  readonly redirect: string

  constructor(
    readonly t: TestGateway,
    readonly browser: UserAgent,
    readonly id = 'care-plan',
  ) {
    this.redirect = `${APP_ORIGINS[id]}/`
  }

  /** What the app sends to authorize. */
  parameters(handle: string, change: Change = {}): [string, string][] {
    const challenge = createHash('sha256').update(this.verifier).digest('base64url')
    return filled(
      {
        ...{ response_type: 'code', client_id: this.id, redirect_uri: this.redirect },
        ...{ scope: SCOPES[this.id] ?? '', state: this.state, nonce: this.nonce },
        ...{ aud: `${this.t.issuer}/fhir`, launch: handle },
        ...{ code_challenge: challenge, code_challenge_method: 'S256' },
      },
      change,
    )
  }

  authorize(handle: string, change: Change = {}, more: Sent = {}): Promise<Answer> {
    const url = new URL('/oauth/authorize', this.t.issuer)
    url.search = new URLSearchParams(this.parameters(handle, change)).toString()
    return this.browser.visit(url, more)
  }

  /** Authorizes and answers the code. @throws Error where there is none */
  async code(handle: string, change: Change = {}): Promise<string> {
    return codeOf(await this.authorize(handle, change))
  }

  /** `private_key_jwt` for an app that has a key. @see RFC 7523 §3 */
  async proof(change: Readonly<Record<string, unknown>> = {}): Promise<Record<string, string>> {
    const key = this.t.appKeys[this.id]
    if (!key) return { client_id: this.id }
    const iat = Math.floor(this.t.clock() / 1000)
    const claims: JWTPayload = {
      ...{ iss: this.id, sub: this.id, aud: `${this.t.issuer}/oauth/token` },
      ...{ iat, exp: iat + 60, jti: randomBytes(12).toString('base64url') },
      ...change,
    }
    const header = { alg: key.alg ?? 'ES384', kid: key.kid ?? '', typ: 'JWT' }
    const signer = new SignJWT(claims).setProtectedHeader(header)
    return {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await signer.sign(await importJWK(key)),
    }
  }

  /** POST /oauth/token, from the app's own page. */
  async token(
    parameters: Readonly<Record<string, string>>,
    change: Change = {},
    more: Sent = {},
  ): Promise<Answer> {
    const form = filled({ ...(await this.proof()), ...parameters }, change)
    const headers = { origin: APP_ORIGINS[this.id] ?? '', ...more.headers }
    return send(new URL('/oauth/token', this.t.issuer), { ...more, form, headers })
  }

  redeem(code: string, change: Change = {}, more: Sent = {}): Promise<Answer> {
    const given = { code, redirect_uri: this.redirect, code_verifier: this.verifier }
    return this.token({ grant_type: 'authorization_code', ...given }, change, more)
  }

  refresh(
    tokens: Pick<Tokens, 'refresh_token'>,
    change: Change = {},
    more: Sent = {},
  ): Promise<Answer> {
    const given = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    return this.token(given, change, more)
  }

  /** From a landed launch to tokens. @throws Error with the answer, where there are none */
  async tokens(landed: Answer): Promise<Tokens> {
    return tokensOf(await this.redeem(await this.code(handleOf(landed))))
  }
}

export function codeOf(answer: Answer): string {
  const code = answer.location?.searchParams.get('code')
  if (!code) throw new Error(`no code: ${answer.status} ${answer.location} ${answer.text}`)
  return code
}

export function tokensOf(answer: Answer): Tokens {
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text)
}

/** Opens a launch in a browser, of its own unless one is given, and takes it to tokens. */
export async function launchTo(
  t: TestGateway,
  order: Order,
  browser: UserAgent = new UserAgent(),
): Promise<{ readonly app: App; readonly browser: UserAgent; readonly tokens: Tokens }> {
  const app = new App(t, browser, order.app)
  return { app, browser, tokens: await app.tokens(await open(t, browser, order)) }
}

/** One call to the record, as the app makes it. */
export const call = (
  t: Pick<TestGateway, 'issuer'>,
  token: string,
  path: string,
  more: Sent = {},
): Promise<Answer> =>
  send(new URL(path, t.issuer), {
    ...more,
    headers: {
      authorization: `Bearer ${token}`,
      origin: APP_ORIGINS['care-plan'] ?? '',
      ...more.headers,
    },
  })

/** Whether the token still opens its own patient: the status of that one read. */
export const readsPatient = async (
  t: Pick<TestGateway, 'issuer'>,
  tokens: Tokens,
): Promise<number> => (await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)).status

/** Templates of the plan's sections that the record shows. */
export async function sectionsOf(t: TestGateway, tokens: Tokens): Promise<readonly string[]> {
  const path = `/openehr/v1/query/care-plan::sections?ehr_id=${tokens.ehrId}`
  const answer = await call(t, tokens.access_token, path)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  const rows: [string][] = JSON.parse(answer.text).rows
  return rows.map(([template]) => template.replace(/^care-plan::|\.v1$/g, '')).sort()
}

export const claimsIn = (jwt: string | undefined): JWTPayload => decodeJwt(jwt ?? '')
