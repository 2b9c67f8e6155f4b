/**
 * The record behind the whole gateway, for two patients at once: real tokens of both, two nodes, and what those remember
 * of tokens and records. Every spelling of what is asked stands in record, fhir-record and openehr, which have no store.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { RefusalCode } from '../../src/core/refusal.js'
import { ASSERTION_TYPE, buildAssertion } from '../../src/demo/desktop-launches.js'
import { launchTo, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { launchOf, PEGGY, patientOf } from '../launching.js'
import { type RawAnswer, rawTo } from '../proxy/raw.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { send as sendForm } from '../user-agent.js'

jest.setTimeout(60_000)

const SANDHU = '9990000077'
const FHIR = { 'content-type': 'application/fhir+json' }
const JSON_BODY = { 'content-type': 'application/json' }

interface Person {
  readonly tokens: Tokens
  readonly id: string
  readonly ehr: string
  /** Of their sections. */
  readonly uids: readonly string[]
  /** What stands in their data and in nobody else's. */
  readonly words: readonly string[]
}

type Call = readonly [
  method: string,
  path: string,
  headers?: Readonly<Record<string, string>>,
  body?: string,
]
interface Attack {
  readonly code: RefusalCode
  readonly status: number
  readonly call: Call
}

const query = (ehr: string) => `/openehr/v1/query/care-plan::sections?ehr_id=${ehr}`
const objectOf = (uid: string): string => uid.split('::')[0] ?? ''

/** Each class of bad input once, with one patient's token and another's ids. */
function attacksOn(me: Person, other: Person): readonly Attack[] {
  const [mine, theirs] = [me, other].map(({ ehr }) => `/openehr/v1/ehr/${ehr}`)
  const [uid = ''] = other.uids
  const own = `/fhir/Patient/${me.id}`
  const twice = `{"resourceType":"Condition","subject":{"reference":"Patient/${other.id}"},"subject":{"reference":"Patient/${me.id}"}}`
  const composition = `{"_type":"COMPOSITION","archetype_details":{"template_id":{"value":"care-plan::contacts.v1"}}}`
  const aql = JSON.stringify({
    q: `SELECT c FROM EHR e[ehr_id/value='${other.ehr}'] CONTAINS COMPOSITION c`,
  })
  const attack = (code: RefusalCode, status: number, ...call: Call) => ({ code, status, call })
  // biome-ignore format: a table
  return [
    attack('record_other_patient', 404, 'GET', `/fhir/Patient/${other.id}`),
    attack('record_other_patient', 404, 'GET', `/fhir/CarePlan?patient=${other.id}`),
    attack('parameter_invalid',    400, 'GET', `${own}/../${other.id}`),
    attack('parameter_invalid',    400, 'GET', `${own}%252f..%252f${other.id}`),
    attack('parameter_invalid',    400, 'GET', `${own};id=${other.id}`),
    attack('interaction_refused',  403, 'GET', `${own}/$everything`),
    attack('interaction_refused',  403, 'POST', '/fhir/$graphql', JSON_BODY, '{}'),
    attack('parameter_invalid',    400, 'GET', '/fhir/CarePlan?_include:iterate=*'),
    attack('parameter_invalid',    400, 'GET', '/fhir/Patient?_has:CarePlan:patient:_id=x'),
    attack('interaction_refused',  403, 'GET', own, { 'x-http-method-override': 'DELETE' }),
    attack('body_unreadable',      400, 'POST', '/fhir/Condition', FHIR, twice),
    attack('record_other_patient', 404, 'GET', `${theirs}/composition/${uid}`),
    attack('record_absent',        404, 'GET', `${mine}/composition/${uid}`),
    attack('record_other_patient', 404, 'GET', `${theirs}/composition/${uid}`, { 'openehr-ehr-id': me.ehr }),
    attack('record_other_patient', 404, 'GET', query(other.ehr)),
    attack('interaction_refused',  403, 'GET', `/openehr/v1/ehr?subject_id=${SANDHU}&subject_namespace=x`),
    attack('scope_insufficient',   403, 'POST', '/openehr/v1/query/aql', JSON_BODY, aql),
    attack('interaction_refused',  403, 'DELETE', `/openehr/v1/admin/ehr/${me.ehr}`),
    attack('record_absent',        404, 'PUT', `${mine}/composition/${objectOf(uid)}`, { ...JSON_BODY, 'if-match': `"${uid}"` }, composition),
  ]
}

