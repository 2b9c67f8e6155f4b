import { describe, expect, it } from '@jest/globals'
import { auditHeaders } from '../../src/core/authorship.js'
import { readCall } from '../../src/core/call.js'
import { accessAt, accessWith, isShallow, rewriteBase } from '../../src/core/enforcement.js'
import { enforceFhir, type FhirDataCall, readFhirCall } from '../../src/core/fhir.js'
import {
  enforceOpenEhr,
  isVersionOf,
  readable,
  readIfMatch,
  requireTemplate,
} from '../../src/core/openehr.js'
import {
  OPENEHR_INTERACTIONS,
  OPENEHR_WRITES,
  readOpenEhrCall,
} from '../../src/core/openehr-calls.js'
import { accessOf, FORM, ISSUER, NOW, PEGGY, policiesOf, WINSTON } from '../proxy/world.js'

const refusal = (code: string) =>
  expect.objectContaining({ name: 'Refusal', code }) as unknown as Error
const { policies } = policiesOf(() => true)
const fhir = (method: string, address: string) => readFhirCall(readCall(method, address, {}))
const openehr = (method: string, address: string) => readOpenEhrCall(readCall(method, address, {}))
const EHR = `/ehr/${PEGGY.ehrId}`
const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'

describe('the table of FHIR interactions', () => {
  it('needs r to read and s to search, each by itself', () => {
    const read = fhir('GET', `/Patient/${PEGGY.fhirId}`) as FhirDataCall
    const search = fhir('GET', '/CarePlan') as FhirDataCall
    const base = `${ISSUER}/fhir`
    const rows = [
      ['patient/Patient.r patient/CarePlan.r', read, true],
      ['patient/Patient.r patient/CarePlan.r', search, false],
      ['patient/Patient.s patient/CarePlan.s', read, false],
      ['patient/Patient.s patient/CarePlan.s', search, true],
      ['patient/*.read', search, true],
      ['patient/*.cud', read, false],
      ['patient/CarePlan.rs?status=active', search, true],
      ['patient/CarePlan.rs?title=x', search, false],
      ['patient/CarePlan.r?status=active', search, false],
      ['user/*.rs', search, true],
      ['system/*.rs', search, false],
      ['patient/composition-*.rs', read, false],
      ['launch openid', read, false],
    ] as const
    for (const [scope, call, allowed] of rows) {
      const run = () => enforceFhir(accessOf({ scope }), call, policies, base)
      if (allowed) expect(run().decision?.effect).toBe('allow')
      else expect(run).toThrow(refusal('scope_insufficient'))
    }
  })
})

