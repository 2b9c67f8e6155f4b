import { afterEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import { createPolicies, type Engine } from '../../src/policy/engine.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { ask, ORDINARY, section } from './asking.js'
import { anyone, anyRules, filesOf, isOver, type Rule, told } from './layered.js'

// Each property makes hundreds of engines.
jest.setTimeout(60_000)

const opened: Engine[] = []
const open = (files: PolicyFiles): Engine => {
  const engine = createPolicies(files)
  opened.push(engine)
  return engine
}
afterEach(() => {
  for (const engine of opened.splice(0)) engine.close()
})

const policy = (id: string, layer: string, text: string, more = ''): string =>
  `@id("${id}") @layer("${layer}") @reason("${id}.") ${more}\n${text}\n`
const READ = 'principal, action == Action::"read", resource'
const CONTACTS = 'principal, action == Action::"read", resource == Section::"contacts"'

const from = (odsCode: string, region = '', over: Partial<Question> = {}): Question => {
  const user = { ...ORDINARY.user, organization: { odsCode, type: 'gp-practice', region } }
  return { ...ask({ ...ORDINARY, user }, 'read', section('contacts')), ...over }
}

describe('a local layer', () => {
  it('permits what was delegated to it, by both policies, with the obligations of both', () => {
    const engine = open({
      'policies/all.cedar': policy('may-delegate', 'delegated', `permit (${READ});`),
      'policies/local/A83001/own.cedar': policy(
        'here-we-may',
        'local',
        `permit (${CONTACTS});`,
        '@obligation("mark-sensitive")',
      ),
    })
    expect(engine.decide(from('A83001'))).toEqual({
      effect: 'allow',
      policies: ['here-we-may', 'may-delegate'],
      reasons: ['here-we-may.', 'may-delegate.'],
      obligations: ['mark-sensitive'],
      version: 0,
      errors: [],
    })
    expect(engine.policies.map(({ id, layer }) => [id, layer])).toEqual([
      ['may-delegate', 'delegated'],
      ['here-we-may', 'local/A83001'],
    ])
  })

  // biome-ignore format: a table
  it.each([
    ['what was not delegated',              { 'policies/local/A83001/own.cedar': policy('here-we-may', 'local', `permit (${READ});`) }],
    ['nothing, where it is silent',         { 'policies/all.cedar': policy('may-delegate', 'delegated', `permit (${READ});`) }],
    ['nothing beyond what was delegated',   { 'policies/all.cedar': policy('may-delegate', 'delegated', 'permit (principal, action, resource == Section::"symptoms");'),
                                              'policies/local/A83001/own.cedar': policy('here-we-may', 'local', `permit (${READ});`) }],
    ['nothing to others, though it says so', { 'policies/all.cedar': policy('may-delegate', 'delegated', `permit (${READ});`),
                                              'policies/local/B82002/own.cedar': policy('for-others', 'local', `permit (${READ}) when { principal.organization == "A83001" };`) }],
  ])('does not permit %s', (_, files) => {
    expect(told(open(files).decide(from('A83001')))).toEqual({ effect: 'deny', policies: [] })
  })

  it('forbids its own more, and nobody else, whatever central policies permit', () => {
    const engine = open({
      'policies/all.cedar': policy('all-may', 'central', 'permit (principal, action, resource);'),
      'policies/local/A83001/own.cedar': policy('not-here', 'local', `forbid (${READ});`),
      'policies/local/north/own.cedar': policy('not-in-the-north', 'local', `forbid (${READ});`),
    })
    const by = (question: Question) => told(engine.decide(question))
    expect(by(from('A83001'))).toEqual({ effect: 'deny', policies: ['not-here'] })
    expect(by(from('B82002', 'north'))).toEqual({ effect: 'deny', policies: ['not-in-the-north'] })
    expect(by(from('A83001', 'north')).policies).toEqual(['not-here', 'not-in-the-north'])
    expect(by(from('B82002', 'south'))).toEqual({ effect: 'allow', policies: ['all-may'] })
  })

  it('is not mistaken: a region named as an organisation is, and the other way about', () => {
    const engine = open({
      'policies/all.cedar': policy('all-may', 'central', 'permit (principal, action, resource);'),
      'policies/local/12345/own.cedar': policy('not-here', 'local', `forbid (${READ});`),
      'policies/local/north/own.cedar': policy('not-in-the-north', 'local', `forbid (${READ});`),
    })
    expect(engine.decide(from('north', '12345')).effect).toBe('allow')
    expect(engine.decide(from('12345')).effect).toBe('deny')
  })

  it('cannot lift a central forbid', () => {
    const engine = open({
      'policies/all.cedar':
        policy('may-delegate', 'delegated', `permit (${READ});`) +
        policy('never', 'central', `forbid (${CONTACTS});`),
      'policies/local/A83001/own.cedar': policy('here-we-may', 'local', `permit (${READ});`),
    })
    expect(told(engine.decide(from('A83001')))).toEqual({ effect: 'deny', policies: ['never'] })
  })

  it('that errs refuses its own users, and no others', () => {
    const engine = open({
      'policies/all.cedar': policy('all-may', 'central', 'permit (principal, action, resource);'),
      'policies/local/A83001/own.cedar': policy(
        'broken',
        'local',
        `forbid (${READ}) when { context.absent };`,
      ),
    })
    expect(engine.decide(from('A83001'))).toMatchObject({
      effect: 'deny',
      policies: ['broken'],
      errors: [expect.stringContaining('absent')],
    })
    expect(engine.decide(from('B82002'))).toMatchObject({ effect: 'allow', errors: [] })
  })

  it('refuses where what was delegated errs, for an error is never an allow', () => {
    const engine = open({
      'policies/all.cedar':
        policy('may-delegate', 'delegated', `permit (${READ});`) +
        policy('broken', 'delegated', `permit (${READ}) when { context.absent };`),
      'policies/local/A83001/own.cedar': policy('here-we-may', 'local', `permit (${READ});`),
    })
    expect(engine.decide(from('A83001'))).toMatchObject({ effect: 'deny', policies: ['broken'] })
  })

  it('offers a step-up that its own policy asks for', () => {
    const engine = open({
      'policies/all.cedar': policy('may-delegate', 'delegated', `permit (${READ});`),
      'policies/local/A83001/own.cedar': policy(
        'strong-only',
        'local',
        `permit (${READ}) when { principal.assurance >= 3 };`,
      ),
    })
    expect(engine.stepUp(from('A83001'))).toBe(3)
    expect(engine.stepUp(from('B82002'))).toBeUndefined()
  })

  it('of many policies is sliced, and answers as one of few', () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      policy(`not-${i}`, 'local', `forbid (${READ}) when { context.hour == ${i} };`),
    ).join('')
    const engine = open({
      'policies/all.cedar': policy('all-may', 'central', 'permit (principal, action, resource);'),
      'policies/local/A83001/own.cedar': many,
    })
    expect(told(engine.decide(from('A83001', '', { hour: 7 }))).policies).toEqual(['not-7'])
    expect(engine.decide(from('A83001', '', { hour: 7, action: 'update' })).effect).toBe('allow')
  })

  it('gives answers that nobody can change', () => {
    const engine = open({
      'policies/all.cedar': policy('may-delegate', 'delegated', `permit (${READ});`),
      'policies/local/A83001/own.cedar': policy('here-we-may', 'local', `permit (${READ});`),
    })
    const decision = engine.decide(from('A83001'))
    expect(() => (decision.policies as string[]).push('x')).toThrow(TypeError)
  })
})

