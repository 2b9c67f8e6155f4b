/**
 * An inbound SMART launch, redeemed at the system that made it: we are an ordinary confidential client of
 * its authorization server, by code with PKCE.
 *
 * @see SMART App Launch 2.2, "App Launch: Launch and Authorization"; RFC 7636; RFC 9207
 */
import type { JWTPayload } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  enableNonRepudiationChecks,
} from 'openid-client'
import { z } from 'zod'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import { after, type Clock, type EpochMs, type Seconds } from '../core/values.js'
import { type JourneySecrets, refusing } from './clinician.js'
import { mayCall, providerFetch } from './provider-calls.js'

const METADATA_LIFETIME: Seconds = 3600

/** What we need of a `smart-configuration`. */
const smartConfiguration = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
})

export interface LaunchIssuers {
  /** Where the browser goes with the handle that it brought. @throws Refusal sign_on_unavailable, sign_on_failed */
  begin(system: LaunchSystem, launch: string, secrets: JourneySecrets): Promise<URL>
  /**
   * Redeems what came back: the claims of the id_token, whose signature, issuer, audience, nonce and time
   * have been checked, and the system's own `patient`.
   * @throws Refusal sign_on_failed, sign_on_cancelled, sign_on_unavailable
   */
  finish(system: LaunchSystem, callback: URL, secrets: JourneySecrets): Promise<JWTPayload>
}

export interface LaunchIssuersConfig {
  readonly redirectUri: string
  /** How we authenticate at each. */
  readonly authenticate: ClientAuth
  readonly timeoutSeconds: Seconds
  readonly allowHttp: boolean
}

/**
 * Our assertion names the server by its issuer: a server that could call itself by another's name would
 * be handed what proves us there. So the registration says who it is, or its FHIR base does.
 *
 * @throws Refusal sign_on_failed
 * @see RFC 8414 §3.3 (issuer), RFC 7523 §3 (aud)
 */
function requireIssuer({ issuer: base, relay }: LaunchSystem, issuer: string): void {
  const own = relay?.issuer === undefined ? [base, new URL(base).origin] : [relay.issuer]
  if (!own.includes(issuer))
    throw new Refusal('sign_on_failed', `the server calls itself ${issuer}`.slice(0, 300))
}

async function discover(system: LaunchSystem, config: LaunchIssuersConfig): Promise<Configuration> {
  const { authenticate, timeoutSeconds, allowHttp } = config
  const call = providerFetch(timeoutSeconds, allowHttp)
  const answer = await call(`${system.issuer}/.well-known/smart-configuration`, {
    headers: { accept: 'application/json' },
  })
  const metadata = smartConfiguration.parse(await answer.json())
  requireIssuer(system, metadata.issuer)
  for (const url of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]) {
    if (!URL.canParse(url) || !mayCall(new URL(url), allowHttp)) {
      throw new Refusal('sign_on_failed', 'the metadata names an address that may not be used')
    }
  }
  const configuration = new Configuration(
    metadata,
    system.relay?.clientId ?? '',
    { id_token_signed_response_alg: system.algorithms[0] ?? 'ES256' },
    authenticate,
  )
  configuration.timeout = timeoutSeconds
  configuration[customFetch] = call
  if (allowHttp) allowInsecureRequests(configuration)
  // The library trusts the connection to the token endpoint; we want the signature as well.
  enableNonRepudiationChecks(configuration)
  return configuration
}

export function openLaunchIssuers(config: LaunchIssuersConfig, clock: Clock): LaunchIssuers {
  const held = new Map<string, { readonly until: EpochMs; readonly configuration: Configuration }>()
  const known = async (system: LaunchSystem): Promise<Configuration> => {
    const kept = held.get(system.id)
    if (kept && clock() < kept.until) return kept.configuration
    const configuration = await discover(system, config)
    held.set(system.id, { until: after(clock(), METADATA_LIFETIME), configuration })
    return configuration
  }
  return {
    begin: (system, launch, { state, nonce, verifier }) =>
      refusing('sign_on_failed', async () =>
        buildAuthorizationUrl(await known(system), {
          redirect_uri: config.redirectUri,
          scope: system.relay?.scope ?? '',
          aud: system.issuer,
          launch,
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        }),
      ),
    finish: (system, callback, { state, nonce, verifier }) =>
      refusing('sign_on_failed', async () => {
        const url = new URL(config.redirectUri)
        url.search = callback.search
        const tokens = await authorizationCodeGrant(await known(system), url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (!claims) throw new Refusal('sign_on_failed', 'no id_token')
        return claims
      }),
  }
}
