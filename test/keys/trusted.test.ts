import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { KeySource } from '../../src/core/launch-system.js'
import { Refusal } from '../../src/core/refusal.js'
import type { Outbound } from '../../src/keys/outbound.js'
import { openTrustedKeys, type TrustedKeys } from '../../src/keys/trusted.js'
import { callingTo, json, type KeyServer, openKeyServer } from './key-server.js'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid })
const CLAIMS = { iss: 'an-app', sub: 'an-app', jti: 'x' }

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
function jws(header: object = {}, key = pair.privateKey, payload: unknown = CLAIMS): string {
  const input = `${encode({ alg: 'ES256', typ: 'JWT', kid: 'one', ...header })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

let server: KeyServer
let outbound: Outbound
let now = Date.UTC(2026, 0, 5, 9)
let trusted: TrustedKeys
const clock = () => now
const seconds = (n: number) => {
  now += n * 1000
}

beforeAll(async () => {
  server = await openKeyServer()
  outbound = callingTo(server, { clock })
})
afterAll(async () => {
  await server.close()
  await outbound.close()
})
beforeEach(() => {
  server.asked.length = 0
  publish()
  trusted = openTrustedKeys({ clock, outbound })
})

const ONE = jwkOf(pair.publicKey, 'one')
const TWO = jwkOf(pair.publicKey, 'two')
function publish(headers: Readonly<Record<string, string>> = {}, keys: readonly object[] = [ONE]) {
  server.answer = json({ keys }, headers)
}

const ANY = {
  algorithms: ['ES256', 'RS384'],
  types: ['jwt', undefined],
  code: 'client_unproven',
} as const
const verify = (token: string, source: KeySource = { jwksUri: server.address }) =>
  trusted.verify(token, source, ANY)
const good = async (token = jws()) => expect(await verify(token)).toEqual(CLAIMS)
async function bad(token = jws(), source?: KeySource): Promise<string> {
  const error: unknown = await verify(token, source).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Refusal)
  expect((error as Refusal).code).toBe('client_unproven')
  return (error as Refusal).detail
}

describe('a key set at an address', () => {
  it('is asked for at first need, and kept', async () => {
    expect(server.asked).toHaveLength(0)
    await good()
    await good()
    expect(server.asked).toHaveLength(1)
  })

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['as long as its max-age says', { 'cache-control': 'max-age=120' }, 120],
    ['as long as its max-age says in quotes', { 'cache-control': 'public, Max-Age="120"' }, 120],
    ['as long as the shortest of several', { 'cache-control': 'max-age=300, max-age=60' }, 60],
    ['less what it was old already', { 'cache-control': 'max-age=300', age: '100' }, 200],
    ['ten minutes where it says nothing', {}, 600],
    ['ten minutes where it says nothing of time', { 'cache-control': 'public' }, 600],
    ['a day, whatever it says beyond', { 'cache-control': 'max-age=31536000' }, 86_400],
    ['a day, however large the number', { 'cache-control': `max-age=${'9'.repeat(400)}` }, 86_400],
  ])('is kept %s, and not a moment longer (RFC 9111 §4.2)', async (_what, headers, age) => {
    publish(headers)
    await good()
    seconds(age - 0.001)
    await good()
    expect(server.asked).toHaveLength(1)
    seconds(0.001)
    await good()
    expect(server.asked).toHaveLength(2)
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no-store', { 'cache-control': 'no-store' }],
    ['no-cache', { 'cache-control': 'max-age=600, no-cache' }],
    ['a max-age of nothing', { 'cache-control': 'max-age=0' }],
    ['a max-age that is no number', { 'cache-control': 'max-age=ten' }],
    ['a max-age below nothing', { 'cache-control': 'max-age=-1' }],
    ['an age as high as its max-age', { 'cache-control': 'max-age=60', age: '60' }],
    ['an age beyond its max-age', { 'cache-control': 'max-age=60', age: '600' }],
    ['an age that is no number', { 'cache-control': 'max-age=60', age: 'old' }],
  ])('is not kept with %s', async (_what, headers) => {
    publish(headers)
    await good()
    await good()
    expect(server.asked).toHaveLength(2)
  })

  it('ages from when it was asked for, not from when it came', async () => {
    const later = json({ keys: [ONE] }, { 'cache-control': 'max-age=10' })
    server.answer = (req, res) => {
      seconds(4)
      later(req, res)
    }
    await good()
    server.answer = later
    seconds(5.999)
    await good()
    expect(server.asked).toHaveLength(1)
    seconds(0.001)
    await good()
    expect(server.asked).toHaveLength(2)
  })

  it('no longer serves a key that its owner took out, once its age is over', async () => {
    publish({ 'cache-control': 'max-age=60' })
    await good()
    publish({}, [TWO])
    seconds(60)
    expect(await bad()).toContain('no key')
  })

  it('is never used beyond its age, though it cannot be asked for', async () => {
    publish({ 'cache-control': 'max-age=60' })
    await good()
    server.answer = (_req, res) => void res.writeHead(500).end()
    seconds(59.999)
    await good()
    seconds(0.001)
    expect(await bad()).toContain('status 500')
  })

  it('is asked for once by all who come together', async () => {
    await Promise.all(Array.from({ length: 50 }, () => good()))
    expect(server.asked).toHaveLength(1)
  })

  it('is one for each address, to the letter', async () => {
    await verify(jws(), { jwksUri: server.address })
    await verify(jws(), { jwksUri: `${server.address}?other` })
    expect(server.asked.map(({ url }) => url)).toEqual(['/jwks', '/jwks?other'])
  })
})

describe('a key that the kept set does not hold', () => {
  it('is looked for at once, so that an owner may change keys at any time', async () => {
    await good()
    publish({}, [ONE, TWO])
    await good(jws({ kid: 'two' }))
    await good(jws({ kid: 'two' }))
    expect(server.asked).toHaveLength(2)
  })

  it('is looked for together by all who come with it together', async () => {
    await good()
    publish({}, [ONE, TWO])
    await Promise.all(Array.from({ length: 20 }, () => good(jws({ kid: 'two' }))))
    expect(server.asked).toHaveLength(2)
  })

  it('is looked for every thirty seconds at most, however many are made up', async () => {
    await good()
    const flood = () =>
      Promise.all(Array.from({ length: 100 }, (_, n) => bad(jws({ kid: `made-up-${n}` }))))
    await flood()
    for (let n = 0; n < 100; n++) await bad(jws({ kid: `made-up-${n}` }))
    expect(server.asked).toHaveLength(2)
    seconds(29.999)
    await flood()
    expect(server.asked).toHaveLength(2)
    seconds(0.001)
    await flood()
    expect(server.asked).toHaveLength(3)
    await good()
    expect(server.asked).toHaveLength(3)
  })

  it('is not looked for again in a set that was fetched for it', async () => {
    await bad(jws({ kid: 'made-up' }))
    expect(server.asked).toHaveLength(1)
  })

  it('is not looked for where only its kind or its use is another', async () => {
    publish({}, [ONE, { ...TWO, use: 'enc' }])
    await good()
    await bad(jws({ kid: 'two' }))
    await bad(jws({ alg: 'RS384', kid: 'one' }))
    expect(server.asked).toHaveLength(1)
  })

  it('does no harm to the others while the set cannot be asked for', async () => {
    await good()
    server.answer = (_req, res) => void res.writeHead(503).end()
    expect(await bad(jws({ kid: 'two' }))).toContain('status 503')
    await good()
    expect(server.asked).toHaveLength(2)
  })
})

describe('a set that cannot be used', () => {
  it.each<[string, string]>([
    ['that is no set', '{}'],
    ['that is a list', '[]'],
    ['of fifty-one keys', JSON.stringify({ keys: Array.from({ length: 51 }, () => ONE) })],
    ['with a key that is none', JSON.stringify({ keys: [ONE, null] })],
  ])('gives no key: one %s', async (_what, body) => {
    server.answer = json(body)
    await bad()
  })

  it('is left alone for five seconds, however many ask', async () => {
    server.answer = json('{}')
    for (let n = 0; n < 20; n++) await bad()
    expect(server.asked).toHaveLength(1)
    publish()
    seconds(4.999)
    await bad()
    expect(server.asked).toHaveLength(1)
    seconds(0.001)
    await good()
    expect(server.asked).toHaveLength(2)
  })
})

describe('of the keys in a set', () => {
  it('one that its owner published with its private half is refused, the others are not', async () => {
    publish({}, [ONE, jwkOf(pair.privateKey, 'two'), { kty: 'oct', kid: 'three', k: 'AAAA' }])
    expect(await bad(jws({ kid: 'two' }))).toContain('private')
    expect(await bad(jws({ kid: 'three' }))).toContain('no key')
    await good()
  })

  it('two that share name and kind are refused, whichever it was', async () => {
    publish({}, [ONE, jwkOf(stranger.publicKey, 'one')])
    expect(await bad()).toContain('several')
    expect(await bad(jws({}, stranger.privateKey))).toContain('several')
  })

  it('the same rules hold for those that stand in the registration', async () => {
    const inline = (...keys: Record<string, unknown>[]): KeySource => ({ jwks: { keys } })
    await expect(verify(jws(), inline(ONE))).resolves.toEqual(CLAIMS)
    expect(await bad(jws(), inline(ONE, ONE))).toContain('several')
    expect(await bad(jws(), inline(jwkOf(pair.privateKey, 'one')))).toContain('private')
    expect(await bad(jws(), inline({ ...ONE, use: 'enc' }))).toContain('use')
    expect(await bad(jws(), inline())).toContain('no key')
    expect(server.asked).toHaveLength(0)
  })
})

describe('what a header says of keys', () => {
  const own = stranger.publicKey.export({ format: 'jwk' })

  it('may repeat the registered address, to the letter (SMART, Signature Verification)', async () => {
    await good(jws({ jku: server.address }))
  })

  it.each<[string, (address: string) => unknown]>([
    ['elsewhere', () => 'https://evil.example/jwks'],
    ['in another case', (address) => address.replace('keys.example', 'KEYS.example')],
    ['with a default spelled out', (address) => address.replace('/jwks', '/./jwks')],
    ['with a query', (address) => `${address}?`],
    ['with a fragment', (address) => `${address}#`],
    ['with white space', (address) => ` ${address}`],
    ['as a list', (address) => [address]],
    ['as nothing', () => null],
    ['empty', () => ''],
  ])('names another address %s: refused, and nothing is fetched', async (_what, jku) => {
    expect(await bad(jws({ jku: jku(server.address) }))).toBe('jku')
    expect(server.asked).toHaveLength(0)
  })

  it('names an address where keys were registered without one: refused', async () => {
    expect(await bad(jws({ jku: server.address }), { jwks: { keys: [ONE] } })).toBe('jku')
  })

  it.each<[string, object]>([
    ['a key', { jwk: own }],
    ['a key under the registered name', { jwk: { ...own, kid: 'one' } }],
    ['certificates', { x5c: ['MIIB'] }],
    ['an address of certificates', { x5u: 'https://evil.example/cert' }],
  ])('brings along %s: never used, only the registered key counts', async (_what, header) => {
    expect(await bad(jws(header, stranger.privateKey))).toBe('signature')
    await good(jws(header))
    expect(server.asked).toHaveLength(1)
  })
})

