/**
 * The key under which our own keys are kept: private parts encrypted, the ring as a whole sealed. Whoever reads the
 * store learns no private key; whoever writes to it cannot put a key of theirs among ours.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'

/** Where it comes from. Also as `…_FILE`. */
export const ENCRYPTION_VARIABLE = 'LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY'
/** The one before, for reading only. */
export const PREVIOUS_VARIABLE = `${ENCRYPTION_VARIABLE}_PREVIOUS`

const BYTES = 32
const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[\w+/-]{43}=?$/
/** Of 32 random bytes fewer than 20 kinds are as good as never seen: a pattern, not a key. */
const FEWEST_KINDS = 20

/** 32 random bytes, in hex or base64; `undefined` for anything else. */
export function readEncryptionKey(text: string): Uint8Array | undefined {
  const encoding = HEX.test(text) ? 'hex' : BASE64.test(text) ? 'base64' : undefined
  if (encoding === undefined) return undefined
  const bytes = new Uint8Array(Buffer.from(text, encoding))
  return bytes.length === BYTES && new Set(bytes).size >= FEWEST_KINDS ? bytes : undefined
}

export interface EncryptionKey {
  /** Tells one from another; says nothing of the key. */
  readonly name: string
  /** @param kid goes with it, authenticated: what is wrapped for one key cannot stand for another */
  wrap(kid: string, secret: string): Promise<string>
  /** @throws Error when it was not wrapped so */
  unwrap(kid: string, wrapped: string): Promise<string>
  seal(text: string): string
  /** A mark that nobody else can make, the same for the same text (HMAC-SHA-256, base64url). */
  mac(text: string): string
  isSealed(text: string, seal: string): boolean
}

/** @param secret 32 random bytes; each use has a key of its own, derived of it (RFC 5869) */
export function encryptionKey(secret: Uint8Array): EncryptionKey {
  const derived = (use: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, '', `launch-gateway key ring: ${use}`, BYTES))
  const [wrapping, sealing, marking] = [derived('wrap'), derived('seal'), derived('mark')]
  const seal = (text: string): string =>
    createHmac('sha256', sealing).update(text).digest('base64url')
  return {
    name: Buffer.from(derived('name').subarray(0, 8)).toString('hex'),
    // RFC 7518 §4.5, §5.3: AES-256-GCM; the nonce is random, the header is its additional data.
    wrap: (kid, text) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
        .encrypt(wrapping),
    async unwrap(kid, wrapped) {
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
      const { plaintext, protectedHeader } = await compactDecrypt(wrapped, wrapping, options)
      if (protectedHeader.kid !== kid) throw new Error('wrapped for another key')
      return new TextDecoder().decode(plaintext)
    },
    seal,
    mac: (text) => createHmac('sha256', marking).update(text).digest('base64url'),
    isSealed(text, given) {
      const [ours, theirs] = [Buffer.from(seal(text)), Buffer.from(given)]
      return ours.length === theirs.length && timingSafeEqual(ours, theirs)
    },
  }
}

/** What this process may read and write keys under. */
export interface EncryptionKeys {
  readonly current: EncryptionKey
  readonly previous?: EncryptionKey
}
