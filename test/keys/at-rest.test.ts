/** Our keys as they lie in the store: who reads it learns none, who writes to it puts none of theirs among them. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { canonical } from '../../src/core/chain.js'
import type { RingKey, SealedRing } from '../../src/core/key-ring.js'
import type { Records } from '../../src/core/records.js'
import { builtInCustody, type Custody, publicPart } from '../../src/keys/custody.js'
import { readEncryptionKey } from '../../src/keys/encryption.js'
import { KeyFault } from '../../src/keys/fault.js'
import { rewrap, rotate } from '../../src/keys/ring.js'
import { ISSUER, kidOf, type Node, newEncryption, openSite, type Site, tokenBy } from './rings.js'

// An RSA key may take long to make on a busy machine.
jest.setTimeout(60_000)

let site: Site
beforeEach(async () => {
  site = await openSite('embedded')
})
afterEach(() => site.close())

async function privateKey(alg: string, use: string): Promise<JWK & { readonly kid: string }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, crv: 'P-256' })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use }
}

const write = ({ store, parts }: Node, value: Records['keys']) =>
  store.commit({ puts: [{ kind: 'keys', id: 'current', value, until: parts.clock() * 2 }] })

async function stored({ store }: Node): Promise<SealedRing> {
  const value = await store.get('keys', 'current')
  if (!value || !('seal' in value)) throw new Error('not sealed')
  return value
}

describe('the keys in the store', () => {
  it('cannot be used without the key that they are encrypted under, and the fault names the variable', async () => {
    await site.node()
    const wrong = site.node({ encryption: { current: newEncryption() } })
    await expect(wrong).rejects.toBeInstanceOf(KeyFault)
    await expect(site.node({ encryption: { current: newEncryption() } })).rejects.toThrow(
      /^LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: is another key .* LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY_PREVIOUS/,
    )
  })

  // biome-ignore format: a table
  const TAMPERED: readonly (readonly [string, (ring: SealedRing, theirs: JWK & { kid: string }) => SealedRing])[] = [
    ['a letter of a ciphertext',         (ring) => ({ ...ring, keys: ring.keys.map((key) => ({ ...key, held: key.held?.replace(/.{4}$/, 'AAAA') ?? '' })) })],
    ['a public key of somebody else',    (ring, theirs) => ({ ...ring, keys: [...ring.keys, { ...(ring.keys[0] as RingKey), kid: theirs.kid, jwk: publicPart(theirs) }] })],
    ['a public key, its name kept',      (ring, theirs) => ({ ...ring, keys: ring.keys.map((key, i) => i === 0 ? { ...key, jwk: { ...publicPart(theirs), kid: key.kid } } : key) })],
    ['the private parts of two keys',    (ring) => ({ ...ring, keys: ring.keys.map((key, i) => ({ ...key, held: ring.keys[(i + 1) % 3]?.held ?? '' })) })],
    ['a key’s time',                     (ring) => ({ ...ring, keys: ring.keys.map((key) => ({ ...key, from: key.from - 1 })) })],
    ['a key taken away',                 (ring) => ({ ...ring, keys: ring.keys.slice(1) })],
    ['the count of changes',             (ring) => ({ ...ring, revision: ring.revision + 1 })],
    ['the seal',                         (ring) => ({ ...ring, seal: `${ring.seal.slice(1)}A` })],
    ['the seal cut short',               (ring) => ({ ...ring, seal: '' })],
  ]
  it.each(TAMPERED)('are not believed after a change from outside: %s', async (_, change) => {
    const node = await site.node()
    const before = node.keys.jwks
    await write(node, change(await stored(node), await privateKey('ES256', 'sig')))
    await expect(node.keys.refresh()).rejects.toThrow('were changed by somebody')
    // What runs goes on with what it has; what starts says why it does not.
    expect(node.keys.jwks).toBe(before)
    expect(kidOf(await tokenBy(node, site.now))).toBe(before.keys[0]?.kid)
    await expect(site.node()).rejects.toBeInstanceOf(KeyFault)
    const order = { atOnce: true, compromised: [] }
    await expect(rotate(node.parts, order, 'an operator')).rejects.toThrow('were changed')
  })

  it('are not opened where a private part belongs to another public part, sealed though they be', async () => {
    const node = await site.node()
    const { seal: _, ...ring } = await stored(node)
    const { current } = site.encryption
    const theirs = await privateKey('ES256', 'sig')
    const keys = await Promise.all(
      ring.keys.map(async (key, i) =>
        i === 0 ? { ...key, held: await current.wrap(key.kid, JSON.stringify(theirs)) } : key,
      ),
    )
    const changed = { ...ring, keys }
    const seal = current.seal(canonical({ revision: ring.revision, keys }))
    await write(node, { ...changed, seal })
    await expect(site.node()).rejects.toThrow('cannot be opened')
  })

  it('that an older version left in clear are wrapped at once, and stay what they were', async () => {
    const made = await Promise.all([
      privateKey('ES256', 'sig'),
      privateKey('RS256', 'sig'),
      privateKey('ECDH-ES', 'enc'),
    ])
    const first = await site.node()
    // The claim of its own first keys is over.
    site.now += 60_000
    await write(first, { keys: made as unknown as Records['keys']['keys'] } as Records['keys'])
    const [one, other] = await Promise.all([site.node(), site.node()])
    expect(one.keys.jwks).toEqual({ keys: made.map(publicPart) })
    expect(other.keys.jwks).toEqual(one.keys.jwks)
    expect(kidOf(await tokenBy(one, site.now))).toBe(made[0]?.kid)
    const text = JSON.stringify(await one.store.get('keys', 'current'))
    for (const key of made) expect(text).not.toContain(key.d)
    const upgrades = []
    for await (const { what, detail } of one.store.trail())
      if (what === 'keys_rotated' && detail?.by === 'upgrade') upgrades.push(detail)
    expect(upgrades).toEqual([
      { by: 'upgrade', made: [], retired: [], compromised: [], revision: 1 },
    ])
  })

  it('are another text each time that they are wrapped, and open for their own name only (RFC 7518 §5.3)', async () => {
    const key = newEncryption()
    const [a, b] = [await key.wrap('kid-1', 'secret'), await key.wrap('kid-1', 'secret')]
    expect(a).not.toBe(b)
    expect(await key.unwrap('kid-1', a)).toBe('secret')
    await expect(key.unwrap('kid-2', a)).rejects.toThrow()
    await expect(newEncryption().unwrap('kid-1', a)).rejects.toThrow()
  })

  it('do not open once any letter of their ciphertext was changed', async () => {
    const key = newEncryption()
    const wrapped = await key.wrap('kid-1', JSON.stringify({ d: 'secret' }))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(wrapped.length - 1),
        fc.constantFrom(...'AZaz09-_.'),
        async (at, letter) => {
          const changed = `${wrapped.slice(0, at)}${letter}${wrapped.slice(at + 1)}`
          const bytes = (text: string) =>
            text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'))
          fc.pre(bytes(changed).join('.') !== bytes(wrapped).join('.'))
          await expect(key.unwrap('kid-1', changed)).rejects.toThrow()
        },
      ),
    )
  })
})

describe('a signer elsewhere', () => {
  it('makes, signs and opens where its keys are: the ring holds only how to find them', async () => {
    const inside = builtInCustody(newEncryption())
    const slots = new Map<string, string>()
    const found = (key: RingKey): RingKey => ({ ...key, held: slots.get(key.held ?? '') ?? '' })
    const custody = (): Custody => ({
      async make(alg) {
        const made = await inside.make(alg)
        slots.set(`slot:${made.kid}`, made.held)
        return { ...made, held: `slot:${made.kid}` }
      },
      async signer(key) {
        const signer = await inside.signer(found(key))
        // As a service on the network does it.
        return { jwk: key.jwk, sign: async (alg, input) => signer.sign(alg, input) }
      },
      unsealer: (key) => inside.unsealer(found(key)),
      moved: async (key) => key.held ?? '',
    })
    const node = await site.node({ custody })
    const token = await tokenBy(node, site.now)
    expect(await node.keys.verify(token, 'at+jwt', site.now)).toMatchObject({ iss: ISSUER })
    const held = node.keys.jwks.keys.map(({ kid }) => `slot:${kid}`)
    expect((await stored(node)).keys.map((key) => key.held)).toEqual(held)
    const kept = await rewrap(node.parts, 'an operator')
    expect(kept.keys.map((key) => key.held)).toEqual(held)
  })
})

describe('the encryption key', () => {
  const secret = randomBytes(32)
  // biome-ignore format: a table
  it.each([
    ['hex',                     secret.toString('hex'),               true],
    ['hex in capitals',         secret.toString('hex').toUpperCase(), true],
    ['base64url',               secret.toString('base64url'),         true],
    ['base64 with its padding', secret.toString('base64'),            true],
    ['31 bytes in hex',         secret.subarray(1).toString('hex'),   false],
    ['33 bytes in base64url',   Buffer.concat([secret, Buffer.of(1)]).toString('base64url'), false],
    ['a pass phrase',           'correct horse battery staple',       false],
    ['a pattern',               '0'.repeat(64),                       false],
    ['nothing',                 '',                                   false],
  ])('as %s is read: %#', (_, text, good) => {
    expect(readEncryptionKey(text)).toEqual(good ? new Uint8Array(secret) : undefined)
  })
})
