import { describe, expect, it } from '@jest/globals'
import {
  type Asked,
  activeRole,
  readClinician,
  readPerson,
} from '../../src/core/clinician-claims.js'
import { Refusal } from '../../src/core/refusal.js'

const SUB = '555254239107'
const ISSUER = 'https://am.example:443/openam/oauth2/realms/root'
const NOW = 1_790_000_000
const asked: Asked = { now: NOW, skew: 30, assurance: 2 }

const role = (person_roleid: string, role_code: string, more: object = {}) => ({
  person_roleid,
  org_code: 'a83001',
  role_code,
  activity_codes: ['B0370'],
  ...more,
})
const idToken = (changes: object = {}) => ({
  sub: SUB,
  auth_time: NOW - 10,
  acr: 'AAL3_ANY',
  amr: ['SMARTCARD'],
  sid: 'session-1',
  authentication_assurance_level: '3',
  id_assurance_level: '3',
  selected_roleid: '555254240107',
  ...changes,
})
const userinfo = (changes: object = {}) => ({
  sub: SUB,
  uid: SUB,
  name: 'Sue Hartley',
  nhsid_nrbac_roles: [
    role('555254240104', 'S8000:G8000:R8000'),
    role('555254240107', 'S8001:G8005:R8009'),
  ],
  nhsid_user_orgs: [{ org_code: 'a83001', org_name: 'Fernbank Surgery' }],
  ...changes,
})
const read = (id: object = {}, info: object = {}, held: Partial<Asked> = {}) =>
  readClinician(idToken(id), userinfo(info), ISSUER, { ...asked, ...held })
const refusalOf = (act: () => unknown): string => {
  try {
    act()
    return 'not refused'
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error)
  }
}

describe('the role that a clinician is in', () => {
  it('is the one that they selected, never the first of the list', () => {
    const clinician = read()
    expect(clinician.user.roleCodes).toEqual(['S8001:G8005:R8009'])
    expect(clinician.user.sdsRoleProfileId).toBe('555254240107')
    expect(clinician.organization).toBe('A83001')
    expect(clinician.organizationName).toBe('Fernbank Surgery')
  })

  it('is none when the selected one is not theirs', () => {
    expect(refusalOf(() => read({ selected_roleid: '555254240999' }))).toBe('role_unselected')
  })

  it('is none when none was selected, even if they have only one', () => {
    const single = { nhsid_nrbac_roles: [role('555254240107', 'R8009')] }
    expect(refusalOf(() => read({ selected_roleid: undefined }, single))).toBe('role_unselected')
  })

  it('is none when two entries claim to be it', () => {
    const twice = [role('555254240107', 'R8009'), role('555254240107', 'R8000')]
    expect(refusalOf(() => activeRole(twice, '555254240107'))).toBe('role_unselected')
  })

  it('is said to be absent when they have none at all', () => {
    expect(refusalOf(() => read({}, { nhsid_nrbac_roles: [] }))).toBe('role_absent')
    expect(refusalOf(() => read({}, { nhsid_nrbac_roles: undefined }))).toBe('role_absent')
  })

  it('is read although another role of theirs is odd', () => {
    const odd = [{ person_roleid: 'X' }, role('555254240107', 'R8009')]
    expect(read({}, { nhsid_nrbac_roles: odd }).user.roleCodes).toEqual(['R8009'])
  })

  it('is refused when it lacks its organisation', () => {
    const lacking = [role('555254240107', 'R8009', { org_code: undefined })]
    expect(refusalOf(() => read({}, { nhsid_nrbac_roles: lacking }))).toBe('sign_on_failed')
  })

  it('tells a list without activities from no list', () => {
    const empty = [role('555254240107', 'R8009', { activity_codes: [] })]
    const none = [role('555254240107', 'R8009', { activity_codes: undefined })]
    expect(read({}, { nhsid_nrbac_roles: empty }).user.activityCodes).toEqual([])
    expect(read({}, { nhsid_nrbac_roles: none }).user).not.toHaveProperty('activityCodes')
  })
})

