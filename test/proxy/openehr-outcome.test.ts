/** After a write has left us, "not saved" is said only when the record said so (DCB0129: a reversed decision). */
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { writeOnce } from '../../src/proxy/write.js'
import { give, type Kept, type LooseRecord, looseRecord, section, uidOf } from './loose-record.js'
import { accessOf, IN_CONTEXT, openWorld, PEGGY, type World } from './world.js'

const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
const OTHER = '6f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a02'
const EHR = `/openehr/v1/ehr/${PEGGY.ehrId}`
const UNKNOWN = 'It is not known whether this was saved'

let record: LooseRecord
let world: World
beforeEach(async () => {
  record = looseRecord(section(PEGGY.ehrId, 'contacts', OBJECT))
  world = await openWorld(record.listener, 1_000)
  world.access = accessOf()
})
afterEach(() => world.end())

const put = (prefer = 'return=representation') =>
  request(world.app)
    .put(`${EHR}/composition/${OBJECT}`)
    .set(IN_CONTEXT)
    .set('If-Match', `"${OBJECT}::sys::1"`)
    .set('Prefer', prefer)
    .send(section(PEGGY.ehrId, 'contacts', OBJECT, 'new words').body)
const post = () =>
  request(world.app)
    .post(`${EHR}/composition`)
    .set(IN_CONTEXT)
    .set('Prefer', 'return=representation')
    .send(section(PEGGY.ehrId, 'medication', OTHER).body)

type Answer = (res: ServerResponse, one: Kept) => unknown
const tag = (one: Kept) => ({ etag: `"${uidOf(one)}"` })
const whole = (one: Kept, more: object = {}) => ({
  ...one.body,
  uid: { value: uidOf(one) },
  ...more,
})

