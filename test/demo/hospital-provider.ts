/** The pretend provider on a free port, beside a pretend gateway that hears its logout tokens. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import { parse } from 'yaml'
import type { Clock } from '../../src/core/values.js'
import { createProvider, makeProviderKeys, type ProviderKeys } from '../../src/demo/provider.js'
import type { ProviderUser } from '../../src/demo/provider-people.js'

export const USERS: readonly ProviderUser[] = parse(
  readFileSync(new URL('../../config/demo/people.yaml', import.meta.url), 'utf8'),
).users

export interface Listening {
  readonly origin: string
  close(): Promise<void>
}

export async function listen(app: Express): Promise<Listening> {
  const server: Server = createServer(app)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

export interface TestHospital extends Listening {
  readonly issuer: string
  readonly gateway: string
  readonly redirectUri: string
  /** The gateway's key for private_key_jwt. */
  readonly key: { readonly key: CryptoKey; readonly kid: string }
  readonly keys: ProviderKeys
  /** Logout tokens that the pretend gateway got. */
  readonly logoutTokens: string[]
  /** What the provider reported as gone wrong. */
  readonly problems: string[]
}

/** @param clock says when people sign in */
export async function openTestHospital(clock: Clock = Date.now): Promise<TestHospital> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'gateway-1', alg: 'ES256', use: 'sig' }
  const logoutTokens: string[] = []
  const problems: string[] = []

  const gatewayApp = express()
  gatewayApp.get('/oauth/jwks', (_req, res) => res.json({ keys: [jwk] }))
  gatewayApp.post(
    '/sign-in/backchannel-logout',
    express.urlencoded({ extended: false }),
    (req, res) => {
      logoutTokens.push(req.body.logout_token)
      res.status(200).end()
    },
  )
  const gateway = await listen(gatewayApp)

  const app = express()
  const hospital = await listen(app)
  const issuer = `${hospital.origin}/oidc`
  const keys = await makeProviderKeys()
  app.use(
    '/oidc',
    createProvider({
      issuer,
      gateway: {
        origin: gateway.origin,
        clientId: 'launch-gateway',
        jwksUri: `${gateway.origin}/oauth/jwks`,
      },
      users: USERS,
      keys,
      clock,
      report: (what, error) => problems.push(`${what}: ${error.message}`),
    }),
  )
  return {
    ...{ origin: hospital.origin, issuer, keys, logoutTokens, problems },
    gateway: gateway.origin,
    redirectUri: `${gateway.origin}/sign-in/callback`,
    key: { key: privateKey, kid: 'gateway-1' },
    close: async () => {
      await Promise.all([hospital.close(), gateway.close()])
    },
  }
}
