/** What somebody with access to the store's own files and commands may try. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { open as openLmdb, type RootDatabase } from 'lmdb'
import { openTrail } from '../../src/audit/trail.js'
import { verifyTrail } from '../../src/audit/verify.js'
import type { Happening } from '../../src/core/audit.js'
import { openEmbedded } from '../../src/store/embedded.js'
import { openRedis } from '../../src/store/redis.js'
import type { Store } from '../../src/store/store.js'
import { type RedisServer, startRedis } from '../redis-server.js'

const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
let now = Date.UTC(2026, 0, 5, 9)
const clock = () => {
  now += 1
  return now
}
const happening: Happening = { what: 'launch_verified', outcome: 'success', app: 'care-plan' }

/** A chain of five entries, and a younger one that names its end. Answers the first one's writer. */
async function write(open: () => Promise<Store>): Promise<string> {
  const store = await open()
  const trail = await openTrail({ store, clock })
  await trail.record(happening, happening, happening, happening)
  const [head] = await store.heads()
  await store.close()
  const younger = await open()
  await openTrail({ store: younger, clock })
  await younger.close()
  return head?.writer ?? ''
}

describe('tampering with the embedded store', () => {
  let dir = ''
  let writer = ''
  let raw: RootDatabase<string, string>
  let store: Store
  const open = () => openEmbedded({ dir, clock, random })
  const key = (seq: number) => `trail/${writer}/${String(seq).padStart(15, '0')}`
  const problems = async () => (await verifyTrail(store)).problems

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tamper-'))
    writer = await write(open)
    store = await open()
    raw = openLmdb({ path: join(dir, 'gateway.mdb'), encoding: 'string', overlappingSync: false })
  })
  afterEach(async () => {
    await raw.close()
    await store.close()
    await rm(dir, { recursive: true })
  })

  it('finds nothing before anybody tampers', async () => {
    expect(await verifyTrail(store)).toEqual({ entries: 6, writers: 2, problems: [] })
  })

  it('finds a word changed', async () => {
    await raw.put(key(3), String(raw.get(key(3))).replace('care-plan', 'other'))
    expect(await problems()).toMatchObject([{ writer, seq: 3 }])
  })

  it('finds an entry that cannot be read any more', async () => {
    await raw.put(key(3), 'rubbish')
    expect((await problems()).map(({ seq }) => seq)).toContain(3)
  })

  it('finds an entry removed, and one put in the place of another', async () => {
    await raw.remove(key(3))
    expect(await problems()).toMatchObject([{ seq: 4, problem: expect.stringContaining('3') }])
    await raw.put(key(3), String(raw.get(key(4))))
    expect((await problems()).map(({ seq }) => seq)).toContain(3)
  })

  it('finds the end of a chain removed, and the whole chain', async () => {
    await raw.remove(key(5))
    expect(await problems()).toMatchObject([{ writer, seq: 5 }])
    for (let seq = 1; seq < 5; seq++) await raw.remove(key(seq))
    expect(await problems()).toMatchObject([{ writer, seq: 5 }])
  })
})

describe('tampering with the Redis store', () => {
  let server: RedisServer
  let prefix = ''
  let store: Store
  const problems = async () => (await verifyTrail(store)).problems

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())
  afterEach(() => store.close())

  it.each<[string, (writer: string) => string[], number]>([
    ['an element removed', (writer) => ['XDEL', `${prefix}trail/{${writer}}`, '2-0'], 5],
    ['a chain removed', (writer) => ['DEL', `${prefix}trail/{${writer}}`], 5],
    ['a chain hidden', (writer) => ['SREM', `${prefix}writers`, writer], 5],
  ])('finds %s', async (name, command, seq) => {
    prefix = `${name}:`.replaceAll(' ', '-')
    const open = () => openRedis({ url: server.url, prefix, clock, random })
    const writer = await write(open)
    store = await open()
    expect(await verifyTrail(store)).toEqual({ entries: 6, writers: 2, problems: [] })
    await server.say(...command(writer))
    expect(await problems()).toMatchObject([{ writer, seq }])
  })
})
