/** What came of judging a token is remembered only as long as everything that it was judged by is as it was. */
import { beforeEach, describe, expect, it } from '@jest/globals'
import { rememberJudged } from '../../src/access/judged.js'
import { readAhead } from '../../src/store/ahead.js'
import { encodeRecord } from '../../src/store/records.js'
import type { Ask, Text } from '../../src/store/store.js'

const NOW = 1_800_000_000_000
const MINUTE = 60_000
const ASKS: readonly Ask[] = [
  { kind: 'grant', id: 'lch_1' },
  { kind: 'signOn', id: 'sgn_1' },
  { kind: 'ended', id: 'person/1' },
]
const until = NOW + 10 * MINUTE
const signOn = { until, idleUntil: NOW + 5 * MINUTE }
const live = {
  client: { id: 'app' },
  grant: { until, policyVersion: 1 },
  behind: { user: {}, signOn },
}
const claims = {} as never

const t = {} as {
  now: number
  version: number
  kept: Map<string, Text>
  trips: number
  registered: Map<string, object>
  judged: ReturnType<typeof rememberJudged<never>>
}
const clock = () => t.now
const store = {
  async texts(asks: readonly Ask[]) {
    t.trips += 1
    return asks.map(({ kind, id }) => t.kept.get(`${kind} ${id}`))
  },
}
const registry = {
  client: async (id: string) => t.registered.get(id) as never,
  system: async (id: string) => t.registered.get(id) as never,
}
const ahead = () => readAhead({ store, clock }, t.judged.asksOf(claims))
const again = async () => t.judged.again(claims, await ahead())
const put = (ask: string, value: object, end = until) => t.kept.set(ask, encodeRecord(value, end))

beforeEach(async () => {
  Object.assign(t, { now: NOW, version: 1, trips: 0, kept: new Map() })
  put('grant lch_1', { id: 1 })
  put('signOn sgn_1', { id: 2 })
  const system = { id: 'gp' }
  t.registered = new Map<string, object>([
    ['app', live.client],
    ['gp', system],
  ])
  t.judged = rememberJudged({ registry, policies: { version: () => t.version }, clock })
  const first = await ahead()
  await first.getAll([ASKS[0] as Ask])
  await first.getAll(ASKS.slice(1))
  t.judged.keep(claims, first, live as never, system as never)
  t.trips = 0
})

describe('what came of judging a token', () => {
  it('comes of it again, and the store is asked in one trip', async () => {
    expect(await again()).toBe(live)
    expect(await again()).toBe(live)
    expect(t.trips).toBe(2)
  })

  // biome-ignore format: a table
  it.each<[string, () => void]>([
    ['a record says something else',         () => put('grant lch_1', { id: 3 })],
    ['a record is gone',                     () => t.kept.delete('signOn sgn_1')],
    ['a record lives for another time',      () => put('grant lch_1', { id: 1 }, until + 1)],
    ['something was ended',                  () => put('ended person/1', { at: NOW })],
    ['another policy version is in force',   () => { t.version = 2 }],
    ['its app is registered otherwise',      () => t.registered.set('app', { id: 'app' })],
    ['its app is not registered any more',   () => t.registered.delete('app')],
    ['its system is registered otherwise',   () => t.registered.set('gp', { id: 'gp' })],
    ['its system is not registered any more', () => t.registered.delete('gp')],
    ['nobody used it for too long',          () => { t.now = signOn.idleUntil }],
    ['its time is over',                     () => { t.now = until }],
    ['the clock was set back',               () => { t.now = NOW - 1 }],
  ])('is found out anew when %s', async (_when, change) => {
    change()
    expect(await again()).toBeUndefined()
  })

  it('is good until the last moment before its user was idle for too long', async () => {
    t.now = signOn.idleUntil - 1
    expect(await again()).toBe(live)
  })

  it('is that of the version it was judged by, though another came before it was kept', async () => {
    t.version = 2
    const from = await ahead()
    await from.getAll(ASKS)
    t.judged.keep(claims, from, live as never, t.registered.get('gp') as never)
    expect(await again()).toBeUndefined()
  })

  it('ends with the first of its records', async () => {
    const asked = await ahead()
    put('ended person/1', { at: 0 }, NOW + MINUTE)
    await asked.getAll(ASKS)
    expect(asked.asked().until).toBe(until)
    const later = await readAhead({ store, clock }, [])
    await later.getAll(ASKS)
    expect(later.asked().until).toBe(NOW + MINUTE)
  })
})

describe('reads made ahead', () => {
  it('are one moment’s: what was read is not read again, and what was not, is', async () => {
    const from = await ahead()
    put('grant lch_1', { id: 9 })
    put('person p', { uid: 'u' })
    expect(await from.get('grant', 'lch_1')).toEqual({ id: 1 })
    expect(await from.get('person', 'p')).toEqual({ uid: 'u' })
    expect(t.trips).toBe(2)
    expect(from.asked().asks).toEqual([ASKS[0], { kind: 'person', id: 'p' }])
  })

  it('give no record past its time', async () => {
    const from = await ahead()
    t.now = until
    expect(await from.get('grant', 'lch_1')).toBeUndefined()
  })
})
