import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type Beat, createBeat, fleetOf } from '../../src/policy/fleet.js'
import { random } from '../contract/parts.js'
import { STORES } from '../gateway.js'
import { type Node, openSite, publishedOf, type Site, small } from './draft-site.js'

jest.setTimeout(60_000)

describe.each(STORES)('the fleet on the %s store', (store) => {
  let site: Site
  let nodes: readonly (Node & { readonly beat: Beat })[]
  const clock = () => site.now
  const open = async () => {
    const node = await site.node()
    return { ...node, beat: createBeat({ ...node, clock, random }) }
  }
  const listed = () => fleetOf((nodes[0] as Node).store, clock)
  const beatAll = async () => {
    for (const { beat } of nodes) await beat.beat()
  }
  beforeEach(async () => {
    site = await openSite(store)
    const first = await open()
    site.now += 1000
    nodes = [first, await open()]
  })
  afterEach(() => site?.close())

  it('lists each node with its version and how long ago it spoke', async () => {
    await beatAll()
    site.now += 2000
    expect(await listed()).toEqual(
      nodes.map(({ beat }, i) => ({
        ...{ id: beat.node, version: 1, startedAt: site.now - 3000 + i * 1000, silent: 2000 },
        ...{ unheard: 3000 - i * 1000, follows: true, mayIssue: true, mayRead: true },
      })),
    )
  })

  it('shows who follows a new version, and who does not yet', async () => {
    await beatAll()
    const [first, second] = nodes
    await publishedOf(first as Node, small('read', 'update'))
    await first?.policies.refresh()
    await beatAll()
    expect((await listed()).map(({ version, follows }) => [version, follows])).toEqual([
      [2, true],
      [1, false],
    ])
    // At once when it follows, not five seconds later.
    await second?.policies.refresh()
    await beatAll()
    expect((await listed()).map(({ follows }) => follows)).toEqual([true, true])
  })

  it('shows a node that has stopped issuing, whether it says so or has fallen silent', async () => {
    await beatAll()
    site.now += 31_000
    await nodes[0]?.policies.refresh()
    await nodes[0]?.beat.beat()
    expect((await listed()).map(({ mayIssue, silent }) => [mayIssue, silent])).toEqual([
      [true, 0],
      [false, 31_000],
    ])
    await nodes[1]?.beat.beat()
    expect((await listed())[1]).toMatchObject({ mayIssue: false, mayRead: true, silent: 0 })
  })

  it('writes every five seconds, and forgets who goes, or has said nothing for five minutes', async () => {
    await beatAll()
    site.now += 4999
    await beatAll()
    expect((await listed()).map(({ silent }) => silent)).toEqual([4999, 4999])
    site.now += 1
    await beatAll()
    expect((await listed()).map(({ silent }) => silent)).toEqual([0, 0])
    await nodes[1]?.beat.leave()
    expect((await listed()).map(({ id }) => id)).toEqual([nodes[0]?.beat.node])
    site.now += 300_000
    expect(await listed()).toEqual([])
  })
})
