/** How we authenticate at others (private_key_jwt): the library says what, whichever key of ours is in use signs it. */
import { generateKeyPair, type JWTPayload } from 'jose'
import { type ClientAuth, type CryptoKey, modifyAssertion, PrivateKeyJwt } from 'openid-client'

/** Signs a JWT of the type with our ES256 key. */
export type SignAssertion = (typ: string, claims: JWTPayload) => Promise<string>

/** Some key, so that the library goes to work: what it signs is thrown away. Our own may not be in this process. */
let standIn: Promise<CryptoKey> | undefined
const standInKey = (): Promise<CryptoKey> => {
  standIn ??= generateKeyPair('ES256').then(({ privateKey }) => privateKey as CryptoKey)
  return standIn
}

/** @see RFC 7523 §2.2, §3; OpenID Connect Core 1.0 §9 */
export const assertionsBy =
  (sign: SignAssertion): ClientAuth =>
  async (server, client, body, headers) => {
    let claims: JWTPayload = {}
    const authenticate = PrivateKeyJwt(await standInKey(), {
      [modifyAssertion]: (_header, payload) => {
        claims = payload as JWTPayload
      },
    })
    await authenticate(server, client, body, headers)
    body.set('client_assertion', await sign('JWT', claims))
  }
