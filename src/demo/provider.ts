/**
 * The pretend hospital's OpenID provider: oidc-provider in the shape of NHS CIS2. It asks for no password
 * and exists for the demonstration and the tests alone.
 */
import { randomBytes } from 'node:crypto'
import { Router } from 'express'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type Provider from 'oidc-provider'
import type { AccountClaims, FindAccount } from 'oidc-provider'
import type { Clock } from '../core/values.js'
import { configurationOf, type ProviderKeys, type RelyingParty } from './provider-configuration.js'
import { Provider as Library } from './provider-library.js'
import { homePage, STYLE } from './provider-pages.js'
import { type Choice, idTokenClaims, type ProviderUser, userinfoClaims } from './provider-people.js'
import { signInRoutes } from './provider-sign-in.js'

const MOST_CHOICES = 10_000

export type { ProviderKeys, RelyingParty } from './provider-configuration.js'

export async function makeProviderKeys(): Promise<ProviderKeys> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    signing: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }],
    cookies: [randomBytes(32).toString('base64url')],
  }
}

export interface ProviderOptions {
  /** Its origin and the path under which the handler is mounted: `{hospital}/oidc`. */
  readonly issuer: string
  readonly gateway: RelyingParty
  readonly users: readonly ProviderUser[]
  /** The security team: offered to whoever comes from the console. */
  readonly team?: readonly ProviderUser[]
  readonly keys: ProviderKeys
  /** Says when a person signed in. Tokens expire by the system's clock, which is the library's. */
  readonly clock?: Clock
  /** Told what went wrong behind a page or a sign-out, for the demonstration's log. */
  readonly report?: (what: string, error: Error) => void
}

/** Never in a frame; and no `form-action`, which would be held against where a relying party redirects to. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // A sign-in that was opened from a frame comes back to its opener: the window must not be cut off.
  'Cross-Origin-Opener-Policy': 'unsafe-none',
}

function listen(provider: Provider, report: ProviderOptions['report']): void {
  provider.on('server_error', (_ctx, error) => report?.('server_error', error))
  provider.on('grant.error', (_ctx, error) => report?.('grant.error', error))
  provider.on('authorization.error', (_ctx, error) => report?.('authorization.error', error))
  provider.on('backchannel.error', (_ctx, error) => report?.('backchannel.error', error))
}

/**
 * Mount it at the issuer's path. Nothing in front of it may read bodies.
 *
 * A person signs out at `{issuer}/sign-out`, upon which the gateway gets a logout token.
 */
export function createProvider(options: ProviderOptions): Router {
  const { issuer, users, team = [], clock = Date.now } = options
  const base = new URL(issuer).pathname
  const choices = new Map<string, Choice>()
  const keep = (grantId: string, choice: Choice): void => {
    choices.set(grantId, choice)
    const [oldest] = choices.keys()
    if (choices.size > MOST_CHOICES && oldest !== undefined) choices.delete(oldest)
  }
  const findAccount: FindAccount = (_ctx, sub, token) => {
    const choice = choices.get((token as { grantId?: string } | undefined)?.grantId ?? '')
    return {
      accountId: sub,
      claims: (use, scope): AccountClaims => {
        if (!choice) return { sub }
        return use === 'id_token' ? idTokenClaims(choice, scope) : userinfoClaims(choice)
      },
    }
  }
  const provider = new Library(issuer, configurationOf({ ...options, base, findAccount }))
  listen(provider, options.report)

  const router = Router()
  router.use((_req, res, next) => {
    res.set(HEADERS)
    next()
  })
  router.get('/', (_req, res) => res.send(homePage(base)))
  router.get('/style.css', (_req, res) => res.type('css').send(STYLE))
  router.get('/sign-out', (_req, res) => res.redirect(303, `${issuer}/session/end`))
  router.use(signInRoutes({ provider, base, users, team, clock, keep }))
  router.use(provider.callback())
  return router
}
