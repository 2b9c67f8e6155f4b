/**
 * Our own keys at work: ES256 for access tokens and for all that we sign for ourselves, RS256 for id_tokens (SMART
 * asks for it), ECDH-ES that launch systems seal to. The ring says which of them is used when; it is held in memory,
 * followed on each tick, and nothing that is signed or checked waits for the store.
 */
import { type CryptoKey, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { KeyAlgorithm, SigningAlgorithm } from '../core/key-ring.js'
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import { checkpointVerifier } from './checkpoints.js'
import type { Signer } from './custody.js'
import { KeyFault } from './fault.js'
import { type Follower, follow, type Published } from './following.js'
import { type RingParts, rotateWhenDue } from './ring.js'

export type { SigningAlgorithm } from '../core/key-ring.js'

export interface Keys {
  /** A compact JWS of the claims as they are. `typ` is the header's type (RFC 8725 §3.11). */
  sign(alg: SigningAlgorithm, typ: string, claims: JWTPayload): Promise<string>
  /**
   * Checks a JWS that we made, with a key that is still trusted: signature, type, issuer, time. Answers its claims.
   * @throws JOSEError
   */
  verify(jwt: string, typ: string, now: EpochMs): Promise<JWTPayload>
  /** The payload of a checkpoint that we signed, however long ago. `undefined` for any other. */
  verifyCheckpoint(jws: string): Promise<object | undefined>
  /** Opens what was sealed to our `use: enc` key (JWE compact, ECDH-ES with A256GCM). @throws Refusal seal_invalid */
  unseal(jwe: string): Promise<string>
  /** A mark that nobody else can make, the same for the same text on every node (HMAC-SHA-256, base64url). */
  mac(text: string): string
  /** What /oauth/jwks publishes now: public members only. The same object as long as it says the same. */
  readonly jwks: Published
  /** Of the ring. What was proven under another may be no proof any more. */
  readonly revision: number
  /** Follows the ring in the store. To be called every second. @throws Error: the node goes on with what it has */
  refresh(): Promise<void>
  /** Makes, retires and forgets keys, as the clock has it. */
  turn(): Promise<void>
}

export interface KeysParts extends RingParts {
  /** Ours, as `iss` of everything that we sign. */
  readonly issuer: string
}

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** @see RFC 7515 §5.1. What others may read in it is checked with jose (test/keys/signing.test.ts). */
function compactJws(
  signer: Signer,
  alg: SigningAlgorithm,
  typ: string,
  claims: JWTPayload,
): string | Promise<string> {
  const input = `${base64url({ alg, kid: signer.jwk.kid, typ })}.${base64url(claims)}`
  const whole = (signature: Uint8Array): string =>
    `${input}.${Buffer.from(signature).toString('base64url')}`
  const signature = signer.sign(alg, Buffer.from(input))
  return signature instanceof Promise ? signature.then(whole) : whole(signature)
}

function unsealing(ring: Follower): Keys['unseal'] {
  return async (jwe) => {
    try {
      const { kid } = decodeProtectedHeader(jwe)
      await ring.learn(kid)
      const open = ring.view().trusted.filter(({ alg }) => alg === 'ECDH-ES')
      // The name is only a hint: a sealer may leave it out, or call our key by a name of its own.
      const named = open.filter((key) => key.kid === kid)
      const unsealers = (named.length > 0 ? named : open).map(
        (key) => ring.now().loaded.get(key.kid)?.unsealer,
      )
      const tries = unsealers.map(async (unsealer) => {
        if (!unsealer) throw new Error('not a sealing key')
        return unsealer.unseal(jwe)
      })
      return new TextDecoder().decode(await Promise.any(tries))
    } catch (cause) {
      throw new Refusal('seal_invalid', 'not sealed to our key', { cause })
    }
  }
}

/** @throws KeyFault when the keys in the store cannot be used under our encryption key */
export async function openKeys(parts: KeysParts): Promise<Keys> {
  const { issuer } = parts
  const ring = await follow(parts)
  const signerOf = (alg: KeyAlgorithm): Signer => {
    const signer = ring.now().loaded.get(ring.view().active[alg]?.kid ?? '')?.signer
    if (!signer) throw new KeyFault(`there is no ${alg} key to sign with`)
    return signer
  }
  return {
    get jwks() {
      return ring.jwks()
    },
    get revision() {
      return ring.now().ring.revision
    },
    sign: async (alg, typ, claims) => compactJws(signerOf(alg), alg, typ, claims),
    async verify(jwt, typ, now) {
      const choose = async ({ kid, alg }: { kid?: string; alg?: string }): Promise<CryptoKey> => {
        await ring.learn(kid)
        const key = ring.view().trusted.find((each) => each.kid === kid && each.alg === alg)
        const loaded = key && ring.now().loaded.get(key.kid)
        if (!loaded) throw new Error('unknown key')
        return loaded.public
      }
      const options = { issuer, typ, algorithms: ['ES256', 'RS256'], currentDate: new Date(now) }
      return (await jwtVerify(jwt, choose, options)).payload
    },
    verifyCheckpoint: (jws) => checkpointVerifier(ring.now().ring.keys, issuer)(jws),
    unseal: unsealing(ring),
    mac: parts.encryption.current.mac,
    refresh: ring.refresh,
    async turn() {
      if (await rotateWhenDue(parts)) await ring.refresh()
    },
  }
}
