import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { LaunchId } from '../../src/core/ids.js'
import { mapClaims, readLaunch, verifyLaunch } from '../../src/core/launch-claims.js'
import type { LaunchSystem } from '../../src/core/launch-system.js'
import type { Refusal, RefusalCode } from '../../src/core/refusal.js'

const system: LaunchSystem = {
  id: 'gp-post',
  issuer: 'gp-post',
  name: 'A GP system',
  rung: 'signed',
  algorithms: ['ES256'],
  signOn: 'launch',
  organizations: ['A83001'],
  apps: ['care-plan'],
  purposes: ['direct-care'],
  frameAncestors: [],
  claims: {},
  supersede: 'never',
  outcome: 'text',
  maxLifetime: 60,
  defaultPurpose: 'direct-care',
}

const claims = {
  sub: 'gp',
  app: 'care-plan',
  patient: { nhs_number: '999 000 0018', birth_date: '1948-03-15' },
  practitioner: {
    name: 'Dr Amara Okafor',
    sds_user_id: '555254239101',
    role_codes: ['S0010:G0020:R0260'],
  },
  organization: { ods_code: 'a83001' },
}

const ISSUER = 'https://gateway.example'
const NOW = 1_000_000
const proof = {
  id: 'lch_0' as LaunchId,
  audience: ISSUER,
  issuer: ISSUER,
  iat: 1000,
  exp: 1060,
  jti: 'a-jti-of-its-own',
}

const codeOf = (act: () => unknown): RefusalCode | 'none' => {
  try {
    act()
    return 'none'
  } catch (error) {
    return (error as Refusal).code
  }
}

describe('readLaunch', () => {
  it('reads the launch token in our own words', () => {
    expect(readLaunch(claims, system)).toMatchObject({
      app: 'care-plan',
      patient: { nhsNumber: '9990000018', birthDate: '1948-03-15' },
      user: { localId: 'gp', sdsUserId: '555254239101' },
      organization: 'A83001',
      purpose: 'direct-care',
    })
  })

  it('finds each claim where the registration says that it stands', () => {
    const theirs = { subject: { nhs: '9990000018' }, patient: { birth_date: '1948-03-15' } }
    const mapped = mapClaims(theirs, { 'patient.nhs_number': 'subject.nhs' })
    expect(mapped.patient).toEqual({ nhs_number: '9990000018', birth_date: '1948-03-15' })
  })

  it('never follows a mapping into what an object inherits', () => {
    expect(
      mapClaims({}, { sub: 'constructor.name', app: '__proto__.toString' }),
    ).not.toHaveProperty('sub')
  })

  it.each([
    ['a wrong check digit', '9990000019', 'nhs_number_invalid'],
    ['ten equal digits, which pass the check', '9999999999', 'nhs_number_invalid'],
    ['nine digits', '999000001', 'nhs_number_invalid'],
  ])('refuses %s as an NHS number', (_, nhs_number, code) => {
    expect(
      codeOf(() => readLaunch({ ...claims, patient: { ...claims.patient, nhs_number } }, system)),
    ).toBe(code)
  })

  it.each([
    ['no birth date', { patient: { nhs_number: '9990000018' } }],
    [
      'a birth date that is no day',
      { patient: { nhs_number: '9990000018', birth_date: '1948-02-30' } },
    ],
    ['no user', { sub: '' }],
    ['a role code that is a sentence', { practitioner: { role_codes: ['R0260; drop'] } }],
    ['a purpose that nobody knows', { purpose: 'curiosity' }],
  ])('refuses a launch with %s', (_, change) => {
    expect(codeOf(() => readLaunch({ ...claims, ...change }, system))).toBe('launch_malformed')
  })

  const inContext = (item: unknown) =>
    codeOf(() => readLaunch({ ...claims, fhirContext: [item] }, system))
  const NHS = 'https://fhir.nhs.uk/Id/nhs-number'

  // biome-ignore format: a table
  it.each([
    ['another patient',                        { reference: 'Patient/somebody-else' }],
    ['another patient in a role of its own',   { reference: 'Patient/somebody-else', role: 'https://gp.example/mother' }],
    ['a patient by identifier',                { type: 'Patient', identifier: { system: 'https://gp.example', value: '12' } }],
    ['an NHS number',                          { identifier: { system: NHS, value: '9990000026' } }],
    ['an NHS number, its system otherwise',    { identifier: { system: `${NHS.toUpperCase()}/`, value: '9990000026' } }],
    ['an encounter as the launch’s own',       { reference: 'Encounter/e1' }],
    ['an encounter in the role `launch`',      { reference: 'Encounter/e1', role: 'launch' }],
    ['an encounter by type alone',             { type: 'Encounter', identifier: { system: 'https://gp.example', value: 'e1' } }],
    ['an identifier that is a bare number',    { identifier: 9990000026 }],
    ['an identifier without a system',         { identifier: { value: '9990000026' } }],
    ['an identifier that is a tree',           { identifier: { system: 'https://gp.example', value: { deep: [] } } }],
    ['an identifier without end',              { identifier: { system: 'https://gp.example', value: 'x'.repeat(201) } }],
    ['an empty role',                          { reference: 'Task/t1', role: '' }],
    ['a role that is a word of their own',     { reference: 'Task/t1', role: 'care-plan' }],
    ['a reference to elsewhere',               { reference: 'https://evil.example/Patient/p1' }],
    ['a canonical that is no address',         { canonical: 'Patient/p1' }],
    ['a patient by an address',                { canonical: 'https://gp.example/fhir/Patient/p1' }],
    ['nothing',                                { role: 'launch' }],
  ])('refuses %s in fhirContext (SMART App Launch 2.2, "fhirContext")', (_, item) => {
    expect(inContext(item)).toBe('launch_malformed')
  })

  // biome-ignore format: a table
  it.each([
    ['a task',                            { reference: 'Task/t1' }],
    ['a task in the role `launch`',       { reference: 'Task/t1', role: 'launch' }],
    ['a questionnaire by its address',    { canonical: 'https://gp.example/Questionnaire/q|1.0', type: 'Questionnaire' }],
    ['an encounter in a role of its own', { reference: 'Encounter/e1', role: 'https://gp.example/previous' }],
    ['a referral by identifier',          { type: 'ServiceRequest', identifier: { system: 'urn:oid:1.2.3', value: 'r1' } }],
  ])('takes %s there, as it is', (_, item) => {
    const { fhirContext } = readLaunch({ ...claims, fhirContext: [item] }, system)
    expect(fhirContext).toEqual([item])
  })

  it('passes on nothing of an identifier but its system and value', () => {
    const identifier = { system: 'https://gp.example', value: 'r1' }
    const given = { identifier: { ...identifier, assigner: { display: 'Peggy' } } }
    const { fhirContext } = readLaunch({ ...claims, fhirContext: [given] }, system)
    expect(fhirContext).toEqual([{ identifier }])
  })

  it('takes no context from a sealed launch, which nobody has proven', () => {
    const sealed: LaunchSystem = { ...system, rung: 'sealed', signOn: 'provider' }
    const context = {
      ...{ encounter: 'e1', intent: 'reconcile', device: 'desk-7' },
      fhirContext: [{ reference: 'Task/t1' }],
    }
    const said = { ...claims, ...context }
    expect(readLaunch(said, system)).toMatchObject(context)
    const launch = readLaunch(said, sealed)
    for (const name of Object.keys(context)) expect(launch).not.toHaveProperty(name)
  })

  it('takes what could turn a name around out of it, and leaves markup as text', () => {
    const practitioner = { ...claims.practitioner, name: '\u202eDr <b>Evil</b>\u0000\u2066' }
    expect(readLaunch({ ...claims, practitioner }, system).user.name).toBe('Dr <b>Evil</b>')
  })

  it('either reads or refuses, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const code = codeOf(() => readLaunch(value, system))
        expect(['none', 'launch_malformed', 'nhs_number_invalid']).toContain(code)
      }),
    )
  })
})

