/** What the record learns of a patient while a session is open (DESIGN §6: today's rules, at every call). */
import { afterEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { RecordedAs } from '../../src/core/context.js'
import { accessOf, openWorld, PEGGY, type World } from './world.js'

let world: World
afterEach(() => world.end())

const resource = (more: object = {}) => ({
  resourceType: 'Patient',
  id: PEGGY.fhirId,
  address: [{ line: ['1 Refuge Lane'] }],
  ...more,
})
const searchset = (patient: object) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [{ resource: patient, search: { mode: 'match' } }],
})
const restricted = { meta: { security: [{ code: 'R' }] } }

/** A record that gives this as Patient, by id and by search. */
async function open(more: object) {
  world = await openWorld((req, res) => {
    const patient = resource(more)
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(req.url?.includes('?') ? searchset(patient) : patient))
  })
  world.access = accessOf()
}
const read = () => request(world.app).get(`/fhir/Patient/${PEGGY.fhirId}`)
const search = () => request(world.app).get('/fhir/Patient')

describe('a record that was marked sensitive after the launch', () => {
  it('is not released to who may not see sensitive records, by id or by search', async () => {
    await open(restricted)
    world.allowed = ({ patient }) => !patient.sensitive
    for (const answer of [await read(), await search()]) {
      expect(answer.status).toBe(403)
      expect(answer.text).not.toContain('Refuge')
    }
    expect(world.entries.map(({ refusal }) => refusal)).toEqual(['policy_denied', 'policy_denied'])
  })

  it('is not what is told of an answer that holds another patient as well: nothing in it is believed', async () => {
    const [own] = searchset(resource(restricted)).entry
    const entry = [own, { resource: resource({ id: 'another' }), search: { mode: 'match' } }]
    world = await openWorld((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry }))
    })
    world.access = accessOf()
    world.allowed = ({ patient }) => !patient.sensitive
    expect((await search()).status).toBe(502)
    expect(world.entries).toMatchObject([{ refusal: 'upstream_invalid' }])
  })

  it('is released to who may see sensitive records, and the trail names what allowed it', async () => {
    await open(restricted)
    expect((await read()).status).toBe(200)
    expect(world.policy.questions.map(({ patient }) => patient.sensitive)).toEqual([false, true])
    expect(world.entries).toEqual([expect.objectContaining({ what: 'access_allowed' })])
  })

  it('asks nothing anew while the record says what it said at the launch', async () => {
    await open({})
    expect((await read()).status).toBe(200)
    expect(world.policy.questions).toHaveLength(1)
  })

  it('stays closed to who was refused when the mark is taken away: that needs a new launch', async () => {
    await open({})
    const access = accessOf()
    const circumstances = {
      ...access.grant.circumstances,
      patient: { sensitive: true, deceased: false },
    }
    world.access = { ...access, grant: { ...access.grant, circumstances } }
    world.allowed = ({ patient }) => !patient.sensitive
    expect((await read()).status).toBe(403)
    expect(world.upstream).toEqual([])
  })
})

describe('a patient who died after the launch', () => {
  it('is judged as such before the record is released', async () => {
    await open({ deceasedDateTime: '2026-11-23' })
    world.allowed = ({ patient }) => !patient.deceased
    expect((await read()).status).toBe(403)
  })
})

describe('a patient of whom another record said more at the launch', () => {
  const NORTH = { fhirId: 'n1', tenant: 'north' }
  const marked = (...knownIn: readonly RecordedAs[]) => {
    const access = accessOf()
    const { grant } = access
    const patient = { sensitive: true, deceased: false }
    const circumstances = { ...grant.circumstances, patient }
    const also = knownIn.length === 0 ? {} : { knownIn }
    world.access = { ...access, grant: { ...grant, circumstances, ...also } }
  }

  it('keeps its mark beside what this record says, by id and by search', async () => {
    await open({ deceasedDateTime: '2026-11-23' })
    marked(NORTH)
    world.allowed = ({ patient }) => !(patient.sensitive && patient.deceased)
    for (const answer of [await read(), await search()]) {
      expect(answer.status).toBe(403)
      expect(answer.text).not.toContain('Refuge')
    }
    for (const { patient } of world.policy.questions) expect(patient.sensitive).toBe(true)
  })

  it('is judged once, where this record has nothing to add', async () => {
    await open({})
    marked(NORTH)
    expect((await read()).status).toBe(200)
    expect(world.policy.questions.map(({ patient }) => patient.sensitive)).toEqual([true])
  })

  it('is judged by what the one record says now, where no other knows them', async () => {
    await open({ deceasedDateTime: '2026-11-23' })
    marked()
    expect((await read()).status).toBe(200)
    expect(world.policy.questions.map(({ patient }) => patient)).toEqual([
      { sensitive: true, deceased: false },
      { sensitive: false, deceased: true },
    ])
  })
})
