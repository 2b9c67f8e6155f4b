/**
 * What a registered app is held to. The specifications disagree with each other, so each is a row, and an
 * app says by which of them it was written.
 *
 * @see SMART App Launch 2.2; OpenID Connect Core 1.0; FAPI 2.0 Security Profile
 */

/** How an app proves who it is: not at all, by a secret, by a key, or by a certificate. */
export const CLIENT_TYPES = ['public', 'secret', 'key', 'certificate'] as const
export type ClientType = (typeof CLIENT_TYPES)[number]

/** Algorithms of client assertions and request objects that we can check. */
export const ASSERTION_ALGORITHMS = ['ES384', 'RS384', 'ES256', 'PS256', 'EdDSA'] as const
export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number]

export interface Profile {
  readonly types: readonly ClientType[]
  /** `client_secret_post` as well as `client_secret_basic`. */
  readonly secretInBody: boolean
  /** `unless-nonce`: an app that can authenticate may send a nonce instead. */
  readonly pkce: 'always' | 'unless-nonce'
  /** When `aud` must name this server: `for-data` with scopes of the record or a launch. */
  readonly audience: 'always' | 'for-data'
  readonly state: 'required' | 'optional'
  /** What an assertion's `aud` may be. */
  readonly assertionAudience: 'issuer-or-endpoint' | 'issuer'
  readonly assertionAlgorithms: readonly AssertionAlgorithm[]
  /** Pushed authorization requests only (RFC 9126). */
  readonly pushed: boolean
  /** Tokens are bound to a key or a certificate, always. */
  readonly bound: boolean
  /** A refresh token is replaced at each use. */
  readonly rotates: boolean
}

// biome-ignore format: a table
export const PROFILES = {
  smart: { types: CLIENT_TYPES,             secretInBody: false, pkce: 'always',       audience: 'always',   state: 'required', assertionAudience: 'issuer-or-endpoint', assertionAlgorithms: ASSERTION_ALGORITHMS,        pushed: false, bound: false, rotates: true  },
  oidc:  { types: CLIENT_TYPES,             secretInBody: true,  pkce: 'unless-nonce', audience: 'for-data', state: 'optional', assertionAudience: 'issuer-or-endpoint', assertionAlgorithms: ASSERTION_ALGORITHMS,        pushed: false, bound: false, rotates: true  },
  fapi2: { types: ['key', 'certificate'],   secretInBody: false, pkce: 'always',       audience: 'for-data', state: 'optional', assertionAudience: 'issuer',             assertionAlgorithms: ['PS256', 'ES256', 'EdDSA'], pushed: true,  bound: true,  rotates: false },
} as const satisfies Record<string, Profile>

export type ProfileName = keyof typeof PROFILES
export const PROFILE_NAMES = ['smart', 'oidc', 'fapi2'] as const satisfies readonly ProfileName[]

export const profileOf = ({ profile }: { readonly profile: ProfileName }): Profile =>
  PROFILES[profile]
