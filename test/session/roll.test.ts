import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KnownUser } from '../../src/core/context.js'
import type { SignOn } from '../../src/core/session.js'
import { createRoll } from '../../src/session/roll.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'

describe.each(STORES)('the roll of a person’s sign-ons on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const signOn = (id: string, user: Partial<KnownUser> = {}): SignOn => ({
    ...{ id: `sgn_${id}`, by: 'launch', issuer: 'gp-push', authentication: {}, browser: 'b' },
    user: { localId: 'local', ...user } as KnownUser,
    ...{ since: t.clock(), until: t.clock() + 43_200_000, idleUntil: t.clock() + 900_000 },
  })
  const roll = () => createRoll(t.running.store, 43_200)
  const enter = async (one: SignOn) => t.running.store.commit({ puts: await roll().puts(one) })

  it('holds all that are entered at one moment', async () => {
    const all = Array.from({ length: 60 }, (_, i) => signOn(`at-once-${i}`, { localId: 'once' }))
    await Promise.all(all.map(enter))
    const held = await roll().of('gp-push/once')
    expect([...held].sort()).toEqual(all.map(({ id }) => id).sort())
  })

  it('holds the last 64, however many there were', async () => {
    for (let i = 0; i < 100; i++) await enter(signOn(`${i}`, { localId: 'busy' }))
    const held = await roll().of('gp-push/busy')
    expect(held).toHaveLength(64)
    expect(held).toEqual(expect.arrayContaining(['sgn_99', 'sgn_36']))
    expect(held).not.toContain('sgn_35')
  })

  it('finds a launch’s user by the national number and by the system’s own name', async () => {
    await enter(signOn('both', { localId: 'two', sdsUserId: '555000000001' }))
    expect(await roll().of('555000000001')).toEqual(['sgn_both'])
    expect(await roll().of('gp-push/two')).toEqual(['sgn_both'])
    expect(await roll().of('gp-ward/two')).toEqual([])
  })
})
