import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Keys, SigningAlgorithm } from '../../src/keys/signing.js'
import { ISSUER, openSite, type Site, START } from './rings.js'

const NOW = START
const ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'RS256']

let site: Site
let keys: Keys

beforeAll(async () => {
  site = await openSite('embedded')
  keys = (await site.node()).keys
})
afterAll(() => site.close())

const times = { iat: NOW / 1000, exp: NOW / 1000 + 300 }
const published = () => createLocalJWKSet(JSON.parse(JSON.stringify(keys.jwks)) as JSONWebKeySet)
const byJose = (jwt: string, alg: string, typ = 'JWT') =>
  jwtVerify(jwt, published(), {
    algorithms: [alg],
    typ,
    issuer: ISSUER,
    currentDate: new Date(NOW),
  })

describe.each(ALGORITHMS)('a token that we sign with %s', (alg) => {
  it('is good for anyone who holds our published keys (RFC 7515 §5.2)', async () => {
    const claims = { iss: ISSUER, sub: 'Amara Okafor, Zoë, 李', ...times, amr: ['x'] }
    const { payload, protectedHeader } = await byJose(await keys.sign(alg, 'JWT', claims), alg)
    expect(payload).toEqual(claims)
    const kid = keys.jwks.keys.find((key) => key.alg === alg)?.kid
    expect(protectedHeader).toEqual({ alg, kid, typ: 'JWT' })
  })

  it('is good every time: a signature’s numbers are never shorter than the algorithm says', async () => {
    // One signature in 128 has a number that begins with a zero byte.
    for (let index = 0; index < (alg === 'ES256' ? 600 : 10); index++) {
      const jwt = await keys.sign(alg, 'JWT', { iss: ISSUER, ...times, index })
      await expect(byJose(jwt, alg)).resolves.toBeDefined()
    }
  })

  it('is refused once a letter of it was changed', async () => {
    const jwt = await keys.sign(alg, 'JWT', { iss: ISSUER, ...times })
    const [head, , signature] = jwt.split('.')
    const claims = { iss: ISSUER, ...times, sub: 'somebody else' }
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    await expect(byJose(`${head}.${body}.${signature}`, alg)).rejects.toThrow()
  })

  it('is known again as ours, of its type and in its time only', async () => {
    const jwt = await keys.sign(alg, 'at+jwt', { iss: ISSUER, ...times, jti: 'tok_1' })
    await expect(keys.verify(jwt, 'at+jwt', NOW)).resolves.toMatchObject({ jti: 'tok_1' })
    await expect(keys.verify(jwt, 'JWT', NOW)).rejects.toThrow()
    await expect(keys.verify(jwt, 'at+jwt', NOW + 301_000)).rejects.toThrow()
  })
})

describe('our keys', () => {
  it('are published without their private members', () => {
    for (const key of keys.jwks.keys)
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(member)
  })

  it('are the same for everyone who opens the store', async () => {
    const again = (await site.node()).keys
    expect(again.jwks).toEqual(keys.jwks)
  })
})