describe('the clinician', () => {
  it('is named without what could make a name read as another', () => {
    expect(read({}, { name: 'Sue\u202e <b>Hartley</b>' }).user.name).toBe('Sue <b>Hartley</b>')
  })

  it('is named by given and family name when there is no other', () => {
    const parts = { name: undefined, given_name: 'Sue', family_name: 'Hartley' }
    expect(read({}, parts).user.name).toBe('Sue Hartley')
  })

  it('is vouched for by the issuer as the exact string that it is known by', () => {
    expect(read().issuer).toBe(ISSUER)
  })

  it.each([
    ['proven to level 3', '3', 'not refused'],
    ['proven to level 3, written as a number', 3, 'not refused'],
    ['proven to level 2 only', '2', 'sign_on_failed'],
  ])('%s', (_, id_assurance_level, outcome) => {
    expect(refusalOf(() => read({ id_assurance_level }))).toBe(outcome)
  })

  it.each([
    ['exactly the assurance asked', '2', 'not refused'],
    ['less', '1', 'sign_on_failed'],
    ['none', undefined, 'sign_on_failed'],
    ['an assurance beyond the scale', '4', 'sign_on_failed'],
    ['an empty assurance', '', 'sign_on_failed'],
  ])('with %s', (_, authentication_assurance_level, outcome) => {
    expect(refusalOf(() => read({ authentication_assurance_level }))).toBe(outcome)
  })

  it.each([
    ['as long ago as max_age and the clock difference allow', NOW - 330, 'not refused'],
    ['a second longer ago', NOW - 331, 'sign_on_failed'],
    ['in the future, within the clock difference', NOW + 30, 'not refused'],
    ['a second further in the future', NOW + 31, 'sign_on_failed'],
  ])('who signed in %s (OIDC Core §3.1.3.7, 13)', (_, auth_time, outcome) => {
    expect(refusalOf(() => read({ auth_time }, {}, { maxAge: 300 }))).toBe(outcome)
  })

  it.each([
    ['just when it was demanded', NOW - 40, 'not refused'],
    ['before', NOW - 41, 'sign_on_failed'],
  ])('who signed in afresh %s', (_, auth_time, outcome) => {
    expect(refusalOf(() => read({ auth_time }, {}, { since: NOW - 10 }))).toBe(outcome)
  })

  it.each(['sub', 'uid', 'nhsid_useruid'])('whose %s is another is refused', (claim) => {
    expect(refusalOf(() => read({}, { [claim]: '555254239199' }))).toBe('sign_on_failed')
  })

  it('is never described by a refusal: it names claims, not their values', () => {
    expect(() => read({ sub: 'Sue Hartley' })).toThrow(/^sign_on_failed: id_token: sub$/)
  })
})

describe('a person who needs no role', () => {
  const person = (id: object = {}, info: object = {}, held: Partial<Asked> = {}) =>
    readPerson(idToken(id), userinfo(info), ISSUER, { ...asked, ...held })

  it('is the provider’s number, a name and an assurance, whatever roles they have or have not', () => {
    const expected = { uid: SUB, name: 'Sue Hartley', assurance: 3, providerSession: 'session-1' }
    expect(person()).toMatchObject(expected)
    const none = { nhsid_nrbac_roles: undefined, nhsid_user_orgs: undefined }
    expect(person({ selected_roleid: undefined }, none)).toMatchObject(expected)
    expect(person()).not.toHaveProperty('roles')
  })

  it('is called by their number where the provider gives no name', () => {
    expect(person({}, { name: undefined }).name).toBe(SUB)
    expect(person({}, { name: '\u202e\u200b' }).name).toBe(SUB)
  })

  // biome-ignore format: a table
  it.each<[string, object, object, Partial<Asked>]>([
    ['another subject in userinfo',       {},                                           { sub: '555254239108' },          {}],
    ['another uid than the subject',      {},                                           { uid: '555254239108' },          {}],
    ['another nhsid_useruid',             {},                                           { nhsid_useruid: '555254239108' }, {}],
    ['no uid',                            {},                                           { uid: undefined },               {}],
    ['a weak proof of identity',          { id_assurance_level: '2' },                  {},                               {}],
    ['a weaker sign-in than asked',       { authentication_assurance_level: '2' },      {},                               { assurance: 3 }],
    ['no assurance',                      { authentication_assurance_level: undefined }, {},                              {}],
    ['a sign-in of before',               { auth_time: NOW - 100 },                     {},                               { since: NOW - 60 }],
    ['a sign-in older than max_age',      { auth_time: NOW - 100 },                     {},                               { maxAge: 60 }],
    ['a sign-in in the future',           { auth_time: NOW + 31 },                      {},                               {}],
  ])('is refused with %s', (_what, id, info, held) => {
    expect(refusalOf(() => person(id, info, held))).toBe('sign_on_failed')
  })
})
