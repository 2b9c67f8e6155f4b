import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { CompactEncrypt, importJWK } from 'jose'
import { stateOf } from '../../src/core/key-ring.js'
import { checkpointVerifier } from '../../src/keys/checkpoints.js'
import { readRing, rewrap, rotate, rotateWhenDue } from '../../src/keys/ring.js'
import {
  countingReads,
  DAY,
  HOUR,
  ISSUER,
  kidOf,
  type Node,
  newEncryption,
  openSite,
  type Site,
  START,
  TIMES,
  tokenBy,
} from './rings.js'

// An RSA key may take long to make on a busy machine.
jest.setTimeout(60_000)

const AT_ONCE = { atOnce: true, compromised: [] } as const
const IN_TIME = { atOnce: false, compromised: [] } as const

/** Of what a node publishes, the keys of an algorithm; those in use first. */
const published = ({ keys }: Node, alg: string): readonly string[] =>
  keys.jwks.keys.filter((key) => key.alg === alg).map(({ kid }) => kid)

const ringOf = async ({ parts }: Node) => {
  const known = await readRing(parts)
  if (!known) throw new Error('no ring')
  return known.ring
}

const entriesOf = async ({ store }: Node, what: string) => {
  const found = []
  for await (const entry of store.trail()) if (entry.what === what) found.push(entry)
  return found
}

const verified = ({ keys }: Node, jwt: string, now: number) =>
  keys.verify(jwt, 'at+jwt', now).then(
    () => 'accepted',
    () => 'refused',
  )

async function sealTo({ keys }: Node): Promise<string> {
  const jwk = keys.jwks.keys.find(({ use }) => use === 'enc')
  if (!jwk) throw new Error('no sealing key')
  return new CompactEncrypt(new TextEncoder().encode('a launch'))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk.kid })
    .encrypt(await importJWK({ ...jwk }, 'ECDH-ES'))
}

