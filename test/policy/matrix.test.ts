import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import { ROLES } from '../../src/core/roles.js'
import { createPolicies } from '../../src/policy/engine.js'
import { type Cell, conditionOf, finished, type Matrix, matrixOf } from '../../src/policy/matrix.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { surveyOf } from '../../src/policy/survey.js'
import { anyPolicy, questionsWith, versionOf } from './arbitrary.js'
import { EVERYTHING, FILES } from './asking.js'

jest.setTimeout(60_000)

const matrix = (files: PolicyFiles, roles?: Parameters<typeof matrixOf>[1]): Matrix => {
  const survey = surveyOf(files, { apps: ['care-plan'] })
  try {
    return finished(matrixOf(survey, roles))
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
          const own = byName(matrix(files, ['gp', 'administrator', 'none']))
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
