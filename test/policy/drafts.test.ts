import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Draft } from '../../src/core/draft.js'
import { endOf } from '../../src/core/records.js'
import type { Ask } from '../../src/store/store.js'
import { STORES } from '../gateway.js'
import {
  approvedOf,
  approver,
  author,
  draftOf,
  INVARIANTS,
  mayDo,
  type Node,
  never,
  openSite,
  other,
  proposedOf,
  publishedOf,
  refusalOf,
  type Site,
  small,
} from './draft-site.js'

jest.setTimeout(60_000)

const DAY = 86_400_000
const GUARDED = { ...small('read', 'update'), [INVARIANTS]: never('delete') }

describe.each(STORES)('a change of the policies on the %s store', (store) => {
  let site: Site
  let node: Node
  beforeEach(async () => {
    site = await openSite(store)
    node = await site.node()
  })
  afterEach(() => site?.close())

  const whatHappened = async (id: string): Promise<string[]> =>
    (await site.entries(node))
      .filter(({ detail }) => detail?.draft === id)
      .map(({ what, user, refusal = '' }) => `${what} ${user?.name} ${refusal}`.trim())

  it('goes from draft to every node by its next refresh, and the trail tells it all', async () => {
    const second = await site.node()
    const { id, hash } = await publishedOf(node, small('read', 'update'))
    await node.policies.refresh()
    await second.policies.refresh()
    expect([mayDo(node), mayDo(second)]).toEqual(['read update', 'read update'])
    expect(second.policies.version()).toBe(2)
    expect(await whatHappened(id)).toEqual([
      'draft_opened Ann Author',
      'draft_edited Ann Author',
      'draft_proposed Ann Author',
      'draft_approved Per Approver',
      'policy_published Ann Author',
    ])
    expect((await second.drafts.history(10)).map(({ files, ...about }) => about)).toEqual([
      {
        ...{ version: 2, previous: 1, hash, at: site.now, origin: 'console', draft: id },
        ...{ by: author, approver, reason: 'They need to.', ticket: 'CHG-1' },
      },
      { version: 1, previous: 0, hash: expect.any(String), at: site.now, origin: 'seed' },
    ])
    expect((await second.drafts.version(2)).files).toEqual(small('read', 'update'))
    expect((await second.drafts.read(id)).draft.stage).toBe('published')
  })

  it('is not undone by a node that starts with other files', async () => {
    await publishedOf(node, small('read', 'update'))
    const restarted = await site.node()
    expect(restarted.policies.version()).toBe(2)
    expect(mayDo(restarted)).toBe('read update')
    expect(restarted.policies.superseded()).toBe(true)
  })

  it('is kept for 90 days after its last step', async () => {
    const { id } = await draftOf(node, small('update'))
    expect((await node.drafts.list()).map((draft) => draft.id)).toEqual([id])
    site.now += 80 * DAY
    const { generation } = (await node.drafts.read(id)).draft
    await node.drafts.edit(id, { by: other, generation, files: small('read', 'update') })
    site.now += 90 * DAY - 1
    expect((await node.drafts.read(id)).files).toEqual(small('read', 'update'))
    site.now += 1
    expect(await refusalOf(node.drafts.read(id))).toBe('draft_unknown')
    expect(await node.drafts.list()).toEqual([])
  })

  it('is proposed, approved and published only while nothing is wrong with it', async () => {
    const broken = { ...small('read'), 'policies/tests/small.yaml': 'tests: nonsense' }
    const { id, hash } = await draftOf(node, broken)
    const say = { by: author, reason: 'Why.', ticket: 'T', hash }
    await expect(node.drafts.propose(id, say)).rejects.toMatchObject({
      code: 'draft_unfit',
      problems: [{ file: 'policies/tests/small.yaml' }],
    })
    // A node whose gateway holds the files to more: what was sound elsewhere is not here.
    const strict = await site.node({ check: () => [{ file: 'x', text: 'no' }] })
    const sound = await proposedOf(node, small('read', 'update'))
    const approve = { by: approver, hash: sound.hash }
    expect(await refusalOf(strict.drafts.approve(sound.id, approve))).toBe('draft_unfit')
    await node.drafts.approve(sound.id, approve)
    const publish = { by: author, hash: sound.hash }
    expect(await refusalOf(strict.drafts.publish(sound.id, publish))).toBe('draft_unfit')
    expect((await node.drafts.publish(sound.id, publish)).stage).toBe('published')
  })

  it('that would lock everybody out is neither proposed nor published, in an emergency either', async () => {
    const locks = {
      ...small('read'),
      'policies/small.cedar': `// lock-all\n${small('read')['policies/small.cedar']}`,
    }
    const { id, hash } = await draftOf(node, locks)
    const say = { by: author, reason: 'Why.', ticket: 'T', hash }
    expect(await refusalOf(node.drafts.propose(id, say))).toBe('lockout_refused')
    expect(await refusalOf(node.drafts.emergency(id, say))).toBe('lockout_refused')
    const lax = await site.node({ lockedOut: () => undefined })
    await lax.drafts.propose(id, say)
    await lax.drafts.approve(id, { by: approver, hash })
    expect(await refusalOf(node.drafts.publish(id, say))).toBe('lockout_refused')
    expect((await node.drafts.inForce()).about.version).toBe(1)
  })

  it('is outdated by another that comes into force, until it is brought up to it', async () => {
    const { id, hash } = await approvedOf(node, small('update'))
    await publishedOf(node, small('read', 'create'))
    expect(await refusalOf(node.drafts.publish(id, { by: author, hash }))).toBe('draft_outdated')
    const { generation } = (await node.drafts.read(id)).draft
    const files = small('update', 'create')
    const rebased = await node.drafts.edit(id, { by: author, generation, files, rebase: true })
    expect(rebased).toMatchObject({ stage: 'open', base: { version: 2 } })
    const say = { by: author, reason: 'Why.', ticket: 'T', hash: rebased.hash }
    await node.drafts.propose(id, say)
    await node.drafts.approve(id, { by: approver, hash: rebased.hash })
    const published = await node.drafts.publish(id, say)
    expect(published).toMatchObject({ publication: { version: 3 } })
  })

  it('comes into force in an emergency, and waits for another person to review it', async () => {
    const { id, hash } = await draftOf(node, small('update'))
    await node.drafts.emergency(id, { by: author, hash, reason: 'A breach.' })
    await node.policies.refresh()
    expect(mayDo(node)).toBe('update')
    site.now += 400 * DAY
    const [open] = await node.drafts.list()
    expect(open).toMatchObject({ id, publication: { review: 'open', reason: 'A breach.' } })
    expect((await node.drafts.history(1))[0]).toMatchObject({ origin: 'emergency', by: author })
    const say = { reason: 'It was right.' }
    expect(await refusalOf(node.drafts.review(id, { ...say, by: author }))).toBe('draft_own')
    const closed = await node.drafts.review(id, { ...say, by: approver })
    expect(closed).toMatchObject({ publication: { review: { by: approver } } })
    expect((await whatHappened(id)).slice(-3)).toEqual([
      'policy_published Ann Author',
      'draft_refused Ann Author draft_own',
      'policy_reviewed Per Approver',
    ])
  })

  it('is given back, changed and abandoned, with the reasons on record', async () => {
    const { id } = await proposedOf(node, small('update'))
    const declined = await node.drafts.decline(id, { by: approver, reason: 'Too wide.' })
    expect(declined).toMatchObject({ stage: 'open', declined: { reason: 'Too wide.' } })
    await node.drafts.abandon(id, { by: author, reason: 'Not needed.' })
    const entries = await site.entries(node)
    expect(entries.find(({ what }) => what === 'draft_declined')?.detail?.reason).toBe('Too wide.')
    expect(entries.at(-1)).toMatchObject({
      what: 'draft_abandoned',
      detail: { reason: 'Not needed.' },
    })
  })

  describe('is rolled back', () => {
    const back = { version: 1, by: author, reason: 'It was wrong.' }

    it('by a new version with the old files, which ends what was issued since when asked to', async () => {
      await publishedOf(node, small('update'))
      await publishedOf(node, small('delete'))
      expect(await node.drafts.rollback({ ...back, version: 1, revoke: true })).toBe(4)
      await node.policies.refresh()
      expect(mayDo(node)).toBe('read')
      const ends = ['1', '2', '3', '4'].map((id) => ({ kind: 'ended', id: endOf('policy', id) }))
      const found = (await node.store.getAll(ends as Ask[])).map((end) => end !== undefined)
      expect(found).toEqual([false, true, true, false])
      expect((await node.drafts.history(1))[0]).toMatchObject({
        ...{ version: 4, origin: 'rollback', of: 1, by: author, reason: 'It was wrong.' },
      })
      const last = (await site.entries(node)).findLast(({ what }) => what === 'policy_published')
      expect(last?.detail).toMatchObject({
        of: 1,
        revokedFrom: 2,
        revokedTo: 3,
        origin: 'rollback',
      })
    })

    it('to nothing that never was, nothing that is, and only for a reason', async () => {
      await publishedOf(node, small('update'))
      for (const version of [0, -1, 1.5, 3, Number.NaN])
        expect(await refusalOf(node.drafts.rollback({ ...back, version }))).toBe(
          'policy_version_unknown',
        )
      expect(await refusalOf(node.drafts.rollback({ ...back, version: 2 }))).toBe('draft_unchanged')
      expect(await refusalOf(node.drafts.rollback({ ...back, reason: '' }))).toBe('draft_invalid')
    })

    it('under today’s invariants, which it keeps', async () => {
      await publishedOf(node, small('delete'))
      const { id } = await node.drafts.open({
        by: author,
        layer: 'central',
        title: 'No',
        ticket: '',
      })
      const edit = { by: author, generation: 1, files: GUARDED }
      const { hash } = await node.drafts.edit(id, { ...edit, guardian: true })
      await node.drafts.propose(id, { by: author, reason: 'Why.', ticket: 'T', hash })
      await node.drafts.approve(id, { by: approver, hash })
      await node.drafts.publish(id, { by: author, hash })
      expect(await refusalOf(node.drafts.rollback({ ...back, version: 2 }))).toBe('draft_unfit')
      expect(await node.drafts.rollback(back)).toBe(4)
      const { files } = await node.drafts.inForce()
      expect(files).toEqual({ ...small('read'), [INVARIANTS]: never('delete') })
    })
  })

  describe('by several at once', () => {
    let second: Node
    beforeEach(async () => {
      second = await site.node()
    })
    const results = (acts: readonly Promise<unknown>[]): Promise<string[]> =>
      Promise.all(acts.map(refusalOf)).then((all) => all.sort())

    it('is edited by one of them, and the other hears of it', async () => {
      const { id, generation } = await draftOf(node, small('update'))
      const acts = [node, second].map(({ drafts }, i) =>
        drafts.edit(id, { by: other, generation, files: small('read', i ? 'create' : 'delete') }),
      )
      expect(await results(acts)).toEqual(['done', 'draft_changed'])
      const { draft, files } = await node.drafts.read(id)
      const kept = await Promise.allSettled(acts)
      const won = kept.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<Draft>
      expect(draft).toEqual(won.value)
      expect(Object.keys(files)).toHaveLength(4)
    })

    it('is approved by one of them', async () => {
      const { id, hash } = await proposedOf(node, small('update'))
      const acts = [
        node.drafts.approve(id, { by: approver, hash }),
        second.drafts.approve(id, { by: other, hash }),
      ]
      const [first, last] = await results(acts)
      expect(first).toBe('done')
      expect(['draft_changed', 'draft_stage']).toContain(last)
    })

    it('is never published with what somebody put there while it was approved', async () => {
      for (let i = 0; i < 5; i++) {
        const { id, hash, generation } = await proposedOf(node, small('update'))
        await Promise.allSettled([
          node.drafts.approve(id, { by: approver, hash }),
          second.drafts.edit(id, { by: other, generation, files: small('read', 'delete') }),
        ])
        const { draft } = await node.drafts.read(id)
        const outcome = await refusalOf(node.drafts.publish(id, { by: author, hash: draft.hash }))
        if (draft.hash === hash) expect(outcome).toBe('done')
        else expect(['draft_stage', 'draft_outdated']).toContain(outcome)
        await node.policies.refresh()
        expect(mayDo(node)).not.toContain('delete')
        if (outcome === 'done') return
      }
    })

    it('is not published when it is edited in the last moment', async () => {
      const { id, hash, generation } = await approvedOf(node, small('update'))
      const edit = { by: other, generation, files: small('read', 'delete') }
      // Between the last look at the draft and the commit.
      const late = await site.node({}, (real) => ({
        ...real,
        async commit(work) {
          const publishes = work.puts?.some(({ id: put }) => put === 'current')
          if (publishes) await node.drafts.edit(id, edit)
          return real.commit(work)
        },
      }))
      const publish = late.drafts.publish(id, { by: author, hash })
      expect(await refusalOf(publish)).toBe('draft_outdated')
      expect((await node.drafts.inForce()).about.version).toBe(1)
      expect((await node.drafts.read(id)).draft.stage).toBe('open')
    })

    it('is published once', async () => {
      const [one, two] = [
        await approvedOf(node, small('update')),
        await approvedOf(node, small('create')),
      ]
      const acts = [
        node.drafts.publish(one.id, { by: author, hash: one.hash }),
        second.drafts.publish(two.id, { by: author, hash: two.hash }),
        second.drafts.publish(one.id, { by: author, hash: one.hash }),
        node.drafts.rollback({ version: 1, by: other, reason: 'No.' }),
      ]
      const said = await results(acts)
      expect(said.filter((word) => word === 'done')).toHaveLength(1)
      expect(said.filter((word) => /draft_(outdated|unchanged|stage)/.test(word))).toHaveLength(3)
      expect((await node.drafts.inForce()).about.version).toBe(2)
      const entries = await site.entries(node)
      expect(entries.filter(({ what }) => what === 'policy_published')).toHaveLength(2)
    })
  })
})
