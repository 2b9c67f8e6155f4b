import { afterAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import { type Explanation, explain } from '../../src/policy/explain.js'
import { surveyOf } from '../../src/policy/survey.js'
import { questionsWith } from './arbitrary.js'
import { APP, ask, FILES, ORDINARY, section } from './asking.js'

jest.setTimeout(60_000)

const survey = surveyOf(FILES, { apps: ['care-plan'] })
afterAll(() => survey.close())

const gp = {
  ...ORDINARY,
  user: { ...ORDINARY.user, roles: ['gp' as const], activities: ['B0360', 'B0380'] },
}
const told = ({ otherwise }: Explanation) => otherwise.map(({ words }) => words)
const policy = ({ policies }: Explanation, id: string) => policies.find((one) => one.id === id)

describe('an answer explained', () => {
  it('says which policies allowed, and where the others stopped', () => {
    const why = explain(ask(gp, 'read', section('prognosis')), survey)
    expect(why.answer.effect).toBe('allow')
    expect(policy(why, 'clinicians-read-the-plan')).toMatchObject({ applies: 'yes' })
    expect(policy(why, 'sensitive-records-need-more')).toMatchObject({
      effect: 'forbid',
      applies: 'no',
      failing: {
        place: 1,
        words: 'the record is marked sensitive',
        cedar: 'context.patientSensitive',
      },
    })
    expect(policy(why, 'administrators-see-contacts-only')?.failing).toMatchObject({
      place: 1,
      words: 'the role is Administrator',
    })
    // A policy about another action is not heard.
    expect(policy(why, 'clinicians-open-the-plan')).toBeUndefined()
  })

  it('says what a GP lacks who may not open a sensitive record', () => {
    const sensitive = { ...gp, patient: { sensitive: true, deceased: false } }
    const why = explain(ask(sensitive, 'launch', APP), survey)
    expect(why.answer).toMatchObject({ effect: 'deny', policies: ['sensitive-records-need-more'] })
    expect(told(why)).toEqual([
      'signed on with AAL3',
      'also holds activity B1611',
      'the record is not marked sensitive',
    ])
  })

  it('says which role would do', () => {
    const nurse = { ...gp, user: { ...gp.user, roles: ['practice-nurse' as const] } }
    const why = explain(ask(nurse, 'update', section('resuscitation')), survey)
    expect(told(why)).toEqual(['the role is GP'])
    expect(policy(why, 'gps-write-resuscitation')?.failing?.words).toBe('the role is GP')
  })

  it('says nothing where no single change would do', () => {
    expect(told(explain(ask(gp, 'delete', section('contacts')), survey))).toEqual([])
  })

  it('names only changes that the engine confirms, and a failing condition of every policy that does not apply', () => {
    fc.assert(
      fc.property(questionsWith(2), (question: Question) => {
        const { answer, policies, otherwise } = explain(question, survey)
        for (const other of otherwise)
          expect(survey.side.decide(other.question).effect).not.toBe(answer.effect)
        for (const { id, applies, failing } of policies) {
          expect({ id, failed: failing !== undefined }).toEqual({ id, failed: applies === 'no' })
        }
        // Those that decided are those that apply, on the side that won.
        const side = answer.effect === 'allow' ? 'permit' : 'forbid'
        const applied = policies.filter((one) => one.applies === 'yes' && one.effect === side)
        expect(applied.map(({ id }) => id).sort()).toEqual([...answer.policies])
      }),
      { numRuns: 150 },
    )
  })
})
