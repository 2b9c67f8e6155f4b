import { describe, expect, it } from '@jest/globals'
import { parsePolicies } from '../../src/policy/parse.js'
import { allWords } from '../../src/policy/words.js'
import { versionOf } from './arbitrary.js'

const words = (condition: string): string => {
  const { policies } = parsePolicies(
    versionOf([`permit (principal, action, resource) ${condition};`]),
  )
  return allWords(
    (policies[0]?.json.conditions ?? []).map(({ kind, body }) =>
      kind === 'when' ? body : { '!': { arg: body } },
    ),
  )
}

describe('a condition in words', () => {
  it.each([
    ['when { context.purpose == "direct-care" }', 'the purpose is direct care'],
    ['unless { context.purpose == "direct-care" }', 'the purpose is not direct care'],
    [
      'when { ["direct-care", "emergency-care"].contains(context.purpose) }',
      'the purpose is direct care or emergency care',
    ],
    ['when { principal.assurance >= 3 }', 'signed on with AAL3'],
    ['when { principal.assurance < 2 }', 'signed on with AAL1'],
    ['unless { principal.assurance < 2 }', 'signed on with AAL2 or higher'],
    ['when { 2 <= principal.assurance }', 'signed on with AAL2 or higher'],
    [
      'when { principal.activities.containsAny(["B0360", "B0370"]) }',
      'holds activities B0360 or B0370',
    ],
    ['unless { principal.activities.contains("B0360") }', 'does not hold activity B0360'],
    ['when { context.patientSensitive }', 'the record is marked sensitive'],
    ['unless { context.patientSensitive }', 'the record is not marked sensitive'],
    ['when { !context.patientDeceased }', 'the person is alive'],
    ['when { context.emergencyReason != "" }', 'an emergency reason is given'],
    [
      'when { principal.activitySource == "listed" }',
      "the activities come from the user's own list",
    ],
    ['when { context.hour >= 18 }', 'it is at or after 18:00'],
    ['unless { context.hour >= 18 }', 'it is before 18:00'],
    ['when { 18 > context.hour }', 'it is before 18:00'],
    ['when { context.weekday == 1 }', 'the day is Monday'],
    [
      'when { context.patientSensitive && (principal.assurance >= 3 || principal in Role::"gp") }',
      'the record is marked sensitive and (signed on with AAL3 or the role is GP)',
    ],
    [
      'unless { context.patientSensitive || context.patientDeceased }',
      'the record is not marked sensitive and the person is alive',
    ],
    ['when { context.app == context.system }', '`context.app == context.system`'],
  ])('%s', (condition, expected) => {
    expect(words(condition)).toBe(expected)
  })
})
