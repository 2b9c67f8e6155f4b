/** What we know of an OpenID provider from its own metadata: asked at first need, kept for an hour. */

import { createRemoteJWKSet, customFetch as customKeyFetch, type JWTVerifyGetKey } from 'jose'
import {
  allowInsecureRequests,
  type ClientAuth,
  type Configuration,
  customFetch,
  discovery,
} from 'openid-client'
import { Refusal } from '../core/refusal.js'
import { after, type Clock, type EpochMs, type Seconds } from '../core/values.js'
import { mayCall, providerFetch } from './provider-calls.js'

const METADATA_LIFETIME: Seconds = 3600
/** An unknown `kid` makes us ask for the keys again, but not oftener: anyone can make up a `kid`. */
const KEYS_FLOOR: Seconds = 300

export interface ProviderAddress {
  /** Compared as the exact string with what the provider says of itself, in metadata, answers and tokens. */
  readonly issuer: string
  readonly clientId: string
  /** How we authenticate there. */
  readonly authenticate: ClientAuth
  /** Bound on each call, its answer's body included. */
  readonly timeoutSeconds: Seconds
  /** Plain http to loopback addresses: the demonstration only. */
  readonly allowHttp: boolean
}

export interface KnownProvider {
  readonly configuration: Configuration
  /** The key that a JWS of this provider names. */
  readonly keys: JWTVerifyGetKey
}

async function discover(address: ProviderAddress): Promise<KnownProvider> {
  const { issuer, clientId, authenticate, timeoutSeconds, allowHttp } = address
  const call = providerFetch(timeoutSeconds, allowHttp)
  const configuration = await discovery(new URL(issuer), clientId, {}, authenticate, {
    timeout: timeoutSeconds,
    [customFetch]: call,
    execute: allowHttp ? [allowInsecureRequests] : [],
  })
  const metadata = configuration.serverMetadata()
  if (metadata.issuer !== issuer) {
    throw new Refusal(
      'sign_on_failed',
      `the provider calls itself ${metadata.issuer}`.slice(0, 300),
    )
  }
  const { authorization_endpoint: page = '', jwks_uri: keys = '' } = metadata
  for (const url of [page, keys]) {
    if (!URL.canParse(url) || !mayCall(new URL(url), allowHttp)) {
      throw new Refusal('sign_on_failed', 'the metadata lacks an address that may be used')
    }
  }
  return {
    configuration,
    keys: createRemoteJWKSet(new URL(keys), {
      timeoutDuration: timeoutSeconds * 1000,
      cooldownDuration: KEYS_FLOOR * 1000,
      cacheMaxAge: METADATA_LIFETIME * 1000,
      [customKeyFetch]: call,
    }),
  }
}

/**
 * The provider, as far as known. Nothing is asked before the first call; callers that come together
 * share one question; a failure is not kept.
 *
 * @throws Refusal sign_on_unavailable, sign_on_failed; or what the library throws
 */
export function openDiscovery(
  address: ProviderAddress,
  clock: Clock,
): () => Promise<KnownProvider> {
  let held: { readonly until: EpochMs; readonly provider: Promise<KnownProvider> } | undefined
  return () => {
    if (held && clock() < held.until) return held.provider
    const asked = { until: after(clock(), METADATA_LIFETIME), provider: discover(address) }
    held = asked
    asked.provider.catch(() => {
      if (held === asked) held = undefined
    })
    return asked.provider
  }
}
