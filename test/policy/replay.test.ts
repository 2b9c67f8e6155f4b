import { describe, expect, it } from '@jest/globals'
import type { Question } from '../../src/core/decision.js'
import type { Role } from '../../src/core/roles.js'
import type { AskedQuestion } from '../../src/policy/asked-pages.js'
import { createFindings, type FindingsParts } from '../../src/policy/findings.js'
import { type Impact, type Progress, replayFiles } from '../../src/policy/replay.js'
import { hashOfFiles, type PolicyFiles } from '../../src/policy/source.js'
import { ask, ORDINARY, section } from './asking.js'
import { small } from './draft-site.js'

const asked = (
  action: Question['action'],
  roles: readonly Role[],
  count: number,
  app = 'care-plan',
  ods = 'A83001',
): AskedQuestion => {
  const { user, launch } = ORDINARY
  const organization = { ...user.organization, odsCode: ods }
  const circumstances = {
    ...ORDINARY,
    user: { ...user, roles, organization },
    launch: { ...launch, app },
  }
  return { question: ask(circumstances, action, section('contacts')), count, at: 0, rank: 0 }
}

function impactOf(questions: readonly AskedQuestion[], before: PolicyFiles, after: PolicyFiles) {
  const steps: Progress[] = []
  const run = replayFiles(questions, before, after)
  for (;;) {
    const { done, value } = run.next()
    if (done) return { impact: value as Impact, steps }
    steps.push(value as Progress)
  }
}

describe('the impact of a change on what was really asked', () => {
  const questions = [
    asked('read', ['gp'], 5),
    asked('read', ['gp', 'administrator'], 2, 'other-app', 'B00001'),
    asked('update', ['gp'], 3),
    asked('update', ['practice-nurse'], 100),
    asked('read', [], 7),
  ]

  it('tells allow to deny from deny to allow, by role, organisation and app, with counts', () => {
    const { impact } = impactOf(questions, small('read'), small('update'))
    expect(impact).toMatchObject({ questions: 5, asked: 117, failed: 0 })
    const { examples, ...lost } = impact.allowToDeny
    expect(lost).toEqual({
      ...{ questions: 2, asked: 7 },
      roles: [
        { name: 'gp', questions: 2, asked: 7 },
        { name: 'administrator', questions: 1, asked: 2 },
      ],
      organizations: [
        { name: 'A83001', questions: 1, asked: 5 },
        { name: 'B00001', questions: 1, asked: 2 },
      ],
      apps: [
        { name: 'care-plan', questions: 1, asked: 5 },
        { name: 'other-app', questions: 1, asked: 2 },
      ],
    })
    expect(examples.map(({ count, before, after }) => ({ count, before, after }))).toEqual([
      { count: 5, before: ['may-read'], after: [] },
      { count: 2, before: ['may-read'], after: [] },
    ])
    expect(impact.denyToAllow).toMatchObject({
      questions: 1,
      asked: 3,
      apps: [{ name: 'care-plan' }],
    })
    expect(impact.denyToAllow.examples[0]).toMatchObject({ before: [], after: ['may-update'] })
  })

  it('is nothing where nothing changes', () => {
    const { impact } = impactOf(questions, small('read'), small('read'))
    expect([impact.allowToDeny.questions, impact.denyToAllow.questions]).toEqual([0, 0])
  })

  it('says how far it is, and counts those on which a policy fails', () => {
    const fails = `${small('read')['policies/small.cedar']}
@id("fails") @layer("central") @reason("Fails.")
forbid (principal, action, resource) when { 9223372036854775807 + context.hour > 0 };`
    const many = Array.from({ length: 250 }, () => questions[0] as AskedQuestion)
    const failing = { ...small('read'), 'policies/small.cedar': fails }
    const { impact, steps } = impactOf(many, small('read'), failing)
    expect(steps.map(({ done, of }) => [done, of])).toEqual([
      [0, 250],
      [100, 250],
      [200, 250],
      [250, 250],
    ])
    expect(impact).toMatchObject({ failed: 250, allowToDeny: { questions: 250 } })
  })
})

describe('the impact of a local draft', () => {
  it('is asked of its own users alone, so that nobody reads how busy others are', async () => {
    const all = [asked('read', ['gp'], 5), asked('read', ['gp'], 3, 'care-plan', 'B00001')]
    const replayed: string[][] = []
    const walks = {
      replay: async (some: readonly AskedQuestion[]) => {
        replayed.push(some.map(({ question }) => question.user.organization.odsCode))
        return { questions: some.length } as Impact
      },
    }
    const parts: unknown = { walks, questions: async () => all, sections: [], clock: () => 0 }
    const findings = createFindings(parts as FindingsParts)
    const [before, after] = [
      { hash: 'a', files: small('read') },
      { hash: 'b', files: small('update') },
    ]
    for (const layer of ['local/A83001', 'central', 'local/Z99999'] as const)
      findings.impact(before, after, layer)
    await findings.idle()
    expect(replayed).toEqual([['A83001'], ['A83001', 'B00001'], []])
    // What is known of one layer's is not shown for another's.
    expect(findings.impact(before, after, 'local/A83001')).toMatchObject({
      value: { questions: 1 },
    })
    expect(findings.impact(before, after, 'central')).toMatchObject({ value: { questions: 2 } })
  })
})

describe('what is wrong with a draft', () => {
  const found = (name: string) => {
    const asked: string[] = []
    const check = async () => {
      asked.push(name)
      return [{ file: 'x', text: name }]
    }
    return { asked, queue: { check } }
  }
  const open = () => {
    const [looks, checks] = [found('look'), found('step')]
    const parts: unknown = {
      ...{ looks: looks.queue, checks: checks.queue, sections: [], clock: () => 0 },
    }
    return { looks, checks, findings: createFindings(parts as FindingsParts) }
  }
  const files = small('read')
  const draft = { id: 'dft_1', hash: hashOfFiles(files), files }

  it('is worked out once for whoever looks and whoever makes a step after', async () => {
    const { looks, checks, findings } = open()
    expect(findings.problems(draft).state).toBe('under way')
    await findings.idle()
    expect(await findings.check(files)).toMatchObject([{ text: 'look' }])
    expect([looks.asked, checks.asked]).toEqual([['look'], []])
  })

  it('does not make a step wait for what others look at', async () => {
    const { looks, checks, findings } = open()
    // Never answered: the queue is full of drafts that somebody looks at.
    looks.queue.check = () => new Promise(() => undefined)
    findings.problems(draft)
    expect(await findings.check(files)).toMatchObject([{ text: 'step' }])
    expect(findings.problems(draft)).toMatchObject({ state: 'found' })
    expect(checks.asked).toEqual(['step'])
  })
})
