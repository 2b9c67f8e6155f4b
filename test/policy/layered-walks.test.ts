/** Matrix, comparison, explanation and invariants where organisations and regions have rules of their own. */
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import { compareOf } from '../../src/policy/compare.js'
import { createPolicies } from '../../src/policy/engine.js'
import { explain } from '../../src/policy/explain.js'
import { invariantProblems } from '../../src/policy/invariants.js'
import { filesUnder, localLayersOf } from '../../src/policy/layer-terms.js'
import type { Layer } from '../../src/policy/layers.js'
import { type Cell, finished, type Matrix, matrixOf } from '../../src/policy/matrix.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { type Survey, surveyOf } from '../../src/policy/survey.js'
import { ask, FILES, ORDINARY, section } from './asking.js'
import { anyone, anyRules, filesOf, isOver, type Rule } from './layered.js'

jest.setTimeout(60_000)

const BESIDE = {
  'roles.yaml': FILES['roles.yaml'] ?? '',
  'policies/gateway.cedarschema': FILES['policies/gateway.cedarschema'] ?? '',
}
const version = (rules: readonly Rule[]): PolicyFiles => ({ ...BESIDE, ...filesOf(rules) })

/** What {@link anyone} asks for. */
const [ACTIONS, ASKED] = [
  ['read', 'update', 'delete'],
  ['contacts', 'prognosis', 'symptoms'],
]

function surveying<T>(files: PolicyFiles, use: (survey: Survey) => T, layer?: Layer): T {
  const survey = surveyOf(files, { apps: ['care-plan'], ...(layer ? { layer } : {}) })
  const pairs = survey.pairs.filter(
    ({ action, resource }) => ACTIONS.includes(action) && ASKED.includes(resource.id),
  )
  try {
    return use({ ...survey, pairs })
  } finally {
    survey.close()
  }
}
const ROLES = ['gp', 'administrator', 'care-home', 'none'] as const
const matrix = (files: PolicyFiles, layer?: Layer): Matrix =>
  surveying(files, (survey) => finished(matrixOf(survey, ROLES)), layer)
const compare = (before: PolicyFiles, after: PolicyFiles) =>
  surveying(before, (one) => surveying(after, (other) => finished(compareOf(one, other))))
const cellIn = ({ cells }: Matrix, { user, action, resource }: Question): Cell | undefined =>
  cells.find(
    (cell) =>
      cell.role === (user.roles[0] ?? 'none') &&
      cell.action === action &&
      cell.resource.id === resource.id,
  )
const inOneRole = (question: Question): Question => ({
  ...question,
  user: { ...question.user, roles: question.user.roles.slice(0, 1) },
})
const answering = (files: PolicyFiles, questions: readonly Question[]) => {
  const engine = createPolicies(files)
  const answers = questions.map((question) => engine.decide(question))
  engine.close()
  return answers
}

const DELEGATED: Rule = {
  effect: 'permit',
  layer: 'delegated',
  body: '(principal in Role::"gp", action == Action::"read", resource)',
}
const OWN: Rule = {
  effect: 'permit',
  layer: 'A83001',
  body: '(principal, action, resource == Section::"contacts") when { context.hour > 12 }',
}
const gpReads = (odsCode: string, hour = 15): Question => {
  const organization = { odsCode, type: 'gp-practice', region: '' }
  const user = { ...ORDINARY.user, roles: ['gp' as const], organization }
  return ask({ ...ORDINARY, user, hour }, 'read', section('contacts'))
}

describe('what is delegated', () => {
  it('is no permit: alone it allows nobody anything', () => {
    const { cells } = matrix(version([DELEGATED]))
    expect(cells.filter(({ answer }) => answer !== 'deny')).toEqual([])
  })

  it('allows those of the layer that permits it, and a cell says both policies and all conditions', () => {
    const cell = cellIn(matrix(version([DELEGATED, OWN])), gpReads('A83001'))
    expect(cell).toMatchObject({
      answer: 'conditional',
      nominal: 'deny',
      permits: ['rule-1', 'rule-0'],
      when: ['the organisation is A83001 and it is after 12:00'],
      exhaustive: true,
    })
  })

  it('is told as whose it is, and where its local permit stops', () => {
    surveying(version([DELEGATED, OWN]), (survey) => {
      const why = explain(gpReads('A83001', 9), survey)
      expect(why.answer.effect).toBe('deny')
      expect(why.policies).toMatchObject([
        { id: 'rule-0', layer: 'delegated', applies: 'yes' },
        { id: 'rule-1', layer: 'local/A83001', failing: { words: 'it is after 12:00' } },
      ])
      expect(why.otherwise).toMatchObject([{ of: 'context.hour' }])
      // Another organisation's layer is not this user's business.
      expect(explain(gpReads('B82002', 9), survey).policies.map(({ id }) => id)).toEqual(['rule-0'])
    })
  })
})

