/** Ways around the four eyes, around the invariants and around a store that is cut off: each is refused, or changes nothing. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Draft, Person } from '../../src/core/draft.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import type { Commit, Store } from '../../src/store/store.js'
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
  nobody,
  openSite,
  other,
  proposedOf,
  publishedOf,
  refusalOf,
  type Site,
  small,
} from '../policy/draft-site.js'

jest.setTimeout(60_000)

const DAY = 86_400_000
const NEW = small('read', 'update')

describe.each(STORES)('on the %s store', (store) => {
  let site: Site
  let node: Node
  beforeEach(async () => {
    site = await openSite(store)
    node = await site.node()
  })
  afterEach(() => site?.close())

  /** The refusal, which is on record with who tried, and a version in force that is still the first. */
  const expectRefused = async (act: Promise<unknown>, code: string, by = author): Promise<void> => {
    expect(await refusalOf(act)).toBe(code)
    expect((await site.entries(node)).at(-1)).toMatchObject({
      ...{ what: 'draft_refused', outcome: 'refused', refusal: code },
      user: { id: by.uid, name: by.name },
    })
    await node.policies.refresh()
    expect(node.policies.version()).toBe(1)
  }

  describe('four eyes are not had', () => {
    it('by a second login of the same person', async () => {
      const { id, hash } = await proposedOf(node, NEW)
      const again = { uid: author.uid, name: 'A. Author (private)' }
      await expectRefused(node.drafts.approve(id, { by: again, hash }), 'draft_own', again)
    })

    it('by a person whom the provider does not name', async () => {
      const { id, hash } = await proposedOf(node, NEW)
      const approve = node.drafts.approve(id, { by: nobody, hash })
      await expectRefused(approve, 'person_unproven', nobody)
      const edit = { by: nobody, generation: 3, files: NEW }
      await expectRefused(node.drafts.edit(id, edit), 'person_unproven', nobody)
    })

    it('by an approver who had a hand in it earlier', async () => {
      const { id, generation } = await draftOf(node, small('delete'), approver)
      const { hash } = await node.drafts.edit(id, { by: author, generation, files: NEW })
      await node.drafts.propose(id, { by: author, reason: 'Why.', ticket: 'T', hash })
      await expectRefused(node.drafts.approve(id, { by: approver, hash }), 'draft_own', approver)
    })

    it('by approving another hash than the draft’s', async () => {
      const { id } = await proposedOf(node, NEW)
      const { hash } = await draftOf(node, small('update'))
      const approve = node.drafts.approve(id, { by: approver, hash })
      await expectRefused(approve, 'draft_other_hash', approver)
    })

    it('by an edit after the approval, of whatever kind', async () => {
      const { id, hash, generation } = await approvedOf(node, NEW)
      await node.drafts.edit(id, { by: author, generation, files: small('delete') })
      const publish = () => node.drafts.publish(id, { by: author, hash })
      await expectRefused(publish(), 'draft_stage')
      await node.drafts.edit(id, { by: author, generation: generation + 1, files: NEW })
      await expectRefused(publish(), 'draft_stage')
    })

    it('by rolling back to an emergency of one’s own that nobody else has looked at', async () => {
      const { id, hash } = await draftOf(node, NEW)
      await node.drafts.emergency(id, { by: author, hash, reason: 'A breach.' })
      await node.drafts.rollback({ version: 1, by: approver, reason: 'It was none.' })
      const again = (by: Person) => node.drafts.rollback({ version: 2, by, reason: 'It was one.' })
      expect(await refusalOf(again(author))).toBe('draft_own')
      expect(await refusalOf(again({ ...author, name: 'A. Author (private)' }))).toBe('draft_own')
      await node.drafts.review(id, { by: other, reason: 'It was one.' })
      expect(await again(author)).toBe(4)
    })

    it('by publishing other files under an approved draft', async () => {
      const { id, hash } = await approvedOf(node, NEW)
      const value = { files: small('delete') }
      const until = site.now + DAY
      await node.store.commit({ puts: [{ kind: 'draftFiles', id: `${id}/${hash}`, value, until }] })
      await expect(node.drafts.publish(id, { by: author, hash })).rejects.toThrow('not whole')
      await node.policies.refresh()
      expect(node.policies.version()).toBe(1)
    })

    it('by an approval that has expired', async () => {
      const { id, hash } = await approvedOf(node, NEW)
      site.now += 7 * DAY
      await expectRefused(node.drafts.publish(id, { by: author, hash }), 'approval_expired')
    })

    it('by a record that stands under another id', async () => {
      const { id, hash } = await approvedOf(node, NEW)
      const { draft } = await node.drafts.read(id)
      const until = site.now + DAY
      await node.store.commit({ puts: [{ kind: 'draft', id: 'dft_other', value: draft, until }] })
      const publish = node.drafts.publish('dft_other', { by: author, hash })
      await expectRefused(publish, 'draft_unknown')
    })

    it.each([
      '',
      'dft_',
      'dft_../../policy/current',
      `dft_${'x'.repeat(5000)}`,
      'lch_1',
      'dft_a b',
    ])('by an id that is none: %.30s', async (id) => {
      await expectRefused(node.drafts.publish(id, { by: author, hash: 'x' }), 'draft_unknown')
    })
  })

  describe('files are not smuggled in', () => {
    const edit = async (files: unknown, layer = 'central', guardian = false) => {
      const { id } = await node.drafts.open({ by: author, layer, title: 'A change', ticket: '' })
      return node.drafts.edit(id, { by: author, generation: 1, files, guardian })
    }
    const text = 'x'
    // biome-ignore format: a table
    it.each([
      ['a path that leads out',        { 'policies/../roles.yaml': text },                'draft_invalid'],
      ['an absolute path',             { '/etc/passwd': text },                           'draft_invalid'],
      ['a name with two dots',         { 'policies/a..cedar': text },                     'draft_invalid'],
      ['a hidden file',                { 'policies/.a.cedar': text },                     'draft_invalid'],
      ['a name in capitals',           { 'policies/Small.cedar': text },                  'draft_invalid'],
      ['a name that looks the same',   { 'policies/sm\u0430ll.cedar': text },             'draft_invalid'],
      ['a folder of its own',          { 'policies/more/a.cedar': text },                 'draft_invalid'],
      ['a prototype',                  JSON.parse('{"__proto__": "x"}'),                  'draft_invalid'],
      ['a constructor',                { constructor: text },                             'draft_invalid'],
      ['no text',                      { 'policies/a.cedar': { toString: () => 'x' } },   'draft_invalid'],
      ['a list',                       [text],                                            'draft_invalid'],
      ['nothing',                      null,                                              'draft_invalid'],
      ['text that reads backwards',    { 'policies/a.cedar': '// \u202e permit' },        'draft_invalid'],
      ['text that nobody sees',        { 'policies/a.cedar': 'per\u200bmit' },            'draft_invalid'],
      ['half a character',             { 'policies/a.cedar': '// \ud800' },               'draft_invalid'],
      ['a NUL',                        { 'policies/a.cedar': '// \0' },                   'draft_invalid'],
      ['megabytes',                    { 'policies/a.cedar': 'x'.repeat(3_600_000) },     'draft_too_large'],
      ['what grows when it is written',{ 'policies/a.cedar': '"'.repeat(2_000_000) },     'draft_too_large'],
      ['too many files',               Object.fromEntries(Array.from({ length: 5001 }, (_, i) => [`policies/f${i}.cedar`, text])), 'draft_too_large'],
    ])('%s', async (_, files, code) => {
      await expectRefused(edit(files), code)
    })

    it('by a central draft into a local layer, or by a local one anywhere else', async () => {
      const local = { ...small('read'), 'policies/local/A83001/a.cedar': '// ours' }
      await expectRefused(edit(local), 'layer_refused')
      for (const layer of ['local/A83002', 'local/capital'])
        await expectRefused(edit(local, layer), 'layer_refused')
      await expectRefused(edit(NEW, 'local/A83001'), 'layer_refused')
      const { 'roles.yaml': _, ...without } = small('read')
      await expectRefused(edit(without, 'local/A83001'), 'layer_refused')
      for (const layer of ['local/', 'local/../x', 'local', 'Central', 'local/a/b', ''])
        await expectRefused(edit(local, layer), 'draft_invalid')
      expect(await edit(local, 'local/A83001')).toMatchObject({ layer: 'local/A83001' })
    })

    it('into the invariants, but by their guardians', async () => {
      const weaker = { ...small('read'), [INVARIANTS]: never('create') }
      await expectRefused(edit(weaker), 'guardian_required')
      const { id, generation } = await edit(weaker, 'central', true)
      // Somebody else may go on with the draft, and not change what the guardian put there.
      const more = { ...NEW, [INVARIANTS]: never('create') }
      const by = { by: other, generation }
      const again = await node.drafts.edit(id, { ...by, files: more })
      const changed = { ...NEW, [INVARIANTS]: never('search') }
      const edited = node.drafts.edit(id, {
        by: other,
        generation: again.generation,
        files: changed,
      })
      await expectRefused(edited, 'guardian_required', other)
    })

    it('into who may use the console, but by guardians', async () => {
      const file = 'console.yaml'
      await expectRefused(edit({ ...NEW, [file]: 'people: []\n' }), 'guardian_required')
      expect((await edit({ ...NEW, [file]: 'people: []\n' }, 'central', true)).stage).toBe('open')
    })

    it('by bringing an old draft up to a version whose invariants are stronger', async () => {
      const { id, generation } = await draftOf(node, small('delete'))
      const guarded = { ...NEW, [INVARIANTS]: never('delete') }
      const strong = await node.drafts.open({
        by: other,
        layer: 'central',
        title: 'No',
        ticket: '',
      })
      const { hash } = await node.drafts.edit(strong.id, {
        ...{ by: other, generation: 1, files: guarded, guardian: true },
      })
      await node.drafts.emergency(strong.id, { by: other, hash, reason: 'Now.' })
      const edit = { by: author, generation, files: small('delete'), rebase: true }
      expect(await refusalOf(node.drafts.edit(id, edit))).toBe('guardian_required')
      const files = { ...small('delete'), [INVARIANTS]: never('delete') }
      const rebased = await node.drafts.edit(id, { ...edit, files })
      const say = { by: author, reason: 'Why.', ticket: 'T', hash: rebased.hash }
      expect(await refusalOf(node.drafts.propose(id, say))).toBe('draft_unfit')
      expect(await refusalOf(node.drafts.emergency(id, say))).toBe('draft_unfit')
    })
  })

  it('one layer’s tests stop that layer’s drafts, and neither the centre nor anybody else', async () => {
    const mine = (layer: string, expect: string) => ({
      [`policies/${layer}/tests/ours.yaml`]: `tests: [{ name: Ours, roles: [gp], action: update, on: section/contacts, expect: ${expect} }]`,
    })
    const inForce = async () => (await node.drafts.inForce()).files
    const localDraft = async (layer: string, more: PolicyFiles) => {
      const { id, generation } = await node.drafts.open({
        ...{ by: author, layer, title: 'Ours', ticket: '' },
      })
      const files = { ...(await inForce()), ...more }
      return node.drafts.edit(id, { by: author, generation, files })
    }
    const propose = ({ id, hash }: Draft) =>
      node.drafts.propose(id, { by: author, reason: 'Why.', ticket: 'T', hash })
    const publish = async (draft: Draft) => {
      const { id, hash } = await propose(draft)
      await node.drafts.approve(id, { by: approver, hash })
      await node.drafts.publish(id, { by: author, hash })
    }
    await publish(await localDraft('local/A83001', mine('local/A83001', 'deny')))

    const central = await node.drafts.open({
      ...{ by: author, layer: 'central', title: 'For all', ticket: '' },
    })
    const files = { ...(await inForce()), ...NEW }
    const edited = await node.drafts.edit(central.id, { by: author, generation: 1, files })
    await publish(edited)
    await node.policies.refresh()
    expect([node.policies.version(), mayDo(node)]).toEqual([3, 'read update'])

    const theirs = await localDraft('local/RYX01', mine('local/RYX01', 'allow'))
    await publish(theirs)
    const again = await localDraft('local/A83001', { 'policies/local/A83001/a.cedar': '// a' })
    expect(await refusalOf(propose(again))).toBe('draft_unfit')
    const back = { version: 3, by: approver, reason: 'Back.' }
    expect(await refusalOf(node.drafts.rollback(back))).toBe('done')
  })

  it('markup and controls stay text, and nobody’s name misleads', async () => {
    const title = '<script>alert(1)</script>\u202e{{ 7*7 }}'
    const by = { uid: 'u-1', name: '<b>\u0000Ann\u202e</b>' }
    const draft = await node.drafts.open({ by, layer: 'central', title, ticket: '' })
    expect(draft.title).toBe('<script>alert(1)</script>{{ 7*7 }}')
    expect(draft.authors).toEqual([{ uid: 'u-1', name: '<b>Ann</b>' }])
  })

  it('not more than 200 drafts are under way', async () => {
    const draft = await draftOf(node, NEW)
    const puts = Array.from({ length: 200 }, (_, i) => {
      const id = `dft_${i}` as const
      return { kind: 'draft' as const, id, value: { ...draft, id }, until: site.now + DAY }
    })
    await node.store.commit({ puts })
    const open = { by: author, layer: 'central', title: 'One more', ticket: '' }
    await expectRefused(node.drafts.open(open), 'drafts_full')
  })

  describe('a store that is cut off while a version is published', () => {
    /** Writes so many of the commit's records, and then fails. */
    const cutting = (real: Store, cut: { after: number }): Store => ({
      ...real,
      async commit(work: Commit) {
        if (!work.puts?.some(({ kind, id }) => kind === 'policy' && id === 'current'))
          return real.commit(work)
        const { claims = [], entries, puts = [] } = work
        if (cut.after === 0) throw new Error('the store failed')
        const written = puts.slice(0, Math.max(0, cut.after - 2))
        await real.commit({
          claims,
          ...(cut.after > 1 && entries ? { entries } : {}),
          puts: written,
        })
        throw new Error('the store failed')
      },
    })

    it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
      '%i steps on: it is in force whole, or not at all',
      async (after) => {
        const cut = { after }
        const { id, hash } = await approvedOf(node, NEW)
        const failing = await site.node({}, (real) => cutting(real, cut))
        await expect(failing.drafts.publish(id, { by: author, hash })).rejects.toThrow(
          'store failed',
        )
        const { about, files } = await node.drafts.inForce()
        await node.policies.refresh()
        const { draft } = await node.drafts.read(id)
        const publish = () => node.drafts.publish(id, { by: author, hash })
        // Claims, entries, then four records of the version, the last of them `current`.
        if (after >= 6) {
          expect([about.version, about.hash, draft.stage]).toEqual([2, hash, 'published'])
          expect(files).toEqual(NEW)
          expect(mayDo(node)).toBe('read update')
          expect(await refusalOf(publish())).toBe('draft_stage')
          expect((await node.drafts.list())[0]?.stage).toBe('published')
        } else {
          expect([about.version, draft.stage]).toEqual([1, 'approved'])
          expect(mayDo(node)).toBe('read')
          // The claims of whoever died hold for a minute.
          site.now += 61_000
          expect(await publish()).toMatchObject({ publication: { version: 2 } })
        }
        // Whatever was left behind is in nobody's way.
        await publishedOf(node, small('create'))
        await node.policies.refresh()
        expect([node.policies.version(), mayDo(node)]).toEqual([3, 'create'])
      },
    )

    it.each([
      ...[1, 2, 3, 4, 5].map((read) => [`at its look number ${read} at what is in force`, read]),
      ['as it writes', Number.NaN],
    ])(
      'by a machine that stood still for minutes %s: what others published stays',
      async (_, at) => {
        const { id, hash } = await approvedOf(node, NEW)
        let looks = Number.NEGATIVE_INFINITY
        const standStill = async () => {
          for (const action of ['create', 'delete']) {
            site.now += 61_000
            await publishedOf(node, small(action))
          }
          site.now += 61_000
        }
        const stalled = await site.node({}, (real) => ({
          ...real,
          async get(...asked: Parameters<typeof real.get>) {
            const found = await real.get(...asked)
            if (asked[1] === 'current' && ++looks === at) await standStill()
            return found as never
          },
          async commit(work: Commit) {
            const publishes = work.puts?.some((put) => put.id === 'current')
            if (Number.isNaN(at) && publishes) await standStill()
            return real.commit(work)
          },
        }))
        looks = 0
        const said = await refusalOf(stalled.drafts.publish(id, { by: author, hash }))
        const { about } = await node.drafts.inForce()
        // Where it looks no more often than that, it was done before.
        if (said === 'done' && looks < Number(at)) return
        expect([said, about.version]).toEqual(['draft_outdated', 3])
        for (const version of [2, 3])
          expect((await node.drafts.version(version)).about.draft).not.toBe(id)
      },
    )

    it('in an emergency: the review is owed all the same', async () => {
      const { id, hash } = await draftOf(node, NEW)
      const failing = await site.node({}, (real) => cutting(real, { after: 6 }))
      const say = { by: author, hash, reason: 'A breach.' }
      await expect(failing.drafts.emergency(id, say)).rejects.toThrow('store failed')
      expect((await node.drafts.read(id)).draft).toMatchObject({ publication: { review: 'open' } })
      site.now += 61_000
      const closed = await node.drafts.review(id, { by: approver, reason: 'Right.' })
      expect(closed).toMatchObject({ publication: { review: { by: approver } } })
    })

    it('by another node, which takes the number: the draft that was cut off is not taken for it', async () => {
      const { id, hash } = await approvedOf(node, NEW)
      const failing = await site.node({}, (real) => cutting(real, { after: 5 }))
      await expect(failing.drafts.publish(id, { by: author, hash })).rejects.toThrow('store failed')
      site.now += 61_000
      await publishedOf(node, small('create'))
      expect((await node.drafts.read(id)).draft.stage).toBe('approved')
      expect(await refusalOf(node.drafts.publish(id, { by: author, hash }))).toBe('draft_outdated')
    })
  })
})

describe('when Redis itself is killed while a version is published', () => {
  let site: Site
  beforeEach(async () => {
    site = await openSite('redis')
  })
  afterEach(() => site?.close())

  it.each([0, 1, 3])('%i turns on: it is in force whole, or not at all', async (turns) => {
    const node = await site.node()
    const { id, hash } = await approvedOf(node, NEW)
    const published = refusalOf(node.drafts.publish(id, { by: author, hash }))
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
    await site.redis?.halt('SIGKILL')
    const said = await published
    await site.redis?.start()
    const again = await site.node()
    const { about, files } = await again.drafts.inForce()
    const { draft } = await again.drafts.read(id)
    expect([
      [1, small('read'), 'approved'],
      [2, NEW, 'published'],
    ]).toContainEqual([about.version, files, draft.stage])
    if (said === 'done') expect(about.version).toBe(2)
    if (about.version === 2) return
    site.now += 61_000
    expect(await refusalOf(again.drafts.publish(id, { by: author, hash }))).toBe('done')
  })
})
