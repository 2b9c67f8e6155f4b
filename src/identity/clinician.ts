/**
 * Our side of signing a clinician on at an OpenID provider in the shape of NHS CIS2: we are its relying
 * party, by authorization code with PKCE, authenticated by private_key_jwt.
 */
import { types as values } from 'node:util'
import { compactVerify, type JWTPayload, jwtVerify } from 'jose'
import {
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  ResponseBodyError,
} from 'openid-client'
import { type Clinician, type Person, readClinician, readPerson } from '../core/clinician-claims.js'
import { type LogoutNotice, readLogout } from '../core/logout-token.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import type { Assurance } from '../core/roles.js'
import { type Clock, type EpochSeconds, type Seconds, seconds } from '../core/values.js'
import { type KnownProvider, openDiscovery, type ProviderAddress } from './discovery.js'
import { mayCall } from './provider-calls.js'

/** CIS2 signs with RS256 and may come to RS512; nothing symmetric, never none. */
const ALGORITHMS = ['RS256', 'RS512']
const LOGOUT_TYPES: readonly (string | undefined)[] = ['logout+jwt', 'jwt', undefined]
const MOST_TOKEN_CHARACTERS = 16 * 1024

export interface ClinicianProviderConfig extends ProviderAddress {
  /** Registered at the provider, character by character. */
  readonly redirectUri: string
  readonly scope: string
  /** What to ask for each assurance that a launch or a policy may want. */
  readonly acrValues: Readonly<Record<Assurance, string>>
  /** Sent as `max_age` with every journey; the caller hands it to `finish` again. */
  readonly maxAge?: Seconds
  /** Clock difference allowed. */
  readonly skewSeconds?: Seconds
}

/** How a journey ends: what it was, and what its answer is held against. */
export interface JourneyEnd extends JourneySecrets {
  /** The least that will do. */
  readonly assurance: Assurance
  readonly maxAge?: Seconds | undefined
  /** When the journey began, if it demanded a fresh sign-in: an older one is refused. */
  readonly since?: EpochSeconds | undefined
}

/** What the caller made for this journey and keeps on the server until its end. */
export interface JourneySecrets {
  readonly state: string
  readonly nonce: string
  /** PKCE, 43 characters or more. */
  readonly verifier: string
}

export interface ClinicianProvider {
  /**
   * The origin of its sign-in page: what a form of ours must be allowed to lead to.
   * @throws Refusal sign_on_unavailable, sign_on_failed
   */
  pageOrigin(): Promise<string>
  /**
   * Where to send the browser, top-level: the provider refuses framing.
   * @throws Refusal sign_on_unavailable, sign_on_failed
   */
  begin(
    journey: JourneySecrets & {
      readonly assurance: Assurance
      /** The app is framed, so that this goes to a window of its own. */
      readonly framed: boolean
      /** Sign in again even if the provider still knows the user. Hand `since` to `finish`. */
      readonly forceLogin?: boolean
      readonly loginHint?: string
    },
  ): Promise<URL>
  /**
   * Ends a journey: the code is exchanged, id_token and userinfo are checked, joined and judged.
   *
   * @param callback what the browser came back with; only its parameters are looked at
   * @throws Refusal sign_on_failed, sign_on_cancelled, sign_on_unavailable, role_absent, role_unselected
   */
  finish(callback: URL, journey: JourneyEnd): Promise<Clinician>
  /**
   * The same for somebody who signs in without a role, by the same checks.
   * @throws Refusal sign_on_failed, sign_on_cancelled, sign_on_unavailable
   */
  finishPerson(callback: URL, journey: JourneyEnd): Promise<Person>
  /**
   * Reads a back-channel logout token. The caller spends its `jti` and ends what hangs on the session.
   * @throws Refusal logout_token_invalid, sign_on_unavailable when the keys could not be fetched
   */
  readLogoutToken(jwt: string): Promise<LogoutNotice>
}

const errorName = (text: string): string => text.replace(/[^\w ]/g, '').slice(0, 60)

/** The provider's own error codes that are not a failure of the sign-in (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6). */
const ANSWERS: ReadonlyMap<string, RefusalCode> = new Map([
  ['access_denied', 'sign_on_cancelled'],
  ['temporarily_unavailable', 'sign_on_unavailable'],
  ['server_error', 'sign_on_unavailable'],
])