describe('the table of openEHR interactions', () => {
  it('knows its own paths, what they name, and no other', () => {
    const version = `${OBJECT}::s::1`
    for (const [method, path, interaction, id, asked] of [
      ['GET', EHR, 'ehr_read', '', ''],
      ['GET', `${EHR}/ehr_status`, 'ehr_status_read', '', ''],
      ['GET', `${EHR}/ehr_status/${version}`, 'ehr_status_read', version, ''],
      ['DELETE', `${EHR}/composition/${version}`, 'composition_delete', version, ''],
      ['GET', `${EHR}/versioned_composition/${OBJECT}`, 'versioned_composition_read', OBJECT, ''],
      ['GET', `${EHR}/versioned_composition/${OBJECT}/version`, 'version_read', OBJECT, ''],
      [
        'GET',
        `${EHR}/versioned_composition/${OBJECT}/version/${version}`,
        'version_read',
        OBJECT,
        version,
      ],
      ['POST', `${EHR}/contribution`, 'contribution_create', '', ''],
      ['GET', `${EHR}/directory`, 'directory_read', '', ''],
      ['GET', '/definition/template/adl1.4/a::b.v1', 'template_read', 'a::b.v1', ''],
      ['POST', '/query/a::b/1.0.0', 'query', 'a::b', '1.0.0'],
    ] as const)
      expect(openehr(method, path)).toMatchObject({ interaction, id, version: asked })
    for (const [method, path] of [
      ['GET', '/ehr'],
      ['POST', '/ehr'],
      ['PUT', EHR],
      ['DELETE', EHR],
      ['PUT', `${EHR}/ehr_status`],
      ['GET', `${EHR}/versioned_ehr_status`],
      ['GET', `${EHR}/composition`],
      ['PUT', `${EHR}/composition`],
      ['PUT', `${EHR}/composition/${version}`],
      ['DELETE', `${EHR}/composition/${OBJECT}`],
      ['POST', `${EHR}/versioned_composition/${OBJECT}`],
      ['GET', `${EHR}/contribution`],
      ['GET', `${EHR}/contribution/${version}`],
      ['POST', `${EHR}/directory`],
      ['PUT', `${EHR}/directory`],
      ['DELETE', `${EHR}/directory`],
      ['GET', `${EHR}/tags`],
      ['PUT', '/query/care-plan::sections'],
      ['POST', '/definition/template/adl1.4'],
      ['DELETE', '/definition/template/adl1.4/a'],
      ['GET', '/definition/template/adl2'],
      ['GET', '/definition/query/care-plan::sections'],
      ['PUT', '/definition/query/care-plan::sections'],
      ['GET', '/demographic/person'],
      ['DELETE', `/admin/ehr/${PEGGY.ehrId}`],
    ] as const)
      expect(() => openehr(method, path)).toThrow(refusal('interaction_refused'))
  })

  it('counts as a write whatever is no read, and nothing else', () => {
    const rows = OPENEHR_INTERACTIONS.filter(({ name }) => !/query$/.test(name))
    for (const { method, name } of rows)
      expect([name, OPENEHR_WRITES.has(name)]).toEqual([name, method !== 'GET'])
  })

  it('takes a time with its zone where versions have one, and no other parameter', () => {
    const at = (path: string) => () => openehr('GET', `${EHR}${path}`)
    const time = 'version_at_time=2026-11-23T12:00:00Z'
    for (const path of [`/composition/${OBJECT}`, '/ehr_status', '/directory'])
      expect(at(`${path}?${time}`)().query.size).toBe(1)
    for (const path of [
      `?${time}`,
      `/composition/${OBJECT}::s::1?${time}`,
      `/composition/${OBJECT}?version_at_time=2026-11-23`,
      `/composition/${OBJECT}?version_at_time=now`,
      `/composition/${OBJECT}?ehr_id=${PEGGY.ehrId}`,
      '/directory?path=a',
    ])
      expect(at(path)).toThrow(refusal('parameter_invalid'))
  })

  it('needs a scope with the letter before anything is asked of the record', () => {
    const base = `${ISSUER}/openehr/v1`
    const put = openehr('PUT', `${EHR}/composition/${OBJECT}`)
    const query = openehr('GET', '/query/care-plan::sections')
    const rows = [
      ['patient/composition-a.r', put, false],
      ['patient/composition-a.u', put, true],
      ['patient/aql-care-plan::sections.s', put, false],
      ['patient/aql-care-plan::sections.s', query, true],
      ['patient/aql-care-plan::*.rs', query, true],
      ['patient/aql-care-plan::sections.r', query, false],
      ['patient/composition-*.crus', query, false],
      ['system/aql-*.s', query, false],
    ] as const
    for (const [scope, call, allowed] of rows) {
      const run = () => enforceOpenEhr(accessOf({ scope }), call, base)
      if (allowed) expect(run()).toBe(PEGGY.ehrId)
      else expect(run).toThrow(refusal('scope_insufficient'))
    }
  })
})