/** A call of somebody's, with their own ids in it or the other's, to one of two nodes. */
const calls = fc.record({
  who: fc.nat(1),
  node: fc.nat(1),
  whose: fc.constantFrom('own', 'own', 'other'),
  path: fc.constantFrom(
    ...['/fhir/Patient/ID', '/fhir/CarePlan?patient=ID', '/fhir/CarePlan', '/fhir/Patient'],
    ...['QUERY', 'EHR', 'EHR/ehr_status', 'EHR/composition/UID', 'EHR/composition/OBJECT'],
    ...['EHR/versioned_composition/OBJECT', 'EHR/versioned_composition/OBJECT/version/UID'],
    ...['EHR/versioned_composition/OBJECT/revision_history', 'EHR/directory', 'EHR/unsaved'],
  ),
  section: fc.nat(14),
})
/** What both are given of their own. Asked for in each run: by chance one would be left out. */
const OWN = ['/fhir/Patient/ID', 'QUERY', 'EHR/composition/UID']
const owned = OWN.map((path) => ({ ...{ who: 0, node: 0, whose: 'own', section: 0 }, path }))

const addressOf = (path: string, { id, ehr, uids }: Person, section: number): string => {
  const uid = uids[section % uids.length] ?? ''
  return path
    .replace('QUERY', query(ehr))
    .replace('EHR', `/openehr/v1/ehr/${ehr}`)
    .replace('UID', uid)
    .replace('OBJECT', objectOf(uid))
    .replace('ID', id)
}

describe.each(STORES)('two patients at once, on the %s store', (store) => {
  let t: TestGateway
  let ports: readonly number[]
  let people: readonly [Person, Person]

  function send(tokens: Tokens, [method, path, headers, body]: Call, node = 0): Promise<RawAnswer> {
    const proof = { authorization: `Bearer ${tokens.access_token}` }
    const context = { 'launch-context': String(tokens.__context) }
    return rawTo(ports[node] ?? 0, method, path, { ...proof, ...context, ...headers }, body)
  }

  async function open(nhsNumber: string): Promise<Person> {
    const { tokens } = await launchTo(t, { system: 'gp-push', patient: nhsNumber })
    const ehr = tokens.ehrId ?? ''
    const { rows } = JSON.parse((await send(tokens, ['GET', query(ehr)])).text)
    const uids: string[] = rows.map(([, uid]: readonly string[]) => uid)
    const { family, fhirId: id } = patientOf(nhsNumber)
    return { tokens, id, ehr, uids, words: [nhsNumber, family, id, ehr, ...uids.map(objectOf)] }
  }

  beforeAll(async () => {
    t = await openTestGateway({ store })
    ports = [Number(new URL(t.issuer).port), (await t.secondNode()).port]
    people = [await open(PEGGY), await open(SANDHU)]
  }, 60_000)
  afterAll(() => t?.close())

  it('refuses each class of bad input, tells nothing of anybody, and has it in the trail', async () => {
    const [me, other] = people
    for (const { code, status, call } of attacksOn(me, other)) {
      const answer = await send(me.tokens, call)
      await expectRefused(t, { ...answer, location: undefined }, code, status)
    }
  })

  it('carries out no bundle within a bundle', async () => {
    const entry = [{ request: { method: 'POST', url: '' } }]
    const batch = JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry })
    const { text } = await send(people[0].tokens, ['POST', '/fhir', FHIR, batch])
    expect(JSON.parse(text).entry).toMatchObject([{ response: { status: '400' } }])
  })

  it('gives each token its own patient and nothing of the other’s, whatever is asked beside it', async () => {
    const own = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 8, maxLength: 8 }), async (asked) => {
        const answers = asked.map(async ({ who, node, whose, path, section }) => {
          const [me, other] = who === 0 ? people : [people[1], people[0]]
          const address = addressOf(path, whose === 'own' ? me : other, section)
          const { status, text, headers } = await send(me.tokens, ['GET', address], node)
          const said = `${text} ${JSON.stringify(headers)}`
          expect(status).toBeLessThan(500)
          expect(other.words.filter((one) => said.includes(one) && !address.includes(one))).toEqual(
            [],
          )
          if (whose === 'other' && address.includes(other.ehr)) expect(status).toBe(404)
          if (status === 200 && me.words.some((one) => said.includes(one))) own.add(path)
        })
        await Promise.all(answers)
      }),
      { numRuns: 30, examples: [[owned]] },
    )
    // It was not only refused.
    expect([...own]).toEqual(expect.arrayContaining(OWN))
  })

  it('ends one of them at once on every node, however often it was remembered there', async () => {
    const own = ({ tokens, id }: Person) =>
      Promise.all([0, 1].map((node) => send(tokens, ['GET', `/fhir/Patient/${id}`], node)))
    const statuses = async () =>
      (await Promise.all(people.map(own))).flat().map(({ status }) => status)
    expect(await statuses()).toEqual([200, 200, 200, 200])
    const form = {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await buildAssertion(launchOf(t, { system: 'gp-push' })),
      launch: people[0].tokens.__launch,
    }
    expect((await sendForm(new URL('/launch/end', t.issuer), { form })).status).toBe(204)
    expect(await statuses()).toEqual([401, 401, 200, 200])
  })

  it('leaves a trail that is whole', () => expectWholeTrail(t))
})
