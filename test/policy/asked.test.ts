import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Policies, Question } from '../../src/core/decision.js'
import { type Asked, createAsked } from '../../src/policy/asked.js'
import { type AskedQuestion, mergePage, recentQuestions } from '../../src/policy/asked-pages.js'
import { random } from '../contract/parts.js'
import { STORES } from '../gateway.js'
import { ask, ORDINARY, section } from './asking.js'
import { type Node, openSite, type Site } from './draft-site.js'

jest.setTimeout(60_000)

const DAY = 86_400_000
const KEEP = 7 * 86_400
const question = (over: Partial<Question['user']> = {}): Question =>
  ask(
    { ...ORDINARY, user: { ...ORDINARY.user, roles: ['gp'], ...over } },
    'read',
    section('contacts'),
  )

describe.each(STORES)('what was asked, on the %s store', (store) => {
  let site: Site
  let node: Node
  let asked: Asked
  let heard: Policies
  const clock = () => site.now
  const listen = async ({ store: kept, policies }: Node, keep = KEEP) => {
    const listening = createAsked({ store: kept, clock, random, keep })
    await listening.flush()
    return { asked: listening, heard: listening.observing(policies) }
  }
  const recent = () => recentQuestions(node.store, site.now, KEEP)
  /** Every page has its turn. */
  const flush = async (one: Asked) => {
    for (let i = 0; i < 10; i++) await one.flush()
  }
  beforeEach(async () => {
    site = await openSite(store)
    node = await site.node()
    ;({ asked, heard } = await listen(node))
  })
  afterEach(() => site?.close())

  it('is answered as before, and kept with how often and when', async () => {
    const before = node.policies.decide(question())
    expect(heard.decide(question())).toBe(before)
    heard.decide(question())
    await asked.flush()
    site.now += 1000
    heard.decide(question())
    await asked.flush()
    expect(await recent()).toMatchObject([{ count: 3, at: site.now }])
  })

  it('names nobody: one pseudonym for one user, and no words of theirs', async () => {
    const by = (id: string, hour: number, emergencyReason = '') =>
      heard.decide({ ...question({ id }), hour, emergencyReason })
    by('555000000001', 1, 'Mrs Example is unconscious')
    by('555000000001', 2, 'life-at-risk')
    by('555000000002', 3)
    await flush(asked)
    // Ranks are numbers of fifteen digits, by chance of any.
    expect(JSON.stringify(await node.store.list('asked'))).not.toMatch(/55500000000|Example/)
    const kept = [...(await recent())].sort((a, b) => a.question.hour - b.question.hour)
    const [first, second, third] = kept.map(({ question: { user } }) => user.id)
    expect(first).toMatch(/^usr_[\w-]{16}$/)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    const reasons = kept.map(({ question: { emergencyReason } }) => emergencyReason)
    expect(reasons).toEqual(['a-sentence', 'life-at-risk', ''])
  })

  it('leaves out what the console asks for itself', async () => {
    heard.decide({
      ...question(),
      action: 'console-view',
      resource: { type: 'console', id: 'policies' },
    })
    await flush(asked)
    expect(await recent()).toEqual([])
  })

  it('is one question for all who are in the same position', async () => {
    for (let i = 0; i < 50; i++) heard.decide(question({ id: `user-${i}` }))
    heard.decide({ ...question(), hour: 11 })
    await flush(asked)
    expect((await recent()).map(({ count }) => count).sort()).toEqual([1, 50])
  })

  it('is summed up over nodes, whoever writes first', async () => {
    const second = await listen(await site.node())
    for (let i = 0; i < 20; i++) {
      heard.decide({ ...question(), hour: i })
      second.heard.decide({ ...question(), hour: i })
    }
    await Promise.all([flush(asked), flush(second.asked)])
    // Whoever lost a page to the other has it next time.
    await flush(asked)
    await flush(second.asked)
    const kept = await recent()
    expect(kept.map(({ count }) => count)).toEqual(Array.from({ length: 20 }, () => 2))
  })

  it('is kept for seven days after it was last asked', async () => {
    heard.decide(question())
    await asked.flush()
    site.now += 6 * DAY
    heard.decide({ ...question(), hour: 11 })
    await flush(asked)
    expect(await recent()).toHaveLength(2)
    site.now += DAY + 1
    expect((await recent()).map(({ question: { hour } }) => hour)).toEqual([11])
  })

  it('is at most 10,000 questions, however many there are', async () => {
    for (let system = 0; system < 12_000; system++) {
      const { launch } = ORDINARY
      heard.decide({ ...question(), launch: { ...launch, system: `system-${system}` } })
      if (system === 9_000) await flush(asked)
    }
    await flush(asked)
    const kept = await recent()
    expect(kept.length).toBeGreaterThan(8_000)
    expect(kept.length).toBeLessThanOrEqual(10_000)
  })

  it('is believed only in the form in which it is written', async () => {
    heard.decide(question())
    await asked.flush()
    const [page] = await node.store.list('asked')
    const [row] = page?.value.questions ?? []
    const wrong = [
      { ...row, rank: 1, count: 0 },
      { ...row, rank: 2, more: true },
      { ...row, rank: 3, question: { ...row?.question, action: 'destroy' } },
      { ...row, rank: 4, question: { ...row?.question, hour: '10' } },
      { ...row, rank: 5, question: { ...row?.question, purpose: 'x'.repeat(1e5) } },
      ...[null, 'x', 7, []],
    ]
    const value = { generation: 1, questions: [...wrong, row] } as never
    await node.store.commit({
      puts: [{ kind: 'asked', id: page?.id ?? '', value, until: site.now + DAY }],
    })
    expect(await recent()).toEqual([row])
    await node.store.commit({
      puts: [
        { kind: 'asked', id: page?.id ?? '', value: 'nonsense' as never, until: site.now + DAY },
      ],
    })
    expect(await recent()).toEqual([])
  })

  it('is not kept at all where nothing is to be', async () => {
    const off = await listen(node, 0)
    expect(off.heard).toBe(node.policies)
    off.heard.decide(question())
    await off.asked.flush()
    expect(await recent()).toEqual([])
  })

  it('is written later when the store fails, and answered all the same', async () => {
    let fails = false
    const flaky = createAsked({
      ...{ clock, random, keep: KEEP },
      store: {
        get: node.store.get,
        commit: (work) => (fails ? Promise.reject(new Error('away')) : node.store.commit(work)),
      },
    })
    await flaky.flush()
    const listened = flaky.observing(node.policies)
    fails = true
    expect(listened.decide(question()).effect).toBe('allow')
    await expect(flaky.flush()).rejects.toThrow('away')
    fails = false
    await flaky.flush()
    expect(await recent()).toMatchObject([{ count: 1 }])
  })
})

