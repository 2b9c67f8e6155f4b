import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import { ROLES } from '../../src/core/roles.js'
import { createPolicies } from '../../src/policy/engine.js'
import {
  type Cell,
  conditionOf,
  finished,
  type Matrix,
  matrixOf,
  type Said,
} from '../../src/policy/matrix.js'
import { createMemory, type MatrixMemory } from '../../src/policy/matrix-memory.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { surveyOf } from '../../src/policy/survey.js'
import { anyPolicy, questionsWith, versionOf } from './arbitrary.js'
import { EVERYTHING, FILES } from './asking.js'

jest.setTimeout(60_000)

type Opening = Partial<Parameters<typeof surveyOf>[1]> & {
  readonly roles?: Parameters<typeof matrixOf>[1]
  readonly memory?: MatrixMemory<Said>
  readonly decided?: (question: Question) => void
}
const matrix = (files: PolicyFiles, { roles, memory, decided, ...opening }: Opening = {}) => {
  const survey = surveyOf(files, { apps: ['care-plan'], ...opening })
  const decide: typeof survey.side.decide = (question) => {
    decided?.(question)
    return survey.side.decide(question)
  }
  try {
    return finished(matrixOf({ ...survey, side: { ...survey.side, decide } }, roles, memory))
  } finally {
    survey.close()
  }
}
const nameOf = (role: string, action: string, { type, id }: Cell['resource']) =>
  `${role} ${action} ${type}/${id}`
const byName = ({ cells }: Matrix) =>
  new Map(cells.map((cell) => [nameOf(cell.role, cell.action, cell.resource), cell]))
const cellOf = ({ user, action, resource }: Question) =>
  nameOf(user.roles[0] ?? 'none', action, resource)

const shipped = matrix(FILES)
const cells = byName(shipped)
const cell = (name: string): Cell => cells.get(name) as Cell

describe('the matrix of the shipped policies', () => {
  it('has a cell for every role and every action that the schema allows', () => {
    expect(shipped.cells).toHaveLength((ROLES.length + 1) * EVERYTHING.length)
    expect(shipped.cells.filter(({ exhaustive }) => !exhaustive)).toEqual([])
  })

  it('says what a GP needs to update resuscitation', () => {
    expect(cell('gp update section/resuscitation')).toMatchObject({
      answer: 'conditional',
      nominal: 'allow',
      permits: ['gps-write-resuscitation'],
      when: [
        "the activities come from the user's own list and holds activities B0380, B8028 or B8029",
      ],
    })
    expect(conditionOf(cell('gp update section/resuscitation'))).toContain('the person has died')
  })

  it.each([
    ['gp delete section/contacts', ['nothing-is-deleted']],
    ['none read section/contacts', ['no-role-no-access']],
    ['gp update fhir/Patient', []],
  ])('denies %s by %j', (name, forbids) => {
    expect(cell(name)).toMatchObject({ answer: 'deny', nominal: 'deny', when: [], forbids })
  })

  it('answers no question otherwise than the engine', () => {
    const engine = createPolicies(FILES)
    fc.assert(
      fc.property(questionsWith(1), (question) => {
        const { answer } = cell(cellOf(question))
        if (answer !== 'conditional') expect(engine.decide(question).effect).toBe(answer)
      }),
      { numRuns: 600 },
    )
    engine.close()
  })
})

describe('the matrix of any policies', () => {
  it('says allow and deny only where the engine always does', () => {
    fc.assert(
      fc.property(
        fc.array(anyPolicy, { minLength: 1, maxLength: 3 }),
        fc.array(questionsWith(1), { minLength: 15, maxLength: 15 }),
        (texts, questions) => {
          const files = versionOf(['permit (principal, action, resource is Section);', ...texts])
          const own = byName(matrix(files, { roles: ['gp', 'administrator', 'none'] }))
          const engine = createPolicies(files)
          for (const question of questions) {
            const found = own.get(cellOf(question))
            if (!found?.exhaustive || found.answer === 'conditional') continue
            expect({ question, effect: engine.decide(question).effect }).toEqual({
              question,
              effect: found.answer,
            })
          }
          engine.close()
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('a matrix that remembers others', () => {
  it('is the same, and asks about nothing but what a draft changes', () => {
    const memory = createMemory<Said>()
    const roles = ['gp', 'none'] as const
    const before = matrix(FILES, { roles, memory })
    const draft = {
      ...FILES,
      'policies/own.cedar':
        '@id("own") @layer("central") @reason("Own.") permit (principal in Role::"gp", action == Action::"update", resource == Section::"prognosis") when { context.hour > 3 };',
    }
    const asked = new Set<string>()
    const decided = (question: Question) => asked.add(cellOf(question))
    const after = matrix(draft, { roles, memory, decided })
    expect(after).toEqual(matrix(draft, { roles }))
    expect(after).not.toEqual(before)
    expect([...asked]).toEqual(['gp update section/prognosis'])
    asked.clear()
    expect(matrix(draft, { roles, memory, decided })).toEqual(after)
    expect([...asked]).toEqual([])
  })

  it('is the same for any versions one after the other, under any layer, of any type of organisation', () => {
    const some = fc.array(anyPolicy, { maxLength: 3 })
    const whose = fc.record({
      layer: fc.constantFrom(undefined, 'local/A83001' as const),
      organizationType: fc.constantFrom(undefined, 'hospice', 'surgery'),
    })
    const version = fc.tuple(some, some, whose, fc.constantFrom('gp-practice', 'surgery'))
    const roles = ['gp', 'care-home'] as const
    fc.assert(
      fc.property(fc.array(version, { minLength: 2, maxLength: 2 }), (versions) => {
        const memory = createMemory<Said>()
        for (const [central, local, opening, type] of versions) {
          const files = {
            ...versionOf(['permit (principal, action, resource is Section);', ...central]),
            'policies/local/A83001/own.cedar': local
              .map((text, i) => `@id("own-${i}") @layer("local") @reason("Own.") ${text}`)
              .join('\n'),
            'roles.yaml': (FILES['roles.yaml'] ?? '').replaceAll('gp-practice', type),
          }
          const whole = matrix(files, { roles, ...opening })
          expect(matrix(files, { roles, memory, ...opening })).toEqual(whole)
        }
      }),
      { numRuns: 10 },
    )
  })

  it('ordinarily answers what the engine answers', () => {
    const usual = new Map<string, Cell['nominal']>()
    const survey = surveyOf(FILES, { apps: ['care-plan'] })
    for (const { role, action, resource } of shipped.cells)
      usual.set(
        nameOf(role, action, resource),
        survey.side.decide(survey.question(role, { action, resource })).effect,
      )
    survey.close()
    expect(new Map([...cells].map(([name, { nominal }]) => [name, nominal]))).toEqual(usual)
  })
})
