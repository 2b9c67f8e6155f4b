/** Which nodes there are, and which of them does not know what is in force. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { wordsOf } from '../user-agent.js'
import { get, signedIn } from './signing-in.js'

jest.setTimeout(60_000)

describe.each(STORES)('the nodes on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  it('are listed with their version, and one that has not heard of it for half a minute says so', async () => {
    const { gateway: second } = await t.secondNode()
    const viewer = await signedIn(t, 'viewer')
    const { fleet } = t.running
    await fleet.beat()
    await second.policies.refresh()
    await second.fleet.beat()
    const both = wordsOf((await get(t, viewer, '/console/fleet')).text)
    expect(both.match(/Follows 1 0 s 0 s/g)).toHaveLength(2)
    // The first node hears each second; the second is cut off.
    await t.clock.advance(31)
    await fleet.beat()
    const cutOff = wordsOf((await get(t, viewer, '/console/fleet')).text)
    expect(cutOff).toContain('Follows 1 0 s 0 s')
    expect(cutOff).toContain('Opens nothing new 1 31 s 31 s')
    const home = wordsOf((await get(t, viewer, '/console')).text)
    expect(home).toMatch(/Nodes Running 2 Not by the version in force 1 All nodes/)
    expect(home).toMatch(/Changes Being written 0 Waiting for approval 0 .* All changes/)
  })
})
