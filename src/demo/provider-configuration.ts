/** How oidc-provider is set up to look like NHS CIS2 to one relying party: the gateway. */
import type { JWK } from 'jose'
import type { ClientMetadata, Configuration, FindAccount, interactionPolicy } from 'oidc-provider'
import type { Seconds } from '../core/values.js'
import { LEAST, leastOf, worthOf } from './provider-assurance.js'
import { interactionPolicy as library } from './provider-library.js'
import { providerMemory } from './provider-memory.js'
import { problemPage, signedOutPage, signOutPage } from './provider-pages.js'
import { CLAIMS } from './provider-people.js'

const SESSION_LIFETIME: Seconds = 12 * 3600

// biome-ignore format: a table
const LIFETIMES: Readonly<Record<string, Seconds>> = {
  Interaction:       900,
  AuthorizationCode: 60,
  AccessToken:       600,
  IdToken:           3600,
  Grant:             SESSION_LIFETIME,
  Session:           SESSION_LIFETIME,
}

/** What survives a restart: else every relying party would have to learn new keys. */
export interface ProviderKeys {
  /** One RS256 pair, as a private JWK. */
  readonly signing: readonly JWK[]
  /** Secrets under which cookies are signed. */
  readonly cookies: readonly string[]
}

/** The gateway as a client: by its public keys, or by where it publishes them. */
export type RelyingParty = {
  readonly origin: string
  readonly clientId: string
} & ({ readonly jwks: { readonly keys: readonly JWK[] } } | { readonly jwksUri: string })

export interface ProviderSetting {
  /** Path under which the provider is mounted. */
  readonly base: string
  readonly gateway: RelyingParty
  readonly keys: ProviderKeys
  readonly findAccount: FindAccount
}

/** Where the security team comes back to: who is sent there is offered the team's people. */
export const CONSOLE_CALLBACK = '/console/callback'

const clientOf = (gateway: RelyingParty): ClientMetadata => ({
  client_id: gateway.clientId,
  client_name: 'Care plan gateway',
  redirect_uris: [`${gateway.origin}/sign-in/callback`, `${gateway.origin}${CONSOLE_CALLBACK}`],
  token_endpoint_auth_method: 'private_key_jwt',
  ...('jwks' in gateway ? { jwks: gateway.jwks } : { jwks_uri: gateway.jwksUri }),
  backchannel_logout_uri: `${gateway.origin}/sign-in/backchannel-logout`,
  backchannel_logout_session_required: true,
  require_auth_time: true,
})

/** Signing in is all there is to agree to, and a session too weak for what is asked signs in again. */
function policyOf(): interactionPolicy.DefaultPolicy {
  const policy = library.base()
  policy.remove('consent')
  policy.get('login')?.checks.add(
    new library.Check('assurance', 'A stronger sign-in is needed', ({ oidc }) => {
      return worthOf(oidc.session?.acr) < leastOf(oidc.params?.acr_values)
    }),
  )
  return policy
}

/** Cookies know no ports: the GP desktop has the same host, so these have names and a path of their own. */
const cookiesOf = (base: string, keys: ProviderKeys): Configuration['cookies'] => ({
  names: {
    session: 'hospital_oidc',
    interaction: 'hospital_oidc_sign_in',
    resume: 'hospital_oidc_resume',
  },
  keys: [...keys.cookies],
  long: { path: base, httpOnly: true, sameSite: 'lax', signed: true },
  short: { httpOnly: true, sameSite: 'lax', signed: true },
})

const featuresOf = (base: string): Configuration['features'] => ({
  devInteractions: { enabled: false },
  dPoP: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  resourceIndicators: { enabled: false },
  backchannelLogout: { enabled: true },
  rpInitiatedLogout: {
    enabled: true,
    logoutSource: (ctx, form) => {
      ctx.body = signOutPage(base, form)
    },
    postLogoutSuccessSource: (ctx) => {
      ctx.body = signedOutPage(base)
    },
  },
})

export const configurationOf = (setting: ProviderSetting): Configuration => ({
  adapter: providerMemory(),
  clients: [clientOf(setting.gateway)],
  jwks: { keys: [...setting.keys.signing] },
  findAccount: setting.findAccount,
  claims: { ...CLAIMS, sid: null, iss: null },
  acrValues: Object.keys(LEAST),
  responseTypes: ['code'],
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: {
    clientAuthSigningAlgValues: ['ES256', 'RS256', 'RS512'],
    idTokenSigningAlgValues: ['RS256'],
  },
  pkce: { required: () => true },
  interactions: {
    policy: policyOf(),
    url: (_ctx, { uid }) => `${setting.base}/interaction/${uid}`,
  },
  cookies: cookiesOf(setting.base, setting.keys),
  features: featuresOf(setting.base),
  // The library hands its `fetch` a dispatcher that refuses loopback, where the demonstration's gateway is.
  fetch: (url, options) => {
    const { dispatcher: _, ...rest } = { dispatcher: undefined, ...options }
    return fetch(url, rest)
  },
  renderError: (ctx, { error, error_description }) => {
    ctx.type = 'html'
    ctx.body = problemPage(setting.base, `${error_description ?? error}`)
  },
  ttl: { ...LIFETIMES },
})
