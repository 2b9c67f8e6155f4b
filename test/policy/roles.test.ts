import { describe, expect, it } from '@jest/globals'
import type { NamedUser, OdsCode } from '../../src/core/context.js'
import { readOrganizations } from '../../src/policy/organizations.js'
import { Problems } from '../../src/policy/problem.js'
import { jobRoleOf, knowUser, readRoles } from '../../src/policy/roles.js'
import { DIRECTORY, PEOPLE, personOfDemo, ROLE_MAP } from './asking.js'

const ods = (code: string) => code as OdsCode
const named = (roleCodes: string[], activityCodes?: string[]): NamedUser => ({
  localId: 'u1',
  roleCodes,
  ...(activityCodes === undefined ? {} : { activityCodes }),
})
const know = (user: NamedUser, code = 'A83001') => knowUser(user, ods(code), 2, ROLE_MAP, DIRECTORY)

const problemsOf = (read: () => unknown): readonly string[] => {
  try {
    read()
  } catch (error) {
    if (error instanceof Problems) return error.problems.map(({ line, text }) => `${line}: ${text}`)
    throw error
  }
  return []
}

describe('people of the demonstration', () => {
  // biome-ignore format: a table
  it.each([
    ['gp',                 ['gp']],
    ['practice-nurse',     ['practice-nurse']],
    ['district-nurse',     ['community-nurse']],
    ['hospice-consultant', ['hospice-clinician']],
    ['paramedic',          ['urgent-care-clinician']],
    ['call-handler',       ['call-handler']],
    ['receptionist',       ['administrator']],
    ['social-worker',      ['social-care']],
    ['no-role',            []],
  ])('%s has %j', (id, roles) => {
    const user = personOfDemo(id)
    expect(user.roles).toEqual(roles)
    expect(user.activitySource).toBe('listed')
    expect(user.activities).toEqual(PEOPLE.find((person) => person.id === id)?.activities)
  })
})

describe('a job role', () => {
  it('gives nobody the role of a service', () => {
    const rule = '{ role: service, organizations: any, codes: [R0260] }'
    const text = `organization_types: [gp-practice]\nroles: [${rule}]`
    expect(problemsOf(() => readRoles(text))).toEqual([expect.stringContaining('role')])
  })

  // biome-ignore format: a table
  it.each([
    ['S8000:G8000:R8000',        'R8000'],
    ['S0010:G0020:R0260',        'R0260'],
    ['R8000',                    'R8000'],
    [' S8000 : G8000 : R8000 ',  'R8000'],
    ['',                         undefined],
    ['S8000:G8000',              undefined],
    ['S8000:G8000:R80000',       undefined],
    ['S8000:G8000:r8000',        undefined],
    ['S8000:R8000:R0260',        undefined],
    ['S8000:G8000:R8000:R0260',  undefined],
    ['S8000:G8000:X1:R0260',     undefined],
    ['__proto__',                undefined],
  ])('is read from %j as %j', (text, code) => {
    expect(jobRoleOf(text)).toBe(code)
  })

  it('gives the same role under whatever staff group it stands', () => {
    expect(know(named(['S8000:G8000:R0260'])).roles).toEqual(['gp'])
    expect(know(named(['S0010:G0020:R0260'])).roles).toEqual(['gp'])
  })

  it('never decides alone: the same code is another role in another organisation, and none in an unknown one', () => {
    expect(know(named(['R8000']), 'A83001').roles).toEqual(['gp'])
    expect(know(named(['R8000']), '8HK21').roles).toEqual(['hospice-clinician'])
    expect(know(named(['R8000']), 'T5A01').roles).toEqual([])
    const stranger = know(named(['R8000']), 'ZZZ99')
    expect(stranger.roles).toEqual([])
    expect(stranger.organization).toEqual({ odsCode: 'ZZZ99', type: 'unknown', region: '' })
  })

  it('of an associate practitioner (R1547) is no GP: nobody has decided yet what it may do', () => {
    expect(know(named(['S0010:G0020:R1547'], ['B0360', 'B0380'])).roles).toEqual([])
    expect(know(named(['S0010:G0020:R0260'], ['B0360', 'B0380'])).roles).toEqual(['gp'])
  })

  it('that no rule knows gives nothing', () => {
    expect(know(named(['S8000:G8000:R9999', 'nonsense', 'constructor'])).roles).toEqual([])
  })

  it('among several gives each of its roles once', () => {
    expect(know(named(['R0260', 'R0270', 'R8009'])).roles).toEqual(['gp', 'administrator'])
  })
})

