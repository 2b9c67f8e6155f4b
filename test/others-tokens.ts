/** An authorization server that others wrote (oidc-provider): it gives the gateway tokens for a record, and stands by them. */
import { exportJWK, generateKeyPair } from 'jose'
import type { ClientMetadata, Configuration } from 'oidc-provider'
import { Provider } from '../src/demo/provider-library.js'
import { providerMemory } from '../src/demo/provider-memory.js'
import { breakable, type Condition, hangUp, newKey, openSite } from './gateway-surroundings.js'

/** @see SMART App Launch 2.2, "Backend Services" */
export interface OthersTokens {
  readonly endpoint: string
  /** Every token that it gave, the newest last. */
  readonly given: string[]
  condition: Condition
  /** @param jwksUri where the gateway publishes its keys, by which `launch-gateway` is registered */
  register(jwksUri: string): Promise<void>
  /** Whether it gave that token and stands by it. */
  stands(token: string): Promise<boolean>
  /** It stands by none that it has given so far. */
  revoke(): Promise<void>
  close(): Promise<void>
}

export const RECORD_SCOPE = 'system/*.cruds'
/** In seconds. */
export const TOKEN_LIFE = 300
/** Registered with a key that the gateway does not have. */
export const OTHER_KEY = 'of-another-key'

async function configurationOf(jwksUri: string): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const client = {
    ...{ grant_types: ['client_credentials'], scope: RECORD_SCOPE },
    ...{ redirect_uris: [], response_types: [] },
    ...{ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256' },
  } as const
  const { d: _, ...other } = await newKey('ES256', 'other-1')
  const clients = [
    { ...client, client_id: 'launch-gateway', jwks_uri: jwksUri },
    { ...client, client_id: OTHER_KEY, jwks: { keys: [other] } },
  ] as unknown as ClientMetadata[]
  return {
    ...{ adapter: providerMemory(), clients },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    scopes: [RECORD_SCOPE],
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    ttl: { ClientCredentials: TOKEN_LIFE },
    // The library hands its `fetch` a dispatcher that refuses loopback, where the gateway's keys are.
    fetch: (url, options) => {
      const { dispatcher: _, ...rest } = { dispatcher: undefined, ...options }
      return fetch(url, rest)
    },
  }
}

export async function openOthersTokens(): Promise<OthersTokens> {
  const site = await openSite('127.0.0.1')
  let provider: InstanceType<typeof Provider> | undefined
  const find = (token: string) => provider?.ClientCredentials.find(token)
  const tokens: OthersTokens = {
    endpoint: `${site.origin}/token`,
    given: [],
    condition: 'up',
    async register(jwksUri) {
      provider = new Provider(site.origin, await configurationOf(jwksUri))
      provider.on('client_credentials.saved', ({ jti }) => void tokens.given.push(jti))
      const behind = {
        record: 'up' as const,
        get provider() {
          return tokens.condition
        },
      }
      site.serve(breakable(provider.callback(), behind))
    },
    stands: async (token) => (await find(token)) !== undefined,
    async revoke() {
      for (const token of tokens.given) await (await find(token))?.destroy()
    },
    close: () => hangUp(site.server),
  }
  return tokens
}
