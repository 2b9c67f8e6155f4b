/** A registered app: an OAuth client. @see RFC 7591 §2; SMART App Launch 2.2, "Register App with EHR" */

import type { DetailType } from './authorization-details.js'
import type { ExpectedCertificate } from './certificate.js'
import type { AssertionAlgorithm, ClientType, ProfileName } from './client-profile.js'
import type { ContextKind } from './context-kinds.js'
import type { KeySource } from './launch-system.js'
import { INTROSPECT } from './scope.js'
import type { EpochMs, Seconds } from './values.js'

/** @see RFC 8693 §2.1 */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Grant types that an app may be registered for. */
export const CLIENT_GRANTS = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  TOKEN_EXCHANGE,
] as const
export type ClientGrant = (typeof CLIENT_GRANTS)[number]

export interface Client {
  readonly id: string
  readonly name: string
  readonly profile: ProfileName
  /** `public`: no authentication; `secret`: a shared secret; `key`: private_key_jwt; `certificate`: mutual TLS. */
  readonly type: ClientType
  /** SHA-256 of the secret, base64url: secrets have 32 characters or more, so that a slow hash would add nothing. */
  readonly secretHash?: string
  readonly keys?: KeySource
  /** Since when its keys stand in its registration; unknown where left out. */
  readonly keysSince?: EpochMs
  readonly assertionAlgorithms: readonly AssertionAlgorithm[]
  /** Whom its certificate must name (RFC 8705 §2.1.2); without, a registered key's own certificate (§2.2). */
  readonly certificate?: ExpectedCertificate
  /** What its tokens are bound to, always; a key of its choice may bind those of any app (RFC 9449). */
  readonly bound?: 'key' | 'certificate'
  /** Its proofs must carry a nonce of ours, at every endpoint (RFC 9449 §8, §9). */
  readonly nonceRequired?: boolean
  readonly grantTypes: readonly ClientGrant[]
  /** May send neither PKCE nor a nonce: for suites that test it, and for apps older than both. */
  readonly pkceOptional?: boolean
  /** Whether it may, or must, send its request as a signed object (RFC 9101). */
  readonly requestObjects?: 'allowed' | 'required'
  /** Only pushed authorization requests (RFC 9126). */
  readonly pushed: boolean
  /** Complete addresses, compared character by character. */
  readonly redirectUris: readonly string[]
  /** Complete addresses at which the app is launched; the first is the default. */
  readonly launchUrls: readonly string[]
  /** Complete addresses to which a sign-out may go on, compared character by character. None if left out. */
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where it is told that a sign-on is over. @see OpenID Connect Back-Channel Logout 1.0 §2.2 */
  readonly backchannelLogoutUri?: string
  /** The most that the app may ever be granted. */
  readonly scopes: readonly string[]
  readonly idTokenAlgorithm: 'RS256' | 'ES256'
  /** How userinfo is signed; plain JSON without. */
  readonly userinfoAlgorithm?: 'RS256' | 'ES256'
  /** Apps whose access tokens it may exchange (RFC 8693). */
  readonly exchangesFor?: readonly string[]
  /** Whether it may introspect tokens of other apps; where this is absent, only a service with the scope for it may. */
  readonly introspects?: boolean
  /** Shorter than the gateway's own, or as long. */
  readonly accessTokenLifetime?: Seconds
  /** Of its grants with `offline_access`: shorter than the gateway's own, or as long. */
  readonly offlineLifetime?: Seconds
  /** Kinds of launch context of its own; none, where left out. */
  readonly contexts?: readonly ContextKind[]
  /** Types of authorization details that it may ask for (RFC 9396 §10). */
  readonly detailTypes?: readonly DetailType[]
  /** Origins that may call the token endpoint and the record from a browser. */
  readonly origins: readonly string[]
}

/** Whether it may introspect tokens of other apps: whoever is registered to, and never one that proves nothing. */
export const mayIntrospect = ({ type, introspects, scopes }: Client): boolean =>
  type !== 'public' && (introspects ?? scopes.includes(INTROSPECT))

const DAY: EpochMs = 86_400_000
/** Nobody fetches keys that stand in a registration: past this its app is to be asked for new ones. */
const KEYS_FOR_DAYS = 365

/**
 * How old the keys are that stand in a registration itself; `undefined` where none do.
 *
 * @returns days, where it is known; whether the app should be reminded to renew them
 * @see SMART App Launch 2.2, "Registering a client (communicating public keys)"
 */
export function inlineKeys({ keys, keysSince }: Pick<Client, 'keys' | 'keysSince'>, now: EpochMs) {
  if (!keys || !('jwks' in keys)) return undefined
  if (keysSince === undefined) return { days: undefined, old: true }
  const days = Math.floor((now - keysSince) / DAY)
  return { days, old: days > KEYS_FOR_DAYS }
}