describe('a page of questions', () => {
  const asked = fc
    .array(
      fc.record({ rank: fc.integer({ min: 0, max: 400 }), count: fc.integer({ min: 1, max: 5 }) }),
    )
    .map((rows) => rows.map((row): AskedQuestion => ({ ...row, at: 1000, question: question() })))
  const flat = (rows: readonly AskedQuestion[]) => rows.map(({ rank, count }) => [rank, count])

  it('holds the same whatever was merged first, and at most its share', () => {
    const check = (a: readonly AskedQuestion[], b: readonly AskedQuestion[]) => {
      const one = mergePage(mergePage(undefined, a, 0), b, 0)
      const other = mergePage(mergePage(undefined, b, 0), a, 0)
      expect(flat(one.questions)).toEqual(flat(other.questions))
      expect(one.questions.length).toBeLessThanOrEqual(156)
      expect(one.generation).toBe(2)
    }
    fc.assert(fc.property(asked, asked, check), { numRuns: 100 })
    const many = Array.from({ length: 400 }, (_, rank) => ({
      ...{ rank: 399 - rank, count: 1, at: 1000, question: question() },
    }))
    expect(mergePage(undefined, many, 0).questions.map(({ rank }) => rank)).toEqual(
      Array.from({ length: 156 }, (_, rank) => rank),
    )
    expect(mergePage(undefined, many, 1001).questions).toEqual([])
  })
})