describe('the template of a composition', () => {
  const rules = { policies, plan: FORM }
  const scoped = (scope: string) => accessOf({ scope })

  it('may be written only where a scope with that letter names it', () => {
    const access = scoped(
      'patient/composition-care-plan::contacts.v1.ru patient/composition-care-plan::medication.v1.r',
    )
    const may = (letter: 'c' | 'u', template: string) => () =>
      requireTemplate(access, rules, letter, template)
    expect(may('u', 'care-plan::contacts.v1')().effect).toBe('allow')
    for (const [letter, template] of [
      ['c', 'care-plan::contacts.v1'],
      ['u', 'care-plan::medication.v1'],
      ['u', 'care-plan::resuscitation.v1'],
      ['u', 'care-plan::contacts.v10'],
    ] as const)
      expect(may(letter, template)).toThrow(refusal('scope_insufficient'))
  })

  it('must be of the plan, whatever a wide scope says', () => {
    const access = scoped('patient/composition-*.crus')
    expect(() => requireTemplate(access, rules, 'u', 'gp::consultation.v1')).toThrow(
      refusal('scope_insufficient'),
    )
    expect(readable(access, rules, 'gp::consultation.v1')).toBeUndefined()
    expect(readable(access, rules, 'care-plan::contacts.v1')?.effect).toBe('allow')
  })

  it('is never written by emergency access, whatever scope and policies say', () => {
    const access = accessOf({ scope: 'patient/composition-care-plan::*.crud' })
    const emergency = { id: 'emg_x', reason: 'life-threatening', until: NOW + 1 } as const
    const broken = { ...access, grant: { ...access.grant, emergency } }
    for (const letter of ['c', 'u', 'd'] as const) {
      const may = (by: typeof access) => () =>
        requireTemplate(by, rules, letter, 'care-plan::contacts.v1')
      expect(may(access)().effect).toBe('allow')
      expect(may(broken)).toThrow(refusal('policy_denied'))
    }
    expect(readable(broken, rules, 'care-plan::contacts.v1')?.effect).toBe('allow')
  })

  it('is judged by the policies by its section', () => {
    const asked = policiesOf(({ resource }) => resource.id === 'contacts')
    const strict = { policies: asked.policies, plan: FORM }
    expect(readable(accessOf(), strict, 'care-plan::contacts.v1')).toBeDefined()
    expect(readable(accessOf(), strict, 'care-plan::prognosis.v1')).toBeUndefined()
    expect(asked.questions[0]).toMatchObject({
      action: 'read',
      resource: { type: 'section', id: 'contacts' },
    })
    expect(() => requireTemplate(accessOf(), strict, 'u', 'care-plan::prognosis.v1')).toThrow(
      refusal('policy_denied'),
    )
  })
})

describe('versions', () => {
  it('are of an object when their first part is it', () => {
    expect(isVersionOf(`${OBJECT}::s::1`, OBJECT)).toBe(true)
    expect(isVersionOf(`${OBJECT}::s::1`, OBJECT.toUpperCase())).toBe(true)
    expect(isVersionOf(`${OBJECT}::s::1`, `${OBJECT}::s::1`)).toBe(true)
    expect(isVersionOf(`${OBJECT}::s::1`, `${OBJECT}::s::2`)).toBe(false)
    expect(isVersionOf(`${OBJECT}0::s::1`, OBJECT)).toBe(false)
    expect(isVersionOf(OBJECT, OBJECT)).toBe(false)
  })

  it('are read from If-Match, strong or weak, and required', () => {
    const version = `${OBJECT}::s::1`
    expect(readIfMatch(`"${version}"`, OBJECT)).toBe(version)
    expect(readIfMatch(` W/"${version}" `, OBJECT)).toBe(version)
    expect(() => readIfMatch(undefined, OBJECT)).toThrow(refusal('version_missing'))
    expect(() => readIfMatch('*', OBJECT)).toThrow(refusal('version_missing'))
    for (const text of [version, '""', `"${version}", "x"`, `"${version.replace('5f', '6f')}"`])
      expect(() => readIfMatch(text, OBJECT)).toThrow(refusal('parameter_invalid'))
  })
})