describe('a version seen from one layer', () => {
  it('is that of its users, without naming their organisation in every cell', () => {
    const all = version([DELEGATED, OWN, { ...OWN, layer: 'north', effect: 'forbid' }])
    expect(localLayersOf(all)).toEqual(['local/A83001', 'local/north'])
    const own = matrix(filesUnder(all, 'local/A83001'), 'local/A83001')
    expect(cellIn(own, gpReads('A83001'))).toMatchObject({
      answer: 'conditional',
      when: ['it is after 12:00'],
    })
    const nobodys = matrix(filesUnder(all))
    expect(cellIn(nobodys, gpReads('B82002'))).toMatchObject({ answer: 'deny' })
  })

  it('is what the engine answers its users', () => {
    let told = 0
    fc.assert(
      fc.property(anyRules, fc.array(anyone, { minLength: 20, maxLength: 20 }), (rules, asked) => {
        const own = asked
          .map(inOneRole)
          .filter((one) => isOver(one, { layer: 'A83001' } as Rule) && regionless(one))
        const files = version(rules)
        const seen = matrix(filesUnder(files, 'local/A83001'), 'local/A83001')
        answering(files, own).forEach(({ effect }, i) => {
          const cell = cellIn(seen, own[i] as Question)
          if (!cell?.exhaustive || cell.answer === 'conditional') return
          told += 1
          expect(effect).toBe(cell.answer)
        })
      }),
      { numRuns: 12, seed: 1 },
    )
    expect(told).toBeGreaterThan(5)
  })
})
const regionless = ({ user }: Question): boolean =>
  !['north', 'south-east'].includes(user.organization.region)

describe('whatever is written in any layer', () => {
  it('a cell says allow and deny only where every user of the region is answered so', () => {
    let told = 0
    fc.assert(
      fc.property(anyRules, fc.array(anyone, { minLength: 20, maxLength: 20 }), (rules, asked) => {
        const files = version(rules)
        const found = matrix(files)
        const questions = asked.map(inOneRole)
        answering(files, questions).forEach(({ effect }, i) => {
          const cell = cellIn(found, questions[i] as Question)
          if (!cell?.exhaustive) return
          told += 1
          if (cell.answer !== 'conditional') expect(effect).toBe(cell.answer)
        })
      }),
      { numRuns: 12, seed: 1 },
    )
    expect(told).toBeGreaterThan(100)
  })

  it('no flip that a change in a local layer makes is missed, and each that is told is one', () => {
    let flips = 0
    fc.assert(
      fc.property(
        anyRules,
        anyRules,
        fc.array(anyone, { minLength: 40, maxLength: 40 }),
        (rules, other, asked) => {
          const central = rules.filter(({ layer }) => layer === 'central' || layer === 'delegated')
          const locals = (some: readonly Rule[]) => some.filter((rule) => !central.includes(rule))
          const edited = other.filter(({ layer }) => layer !== 'central' && layer !== 'delegated')
          const [before, after] = [version(rules), version([...central, ...edited])]
          const { changes, exhaustive } = compare(before, after)
          if (edited.length === 0 && locals(rules).length === 0) expect(changes).toEqual([])
          for (const { example, from, to } of changes) {
            expect(answering(before, [example])[0]?.effect).toBe(from.effect)
            expect(answering(after, [example])[0]?.effect).toBe(to.effect)
          }
          const questions = asked.map(inOneRole)
          const [then, now] = [answering(before, questions), answering(after, questions)]
          questions.forEach(({ user, action, resource }, i) => {
            if (then[i]?.effect === now[i]?.effect || !exhaustive) return
            flips += 1
            expect(changes).toContainEqual(
              expect.objectContaining({
                ...{ role: user.roles[0] ?? 'none', action, resource },
                widening: now[i]?.effect === 'allow',
              }),
            )
          })
        },
      ),
      { numRuns: 12, seed: 1 },
    )
    expect(flips).toBeGreaterThan(3)
  })
})

describe('invariants', () => {
  const INVARIANT = `invariants:
  - { name: No administrator reads contacts, roles: administrator, actions: read, on: section/contacts, expect: never }
`
  const NOBODY_ELSE: Rule = { ...DELEGATED, body: '(principal, action, resource)' }
  it.each([
    ['holds where it is only delegated', [NOBODY_ELSE], 0],
    ['is broken by the one organisation that makes use of it', [NOBODY_ELSE, OWN], 1],
  ])('%s', (_, rules, broken) => {
    const files = { ...version(rules), 'policies/invariants.yaml': INVARIANT }
    const problems = surveying(files, (survey) => invariantProblems(files, survey))
    expect(problems).toHaveLength(broken)
    if (broken > 0) expect(problems[0]?.text).toContain('the organisation is A83001')
  })
})

describe('versions without local layers', () => {
  it('are seen as before: by all, and by those of no layer', () => {
    expect(filesUnder(FILES)).toEqual(FILES)
    expect(localLayersOf(FILES)).toEqual([])
  })
})