describe('verifyLaunch (RFC 7519 §4.1)', () => {
  const request = readLaunch(claims, system)

  it.each([
    ['when it was made', 1_000_000],
    ['one second before it expires, skew included', 1_089_000],
    ['a skew before it was made', 970_000],
  ])('accepts a launch %s', (_, now) => {
    expect(verifyLaunch(request, system, proof, now, 30).until).toBe(1_090_000)
  })

  it.each<
    [string, RefusalCode, Partial<typeof proof> & { nbf?: number }, number, Partial<LaunchSystem>]
  >([
    ['once the skew has passed', 'launch_expired', {}, 1_090_000, {}],
    ['from the future', 'launch_future', {}, 969_000, {}],
    ['that is not yet good', 'launch_future', { nbf: 1040 }, NOW, {}],
    ['for another gateway', 'launch_misaddressed', { audience: 'https://x.example' }, NOW, {}],
    [
      'for this gateway and others',
      'launch_misaddressed',
      { audience: [ISSUER] as never },
      NOW,
      {},
    ],
    ['that lives longer than registered', 'launch_too_long', { exp: 1061 }, NOW, {}],
    ['that ends before it begins', 'launch_too_long', { iat: 1060, exp: 1059 }, 1_050_000, {}],
    [
      'for an organisation outside the registration',
      'organization_refused',
      {},
      NOW,
      { organizations: ['B12345'] },
    ],
    ['for an app outside the registration', 'app_refused', {}, NOW, { apps: ['other'] }],
  ])('refuses a launch %s', (_, code, change, now, registration) => {
    const against = { ...system, ...registration }
    expect(codeOf(() => verifyLaunch(request, against, { ...proof, ...change }, now, 30))).toBe(
      code,
    )
  })
})
