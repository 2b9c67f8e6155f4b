import { createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, exportJWK, type JWK } from 'jose'
import { verifyEs256 } from '../../src/keys/es256.js'

const CLAIMS = { iss: 'gp-post', sub: 'Zoë 李', jti: 'a-launch-of-its-own' }
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

let ours: KeyObject
let keys: readonly JWK[]
let other: KeyObject

beforeAll(async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const wide = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  ours = pair.privateKey
  other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  keys = [
    { ...(await exportJWK(pair.publicKey)), kid: 'ours' },
    { ...(await exportJWK(wide.publicKey)), kid: 'wide' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
    { ...(await exportJWK(pair.publicKey)), kid: 'for sealing', use: 'enc' },
    { ...(await exportJWK(pair.publicKey)), kid: 'of another algorithm', alg: 'ES384' },
    { ...(await exportJWK(pair.publicKey)), kid: 'twice' },
    { ...(await exportJWK(other)), kid: 'twice' },
  ].map(({ d: _, ...key }) => key)
})

interface Made {
  readonly header?: Readonly<Record<string, unknown>>
  readonly payload?: unknown
  readonly key?: KeyObject
  readonly encoding?: 'ieee-p1363' | 'der'
}

function jws({ header, payload = CLAIMS, key = ours, encoding = 'ieee-p1363' }: Made = {}): string {
  const head = { alg: 'ES256', typ: 'launch+jwt', kid: 'ours', ...header }
  const input = `${encode(head)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: encoding })
  return `${input}.${signature.toString('base64url')}`
}

const set = () => createLocalJWKSet({ keys: [...keys] } as never)

async function here(text: string): Promise<string | undefined> {
  try {
    return await verifyEs256(text, decodeProtectedHeader(text) as never, set())
  } catch {
    return undefined
  }
}

async function byJose(text: string): Promise<string | undefined> {
  try {
    const { payload } = await compactVerify(text, set(), { algorithms: ['ES256'] })
    return new TextDecoder().decode(payload)
  } catch {
    return undefined
  }
}

describe('an ES256 signature that is checked here', () => {
  it('is accepted with what it signs, as jose accepts it', async () => {
    for (let index = 0; index < 300; index++) {
      const text = jws({ payload: { ...CLAIMS, index } })
      expect(await here(text)).toBe(JSON.stringify({ ...CLAIMS, index }))
      expect(await byJose(text)).toBe(await here(text))
    }
  })

  it.each<[string, () => string]>([
    ['another key than it names', () => jws({ key: other })],
    ['a key that is not known', () => jws({ header: { kid: 'nobody' } })],
    ['a key of another curve', () => jws({ header: { kid: 'wide' } })],
    ['a key of another kind', () => jws({ header: { kid: 'rsa' } })],
    ['a key that is for sealing', () => jws({ header: { kid: 'for sealing' } })],
    ['a key that is for another algorithm', () => jws({ header: { kid: 'of another algorithm' } })],
    ['a name that two keys bear', () => jws({ header: { kid: 'twice' } })],
    ['a signature in DER', () => jws({ encoding: 'der' })],
    ['no signature', () => jws().replace(/[^.]*$/, '')],
    ['a signature of zeros', () => jws().replace(/[^.]*$/, encode('\0'.repeat(64)))],
    ['a signature cut short', () => jws().slice(0, -2)],
    ['a signature made longer', () => `${jws()}AA`],
    ['four parts', () => `${jws()}.AA`],
    ['a space in a part', () => jws().replace('.', ' .')],
    ['an extension that must be understood', () => jws({ header: { crit: ['exp'], exp: 1 } })],
    ['no algorithm', () => jws({ header: { alg: 'none' } })],
    ['the algorithm in small letters', () => jws({ header: { alg: 'es256' } })],
    ['a shared secret’s algorithm', () => jws({ header: { alg: 'HS256' } })],
    [
      'a hash of another size',
      () => {
        const input = jws().split('.').slice(0, 2).join('.')
        const signer = createSign('sha384').update(input)
        return `${input}.${signer.sign({ key: ours, dsaEncoding: 'ieee-p1363' }, 'base64url')}`
      },
    ],
  ])('is refused with %s, as jose refuses it', async (_, make) => {
    const text = make()
    expect([await here(text), await byJose(text)]).toEqual([undefined, undefined])
  })

  it('is refused with an unencoded payload, which jose would read (RFC 7797)', async () => {
    expect(await here(jws({ header: { crit: ['b64'], b64: false } }))).toBeUndefined()
    expect(await here(jws({ header: { b64: false } }))).toBeUndefined()
  })

  it('is refused whatever single character of it is changed', async () => {
    const text = jws()
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
      { numRuns: 300 },
    )
  })
})
