/**
 * The peer: oidc-provider, doing its authorize and token for a user who is signed in. As in a launch, every
 * flow has a grant of its own, and nobody is asked for consent.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from '../src/demo/provider-library.js'
import { answer } from './answering.js'
import { ALGORITHMS, appOf, PEER_ISSUER, REDIRECT } from './people.js'
import { providerRedis } from './provider-redis.js'

const RESOURCE = 'https://record.example'
const RESOURCE_SCOPES = 'plan.read plan.write'
/** Few enough: its own memory holds a thousand records, and a session that is not among the last of them is signed out. */
const BROWSERS = 32
const SESSION_LIFETIME = 43_200

interface Setting {
  /** Absent: its own memory. */
  readonly redis?: string
  /** With what the strict apps prove themselves. */
  readonly jwk: Readonly<Record<string, unknown>>
}

async function keyOf(alg: string) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg }
}

/** A launch has its own grant, and so has a flow here. */
async function grantAnew(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc
  const grant = new provider.Grant({
    ...(client ? { clientId: client.clientId } : {}),
    ...(session?.accountId ? { accountId: session.accountId } : {}),
  })
  grant.addOIDCScope('openid offline_access')
  grant.addResourceScope(RESOURCE, RESOURCE_SCOPES)
  await grant.save()
  return grant
}

const configuration = async ({ redis, jwk }: Setting, secret: string): Promise<Configuration> => ({
  ...(redis === undefined ? {} : { adapter: providerRedis(redis) }),
  clients: ALGORITHMS.flatMap((algorithm) => [
    {
      client_id: appOf(algorithm),
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: algorithm,
    },
    {
      client_id: appOf(algorithm, 'strict'),
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...jwk }] },
      id_token_signed_response_alg: algorithm,
    },
  ]) as Configuration['clients'] & object,
  jwks: { keys: await Promise.all(ALGORITHMS.map(keyOf)) },
  enabledJWA: { idTokenSigningAlgValues: [...ALGORITHMS] },
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  responseTypes: ['code'],
  pkce: { required: () => true },
  loadExistingGrant: grantAnew,
  // Else the second launch of one browser would end the first.
  expiresWithSession: () => false,
  clientBasedCORS: () => true,
  cookies: { keys: [secret] },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => false },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: RESOURCE_SCOPES,
        audience: RESOURCE,
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  interactions: { url: () => '/interaction' },
  ttl: { Session: SESSION_LIFETIME, Grant: SESSION_LIFETIME, AuthorizationCode: 60, IdToken: 300 },
})

/** What the browsers of signed-in users send. */
async function cookiesOf(provider: InstanceType<typeof Provider>, secret: string) {
  return Promise.all(
    Array.from({ length: BROWSERS }, async (_, index) => {
      const session = new provider.Session()
      session.loginAccount({ accountId: `user-${index}` })
      const id = await session.save(SESSION_LIFETIME)
      const signature = createHmac('sha1', secret).update(`_session=${id}`).digest('base64url')
      return `_session=${id}; _session.sig=${signature}`
    }),
  )
}

let server: Server | undefined

async function open(setting: Setting) {
  const secret = randomBytes(24).toString('base64url')
  const provider = new Provider(PEER_ISSUER, await configuration(setting, secret))
  provider.on('server_error', (_ctx, error) => console.error(error))
  server = createServer(provider.callback())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, cookies: await cookiesOf(provider, secret) }
}

answer({ open }, async () => server?.closeAllConnections())
