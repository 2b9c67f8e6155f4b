import { createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { chooseKey, type Jwk, readKeys } from '../../src/keys/key-choice.js'
import { ALGORITHMS, type Algorithm, isSignedBy, readJws } from '../../src/keys/signature.js'

const CLAIMS = { iss: 'gp-post', sub: 'Zoë 李', jti: 'a-launch-of-its-own' }
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const PAIRS = {
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  RS384: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 3072 }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const satisfies Record<Algorithm, { publicKey: KeyObject; privateKey: KeyObject }>
const NAMES = Object.keys(PAIRS) as Algorithm[]
const OTHER = ec('P-256')

const jwkOf = (key: KeyObject, more: Jwk = {}): Jwk => ({
  ...key.export({ format: 'jwk' }),
  ...more,
})
const ours = PAIRS.ES256.publicKey
const keys: readonly Jwk[] = [
  ...NAMES.map((alg) => jwkOf(PAIRS[alg].publicKey, { kid: alg })),
  jwkOf(ours, { kid: 'for sealing', use: 'enc' }),
  jwkOf(ours, { kid: 'of another algorithm', alg: 'ES384' }),
  jwkOf(ours, { kid: 'for nothing of this', key_ops: ['sign'] }),
  jwkOf(ours, { kid: 'twice' }),
  jwkOf(OTHER.publicKey, { kid: 'twice' }),
]

interface Made {
  readonly alg?: Algorithm
  readonly header?: Readonly<Record<string, unknown>>
  readonly payload?: unknown
  readonly key?: KeyObject
  readonly encoding?: 'ieee-p1363' | 'der'
}

function jws(made: Made = {}): string {
  const { alg = 'ES256', header, payload = CLAIMS, encoding = 'ieee-p1363' } = made
  const { hash, how } = ALGORITHMS[alg]
  const head = { alg, typ: 'launch+jwt', kid: alg, ...header }
  const input = `${encode(head)}.${encode(payload)}`
  const key = { key: made.key ?? PAIRS[alg].privateKey, ...how, dsaEncoding: encoding }
  return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`
}

async function here(text: string): Promise<string | undefined> {
  try {
    const read = readJws(text)
    const key = chooseKey(readKeys({ keys }), read.header)
    return (await isSignedBy(read, key)) ? read.payload : undefined
  } catch {
    return undefined
  }
}

async function byJose(text: string): Promise<string | undefined> {
  try {
    const set = createLocalJWKSet({ keys } as unknown as JSONWebKeySet)
    const { payload } = await compactVerify(text, set, { algorithms: NAMES })
    return new TextDecoder().decode(payload)
  } catch {
    return undefined
  }
}

describe.each(NAMES)('a signature by %s that is checked here', (alg) => {
  it('is accepted with what it signs, as jose accepts it', async () => {
    for (let index = 0; index < 100; index++) {
      const text = jws({ alg, payload: { ...CLAIMS, index } })
      expect(await here(text)).toBe(JSON.stringify({ ...CLAIMS, index }))
      expect(await byJose(text)).toBe(await here(text))
    }
  })

  it.each<[string, (text: string) => string]>([
    ['without it', (text) => text.replace(/[^.]*$/, '')],
    ['of zeros', (text) => text.replace(/[^.]*$/, encode('\0'.repeat(64)))],
    ['cut short', (text) => text.slice(0, -4)],
    ['made longer', (text) => `${text}AAAA`],
    [
      'of another’s',
      (text) => text.replace(/[^.]*$/, jws({ key: OTHER.privateKey }).split('.')[2] ?? ''),
    ],
    [
      'of other claims',
      (text) => text.replace(/\.[^.]+\./, `.${encode({ ...CLAIMS, sub: 'x' })}.`),
    ],
  ])('is refused %s, as jose refuses it', async (_what, change) => {
    const text = change(jws({ alg }))
    expect([await here(text), await byJose(text)]).toEqual([undefined, undefined])
  })

  it.each(NAMES.filter((other) => other !== alg))('is refused as one by %s', async (other) => {
    const under = (kid: string) => jws({ alg, header: { alg: other, kid } })
    for (const text of [under(alg), under(other)]) {
      expect([await here(text), await byJose(text)]).toEqual([undefined, undefined])
    }
  })

  it('is refused whatever single character of it is changed', async () => {
    const text = jws({ alg })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 3),
        fc.constantFrom(...'AZaz09-_.=+/ \n'),
        async (at, character) => {
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          fc.pre(changed !== text)
          expect(await here(changed)).toBeUndefined()
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a signature that is checked here', () => {
  it.each<[string, () => string]>([
    ['another key than it names', () => jws({ key: OTHER.privateKey })],
    ['a key that is not known', () => jws({ header: { kid: 'nobody' } })],
    ['a key of another curve', () => jws({ header: { kid: 'ES384' } })],
    ['a key of another kind', () => jws({ header: { kid: 'RS384' } })],
    ['a key that is for sealing', () => jws({ header: { kid: 'for sealing' } })],
    ['a key that is for another algorithm', () => jws({ header: { kid: 'of another algorithm' } })],
    ['a key that is for another act', () => jws({ header: { kid: 'for nothing of this' } })],
    ['a name that two keys bear', () => jws({ header: { kid: 'twice' } })],
    ['a signature in DER', () => jws({ encoding: 'der' })],
    ['four parts', () => `${jws()}.AA`],
    ['two parts', () => jws().split('.').slice(0, 2).join('.')],
    ['a space in a part', () => jws().replace('.', ' .')],
    ['an extension that must be understood', () => jws({ header: { crit: ['exp'], exp: 1 } })],
    ['no extension that must be understood', () => jws({ header: { crit: [] } })],
    ['no algorithm', () => jws({ header: { alg: 'none' } })],
    ['the algorithm in small letters', () => jws({ header: { alg: 'es256' } })],
    ['an algorithm that every object has', () => jws({ header: { alg: 'constructor' } })],
    ['an algorithm that is a list', () => jws({ header: { alg: ['ES256'] } })],
    ['a shared secret’s algorithm', () => jws({ header: { alg: 'HS256' } })],
    [
      'a hash of another size',
      () => {
        const input = jws().split('.').slice(0, 2).join('.')
        const signer = createSign('sha384').update(input)
        const key = { key: PAIRS.ES256.privateKey, dsaEncoding: 'ieee-p1363' } as const
        return `${input}.${signer.sign(key, 'base64url')}`
      },
    ],
  ])('is refused with %s, as jose refuses it', async (_what, make) => {
    const text = make()
    expect([await here(text), await byJose(text)]).toEqual([undefined, undefined])
  })

  it('is refused with white space around it, whatever other readers skip (RFC 7515 §2)', async () => {
    for (const space of [' ', '\t', '\n', '\r\n', '\u00a0', '\ufeff', '\0']) {
      for (const text of [
        `${space}${jws()}`,
        `${jws()}${space}`,
        jws().replace('.', `.${space}`),
      ]) {
        expect(await here(text)).toBeUndefined()
      }
    }
  })

  it('is refused with an unencoded payload, which jose would read (RFC 7797)', async () => {
    expect(await here(jws({ header: { crit: ['b64'], b64: false } }))).toBeUndefined()
    expect(await here(jws({ header: { b64: false } }))).toBeUndefined()
    expect(await here(jws({ header: { b64: true } }))).toBeUndefined()
  })

  it.each(['null', '[]', '"ES256"', '1', '{', ''])(
    'is refused with the header %j',
    async (head) => {
      const [, payload, signature] = jws().split('.')
      expect(await here(`${encode(head)}.${payload}.${signature}`)).toBeUndefined()
    },
  )

  it('is refused without a key’s name, or with one that is no name', async () => {
    for (const kid of [undefined, '', 1, null, ['ES256'], { ES256: 1 }]) {
      expect(await here(jws({ header: { kid } }))).toBeUndefined()
    }
  })
})