describe('a write that the record has done', () => {
  it.each([
    ['late', () => undefined],
    ['by hanging up', (res) => res.destroy()],
    ['half', (res) => res.writeHead(200, { 'content-length': '500' }).write('{')],
    ['with an error of its own', (res) => give(res, 500, { message: 'x' })],
    ['through a proxy that gave up', (res) => give(res, 504, { message: 'x' })],
    ['that it is busy', (res) => give(res, 429, { message: 'x' })],
    ['with a redirect', (res) => give(res, 303, undefined, { location: '/x' })],
    ['with a page', (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<p>Saved')],
    ['with something else', (res) => give(res, 200, { saved: true })],
    [
      'with another composition',
      (res, one) => give(res, 200, whole(one, { uid: { value: `${OTHER}::sys::2` } })),
    ],
    [
      'with the version that was replaced',
      (res, one) => give(res, 200, whole(one, { uid: { value: `${OBJECT}::sys::1` } })),
    ],
    [
      'with another template',
      (res, one) =>
        give(
          res,
          200,
          whole(one, { archetype_details: { template_id: { value: 'care-plan::medication.v1' } } }),
        ),
    ],
    ['without a body or a version', (res) => give(res, 204)],
    [
      'without a body, with the version that was replaced',
      (res) => give(res, 204, undefined, { etag: `"${OBJECT}::sys::1"` }),
    ],
    [
      'without a body, with another’s version',
      (res) => give(res, 204, undefined, { etag: `"${OTHER}::sys::2"` }),
    ],
  ] as [string, Answer][])(
    'and answered %s is of unknown outcome: never "not saved", never "saved"',
    async (_, answer) => {
      record.answer = answer as LooseRecord['answer']
      const told = await put()
      expect(told.status).toBe(503)
      expect(told.body.error).toBe('temporarily_unavailable')
      expect(told.body.error_description).toContain(UNKNOWN)
      expect(record.kept[0]?.version).toBe(2)
      expect(record.calls.filter((call) => call.startsWith('PUT'))).toHaveLength(1)
      expect(world.entries.map(({ what, refusal }) => refusal ?? what)).toEqual([
        'access_allowed',
        'write_unknown',
      ])
      expect(world.told).toMatchObject([{ came: 'under way', after: 0 }])
    },
  )

  it('and answered without a body is known by its version, and read for who wants to see it', async () => {
    record.answer = (res, one) => give(res, 204, undefined, tag(one))
    const told = await put()
    expect(told.status).toBe(200)
    expect(told.headers.etag).toBe(`"${OBJECT}::sys::2"`)
    expect(told.body).toMatchObject({ uid: { value: `${OBJECT}::sys::2` }, content: ['new words'] })
    const [outcome] = world.told
    expect(outcome?.writings).toMatchObject([{ does: 'update', previous: `${OBJECT}::sys::1` }])
    const content = { content: ['new words'] }
    expect(outcome?.came).toMatchObject([{ version: `${OBJECT}::sys::2`, content }])
  })

  it('and answered without a body is told without one to who wants none', async () => {
    record.answer = (res, one) => give(res, 204, undefined, { etag: `W/"${uidOf(one)}"` })
    const told = await put('return=minimal')
    expect([told.status, told.text]).toEqual([204, ''])
    expect(told.headers.etag).toBe(`"${OBJECT}::sys::2"`)
  })

  it('and that cannot be read again is of unknown outcome', async () => {
    record.answer = (res, one) => {
      record.kept.splice(0)
      give(res, 204, undefined, tag(one))
    }
    expect((await put()).body.error_description).toContain(UNKNOWN)
  })

  it('is a new section whose body is left out, known by its version', async () => {
    record.answer = (res, one) => give(res, 201, undefined, tag(one))
    const told = await post()
    expect(told.status).toBe(201)
    expect(told.body.uid.value).toBe(told.headers.etag?.replaceAll('"', ''))
    expect(told.headers.location).toContain(told.body.uid.value)
  })

  it('is a new section that the record does not count to this patient: unknown, and not shown', async () => {
    record.answer = (res, one) => {
      record.kept.splice(1, 1, { ...one, ehr: OTHER })
      give(res, 201, whole(one, { content: ['Campbell'] }), tag(one))
    }
    const told = await post()
    expect(told.status).toBe(503)
    expect(told.text).not.toContain('Campbell')
  })
})

describe('a write that the record has refused', () => {
  it.each([
    [400, 422, 'record_refused'],
    [404, 404, 'record_absent'],
    [409, 412, 'version_stale'],
    [412, 412, 'version_stale'],
    [422, 422, 'record_refused'],
  ])('by %d is told as %d', async (status, expected, refusal) => {
    record.answer = (res) => give(res, status, { message: 'x' })
    const told = await put()
    expect(told.status).toBe(expected)
    expect(world.entries.at(-1)).toMatchObject({ refusal })
    expect(world.told).toMatchObject([{ came: 'undone' }])
  })

  it('or that never left us is told as what kept it back', async () => {
    record.kept.splice(0)
    expect((await put()).status).toBe(404)
    expect(record.calls.filter((call) => call.startsWith('PUT'))).toEqual([])
    expect(world.told).toEqual([])
    record.kept.push(section(PEGGY.ehrId, 'contacts', OBJECT))
    world.trailFails = true
    expect((await put()).status).toBe(500)
    expect(world.told).toMatchObject([{ came: 'undone' }])
  })

  it('is told to the launch’s system without what its writer may not read', async () => {
    world.allowed = ({ action }) => action !== 'read'
    expect((await post()).status).toBe(201)
    const [outcome] = world.told
    expect(outcome?.writings).toMatchObject([{ does: 'create' }])
    expect(outcome?.came).toEqual([{ version: expect.stringContaining('::sys::1') }])
  })
})

describe('a write that the record has done', () => {
  it('is answered as done though nobody can say what it was: its launch’s outcome calls it uncertain', async () => {
    let came = 'under way'
    const come = (as: string) => async () => {
      came = as
    }
    const answer = { status: 200, headers: {}, body: {}, bytes: 2 }
    const done = await writeOnce({
      still: async () => undefined,
      record: async () => undefined,
      begin: async () => ({ done: come('done'), undone: come('undone') }),
      send: async () => answer,
      refused: () => undefined,
      prove: async () => 'proof',
      written: () => {
        throw new Error('nested too deep')
      },
    })
    expect([done, came]).toEqual([{ answer, proof: 'proof' }, 'under way'])
  })
})
