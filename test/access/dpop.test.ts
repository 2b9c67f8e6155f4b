/** Proofs and nonces on the embedded store, opened twice as two nodes open it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDpop, type Demand } from '../../src/access/dpop.js'
import { createNonces } from '../../src/access/dpop-nonces.js'
import { Refusal } from '../../src/core/refusal.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Store } from '../../src/store/store.js'
import { proofBy, proofKey } from '../dpop-by-hand.js'

const ISSUER = 'https://gateway.example'
const START = Date.parse('2026-11-23T12:00:00Z')
const SKEW = 30
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

let dir: string
let stores: readonly [Store, Store]
let now = START
const clock = () => now

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dpop-'))
  const open = () => openEmbedded({ dir, clock, random })
  stores = [await open(), await open()]
})
afterAll(async () => {
  for (const store of stores) await store.close()
  await rm(dir, { recursive: true, force: true })
})

const noncesOf = (store: Pick<Store, 'get' | 'commit'>) =>
  createNonces({ store, clock, random, skew: SKEW })

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'taken',
    (error: unknown) => {
      if (error instanceof Refusal) return error.code
      throw error
    },
  )

describe('Nonces', () => {
  it('are the same on nodes that need the first at once, and change every five minutes', async () => {
    now = START
    const nodes = [...stores, ...stores].map(noncesOf)
    const first = await Promise.all(nodes.map((node) => node.current()))
    expect(new Set(first).size).toBe(1)
    now = START + 299_999
    expect(await nodes[0]?.current()).toBe(first[0])
    now = START + 300_000
    expect(await nodes[0]?.current()).not.toBe(first[0])
  })

  it('of a node whose clock is a little ahead are taken, and of one far ahead are not', async () => {
    const [here, there] = [noncesOf(stores[0]), noncesOf(stores[1])]
    now = START + 300_000
    const next = await there.current()
    now = START + 270_000
    expect(await here.accepts(next)).toBe(true)
    now = START + 269_999
    expect(await here.accepts(next)).toBe(false)
  })

  it('follow their secret when it is replaced, on every node within five minutes', async () => {
    now = START + 600_000
    const nodes = stores.map(noncesOf)
    const [before] = await Promise.all(nodes.map((node) => node.current()))
    await stores[0].commit({ drops: [{ kind: 'secret', id: 'dpop-nonce' }] })
    now = START + 900_000
    const after = await Promise.all(nodes.map((node) => node.current()))
    expect(new Set(after).size).toBe(1)
    expect(await nodes[1]?.accepts(before ?? '')).toBe(false)
  })

  it('come back with the store that failed', async () => {
    let fails = true
    const flaky: Pick<Store, 'get' | 'commit'> = {
      commit: (commit) => stores[0].commit(commit),
      get: async (kind, id) => {
        if (fails) throw new Error('the store is away')
        return stores[0].get(kind, id)
      },
    }
    const nonces = noncesOf(flaky)
    await expect(nonces.current()).rejects.toThrow('away')
    fails = false
    expect(await nonces.accepts(await nonces.current())).toBe(true)
  })

  it('are asked for again, not made up, while another node makes the secret and after it died', async () => {
    now = START + 1_800_000
    await stores[0].commit({
      claims: [{ what: 'secret/dpop-nonce', until: now + 60_000 }],
      drops: [{ kind: 'secret', id: 'dpop-nonce' }],
    })
    await expect(noncesOf(stores[1]).current()).rejects.toThrow('another node')
    now += 60_000
    expect(await noncesOf(stores[1]).current()).toBe(await noncesOf(stores[0]).current())
  })
})

describe('A proof', () => {
  const key = proofKey()
  const nonces = () => noncesOf(stores[0])
  let alias: string | undefined
  const prove = (dpop: string | undefined, demand?: Demand, method = 'POST') => {
    const parts = {
      ...{ issuer: ISSUER, store: stores[0], clock, skew: SKEW, nonces: nonces() },
      aliasOf: () => alias,
    }
    const headersDistinct = dpop === undefined ? {} : { dpop: [dpop] }
    const req = { method, originalUrl: '/oauth/par?x=1', headersDistinct }
    return createDpop(parts).prove(req as never, demand)
  }
  const proof = (claims: Readonly<Record<string, unknown>> = {}) =>
    proofBy(key, { htm: 'POST', htu: `${ISSUER}/oauth/par`, iat: now / 1000, ...claims })

  it('is nothing where there is none, unless one is required', async () => {
    expect(await prove(undefined)).toBeUndefined()
    expect(await codeOf(prove(undefined, { required: true }))).toBe('dpop_invalid')
  })

  it('must carry a nonce of ours where that is demanded, and a good one wherever it carries one (§8)', async () => {
    now = START
    const nonce = await nonces().current()
    const requireNonce = true
    expect(await codeOf(prove(proof(), { requireNonce }))).toBe('dpop_nonce_required')
    expect(await codeOf(prove(proof({ nonce: '' }), { requireNonce }))).toBe('dpop_nonce_required')
    expect(await codeOf(prove(proof({ nonce: 'x' })))).toBe('dpop_nonce_required')
    expect(await codeOf(prove(proof({ nonce: '' })))).toBe('dpop_nonce_required')
    expect(await codeOf(prove(proof()))).toBe('taken')
    expect(await codeOf(prove(proof({ nonce }), { requireNonce }))).toBe('taken')
    expect(await codeOf(prove(proof({ nonce })))).toBe('taken')
  })

  it('is not spent by lacking a nonce', async () => {
    const again = proof({ jti: 'again' })
    expect(await codeOf(prove(again, { requireNonce: true }))).toBe('dpop_nonce_required')
    expect(await codeOf(prove(again))).toBe('taken')
    expect(await codeOf(prove(again))).toBe('dpop_replayed')
  })

  it('is for the address under the issuer, or for the alias that the request came in by', async () => {
    const htu = 'https://mtls.gateway.example/oauth/par'
    expect(await codeOf(prove(proof({ htu })))).toBe('dpop_invalid')
    alias = 'https://mtls.gateway.example'
    expect(await codeOf(prove(proof({ htu })))).toBe('taken')
    expect(await codeOf(prove(proof()))).toBe('taken')
    const others = ['https://mtls.gateway.example/oauth/token', 'https://mtls.example/oauth/par']
    for (const other of others)
      expect(await codeOf(prove(proof({ htu: other })))).toBe('dpop_invalid')
    alias = undefined
  })

  it('stays spent a while longer than it is fresh', async () => {
    now = START
    const late = proof()
    now = START + 89_999
    expect(await codeOf(prove(late))).toBe('taken')
    expect(await codeOf(prove(late))).toBe('dpop_replayed')
    now = START + 90_000
    expect(await codeOf(prove(late))).toBe('dpop_invalid')
  })

  it('whose key cannot be read is refused, and so it is the second time', async () => {
    const jwk = { ...key.jwk, y: Buffer.alloc(32).toString('base64url') }
    const bad = () =>
      proofBy(key, { htm: 'POST', htu: `${ISSUER}/oauth/par`, iat: now / 1000 }, { jwk })
    expect(await codeOf(prove(bad()))).toBe('dpop_invalid')
    expect(await codeOf(prove(bad()))).toBe('dpop_invalid')
  })
})
