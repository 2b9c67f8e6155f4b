import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { Question } from '../../src/core/decision.js'
import type { Expr } from '../../src/policy/cedar.js'
import { type ParsedPolicy, parsePolicies } from '../../src/policy/parse.js'
import { policyOf, probeOf } from '../../src/policy/probe.js'
import { type Known, residualOf } from '../../src/policy/residual.js'
import { anyPolicy, questionsWith, versionOf } from './arbitrary.js'

jest.setTimeout(60_000)

const parsed = (text: string) => {
  const { policies, problems } = parsePolicies(versionOf([text]))
  expect(problems).toEqual([])
  return policies[0] as ParsedPolicy
}
const knownOf = ({ user, action, resource }: Question): Known => ({
  roles: user.roles,
  action,
  resource,
})
const asked = (policy: Parameters<typeof probeOf>[0], question: Question) => {
  const probe = probeOf(policy)
  try {
    return probe.asks(question)
  } finally {
    probe.close()
  }
}

describe('what is left of a policy', () => {
  it('applies and errs in exactly the questions in which the policy does', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        fc.array(questionsWith(2), { minLength: 4, maxLength: 8 }),
        (text, questions) => {
          const policy = parsed(text)
          for (const question of questions) {
            const terms = residualOf(policy.json, knownOf(question))
            const left =
              terms === undefined
                ? 'no'
                : asked({ effect: 'permit', json: policyOf(terms) }, question)
            expect({ text, question, left }).toEqual({
              text,
              question,
              left: asked(policy, question),
            })
          }
        },
      ),
      { numRuns: 600 },
    )
  })

  const GP: Known = { roles: ['gp'], action: 'read', resource: { type: 'section', id: 'contacts' } }
  const left = (text: string) => residualOf(parsed(text).json, GP)
  const hour: Expr = {
    '>': { left: { '.': { left: { Var: 'context' }, attr: 'hour' } }, right: { Value: 17 } },
  }

  it.each<[string, readonly Expr[] | undefined]>([
    ['permit (principal, action, resource);', []],
    ['permit (principal in Role::"care-home", action, resource);', undefined],
    ['permit (principal, action == Action::"update", resource);', undefined],
    [
      'permit (principal, action, resource) when { resource in [Section::"contacts"] && context.hour > 17 };',
      [hour],
    ],
    [
      'forbid (principal, action, resource) unless { principal in Role::"care-home" || context.hour > 17 };',
      [{ '!': { arg: hour } }],
    ],
    // What cannot err may be passed over; what could, may not.
    [
      'forbid (principal, action, resource) when { context.hour > 17 && principal in Role::"care-home" };',
      undefined,
    ],
  ])('of %s', (text, terms) => {
    expect(left(text)).toEqual(terms)
  })

  it('keeps a term that could err before one that is false', () => {
    expect(
      left(
        'forbid (principal, action, resource) when { context.nope && principal in Role::"care-home" };',
      ),
    ).toHaveLength(2)
  })
})
