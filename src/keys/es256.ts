/**
 * ES256 signatures of others, checked at once and here. jose checks by way of WebCrypto, where each check is
 * a journey to another thread that costs more than the check does. Keys are chosen and read by jose, every
 * other algorithm is checked by it, and what it refuses is refused here too (test/keys/es256.test.ts).
 */
import { KeyObject, verify, type webcrypto } from 'node:crypto'
import type { CompactJWSHeaderParameters, CompactVerifyGetKey } from 'jose'

/** RFC 7515 §2: base64url without padding. Node's own decoder would skip what is not. */
const BASE64URL = /^[\w-]+$/
/** RFC 7518 §3.4: two numbers of 32 bytes, side by side. */
const SIGNATURE_BYTES = 64

/**
 * @param header the JWS's own, which says ES256
 * @returns the payload
 * @throws Error whatever is wrong
 * @see RFC 7515 §5.2
 */
export async function verifyEs256(
  jws: string,
  header: CompactJWSHeaderParameters,
  keyOf: CompactVerifyGetKey,
): Promise<string> {
  const parts = jws.split('.')
  const [head = '', payload = '', signature = ''] = parts
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part)))
    throw new Error('not a JWS')
  // §4.1.11 An extension that is not understood makes the JWS invalid, and none is (RFC 7797 is one).
  if (header.alg !== 'ES256' || 'crit' in header || 'b64' in header) throw new Error('header')
  const found = await keyOf(header, { protected: head, payload, signature })
  const key = KeyObject.from(found as webcrypto.CryptoKey)
  const bytes = Buffer.from(signature, 'base64url')
  const input = Buffer.from(`${head}.${payload}`)
  const right =
    key.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    bytes.length === SIGNATURE_BYTES &&
    verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, bytes)
  if (!right) throw new Error('signature')
  return Buffer.from(payload, 'base64url').toString()
}
