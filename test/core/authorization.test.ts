import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { narrow, registered } from '../../src/core/authorization.js'
import type { Client } from '../../src/core/client.js'
import { withinLaunch } from '../../src/core/launch-scopes.js'
import { readScopes, writeScope } from '../../src/core/scope.js'

const ALL =
  'openid fhirUser launch/encounter launch/episode patient/Patient.r user/Patient.r user/*.rs ' +
  'user/composition-a.r user/Practitioner.r system/Patient.r'
const NOTHING = {
  ...{ patient: false, encounter: false, episode: false, practitioner: false },
  fhirContext: [],
}
type Brought = Partial<Parameters<typeof withinLaunch>[1]>
const left = (brought: Brought, asked = ALL): string =>
  withinLaunch(readScopes(asked), { ...NOTHING, ...brought })
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

describe('a launch/ scope of a FHIR type (SMART, "Scopes for requesting context data")', () => {
  const fhirContext = [
    { reference: 'ImagingStudy/1', role: 'https://roles.example/x' },
    { canonical: 'https://forms.example/Questionnaire/1|2', type: 'Questionnaire' },
    { identifier: { system: 'https://ids.example', value: '1' } },
  ]

  // biome-ignore format: a table
  it.each([
    ['of a reference that the launch brought',         'launch/imagingstudy',                              true],
    ['of a type that stands beside it',                'launch/questionnaire',                             true],
    ['in a role that the launch named',                'launch/imagingstudy?role=https://roles.example/x', true],
    ['in a role that nobody knows',                    'launch/imagingstudy?role=https://roles.example/y', true],
    ['of a type that the launch did not bring',        'launch/diagnosticreport',                          false],
    ['in two roles',                                   'launch/imagingstudy?role=a&role=b',                false],
    ['with another parameter',                         'launch/imagingstudy?colour=red',                   false],
    ['with an empty role',                             'launch/imagingstudy?role=',                        false],
    ['in capitals',                                    'launch/ImagingStudy',                              false],
    ['of no type',                                     'launch/',                                          false],
    ['of the patient in a role',                       'launch/patient?role=x',                            false],
  ])('%s: %s is given: %s', (_what, asked, given) => {
    const brought = left({ patient: true, encounter: true, fhirContext }, asked)
    expect(granted(brought, asked)).toBe(given ? asked : '')
  })

  it('is registered without a role for all roles, and with one for that alone', () => {
    const asked = 'launch/imagingstudy launch/imagingstudy?role=a launch/imagingstudy?role=b'
    expect(granted(asked, 'launch/imagingstudy')).toBe(asked)
    expect(granted(asked, 'launch/imagingstudy?role=a')).toBe('launch/imagingstudy?role=a')
  })
})

const SILENT = { policies: [], reasons: [], obligations: [], errors: [] }
const TYPES = ['Condition', 'Observation', 'Patient']
/** What is granted of a scope parameter, where the policies allow all but these letters of all kinds. */
const granted = (asked: string, registration: string, withheld: readonly string[] = []): string => {
  const policies = {
    ...{ version: () => 1, mayIssue: () => true, stepUp: () => undefined },
    decide: ({ action }: { readonly action: string }) => ({
      effect: withheld.includes(action) ? ('deny' as const) : ('allow' as const),
      version: 1,
      ...SILENT,
    }),
  }
  const sections = [{ id: 'contacts', template: 'plan::contacts.v1' }]
  const offered = { fhirTypes: TYPES, sections, queries: [] }
  const scopes = registered(readScopes(asked), { scopes: registration.split(' ') })
  return narrow(scopes, policies, { emergencyReason: '' } as never, offered).scopes.join(' ')
}

describe('a scope that only a refresh token is good for', () => {
  it('is not given to an app that may not renew', () => {
    const scopes = ['openid', 'online_access', 'offline_access']
    const asked = readScopes(scopes.join(' '))
    const given = (grantTypes: Client['grantTypes']) =>
      registered(asked, { scopes, grantTypes }).map(writeScope)
    expect(given(['authorization_code', 'refresh_token'])).toEqual(scopes)
    expect(given(['authorization_code'])).toEqual(['openid'])
  })
})

