import { describe, expect, it } from '@jest/globals'
import { gatewayFile } from '../../src/core/settings.js'

const { outbound } = gatewayFile.shape
const allows = (entry: unknown): boolean => outbound.safeParse({ allow: [entry] }).success

describe('where keys may be fetched although it is not public', () => {
  it('is nowhere, unless the configuration says so', () => {
    expect(outbound.parse(undefined)).toEqual({ allow: [] })
    expect(outbound.parse({})).toEqual({ allow: [] })
  })

  it.each([
    'keys.internal.nhs.uk',
    'keys',
    'xn--80ak6aa92e.example',
    '10.20.30.40',
    '10.20.0.0/16',
    'fd12:3456::/32',
    'fd12:3456::7',
  ])('may be %s', (entry) => {
    expect(allows(entry)).toBe(true)
  })

  it.each([
    '',
    '*',
    '*.nhs.uk',
    'Keys.nhs.uk',
    'keys.nhs.uk.',
    'keys.nhs.uk:8443',
    'https://keys.nhs.uk',
    'keys.nhs.uk/jwks',
    '10.20',
    '10.20.0.0/33',
    '10.20.0.0/',
    '10.20.0.0/255.255.0.0',
    'fd12::/129',
    '[fd12::1]',
    '0x0a000001',
    -1,
    null,
  ])('is never %j', (entry) => {
    expect(allows(entry)).toBe(false)
  })
})

describe('apps that register themselves', () => {
  const { registration } = gatewayFile.shape
  const problems = (value: unknown) =>
    registration.safeParse(value).error?.issues.map(({ path }) => path.join('.')) ?? []
  const jwks = { keys: [{ kty: 'EC' }] }

  it('are none, unless the configuration says by whose leave', () => {
    expect(registration.parse(undefined)).toMatchObject({ by: 'off', scopes: [], issuers: [] })
  })

  it('need to be told how far, and by statements of whom', () => {
    expect(problems({ by: 'initial-token' })).toEqual(['scopes'])
    expect(problems({ by: 'initial-token', scopes: ['launch'] })).toEqual([])
    expect(problems({ by: 'software-statement', scopes: ['launch'] })).toEqual(['issuers'])
    const issuer = 'https://directory.example'
    const row = { by: 'software-statement', scopes: ['launch'] }
    expect(problems({ ...row, issuers: [{ issuer, jwks }] })).toEqual([])
    for (const keys of [{}, { jwks, jwks_uri: `${issuer}/jwks` }])
      expect(problems({ ...row, issuers: [{ issuer, ...keys }] })).toEqual(['issuers.0'])
  })
})

describe('stored queries that apps may run', () => {
  const { openehr } = gatewayFile.shape.upstreams.shape
  const standing = { base: 'https://record.example', subject_namespace: 'x' }
  const row = {
    ...{ name: 'org.northbank::medicines', ehr_column: 'ehr', template_column: 'template' },
    columns: ['drug'],
  }
  const problems = (...queries: object[]) =>
    openehr.safeParse({ ...standing, queries }).error?.issues.map(({ path }) => path.join('.')) ??
    []

  it('are none, and nobody writes their own, unless the configuration says so', () => {
    expect(openehr.parse(standing)).toMatchObject({
      ...{ queries: [], ad_hoc_aql: false, if_match: 'quoted' },
    })
  })

  it('say by what each row is proven, of whose EHR and of which template', () => {
    expect(problems(row)).toEqual([])
    expect(openehr.parse({ ...standing, queries: [row] }).queries).toEqual([
      {
        ...{ name: 'org.northbank::medicines', ehrParameter: 'ehr_id', columns: ['drug'] },
        proves: { ehr: 'ehr', template: { column: 'template' } },
        parameters: {},
      },
    ])
    const { template_column: _, ...without } = row
    const always = { ...without, template: 'care-plan::medication.v1' }
    expect(problems(always)).toEqual([])
    expect(problems(without)).toEqual(['queries.0.template_column'])
    expect(problems({ ...always, template_column: 'x' })).toEqual(['queries.0.template_column'])
  })

  it.each([
    ['the plan’s own', { name: 'care-plan::sections' }, 'name'],
    ['ad-hoc AQL', { name: 'aql' }, 'name'],
    ['a path', { name: '../admin' }, 'name'],
    ['one whose EHR the app could fill in', { parameters: { ehr_id: 'text' } }, 'parameters'],
    ['one that shows by what it is proven', { columns: ['drug', 'ehr'] }, 'columns'],
    ['one that shows nothing', { columns: [] }, 'columns'],
    ['one with a parameter of any kind', { parameters: { x: 'anything' } }, 'parameters.x'],
  ])('are not %s', (_, change, path) => {
    expect(problems({ ...row, ...change })).toEqual([`queries.0.${path}`])
  })

  it('have a name each', () => {
    expect(problems(row, row)).toEqual(['queries'])
  })
})
