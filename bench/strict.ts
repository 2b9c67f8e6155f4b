/**
 * The strict flow from outside: the request is pushed, the app proves itself by a key (private_key_jwt) at each of
 * three calls, its tokens are bound to another key (DPoP), and are renewed once. Ours has the launch before it.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  encode,
  type Flow,
  form,
  jwsOf,
  launchToken,
  locationOf,
  pkce,
  send,
  text,
} from './flows.js'
import {
  type Algorithm,
  APP_ORIGIN,
  appOf,
  ISSUER,
  PEER_ISSUER,
  REDIRECT,
  SCOPES,
} from './people.js'

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

interface Paths {
  readonly issuer: string
  readonly par: string
  readonly authorize: string
  readonly token: string
}

const OURS: Paths = {
  ...{ issuer: ISSUER, par: '/oauth/par', authorize: '/oauth/authorize', token: '/oauth/token' },
}
const PEERS: Paths = { issuer: PEER_ISSUER, par: '/request', authorize: '/auth', token: '/token' }

/** Everything that an app signs for one flow, before the clock runs. */
function signatures(key: KeyObject, app: string, { issuer, token }: Paths, origin: string) {
  const now = Math.floor(Date.now() / 1000)
  const assertion = () => {
    const claims = { iss: app, sub: app, aud: issuer, iat: now, exp: now + 240, jti: text(12) }
    const head = encode({ alg: 'ES256', kid: 'bench', typ: 'JWT' })
    return {
      client_id: app,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: jwsOf(key, head, encode(claims)),
    }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const head = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })
  const proof = () =>
    jwsOf(
      privateKey,
      head,
      encode({ jti: text(12), htm: 'POST', htu: `${origin}${token}`, iat: now }),
    )
  return { assertions: [assertion(), assertion(), assertion()], proofs: [proof(), proof()] }
}

type Signatures = ReturnType<typeof signatures>

const post = (path: string, fields: Readonly<Record<string, string>>, headers: object = {}) => ({
  ...{ method: 'POST' as const, path, body: new URLSearchParams(fields).toString() },
  headers: { ...form, origin: APP_ORIGIN, ...headers },
})

/** From the request that is pushed to the tokens that were renewed. */
async function walk(
  http: Parameters<Flow.Prepared>[0],
  paths: Paths,
  { assertions, proofs }: Signatures,
  asked: Readonly<Record<string, string>>,
  cookie: string,
): Promise<void> {
  const { verifier, challenge } = pkce()
  const [first, second, third] = assertions
  const parameters = {
    ...{ response_type: 'code', redirect_uri: REDIRECT, state: text(12), nonce: text(12) },
    ...{ code_challenge: challenge, code_challenge_method: 'S256', ...asked },
  }
  const pushed = await send(http, post(paths.par, { ...parameters, ...first }), 201)
  const { request_uri } = JSON.parse(pushed.body)
  const query = new URLSearchParams({ client_id: first?.client_id ?? '', request_uri })
  const path = `${paths.authorize}?${query}`
  const granted = await send(http, { method: 'GET', path, headers: { cookie } }, 303)
  const code = locationOf(granted.headers).searchParams.get('code') ?? ''
  const redeem = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT }
  const given = await send(
    http,
    post(paths.token, { ...redeem, code_verifier: verifier, ...second }, { dpop: proofs[0] }),
    200,
  )
  const { refresh_token, token_type } = JSON.parse(given.body)
  if (token_type !== 'DPoP') throw new Error(`not bound: ${given.body.slice(0, 200)}`)
  const renew = { grant_type: 'refresh_token', refresh_token, ...third }
  await send(http, post(paths.token, renew, { dpop: proofs[1] }), 200)
}

export function strictLaunches(jwk: object, algorithm: Algorithm): Flow {
  const key = createPrivateKey({ key: jwk as never, format: 'jwk' })
  const app = appOf(algorithm, 'strict')
  let made = 0
  return {
    prepare() {
      const token = launchToken(key, app, made++)
      const signed = signatures(key, app, OURS, ISSUER)
      return async (http) => {
        const body = `launch_token=${token}`
        const launch = { method: 'POST' as const, path: '/launch', headers: form, body }
        const opened = await send(http, launch, 303)
        const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? ''
        const handle = locationOf(opened.headers).searchParams.get('launch') ?? ''
        const asked = { scope: SCOPES.join(' '), aud: `${ISSUER}/fhir`, launch: handle }
        await walk(http, OURS, signed, asked, cookie)
      }
    },
  }
}

export function strictAuthorizations(
  jwk: object,
  cookies: readonly string[],
  algorithm: Algorithm,
  origin: string,
): Flow {
  const key = createPrivateKey({ key: jwk as never, format: 'jwk' })
  const app = appOf(algorithm, 'strict')
  let made = 0
  return {
    prepare() {
      const cookie = cookies[made++ % cookies.length] ?? ''
      const signed = signatures(key, app, PEERS, origin)
      const asked = { scope: 'openid plan.read plan.write' }
      return (http) => walk(http, PEERS, signed, asked, cookie)
    },
  }
}
