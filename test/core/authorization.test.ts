import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { narrow, withinLaunch } from '../../src/core/authorization.js'
import { readScopes, writeScope } from '../../src/core/scope.js'

const ALL =
  'openid fhirUser launch/encounter launch/episode patient/Patient.r user/Patient.r user/*.rs ' +
  'user/composition-a.r user/Practitioner.r system/Patient.r'
const NOTHING = { patient: false, encounter: false, episode: false, practitioner: false }
const SILENT = { policies: [], reasons: [], obligations: [], errors: [] }
const left = (brought: Partial<Parameters<typeof withinLaunch>[1]>): string =>
  withinLaunch(readScopes(ALL), { ...NOTHING, ...brought })
    .map(writeScope)
    .join(' ')

describe('scopes for which a launch has what they need', () => {
  it('are without a patient none of a patient, but the user’s own Practitioner', () => {
    expect(left({})).toBe('openid user/Practitioner.r system/Patient.r')
  })

  it('are with a patient all, but for what the launch did not bring', () => {
    const brought = { patient: true, encounter: true, episode: true, practitioner: true }
    expect(left(brought)).toBe(ALL)
    expect(left({ ...brought, episode: false })).toBe(ALL.replace('launch/episode ', ''))
    expect(left({ ...brought, encounter: false })).toBe(ALL.replace('launch/encounter ', ''))
  })

  it('are without fhirUser for a user whom the record does not know (SMART, "fhirUser")', () => {
    expect(left({ practitioner: true })).toBe(
      'openid fhirUser user/Practitioner.r system/Patient.r',
    )
  })
})

describe('a scope with a search query', () => {
  it('is left out of the grant, because no call is held to it yet', () => {
    const policies = {
      ...{ version: () => 1, mayIssue: () => true, stepUp: () => undefined },
      decide: () => ({ effect: 'allow' as const, version: 1, ...SILENT }),
    }
    const offered = { fhirTypes: ['Condition', 'Patient'], sections: [], queries: [] }
    const asked = readScopes('patient/Condition.rs?category=problem-list-item patient/Patient.r')
    expect(narrow(asked, policies, { emergencyReason: '' } as never, offered).scopes).toEqual([
      'patient/Patient.r',
    ])
  })
})

describe('scopes in an emergency', () => {
  const policies = {
    ...{ version: () => 1, mayIssue: () => true, stepUp: () => undefined },
    decide: () => ({ effect: 'allow' as const, version: 1, ...SILENT }),
  }
  const offered = {
    fhirTypes: ['CarePlan'],
    sections: [{ id: 'contacts', template: 'care-plan::contacts.v1' }],
    queries: ['care-plan::sections'],
  }
  const letters = fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 })
  const word = fc
    .tuple(
      fc.constantFrom(
        ...['patient/CarePlan', 'patient/*', 'user/*', 'patient/composition-care-plan::*'],
        ...['patient/aql-*', 'patient/composition-care-plan::contacts.v1'],
      ),
      letters,
    )
    .map(([what, which]) => `${what}.${which.join('')}`)
  const plain = fc.constantFrom(
    'offline_access',
    'online_access',
    'openid',
    'patient/*.*',
    'patient/*.write',
  )

  it('read and search, and nothing else, even where policies allow everything', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, plain), { maxLength: 8 }), (words) => {
        const asked = readScopes(words.join(' '))
        const broken = { emergencyReason: 'life-threatening' } as never
        const { scopes } = narrow(asked, policies, broken, offered)
        expect(scopes).not.toContain('offline_access')
        for (const scope of readScopes(scopes.join(' ')))
          if (scope.kind !== 'plain') expect('rs').toMatch([...scope.letters].join(''))
      }),
    )
  })

  it('are what they are without one', () => {
    const asked = readScopes('offline_access patient/composition-care-plan::contacts.v1.crus')
    const plainly = { emergencyReason: '' } as never
    expect(narrow(asked, policies, plainly, offered).scopes).toEqual([
      'offline_access',
      'patient/composition-care-plan::contacts.v1.crus',
    ])
  })
})
