import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openTrail, type TrailParts } from '../../src/audit/trail.js'
import { verifyTrail } from '../../src/audit/verify.js'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Head, Store } from '../../src/store/store.js'

const START = Date.UTC(2026, 0, 5, 9)
const HOUR = 3_600_000
const happening: Happening = { what: 'launch_verified', outcome: 'success' }

describe('trail', () => {
  let now = START
  let dir = ''
  let stores: Store[] = []
  const clock = () => now
  const machine = async (): Promise<Store> => {
    const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
    const store = await openEmbedded({ dir, clock, random })
    stores.push(store)
    return store
  }
  const open = async (parts: Omit<TrailParts, 'store' | 'clock'> = {}, store?: Store) => {
    const on = store ?? (await machine())
    return { store: on, trail: await openTrail({ store: on, clock, ...parts }) }
  }
  const read = async (store: Store): Promise<TrailEntry[]> => {
    const entries: TrailEntry[] = []
    for await (const entry of store.trail()) entries.push(entry)
    return entries
  }
  const sign = async (payload: object) => JSON.stringify(payload)
  const verifyCheckpoint = async (jws: string) => JSON.parse(jws) as object

  beforeEach(async () => {
    now = START
    dir = await mkdtemp(join(tmpdir(), 'trail-'))
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
    stores = []
    await rm(dir, { recursive: true })
  })

  it('dates an entry by our clock at the moment of writing', async () => {
    const { store, trail } = await open()
    now += HOUR
    await trail.record(happening)
    expect((await read(store)).map(({ at }) => at)).toEqual([START, START + HOUR])
  })

  it('never dates an entry before the one before it, and says when the clock was set back', async () => {
    const { store, trail } = await open()
    now += HOUR
    await trail.record(happening)
    now -= 2 * HOUR
    await trail.record(happening)
    const [, , last] = await read(store)
    expect(last?.at).toBe(START + HOUR)
    expect(last?.detail).toEqual({ clock: START - HOUR })
    expect((await verifyTrail(store)).problems).toEqual([])
  })

  it('records with the act: a lost claim records nothing and stores nothing', async () => {
    const { store, trail } = await open()
    const work = (id: string) => ({
      claims: [{ what: 'jti/1', until: now + HOUR }],
      record: [happening, happening],
      puts: [{ kind: 'person' as const, id, value: { uid: '1', since: now }, until: now + HOUR }],
    })
    expect(await trail.commit(work('first'))).toBe(true)
    expect(await trail.commit(work('second'))).toBe(false)
    expect(await read(store)).toHaveLength(3)
    expect(await store.get('person', 'first')).toBeDefined()
    expect(await store.get('person', 'second')).toBeUndefined()
  })

  it('bounds what callers say before it is hashed', async () => {
    const { store, trail } = await open()
    await trail.record({ ...happening, detail: { said: `\u202e${'x'.repeat(5000)}` } })
    const said = (await read(store)).at(-1)?.detail?.said
    expect(String(said).startsWith('\\u{202e}xxx')).toBe(true)
    expect(String(said).length).toBeLessThan(600)
    expect((await verifyTrail(store)).problems).toEqual([])
  })

  it('begins each chain by naming the heads of the others that no older chain names', async () => {
    const name = async (store: Store, index: number) => {
      const { writer, seq, hash } = (await store.heads())[index] as Head
      return `${writer}:${seq}:${hash}`
    }
    const first = await open()
    await first.trail.record(happening)
    const oldest = await name(first.store, 0)
    now += 1
    const second = await open()
    const older = await name(first.store, 1)
    now += 1
    await open()
    const openings = (await read(first.store)).filter(({ what }) => what === 'writer_opened')
    expect(openings.map(({ detail }) => detail?.heads)).toEqual([[], [oldest], [older]])
    await second.trail.record(happening)
    expect((await verifyTrail(first.store)).problems).toEqual([])
  })

  it('signs how far its chain has come, once for each news, and a last time when it closes', async () => {
    const { store, trail } = await open({ sign })
    await trail.record(happening)
    await Promise.all([trail.checkpoint(), trail.checkpoint()])
    await trail.checkpoint()
    const checkpoints = async () => (await read(store)).filter(({ what }) => what === 'checkpoint')
    expect(await checkpoints()).toHaveLength(1)
    await trail.record(happening)
    await trail.close()
    expect(await checkpoints()).toHaveLength(2)
    const report = await verifyTrail(store, { verifyCheckpoint })
    expect(report).toMatchObject({ entries: 5, writers: 1, problems: [] })
    expect(report.lastCheckpoint?.seq).toBe(5)
  })

  it('makes a checkpoint by itself after so many entries', async () => {
    const { store, trail } = await open({ sign, checkpointEvery: 10 })
    for (let count = 0; count < 25; count++) await trail.record(happening)
    await trail.close()
    const checkpoints = (await read(store)).filter(({ what }) => what === 'checkpoint')
    expect(checkpoints.length).toBeGreaterThanOrEqual(2)
    expect((await verifyTrail(store, { verifyCheckpoint })).problems).toEqual([])
  })

  it('tells who asks for a checkpoint that it could not be signed, and goes on recording', async () => {
    const broken = async () => {
      throw new Error('no key')
    }
    const { trail } = await open({ sign: broken, checkpointEvery: 1 })
    await trail.record(happening, happening, happening)
    await trail.record(happening)
    await expect(trail.checkpoint()).rejects.toThrow('no key')
    await expect(trail.close()).rejects.toThrow('no key')
  })

  it('finds a checkpoint that we did not sign, and one of another place', async () => {
    const { store, trail } = await open({ sign })
    await trail.record(happening)
    await trail.checkpoint()
    const forged = await verifyTrail(store, { verifyCheckpoint: async () => undefined })
    expect(forged.problems).toEqual([
      expect.objectContaining({ seq: 3, problem: expect.stringContaining('forged') }),
    ])
    expect(forged.lastCheckpoint).toBeUndefined()
    for (const payload of [{}, { writer: 'wrt_other', seq: 2, hash: 'x' }]) {
      const moved = await verifyTrail(store, { verifyCheckpoint: async () => payload })
      expect(moved.problems).toMatchObject([{ seq: 3, problem: expect.stringContaining('place') }])
    }
    const lied = { writer: (await store.heads())[0]?.writer, seq: 2, hash: 'x'.repeat(43) }
    const changed = await verifyTrail(store, { verifyCheckpoint: async () => lied })
    expect(changed.problems).toMatchObject([
      { seq: 2, problem: expect.stringContaining('changed') },
    ])
  })
})