describe('an algorithm', () => {
  it('is one that was registered, before anything is fetched', async () => {
    expect(await bad(jws({ alg: 'ES384' }))).toBe('alg')
    expect(server.asked).toHaveLength(0)
  })

  it.each(['none', 'None', 'NONE', '', 'HS256', 'HS384', 'RS256', 'es256', 'toString', null, 1])(
    'is never %j, whatever is registered',
    async (alg) => {
      const algorithms = [
        'none',
        'None',
        'NONE',
        '',
        'HS256',
        'HS384',
        'RS256',
        'es256',
        'toString',
      ]
      const token = jws({ alg }).replace(/[^.]*$/, alg === 'none' ? '' : '$&')
      const source = { jwks: { keys: [ONE, { kty: 'oct', kid: 'one', k: 'AAAA' }] } }
      await expect(trusted.verify(token, source, { ...ANY, algorithms })).rejects.toThrow(Refusal)
    },
  )

  it('of a shared secret does not make a secret of a public key (RFC 8725 §2.1)', async () => {
    publish({}, [jwkOf(rsa.publicKey, 'one')])
    const secrets = [
      rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      rsa.publicKey.export({ type: 'spki', format: 'der' }),
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }),
      JSON.stringify(jwkOf(rsa.publicKey, 'one')),
      `\n${rsa.publicKey.export({ type: 'spki', format: 'pem' })}`,
    ]
    for (const secret of secrets) {
      for (const alg of ['HS256', 'HS384', 'RS384']) {
        const input = `${encode({ alg, kid: 'one', typ: 'JWT' })}.${encode(CLAIMS)}`
        const hash = alg === 'HS256' ? 'sha256' : 'sha384'
        const mac = createHmac(hash, secret).update(input).digest('base64url')
        await bad(`${input}.${mac}`)
      }
    }
  })
})

describe('what was signed', () => {
  it.each(['text', 1, null, true])('is a set of claims, not %j', async (payload) => {
    await bad(jws({}, pair.privateKey, payload))
  })

  it('is not repeated in the refusal, nor is the header', async () => {
    const [head, , signature] = jws().split('.')
    const patient = Buffer.from('9990000018').toString('base64url')
    for (const token of [`${patient}.${patient}.${signature}`, `${head}.${patient}.${signature}`]) {
      expect(await bad(token)).not.toContain('999')
    }
    const input = `${head}.${Buffer.from('{9990000018').toString('base64url')}`
    const key = { key: pair.privateKey, dsaEncoding: 'ieee-p1363' } as const
    const signed = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    expect(await bad(signed)).toBe('claims: not JSON')
  })

  it('is of an expected type: prefix and case do not count, nor is another near it', async () => {
    await good(jws({ typ: 'application/JWT' }))
    await good(jws({ typ: undefined }))
    for (const typ of ['launch+jwt', 'JWT ', '', null, ['JWT']]) {
      expect(await bad(jws({ typ }))).toBe('typ')
    }
  })
})
