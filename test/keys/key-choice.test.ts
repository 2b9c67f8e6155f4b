import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { chooseKey, hasKid, type Jwk, readKeys } from '../../src/keys/key-choice.js'
import { ALGORITHMS, type Algorithm } from '../../src/keys/signature.js'

const rsa = (modulusLength: number, publicExponent = 65537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
const KEYS = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  Ed25519: generateKeyPairSync('ed25519'),
  Ed448: generateKeyPairSync('ed448'),
  X25519: generateKeyPairSync('x25519'),
  RSA: rsa(2048),
  'RSA of 1024 bits': rsa(1024),
  'RSA of 2047 bits': rsa(2047),
} as const
type Name = keyof typeof KEYS

const jwk = (name: Name, more: Jwk = {}): Jwk => ({
  ...(KEYS[name].publicKey as KeyObject).export({ format: 'jwk' }),
  ...{ kid: 'k', ...more },
})
const choose = (alg: Algorithm, ...keys: readonly Jwk[]) => chooseKey(keys, { alg, kid: 'k' })

const FITTING: readonly (readonly [Algorithm, Name])[] = [
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['RS384', 'RSA'],
  ['PS256', 'RSA'],
  ['EdDSA', 'Ed25519'],
]
const UNFIT = FITTING.flatMap(([alg, fit]) =>
  (Object.keys(KEYS) as Name[]).filter((name) => name !== fit).map((name) => [alg, name] as const),
)

describe('the key of a signature', () => {
  it.each(FITTING)('by %s may be %s', (alg, name) => {
    expect(choose(alg, jwk(name)).equals(KEYS[name].publicKey)).toBe(true)
    const said = jwk(name, { alg, use: 'sig', key_ops: ['verify'] })
    expect(choose(alg, said).equals(KEYS[name].publicKey)).toBe(true)
  })

  it.each(UNFIT)('by %s is never %s', (alg, name) => {
    expect(() => choose(alg, jwk(name))).toThrow()
  })

  it('covers every algorithm that there is', () => {
    expect(FITTING.map(([alg]) => alg)).toEqual(Object.keys(ALGORITHMS))
  })

  it.each<[string, Jwk]>([
    ['is for another algorithm', { alg: 'RS384' }],
    ['names no algorithm but says so', { alg: null }],
    ['is for sealing', { use: 'enc' }],
    ['is for an unknown use', { use: 'SIG' }],
    ['may only sign', { key_ops: ['sign'] }],
    ['may do nothing', { key_ops: [] }],
    ['does not say what it may as a list', { key_ops: 'verify' }],
    ['holds a private key', { d: 'AAAA' }],
    ['holds a shared secret', { k: 'AAAA' }],
    ['holds a prime', { p: 'AAAA' }],
    ['says another curve than it is on', { crv: 'P-384' }],
    ['is not on its curve', { x: Buffer.alloc(32, 1).toString('base64url') }],
    ['lacks a number', { y: undefined }],
    ['has a number for a name', { kid: 1 }],
  ])('is refused when it %s', (_what, more) => {
    expect(() => choose('ES256', jwk('P-256', more))).toThrow()
  })

  it('is exactly one of that name and kind (SMART, Signature Verification)', () => {
    const [one, two] = [jwk('P-256'), jwk('P-384')]
    expect(() => choose('ES256', one, two)).toThrow('several')
    expect(() => choose('ES256', one, { ...one })).toThrow('several')
    expect(() => choose('ES256', one, jwk('P-256', { use: 'enc' }))).toThrow('several')
    expect(() => choose('ES256')).toThrow('no key')
    expect(() => choose('ES256', jwk('P-256', { kid: 'K' }))).toThrow('no key')
    expect(choose('ES256', one, jwk('RSA'), jwk('P-384', { kid: 'other' }))).toBeDefined()
  })

  it('of RSA has an exponent that somebody would choose in earnest', () => {
    const { n } = jwk('RSA')
    for (const e of ['AQ', 'AA', Buffer.alloc(5, 255).toString('base64url')]) {
      expect(() => choose('RS384', { kty: 'RSA', kid: 'k', n, e })).toThrow()
    }
    expect(choose('RS384', { kty: 'RSA', kid: 'k', n, e: 'Aw' })).toBeDefined()
  })

  it('of RSA is not so large that checking it keeps us busy', () => {
    const n = (bits: number) => Buffer.alloc(bits / 8, 255).toString('base64url')
    const key = (bits: number): Jwk => ({ kty: 'RSA', kid: 'k', e: 'AQAB', n: n(bits) })
    expect(choose('RS384', key(8192))).toBeDefined()
    expect(() => choose('RS384', key(8200))).toThrow('too large')
  })
})

describe('a key set', () => {
  it('is a list of keys, of fifty at most', () => {
    const fifty = Array.from({ length: 50 }, (_, n) => ({ kid: String(n) }))
    expect(readKeys({ keys: fifty })).toHaveLength(50)
    expect(() => readKeys({ keys: [...fifty, {}] })).toThrow('more than 50')
    expect(readKeys({ keys: [] })).toEqual([])
  })

  it.each([null, undefined, [], {}, 'keys', { keys: {} }, { keys: [null] }, { keys: ['x'] }])(
    'is not %j',
    (body) => {
      expect(() => readKeys(body)).toThrow()
    },
  )

  it('holds a name exactly as it is written', () => {
    expect(hasKid([{ kid: 'a' }], 'a')).toBe(true)
    expect(hasKid([{ kid: 'a' }, { kid: 1 }, {}], 'A')).toBe(false)
    expect(hasKid([{}], 'undefined')).toBe(false)
  })
})