describe('a scope with a search query', () => {
  const QUERY = 'patient/Condition.rs?category=problem-list-item'

  // biome-ignore format: a table
  it.each([
    ['asked so',                                      `${QUERY} patient/Patient.r`, 'patient/*.rs',                `${QUERY} patient/Patient.r`],
    ['registered so and asked without',               'patient/Condition.rs',       QUERY,                         QUERY],
    ['registered so and asked by a wildcard',         'patient/*.rs',               QUERY,                         ''],
    ['asked and registered with two queries',         QUERY,                        'patient/Condition.rs?code=1', ''],
    ['asked in words of v1',                          'patient/Condition.read?category=x', 'patient/*.read',       ''],
    ['asked beside another that is registered whole', `${QUERY} patient/Condition.r`, 'patient/*.rs',              `${QUERY} patient/Condition.r`],
    ['asked of every type, of those that it narrows', 'patient/*.rs?code=http://loinc.org|1-8', 'patient/*.rs',    'patient/Condition.rs?code=http://loinc.org|1-8 patient/Observation.rs?code=http://loinc.org|1-8'],
    ['of a service',                                  'system/Condition.rs?category=x', 'system/*.rs',             ''],
  ])('is never widened: %s', (_how, asked, registration, left) => {
    expect(granted(asked, registration)).toBe(left)
  })

  it.each([
    ...[
      'onset-date=ge2020',
      'category:not=x',
      'category=',
      'category',
      'category=a|b|c',
      '=x',
      'code=a&x=b',
    ],
    ...[
      '_id=1',
      'patient=p1',
      'constructor=x',
      'code=a\\,b',
      'code:in=http://x',
      'category=%20',
      'code=|',
    ],
  ])('is left out of the grant when it cannot be evaluated: %s', (query) => {
    expect(granted(`patient/Condition.rs?${query}`, 'patient/*.rs')).toBe('')
  })
})

describe('granted scopes add up to their shortest form (SMART, "Scopes for requesting FHIR Resources")', () => {
  // biome-ignore format: a table
  it.each([
    ['letters asked apart come back as one scope',        'patient/Observation.r patient/Observation.s',  'patient/*.cruds',                             'patient/Observation.rs'],
    ['and so do letters that were registered apart',      'patient/Observation.rs',                       'patient/Observation.s patient/Observation.r', 'patient/Observation.rs'],
    ['a type that a wildcard names as well',              'patient/*.s patient/Patient.r',                'patient/*.rs',                                'patient/Condition.s patient/Observation.s patient/Patient.rs'],
    ['each reach by itself',                              'user/Patient.s patient/Patient.r user/Patient.r', 'user/*.rs patient/*.rs',                   'user/Patient.rs patient/Patient.r'],
    ['words of v1 stay as their app looks for them',      'patient/Patient.read patient/Patient.write',   'patient/*.*',                                 'patient/Patient.read patient/Patient.write'],
    ['though their letters were registered apart',        'patient/Patient.read',                         'patient/*.s patient/*.r',                     'patient/Patient.read'],
    ['and stand there once',                              'patient/*.read patient/Patient.read',          'patient/*.*',                                 'patient/Condition.read patient/Observation.read patient/Patient.read'],
    ['sections of the plan',                              'patient/composition-plan::contacts.v1.r patient/composition-plan::*.us', 'patient/composition-plan::*.crus', 'patient/composition-plan::contacts.v1.rus'],
    ['words stand where they stood',                      'launch patient/Patient.s openid patient/Patient.r', 'launch openid patient/*.rs',             'launch patient/Patient.rs openid'],
  ])('%s', (_what, asked, registration, left) => {
    expect(granted(asked, registration)).toBe(left)
  })

  it('of a word of v1, whose letters are not all allowed, with the rest', () => {
    const asked = 'patient/Patient.read patient/Patient.c'
    expect(granted(asked, 'patient/*.*', ['search'])).toBe('patient/Patient.cr')
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