describe('whatever is written in any layer', () => {
  const asked = fc.tuple(anyRules, fc.array(anyone, { minLength: 4, maxLength: 8 }))
  const RUNS = { numRuns: 150 }
  /** Asks each question of all rules, and hands them over one by one. */
  const whenAsked = (
    check: (rules: readonly Rule[], question: Question, answer: ReturnType<typeof told>) => void,
  ) =>
    fc.assert(
      fc.property(asked, ([rules, questions]) => {
        const engine = createPolicies(filesOf(rules))
        try {
          for (const question of questions) check(rules, question, told(engine.decide(question)))
        } finally {
          engine.close()
        }
      }),
      RUNS,
    )
  const answerOf = (rules: readonly Rule[], question: Question, as?: string) => {
    const engine = createPolicies(filesOf(rules, as))
    try {
      return engine.decide(question)
    } finally {
      engine.close()
    }
  }
  const isCentral = ({ layer }: Rule): boolean => layer === 'central'

  it('a layer of others changes no answer', () => {
    whenAsked((rules, question, { effect }) => {
      const concerned = rules.filter(
        (rule) => ['central', 'delegated'].includes(rule.layer) || isOver(question, rule),
      )
      expect(answerOf(concerned, question).effect).toBe(effect)
    })
  })

  it('nothing is allowed but what central policies allow, or what is both delegated and permitted locally', () => {
    whenAsked((rules, question, { effect }) => {
      if (effect === 'deny') return
      if (answerOf(rules.filter(isCentral), question).effect === 'allow') return
      const delegated = rules.filter(({ layer }) => layer === 'delegated')
      const permits = rules.filter((rule) => isOver(question, rule) && rule.effect === 'permit')
      expect(answerOf(delegated, question, 'central').effect).toBe('allow')
      expect(answerOf(permits, question, 'central').effect).toBe('allow')
    })
  })

  it('a forbid of the centre or of the own layer always wins', () => {
    whenAsked((rules, question, { effect }) => {
      const forbids = rules.filter(
        (rule) => rule.effect === 'forbid' && (isCentral(rule) || isOver(question, rule)),
      )
      const all: Rule = {
        effect: 'permit',
        body: '(principal, action, resource)',
        layer: 'central',
      }
      if (answerOf([...forbids, all], question, 'central').effect === 'deny')
        expect(effect).toBe('deny')
    })
  })
})