describe('activities', () => {
  it('are the listed ones where a list is given, an empty one included', () => {
    expect(know(named(['R0260'], []))).toMatchObject({ activities: [], activitySource: 'listed' })
    expect(know(named(['R0260'], ['B0360']))).toMatchObject({ activities: ['B0360'] })
  })

  it('are the baseline of the job role where no list is given, and marked so', () => {
    expect(know(named(['R0260']))).toMatchObject({
      activities: ['B0360', 'B0380'],
      activitySource: 'baseline',
    })
  })

  it('count exactly as they are: writing does not carry viewing until inclusion is switched on', () => {
    expect(know(named(['R0260'], ['B0380'])).activities).toEqual(['B0380'])
  })

  it('carry what lies below them where inclusion is switched on, and never what lies above', () => {
    const map = readRoles(`
organization_types: [gp-practice]
roles: [{ role: gp, codes: [R0260], organizations: [gp-practice] }]
includes: { B8029: [B8028], B8028: [B0380], B0380: [B0790], B0790: [B0360] }
`)
    const activities = (codes: string[]) =>
      knowUser(named(['R0260'], codes), ods('A83001'), 2, map, DIRECTORY).activities
    expect(activities(['B8028'])).toEqual(['B8028', 'B0380', 'B0790', 'B0360'])
    expect(activities(['B0360'])).toEqual(['B0360'])
  })
})

describe('roles.yaml', () => {
  const base = `organization_types: [gp-practice, hospice]\n`

  it('is refused with every problem at once, each with its line', () => {
    const problems = problemsOf(() =>
      readRoles(`${base}roles:
  - { role: doctor, codes: [R0260], organizations: [gp-practice] }
  - { role: gp, codes: [R26, R0300-R0200x], organizations: [gp-practice] }
  - { role: gp, codes: [R0260], organizations: [gp-practice], extra: 1 }
`),
    )
    expect(problems).toHaveLength(4)
    expect(problems.map((text) => text.split(':')[0])).toEqual(['3', '4', '4', '5'])
  })

  it('is refused where a code would give two roles in one kind of organisation', () => {
    const problems = problemsOf(() =>
      readRoles(`${base}roles:
  - { role: gp, codes: [R0260-R0270], organizations: [gp-practice] }
  - { role: hospice-clinician, codes: [R0260], organizations: [hospice] }
  - { role: practice-nurse, codes: [R0265], organizations: any }
`),
    )
    expect(problems).toEqual(['5: R0265 already gives gp in one of these organisations'])
  })

  // biome-ignore format: a table
  it.each([
    ['an organisation type that is not listed', 'roles: [{ role: gp, codes: [R0260], organizations: [surgery] }]'],
    ['the type unknown',                        'roles: [{ role: gp, codes: [R0260], organizations: [unknown] }]'],
    ['a range that runs backwards',             'roles: [{ role: gp, codes: [R0270-R0260], organizations: any }]'],
    ['a key that stands twice',                 'roles: [{ role: gp, role: gp, codes: [R0260], organizations: any }]'],
    ['a key that names a prototype',            'roles: [{ role: gp, codes: [R0260], organizations: any }]\nincludes: { __proto__: [B0360] }'],
    ['a hidden prototype at the top',           'roles: [{ role: gp, codes: [R0260], organizations: any }]\n__proto__: { baseline: [] }'],
    ['an alias',                                'roles: [&a { role: gp, codes: [R0260], organizations: any }, *a]'],
    ['a baseline given twice',                  'roles: [{ role: gp, codes: [R0260], organizations: any }]\nbaseline: [{ codes: [R0260], activities: [] }, { codes: [R0260], activities: [B0380] }]'],
    ['what is not YAML',                        'roles: [}'],
    ['no role at all',                          'roles: []'],
  ])('is refused for %s', (_, text) => {
    expect(problemsOf(() => readRoles(base + text))).not.toEqual([])
  })
})

describe('organizations.yaml', () => {
  it('is refused for an unknown type, a code that stands twice and a code that YAML took for a number', () => {
    const problems = problemsOf(() =>
      readOrganizations(
        `organizations:
  - { ods: A83001, name: One, type: gp-practice, region: '' }
  - { ods: A83001, name: Two, type: gp-practice, region: '' }
  - { ods: RYX01, name: Three, type: castle, region: '' }
`,
        ROLE_MAP,
      ),
    )
    expect(problems).toEqual([
      '3: A83001 stands twice',
      '4: castle is not one of the organization_types of roles.yaml',
    ])
    expect(
      problemsOf(() =>
        readOrganizations(
          "organizations: [{ ods: 5E12, name: Four, type: hospice, region: '' }]",
          ROLE_MAP,
        ),
      ),
    ).toEqual([expect.stringContaining('in quotes')])
  })
})
