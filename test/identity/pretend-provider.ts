/** A hand-made OpenID provider that answers as it is told: what a correct one would never do. */
import { createHmac } from 'node:crypto'
import express from 'express'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { type Listening, listen } from '../demo/hospital-provider.js'

export const NOW_SECONDS = (): number => Math.floor(Date.now() / 1000)

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

export const unsigned = (claims: object): string =>
  `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.`

/** The old confusion: the public key, which everyone has, taken for an HMAC secret. */
export function signedWithPublicKey(claims: object, key: JWK): string {
  const input = `${base64url({ alg: 'HS256', kid: key.kid })}.${base64url(claims)}`
  return `${input}.${createHmac('sha256', JSON.stringify(key)).update(input).digest('base64url')}`
}

export interface PretendProvider extends Listening {
  readonly issuer: string
  readonly publicJwk: JWK
  readonly key: CryptoKey
  sign(claims: Record<string, unknown>, header?: object, key?: CryptoKey): Promise<string>
  /** Claims of a faultless id_token, but for the nonce. */
  idClaims(nonce: string): Record<string, unknown>
  userinfo(): Record<string, unknown>
  /** What it answers; `silent` never does, and `tired` answers no second call on one connection. Each test sets what it needs. */
  readonly answers: {
    metadata: Record<string, unknown>
    idToken: string
    keys: readonly JWK[]
    userinfo: unknown
    status: { token: number; userinfo: number; jwks: number; metadata: number }
    silent: boolean
    tired: boolean
  }
  readonly asked: { metadata: number; jwks: number }
}

const SUB = '555254239101'

export async function openPretendProvider(): Promise<PretendProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid: 'pretend-1', alg: 'RS256', use: 'sig' }
  const asked = { metadata: 0, jwks: 0 }
  const app = express()
  const server = await listen(app)
  const issuer = `${server.origin}/op`
  const answers: PretendProvider['answers'] = {
    metadata: {},
    idToken: '',
    keys: [publicJwk],
    userinfo: {},
    status: { token: 200, userinfo: 200, jwks: 200, metadata: 200 },
    silent: false,
    tired: false,
  }
  const used = new WeakSet<object>()
  app.use(({ socket }, _res, next) => {
    if (answers.tired && used.has(socket)) socket.destroy()
    else next()
    used.add(socket)
  })
  app.get('/op/.well-known/openid-configuration', (_req, res) => {
    asked.metadata++
    if (answers.silent) return
    res.status(answers.status.metadata).json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      authorization_response_iss_parameter_supported: true,
      ...answers.metadata,
    })
  })
  app.get('/op/jwks', (_req, res) => {
    asked.jwks++
    res.status(answers.status.jwks).json({ keys: answers.keys })
  })
  app.post('/op/token', (_req, res) => {
    const tokens = { access_token: 'at', token_type: 'Bearer', id_token: answers.idToken }
    res.status(answers.status.token).json(tokens)
  })
  app.get('/op/me', (_req, res) => {
    res.status(answers.status.userinfo).json(answers.userinfo)
  })
  return {
    ...server,
    ...{ issuer, publicJwk, key: privateKey, answers, asked },
    sign: (claims, header = {}, key = privateKey) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'pretend-1', ...header })
        .sign(key),
    idClaims: (nonce) => ({
      ...{ iss: issuer, aud: 'launch-gateway', sub: SUB, nonce, sid: 'session-1' },
      ...{ iat: NOW_SECONDS(), exp: NOW_SECONDS() + 600, auth_time: NOW_SECONDS() },
      authentication_assurance_level: '3',
      id_assurance_level: '3',
      selected_roleid: '555254240101',
    }),
    userinfo: () => ({
      ...{ sub: SUB, uid: SUB, nhsid_useruid: SUB, name: 'Dr Amara Okafor' },
      nhsid_nrbac_roles: [
        {
          person_roleid: '555254240101',
          org_code: 'A83001',
          role_code: 'S0010:G0020:R0260',
          activity_codes: ['B0360'],
        },
      ],
    }),
  }
}
