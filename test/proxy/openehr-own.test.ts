/** A composition is proven to be of the token's EHR by the record's own rows, not by the path it was asked at. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { type LooseRecord, looseRecord, section } from './loose-record.js'
import {
  accessOf,
  IN_CONTEXT,
  isWrite,
  NOW,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from './world.js'

const OURS = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
const THEIRS = '6f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a02'
const EHR = `/openehr/v1/ehr/${PEGGY.ehrId}`

let record: LooseRecord
let world: World
beforeEach(async () => {
  record = looseRecord(
    section(PEGGY.ehrId, 'contacts', OURS),
    section(WINSTON.ehrId, 'contacts', THEIRS, 'Campbell'),
  )
  world = await openWorld(record.listener)
  world.access = accessOf()
})
afterEach(() => world.end())

const get = (path: string) => request(world.app).get(`${EHR}${path}`)
const put = (object: string) =>
  request(world.app)
    .put(`${EHR}/composition/${object}`)
    .set(IN_CONTEXT)
    .set('If-Match', `"${object}::sys::1"`)
    .set('Prefer', 'return=representation')
    .send(section(PEGGY.ehrId, 'contacts', object).body)

describe('a record that ignores the EHR in the path', () => {
  it('gives the patient’s own composition, by object and by version', async () => {
    for (const id of [OURS, `${OURS}::sys::1`])
      expect((await get(`/composition/${id}`)).status).toBe(200)
    expect((await get(`/versioned_composition/${OURS}/revision_history`)).status).toBe(200)
    expect((await put(OURS)).status).toBe(200)
  })

  it('gives nothing of another’s: not the composition, not a version, not its history', async () => {
    for (const path of [
      `/composition/${THEIRS}`,
      `/composition/${THEIRS}::sys::1`,
      `/versioned_composition/${THEIRS}/revision_history`,
    ]) {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(answer.text).not.toContain('Campbell')
    }
    expect(world.entries.map(({ what, refusal }) => [what, refusal])).toEqual(
      Array(3).fill(['access_refused', 'record_other_patient']),
    )
  })

  it('answers another’s composition as what does not exist, word for word', async () => {
    const plain = ({ body }: { body: object }) => ({ ...body, reference: '' })
    const theirs = await get(`/composition/${THEIRS}`)
    const nobodys = await get(`/composition/${THEIRS.replace('6f', '7f')}`)
    expect(plain(theirs)).toEqual(plain(nobodys))
  })

  it('is sent no change of another’s composition', async () => {
    expect((await put(THEIRS)).status).toBe(404)
    expect(world.upstream.filter(isWrite)).toEqual([])
    expect(record.kept[1]?.version).toBe(1)
  })

  it('gives nothing while its rows cannot be had: then nothing proves whose it is', async () => {
    const { listener } = record
    for (const [status, expected] of [
      [404, 502],
      [500, 503],
    ] as const) {
      const away = await openWorld((req, res) =>
        req.url?.includes('/query/')
          ? res.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"x"}')
          : listener(req, res),
      )
      away.access = accessOf()
      const answer = await request(away.app).get(`${EHR}/composition/${OURS}`)
      await away.end()
      expect(answer.status).toBe(expected)
    }
  })
})

describe('what its rows have shown', () => {
  const asked = () => record.calls.filter((call) => call.includes('/query/')).length

  it('is not asked again with every read, for a minute', async () => {
    for (const path of [`/composition/${OURS}`, `/composition/${OURS}::sys::1`])
      expect((await get(path)).status).toBe(200)
    expect((await get(`/versioned_composition/${OURS}/revision_history`)).status).toBe(200)
    expect(asked()).toBe(1)
    world.now = NOW + 59_999
    await get(`/composition/${OURS}`)
    expect(asked()).toBe(1)
    world.now = NOW + 60_000
    await get(`/composition/${OURS}`)
    expect(asked()).toBe(2)
  })

  it('is known from the plan that the app has read', async () => {
    await request(world.app).get('/openehr/v1/query/care-plan::sections')
    expect((await get(`/composition/${OURS}`)).status).toBe(200)
    expect(asked()).toBe(1)
  })

  it('is true of that record alone: a tenant’s, which uses the same ids, is asked itself', async () => {
    expect((await get(`/composition/${OURS}`)).status).toBe(200)
    const { grant, ...access } = accessOf()
    world.access = { ...access, grant: { ...grant, recordTenant: 'north' } }
    record.kept.splice(0, 2, section(WINSTON.ehrId, 'contacts', OURS, 'Campbell'))
    const answer = await get(`/composition/${OURS}`)
    expect([answer.status, answer.text.includes('Campbell')]).toEqual([404, false])
    expect(asked()).toBe(2)
  })

  it('is never taken for granted: of another’s object, of a write, of a template that is hidden', async () => {
    for (const _ of [1, 2]) expect((await get(`/composition/${THEIRS}`)).status).toBe(404)
    expect(asked()).toBe(2)
    await get(`/composition/${OURS}`)
    expect((await put(OURS)).status).toBe(200)
    expect(asked()).toBe(3)
    world.allowed = () => false
    expect((await get(`/composition/${OURS}`)).status).toBe(404)
    // Nor is what was shown of one EHR true of another.
    world.allowed = () => true
    world.access = accessOf({ of: WINSTON })
    const theirs = `/openehr/v1/ehr/${WINSTON.ehrId}/composition/${OURS}`
    expect((await request(world.app).get(theirs)).status).toBe(404)
  })
})
