import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openTrail, type Trail } from '../../src/audit/trail.js'
import { verifyTrail } from '../../src/audit/verify.js'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { newLaunchId } from '../../src/core/ids.js'
import { openRedis, type RedisStoreOptions } from '../../src/store/redis.js'
import type { Put, Store } from '../../src/store/store.js'
import { type RedisServer, says, startRedis } from '../redis-server.js'

const NOW = Date.UTC(2026, 0, 5, 9)
const MINUTE = 60_000
/** A call fails in two seconds; a loaded machine may be late to notice. By the client's own rules it would be more than ten. */
const BOUND = 9000
const clock = () => NOW
const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
const happening: Happening = { what: 'session_opened', outcome: 'success' }

const person = (id: string, uid = '1'): Put => {
  return { kind: 'person', id, value: { uid, since: NOW }, until: NOW + MINUTE }
}

describe('the Redis store when something fails', () => {
  let server: RedisServer
  let store: Store
  let trail: Trail
  let warnings: string[] = []
  const others: { stop(): Promise<void> }[] = []
  const open = (options: Partial<RedisStoreOptions> = {}) => {
    const warn = (message: string) => void warnings.push(message)
    return openRedis({ url: server.url, clock, random, warn, ...options } as RedisStoreOptions)
  }
  const read = async (): Promise<TrailEntry[]> => {
    const entries: TrailEntry[] = []
    for await (const entry of store.trail()) entries.push(entry)
    return entries
  }
  const numbers = async () => (await read()).map(({ seq }) => seq)
  const sound = async () => expect((await verifyTrail(store)).problems).toEqual([])
  /** How long it took to fail, in milliseconds. */
  const failing = async (work: Promise<unknown>): Promise<number> => {
    const began = performance.now()
    await expect(work).rejects.toMatchObject({ name: 'StoreFailure' })
    return performance.now() - began
  }
  /** What a caller does who was told that the store is not there: asks again. */
  const recovered = async () => {
    for (;;) {
      const answered = await store.ping().then(
        () => true,
        () => false,
      )
      if (answered) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  beforeEach(async () => {
    warnings = []
    server = await startRedis()
    store = await open()
    trail = await openTrail({ store, clock })
  })
  afterEach(async () => {
    await store.close()
    for (const other of others.splice(0)) await other.stop()
    await server.stop()
  })

  it('forgets, at the second sweep, ids of which the server has let the records go', async () => {
    const node = (id: string): Put => {
      const said = { version: 1, hash: 'x', heardAt: NOW, startedAt: NOW, at: NOW }
      const value = { ...said, mayIssue: true, mayRead: true }
      return { kind: 'node', id, value, until: NOW + MINUTE }
    }
    await store.commit({ puts: [node('nod_gone'), node('nod_here')] })
    await server.say('DEL', 'lg:node/nod_gone')
    const index = () => server.say('SMEMBERS', 'lg:index/node')
    await store.sweep()
    expect(await index()).toMatch('nod_gone')
    await store.sweep()
    expect(await index()).not.toMatch('nod_gone')
    expect((await store.list('node')).map(({ id }) => id)).toEqual(['nod_here'])
  })

  it('fails at once while the server is away, and goes on by itself when it is back, nothing lost', async () => {
    const claims = [{ what: 'jti/1', until: NOW + MINUTE }]
    await trail.commit({ claims, record: [happening], puts: [person('a')] })
    await server.halt('SIGTERM')
    expect(await failing(trail.commit({ record: [happening] }))).toBeLessThan(BOUND)
    expect(await failing(store.get('person', 'a'))).toBeLessThan(BOUND)
    expect(await failing(store.ping())).toBeLessThan(BOUND)
    await server.start()
    await recovered()
    expect(await store.get('person', 'a')).toBeDefined()
    expect(await store.commit({ claims })).toBe(false)
    await trail.record(happening)
    expect(await numbers()).toEqual([1, 2, 3])
    await sound()
  })

  it('fails what is under way when the server is killed, and keeps the chain whole', async () => {
    const acts = Array.from({ length: 200 }, (_, index) =>
      trail.commit({ record: [happening], puts: [person(`p${index}`)] }).then(
        () => 'done',
        () => 'failed',
      ),
    )
    const killed = server.halt('SIGKILL')
    const outcomes = await Promise.all(acts)
    await killed
    await server.start()
    await recovered()
    await trail.record(happening)
    const done = outcomes.filter((outcome) => outcome === 'done').length
    const entries = await read()
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
    expect(entries.length).toBeGreaterThanOrEqual(done + 2)
    await sound()
  })

  it('gives up a server that is silent, and adopts what it did after all', async () => {
    server.freeze()
    const took = await failing(trail.commit({ record: [happening], puts: [person('a')] }))
    expect(took).toBeLessThan(BOUND)
    server.thaw()
    await recovered()
    await trail.record(happening)
    const entries = await read()
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
    // An entry whose record never came to be is legal; a record without its entry is not.
    expect(await store.get('person', 'a')).toBeUndefined()
    await sound()
  })

  it('writes no record when its entry is refused, and the chain goes on without a gap', async () => {
    await server.say('CONFIG', 'SET', 'maxmemory', '1')
    const refused = trail.commit({ record: [happening], puts: [person('a')] })
    await expect(refused).rejects.toMatchObject({ code: 'uncertain', message: /OOM/ })
    await expect(store.ping()).rejects.toMatchObject({ code: 'uncertain' })
    await server.say('CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.get('person', 'a')).toBeUndefined()
    await Promise.all([trail.record(happening), trail.record(happening)])
    expect(await numbers()).toEqual([1, 2, 3])
    await sound()
  })

  it('goes on behind an entry that reached the stream although it was believed lost', async () => {
    const [head] = await store.heads()
    const writer = head?.writer ?? ''
    await trail.record(happening)
    const [, second] = await read()
    const late = JSON.stringify({ ...second, seq: 3 })
    await server.say('XADD', `lg:trail/{${writer}}`, '3-0', 'e', late)
    await expect(trail.record(happening)).rejects.toMatchObject({ code: 'uncertain' })
    await trail.record(happening)
    expect(await numbers()).toEqual([1, 2, 3, 4])
  })

  it('does not give out again the numbers of entries that the server lost: the gap shows', async () => {
    await server.say('CONFIG', 'SET', 'appendonly', 'no')
    await trail.record(happening, happening)
    await server.halt('SIGKILL')
    await server.start()
    await server.say('FLUSHALL')
    await recovered()
    await trail.record(happening)
    expect(await numbers()).toEqual([4])
    expect(warnings.join()).toMatch(/lost entries 1 to 3 of the trail/)
    const { problems } = await verifyTrail(store)
    expect(problems).toMatchObject([{ seq: 4, problem: 'missing before it: entries 1 to 3' }])
  })

  it('does not acknowledge what too few replicas hold, and does once one is there', async () => {
    const careful = await open({ replicas: 1 })
    others.push({ stop: () => careful.close() })
    const put = { puts: [person('a')] }
    await expect(careful.commit(put)).rejects.toMatchObject({ code: 'uncertain' })
    await server.say('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
    const replica = await startRedis('--replicaof', `127.0.0.1 ${server.port}`)
    others.push(replica)
    await says(server, ['INFO', 'replication'], /state=online/)
    await expect(careful.commit(put)).resolves.toBe(true)
  })

  it('warns when the server would lose or evict what it is given, and is silent when not', async () => {
    expect(warnings).toEqual([])
    await server.say('CONFIG', 'SET', 'appendonly', 'no')
    await server.say('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await (await open()).close()
    expect(warnings).toHaveLength(2)
    expect(warnings.join()).toMatch(/append-only file off.*may evict/)
  })

  it('does not open where no server answers, or where it is not let in', async () => {
    await expect(open({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    await server.say('CONFIG', 'SET', 'requirepass', 'secret')
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('NOAUTH') })
    const url = `redis://:secret@127.0.0.1:${server.port}`
    await (await open({ url })).close()
  })

  it('says nothing of a key or a value in an error', async () => {
    const launch = newLaunchId(NOW, random)
    await server.say('SET', `lg:{${launch.slice(4)}}/session`, 'rubbish')
    await server.say('LPUSH', 'lg:person/9990000018', 'rubbish')
    const error = await store.get('person', '9990000018').catch((failure: Error) => failure)
    expect(`${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('9990000018')
    expect((error as Error).message).toBe('unavailable: Redis: WRONGTYPE')
    expect((error as Error).cause).toBeUndefined()
  })

  it('lets the server forget a while after our clock says so, never before', async () => {
    await store.commit({ claims: [{ what: 'jti/1', until: NOW + MINUTE }], puts: [person('a')] })
    for (const key of ['lg:claim/jti/1', 'lg:person/a']) {
      const left = Number((await server.say('PTTL', key)).slice(1))
      expect(left).toBeGreaterThan(MINUTE)
      expect(left).toBeLessThanOrEqual(MINUTE + 5 * MINUTE)
    }
  })
})
