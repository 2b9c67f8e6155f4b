import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createShadow, type Shadow, shadowOf } from '../../src/policy/shadow.js'
import { STORES } from '../gateway.js'
import { ask, ORDINARY, section } from './asking.js'
import { author, draftOf, type Node, openSite, proposedOf, type Site, small } from './draft-site.js'

jest.setTimeout(60_000)

const gp = { ...ORDINARY, user: { ...ORDINARY.user, roles: ['gp'] as const } }
const READ = ask(gp, 'read', section('contacts'))
const UPDATE = ask(gp, 'update', section('contacts'))

describe.each(STORES)('a draft in shadow on the %s store', (store) => {
  let site: Site
  let node: Node
  let shadow: Shadow
  let counted: string[]
  let waiting: (() => void)[]
  beforeEach(async () => {
    site = await openSite(store)
    node = await site.node()
    counted = []
    waiting = []
    shadow = createShadow({
      ...{ store: node.store, clock: () => site.now, node: 'nod_1' },
      counted: (turn) => counted.push(turn),
      later: (act) => waiting.push(act),
    })
  })
  afterEach(async () => {
    shadow.close()
    await site?.close()
  })

  const judged = () => {
    for (const act of waiting.splice(0)) act()
  }
  const asking = (question: typeof READ, times: number) => {
    const heard = shadow.observing(node.policies)
    for (let i = 0; i < times; i++)
      expect(heard.decide(question)).toBe(node.policies.decide(question))
  }

  it('is counted beside the version in force, whose answers stand', async () => {
    const { id, hash } = await draftOf(node, small('update'))
    await node.drafts.shadow(id, { by: author, on: true })
    await shadow.refresh()
    asking(READ, 17 * 2)
    asking(UPDATE, 17)
    asking({ ...READ, action: 'delete' }, 17)
    expect(counted).toEqual([])
    judged()
    expect(counted).toEqual(['allowToDeny', 'allowToDeny', 'denyToAllow', 'same'])
    await shadow.refresh()
    const { counts, examples } = await shadowOf(node.store, { id, hash })
    expect(counts).toEqual({ same: 1, allowToDeny: 2, denyToAllow: 1, failed: 0 })
    expect(examples).toEqual([
      {
        ...{ turn: 'allowToDeny', action: 'read', resource: 'section/contacts', roles: ['gp'] },
        ...{ organization: 'A83001', app: 'care-plan', policies: [], count: 2 },
      },
      expect.objectContaining({ turn: 'denyToAllow', policies: ['may-update'], count: 1 }),
    ])
  })

  it('is judged at most twenty times in a second', async () => {
    const { id } = await draftOf(node, small('update'))
    await node.drafts.shadow(id, { by: author, on: true })
    await shadow.refresh()
    asking(READ, 17 * 50)
    judged()
    expect(counted).toHaveLength(20)
    site.now += 1000
    asking(READ, 17 * 50)
    judged()
    expect(counted).toHaveLength(40)
  })

  it('is followed from one edit to the next, and left when it is no longer in shadow', async () => {
    const { id, generation } = await draftOf(node, small('update'))
    const moved = await node.drafts.shadow(id, { by: author, on: true })
    expect(moved.generation).toBe(generation + 1)
    await shadow.refresh()
    asking(READ, 17)
    const files = small('read', 'create')
    await node.drafts.edit(id, { by: author, generation: generation + 1, files })
    await shadow.refresh()
    // What was waiting was a question to the files of before.
    judged()
    asking(READ, 17)
    judged()
    expect(counted).toEqual(['same'])
    await node.drafts.shadow(id, { by: author, on: false })
    await shadow.refresh()
    asking(READ, 17 * 3)
    expect(waiting).toEqual([])
  })

  it('is given up when its policies fail again and again, and nobody notices', async () => {
    const fails = `${small('read')['policies/small.cedar']}
@id("fails") @layer("central") @reason("Fails.")
forbid (principal, action == Action::"update", resource) when { 9223372036854775807 + context.hour > 0 };`
    const failing = { ...small('read'), 'policies/small.cedar': fails }
    const { id } = await proposedOf(node, failing)
    await node.drafts.shadow(id, { by: author, on: true })
    await shadow.refresh()
    asking(UPDATE, 17 * 15)
    judged()
    expect(counted).toEqual(Array.from({ length: 10 }, () => 'failed'))
  })

  it('is only one that is sound, and whose files are whole', async () => {
    const broken = { ...small('read'), 'policies/small.cedar': 'permit (' }
    const { id } = await draftOf(node, broken)
    const put = node.drafts.shadow(id, { by: author, on: true })
    await expect(put).rejects.toMatchObject({ code: 'draft_unfit' })
    const other = await draftOf(node, small('update'))
    const shadowed = await node.drafts.shadow(other.id, { by: author, on: true })
    await node.store.commit({
      drops: [{ kind: 'draftFiles', id: `${other.id}/${shadowed.hash}` }],
    })
    await expect(shadow.refresh()).rejects.toThrow('not whole')
    asking(READ, 17)
    expect(waiting).toEqual([])
    await shadow.refresh()
  })
})