describe.each(['embedded', 'redis'] as const)('our keys on the %s store', (kind) => {
  let site: Site
  let one: Node
  let other: Node
  beforeAll(async () => {
    site = await openSite(kind)
    ;[one, other] = await Promise.all([site.node(), site.node()])
  })
  afterAll(() => site.close())

  /** As the timers of all nodes would. */
  const tick = async () => {
    for (const { keys } of [one, other]) await keys.refresh()
  }

  it('are made once by nodes that start together, and their making is in the trail', async () => {
    expect(one.keys.jwks).toEqual(other.keys.jwks)
    expect(one.keys.jwks.keys.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'ECDH-ES'])
    const made = await entriesOf(one, 'keys_rotated')
    expect(made).toMatchObject([{ outcome: 'success', detail: { by: 'first start', revision: 1 } }])
    expect(made[0]?.detail?.made).toEqual(one.keys.jwks.keys.map(({ kid }) => kid))
  })

  it('leave no private member in the store, in clear', async () => {
    const stored = JSON.stringify(await one.store.get('keys', 'current'))
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi'])
      expect(stored).not.toContain(`"${member}":`)
  })

  it('rotate by the clock: published a day before they are used, on all nodes, without a restart (OIDC Core §10.1.1)', async () => {
    const [old = ''] = published(one, 'ES256')
    site.now = START + 89 * DAY - 1
    expect(await rotateWhenDue(one.parts)).toBe(false)
    site.now += 1
    expect(await rotateWhenDue(one.parts)).toBe(true)
    expect(await rotateWhenDue(other.parts)).toBe(false)
    await tick()
    const [, young = ''] = published(other, 'ES256')
    expect(published(other, 'ES256')).toEqual([old, young])
    expect(kidOf(await tokenBy(other, site.now))).toBe(old)
    site.now = START + 90 * DAY - 1
    const last = await tokenBy(other, site.now)
    expect(kidOf(last)).toBe(old)
    site.now += 1
    expect(kidOf(await tokenBy(other, site.now))).toBe(young)
    expect(published(one, 'ES256')).toEqual([young, old])
    expect(await verified(one, last, site.now)).toBe('accepted')
  })

  it('are given up when the last token that they signed is long dead', async () => {
    const [, old = ''] = published(one, 'ES256')
    site.now = START + 90 * DAY + TIMES.keepFor * 1000 - 1
    expect(published(one, 'ES256')).toContain(old)
    site.now += 1
    expect(published(one, 'ES256')).not.toContain(old)
    await one.keys.turn()
    const { keys } = await ringOf(one)
    // For checkpoints of the trail; nothing is left of the others.
    expect(keys.find(({ kid }) => kid === old)).not.toHaveProperty('held')
    expect(keys).toHaveLength(4)
    expect((await entriesOf(one, 'keys_rotated')).at(-1)?.detail).toMatchObject({
      by: 'schedule',
      made: [],
    })
  })

  it('publish one sealing key at a time, and open what was sealed to the one before (OIDC Core §10.2.1)', async () => {
    const sealed = await sealTo(one)
    await rotate(one.parts, AT_ONCE, 'an operator')
    await tick()
    expect(published(one, 'ECDH-ES')).toHaveLength(1)
    expect(await one.keys.unseal(sealed)).toBe('a launch')
    expect(await one.keys.unseal(await sealTo(other))).toBe('a launch')
    site.now += TIMES.keepFor * 1000
    await expect(one.keys.unseal(sealed)).rejects.toMatchObject({ code: 'seal_invalid' })
  })

  it('rotate at once on command: a node that has not heard of it asks the store when it meets the new key', async () => {
    const before = await tokenBy(one, site.now)
    await rotate(one.parts, AT_ONCE, 'an operator')
    await one.keys.refresh()
    const after = await tokenBy(one, site.now)
    expect(kidOf(after)).not.toBe(kidOf(before))
    expect(await verified(other, after, site.now)).toBe('accepted')
    expect(await verified(other, before, site.now)).toBe('accepted')
    expect(kidOf(await tokenBy(other, site.now))).toBe(kidOf(after))
  })

  it('are not asked for again and again by somebody who makes up key ids', async () => {
    const { store, reads } = countingReads(one.store)
    const node = await site.node({ store })
    const strange = async (letter: string) => {
      const header = { alg: 'ES256', typ: 'at+jwt', kid: letter.repeat(43) }
      const [, ...rest] = (await tokenBy(one, site.now)).split('.')
      return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')
    }
    const before = reads()
    for (const letter of 'abcdefgh')
      expect(await verified(node, await strange(letter), site.now)).toBe('refused')
    expect(reads()).toBe(before + 1)
    site.now += 1000
    expect(await verified(node, await strange('i'), site.now)).toBe('refused')
    expect(reads()).toBe(before + 2)
    expect(await verified(node, await strange('short'), site.now)).toBe('refused')
    expect(reads()).toBe(before + 2)
  })

  it('cost no trip to the store when they sign or check', async () => {
    const { store, reads } = countingReads(one.store)
    const node = await site.node({ store })
    const before = reads()
    for (let index = 0; index < 20; index++) {
      expect(await verified(node, await tokenBy(node, site.now), site.now)).toBe('accepted')
    }
    expect(reads()).toBe(before)
  })

  it('are made once when two nodes rotate at the same moment', async () => {
    const before = await ringOf(one)
    const race = await Promise.allSettled(
      [one, other].map(({ parts }) => rotate(parts, AT_ONCE, 'both')),
    )
    expect(race.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const after = await ringOf(one)
    expect(after.revision).toBe(before.revision + 1)
    const [won] = race.filter(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<{
      ring: object
    }>[]
    expect(after).toEqual(won?.value.ring)
    const made = await entriesOf(one, 'keys_rotated')
    expect(made.filter(({ detail }) => detail?.by === 'both')).toHaveLength(1)
  })

  it('refuse a second rotation while new keys wait, and take none but ours for compromised', async () => {
    await rotate(one.parts, IN_TIME, 'an operator')
    await expect(rotate(one.parts, IN_TIME, 'an operator')).rejects.toThrow('wait for their time')
    const strange = { atOnce: true, compromised: ['nobody'] }
    await expect(rotate(one.parts, strange, 'an operator')).rejects.toThrow(
      'nobody: is no key of ours',
    )
  })

  it('are not believed any more once they are compromised: what they signed is refused at once', async () => {
    await tick()
    const stolen = await tokenBy(one, site.now)
    const sound = await one.keys.sign('RS256', 'at+jwt', {
      iss: ISSUER,
      exp: site.now / 1000 + 300,
    })
    expect(await verified(other, stolen, site.now)).toBe('accepted')
    const { revision } = other.keys
    await rotate(one.parts, { atOnce: true, compromised: [kidOf(stolen)] }, 'an operator')
    await tick()
    expect(other.keys.revision).toBe(revision + 1)
    expect(await verified(other, stolen, site.now)).toBe('refused')
    expect(await verified(other, sound, site.now)).toBe('accepted')
    expect(published(other, 'ES256')).not.toContain(kidOf(stolen))
    const gone = (await ringOf(one)).keys.find(({ kid }) => kid === kidOf(stolen))
    expect(gone).toMatchObject({ compromised: site.now })
    expect(gone).not.toHaveProperty('held')
  })

  it('can all be given up at once, those that wait included', async () => {
    await rotate(one.parts, IN_TIME, 'an operator')
    await tick()
    const before = one.keys.jwks.keys.map(({ kid }) => kid)
    const sealed = await sealTo(one)
    const token = await tokenBy(one, site.now)
    await rotate(other.parts, { atOnce: true, compromised: 'all' }, 'an operator')
    await tick()
    expect(await verified(one, token, site.now)).toBe('refused')
    await expect(one.keys.unseal(sealed)).rejects.toMatchObject({ code: 'seal_invalid' })
    const after = one.keys.jwks.keys.map(({ kid }) => kid)
    expect(after).toHaveLength(3)
    expect(after.filter((kid) => before.includes(kid))).toEqual([])
    expect(await verified(other, await tokenBy(one, site.now), site.now)).toBe('accepted')
  })

  it('check the oldest checkpoint of the trail after any number of rotations', async () => {
    const claims = { iss: ISSUER, writer: 'wrt_1', seq: 1, hash: 'h' }
    const checkpoint = await one.keys.sign('ES256', 'checkpoint+jwt', claims)
    for (let round = 0; round < 2; round++) {
      await rotate(one.parts, AT_ONCE, 'an operator')
      site.now += 2 * TIMES.keepFor * 1000
      await one.keys.turn()
    }
    const ring = await ringOf(one)
    const key = ring.keys.find(({ kid }) => kid === kidOf(checkpoint))
    expect(key && stateOf(ring, key, site.now, TIMES)).toBe('retired')
    expect(await one.keys.verifyCheckpoint(checkpoint)).toEqual(claims)
    expect(await checkpointVerifier(ring.keys, ISSUER)(checkpoint)).toEqual(claims)
    await expect(one.keys.verify(checkpoint, 'checkpoint+jwt', site.now)).rejects.toThrow(
      'unknown key',
    )
    const [head, , signature] = checkpoint.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims, seq: 2 })).toString('base64url')
    expect(await one.keys.verifyCheckpoint(`${head}.${forged}.${signature}`)).toBeUndefined()
    expect(await one.keys.verifyCheckpoint(await tokenBy(one, site.now))).toBeUndefined()
    const elsewhere = await one.keys.sign('ES256', 'checkpoint+jwt', {
      ...claims,
      iss: 'https://other.example',
    })
    expect(await one.keys.verifyCheckpoint(elsewhere)).toBeUndefined()
  })

  it('move to another encryption key while nodes with either run', async () => {
    const next = newEncryption()
    const ready = await site.node({
      encryption: { current: next, previous: site.encryption.current },
    })
    // What rotates meanwhile stays readable for a node that has only the old key.
    await rotate(ready.parts, AT_ONCE, 'an operator')
    await tick()
    expect(one.keys.jwks).toEqual((await site.node()).keys.jwks)
    await rewrap(ready.parts, 'an operator')
    const moved = await site.node({ encryption: { current: next } })
    expect(moved.keys.jwks).toEqual(one.keys.jwks)
    expect(await verified(moved, await tokenBy(one, site.now), site.now)).toBe('accepted')
    await expect(site.node()).rejects.toThrow(/^LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: is another key/)
    await expect(one.keys.refresh()).rejects.toThrow('LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY')
    expect(kidOf(await tokenBy(one, site.now + HOUR))).toBe(kidOf(await tokenBy(moved, site.now)))
    expect((await entriesOf(moved, 'keys_rewrapped'))[0]).toMatchObject({
      detail: { under: next.name },
    })
  })
})