/** Whatever the libraries throw, as a row of ours. A refusal of ours may come back to us as its `cause`. */
function asRefusal(thrown: unknown, code: RefusalCode): Refusal {
  for (let at: unknown = thrown, deep = 0; at && deep < 5; at = (at as Error).cause, deep++) {
    if (at instanceof Refusal) return at
  }
  const options = { cause: thrown }
  if (thrown instanceof AuthorizationResponseError) {
    return new Refusal(ANSWERS.get(thrown.error) ?? code, errorName(thrown.error), options)
  }
  if (thrown instanceof ResponseBodyError) {
    return new Refusal(code, `the provider answered ${errorName(thrown.error)}`, options)
  }
  const why = values.isNativeError(thrown) || thrown instanceof Error ? thrown.message : 'unknown'
  return new Refusal(code, why.slice(0, 300), options)
}

/** Runs a step; what it throws leaves as a refusal. */
export async function refusing<T>(code: RefusalCode, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (thrown) {
    throw asRefusal(thrown, code)
  }
}

/**
 * RFC 6749 §4.1.3 and OIDC Core §3.1.3: answers the claims of a verified id_token, and userinfo of the
 * same subject. State, `iss`, nonce, audience and expiry are the library's to check.
 */
async function exchange(
  { configuration, keys }: KnownProvider,
  { redirectUri }: ClinicianProviderConfig,
  callback: URL,
  { state, nonce, verifier }: JourneyEnd,
): Promise<{ readonly idToken: JWTPayload; readonly userinfo: unknown }> {
  // The address that the provider knows, not the one that a proxy in front of us made of it.
  const url = new URL(redirectUri)
  url.search = callback.search
  const tokens = await authorizationCodeGrant(configuration, url, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  const idToken = tokens.claims()
  if (!idToken || !tokens.id_token) throw new Refusal('sign_on_failed', 'no id_token')
  // The library trusts the connection to the token endpoint; we want the signature as well.
  await compactVerify(tokens.id_token, keys, { algorithms: ALGORITHMS })
  const userinfo = await fetchUserInfo(configuration, tokens.access_token, idToken.sub)
  return { idToken, userinfo }
}

/** What a kind of sign-in makes of the provider's claims. */
type Reading<T> = (...claims: [unknown, unknown, string, Parameters<typeof readClinician>[3]]) => T

/** @throws Error when the configuration asks for plain http where it must not */
export function openClinicianProvider(
  config: ClinicianProviderConfig,
  clock: Clock,
): ClinicianProvider {
  const { issuer, clientId, redirectUri, scope, acrValues, maxAge, skewSeconds: skew = 30 } = config
  if (!mayCall(new URL(issuer), config.allowHttp)) {
    throw new Error(`identity.clinician.issuer: expected https, got ${issuer}`)
  }
  const provider = openDiscovery(config, clock)
  const end =
    <T>(read: Reading<T>) =>
    (callback: URL, journey: JourneyEnd): Promise<T> =>
      refusing('sign_on_failed', async () => {
        const known = await provider()
        const { idToken, userinfo } = await exchange(known, config, callback, journey)
        const { assurance, maxAge, since } = journey
        const now = seconds(clock())
        return read(idToken, userinfo, issuer, { now, skew, assurance, maxAge, since })
      })
  return {
    pageOrigin: () =>
      refusing('sign_on_failed', async () => {
        const { authorization_endpoint } = (await provider()).configuration.serverMetadata()
        return new URL(authorization_endpoint ?? issuer).origin
      }),
    begin: ({ assurance, framed, forceLogin, loginHint, state, nonce, verifier }) =>
      refusing('sign_on_failed', async () => {
        const { configuration } = await provider()
        return buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope,
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          acr_values: acrValues[assurance],
          ...(maxAge === undefined ? {} : { max_age: `${maxAge}` }),
          ...(forceLogin ? { prompt: 'login' } : {}),
          ...(framed ? { display: 'popup' } : {}),
          ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        })
      }),
    finish: end(readClinician),
    finishPerson: end(readPerson),
    readLogoutToken: (jwt) =>
      refusing('logout_token_invalid', async () => {
        if (jwt.length > MOST_TOKEN_CHARACTERS) throw new Refusal('logout_token_invalid', 'length')
        const { keys } = await provider()
        const { payload, protectedHeader } = await jwtVerify(jwt, keys, {
          issuer,
          audience: clientId,
          algorithms: ALGORITHMS,
          clockTolerance: skew,
          currentDate: new Date(clock()),
        })
        // §2.6 lets a provider leave the type out; another token's type is another token.
        if (!LOGOUT_TYPES.includes(protectedHeader.typ?.toLowerCase())) {
          throw new Refusal('logout_token_invalid', 'typ')
        }
        return readLogout(payload, seconds(clock()), skew)
      }),
  }
}