describe('what goes out', () => {
  it('has our addresses in place of those behind us, wherever they stand', () => {
    const from = 'http://behind/fhir'
    const to = 'https://front/fhir'
    const before = { a: [`${from}/Patient/1`, { b: from }], c: `${from}evil`, d: 3, e: null }
    expect(rewriteBase(before, from, to)).toEqual({
      a: [`${to}/Patient/1`, { b: to }],
      c: `${from}evil`,
      d: 3,
      e: null,
    })
  })

  it('is left as it was where no address of ours stands in it', () => {
    const [from, to] = ['http://behind/fhir', 'https://front/fhir']
    const plain = { a: ['x', { b: 1 }] }
    const before = { plain, at: `${from}?x` }
    expect(rewriteBase(plain, from, to)).toBe(plain)
    const after = rewriteBase(before, from, to) as typeof before
    expect(after).toEqual({ plain, at: `${to}?x` })
    expect(after.plain).toBe(plain)
    expect(before.at).toBe(`${from}?x`)
  })

  it('changes a member by whatever name, and no object behind it', () => {
    const [from, to] = ['http://behind/fhir', 'https://front/fhir']
    const text = `{"a":1,"__proto__":"${from}/x","constructor":["${from}"],"p":{"__proto__":{"b":"${from}"}}}`
    const after = rewriteBase(JSON.parse(text), from, to)
    expect(JSON.stringify(after)).toBe(text.replaceAll(from, to))
    expect(Object.getPrototypeOf(after)).toBe(Object.prototype)
  })

  it('is refused when nested deeper than can be judged', () => {
    const nested = (depth: number): unknown =>
      Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 'x')
    expect(rewriteBase(nested(100), 'a', 'b')).toEqual(nested(100))
    expect(() => rewriteBase(nested(102), 'a', 'b')).toThrow(refusal('upstream_invalid'))
    expect(isShallow(nested(100))).toBe(true)
    expect(isShallow(nested(102))).toBe(false)
  })

  it('names the committer by national identity, or by local id where there is none', () => {
    const access = accessOf()
    const created = auditHeaders(access, 'composition_create')
    expect(created['openehr-audit-details']).toContain('change_type.code_string="249"')
    expect(created['openehr-audit_details.change_type']).toBe('code_string="249"')
    expect(created['openehr-audit_details.committer']).toContain('external_ref.id="555254239101"')
    const { sdsUserId: _id, ...local } = access.user
    expect(
      auditHeaders({ ...access, user: local }, 'composition_update')['openehr-audit-details'],
    ).toContain('committer.external_ref.namespace="local"')
  })
})

describe('accessAt', () => {
  it('asks under the hour of the call, not that of the launch', () => {
    const access = accessAt(accessOf({ hour: 3 }), NOW)
    expect(access.grant.circumstances).toMatchObject({ hour: 12, weekday: 1 })
  })
  it('is remembered within an hour, for that access alone, and for no other hour, weekday or flag', () => {
    const access = accessOf({ hour: 3 })
    const HOUR = 3_600_000
    const at = (now: number) => accessAt(access, now).grant.circumstances
    expect(accessAt(access, NOW + HOUR / 2)).toBe(accessAt(access, NOW))
    expect(at(NOW + HOUR)).toMatchObject({ hour: 13, weekday: 1 })
    expect(at(NOW + 24 * HOUR)).toMatchObject({ hour: 12, weekday: 2 })
    // Two weeks of hours are more than are kept.
    for (let hour = 0; hour < 336; hour++) expect(at(NOW + hour * HOUR).hour).toBe((12 + hour) % 24)

    const now = accessAt(access, NOW)
    const flagged = (sensitive: boolean, deceased: boolean) =>
      accessWith(now, { sensitive, deceased }).grant.circumstances
    for (const sensitive of [true, false, true])
      for (const deceased of [false, true])
        expect(flagged(sensitive, deceased)).toEqual({
          ...now.grant.circumstances,
          patient: { sensitive, deceased },
        })

    const other = accessOf({ hour: 3, of: WINSTON })
    expect(accessAt(other, NOW).grant.nhsNumber).toBe(WINSTON.nhsNumber)
    expect(accessAt({ ...access, stale: true }, NOW).stale).toBe(true)
    expect(accessAt(access, NOW).stale).toBeUndefined()
  })
})
