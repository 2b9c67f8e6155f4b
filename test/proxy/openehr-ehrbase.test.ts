/**
 * A record that behaves where EHRbase differs from the specification, as its public sources and issues have it
 * (ehrbase/ehrbase, controllers of 2.x; issue 1639). Nothing of it is EHRbase's own code.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { give, type Kept, section, uidOf, wholeOf } from './loose-record.js'
import { accessOf, IN_CONTEXT, isWrite, openWorld, PEGGY, WINSTON, type World } from './world.js'

const OURS = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
const THEIRS = '6f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a02'
const BASE = '/openehr/v1'
const EHR = `${BASE}/ehr/${PEGGY.ehrId}`
const SCOPE = 'patient/composition-care-plan::*.cruds patient/aql-care-plan::sections.rs'

const fault = (res: ServerResponse, status: number, error: string, headers = {}) =>
  give(res, status, { error, message: 'as EHRbase says it' }, headers)

const rowOf = (one: Kept) => [one.template, uidOf(one), wholeOf(one), one.ehr]

/** Bound in the body of a POST alone; its name has the version behind it. */
function query(kept: readonly Kept[], res: ServerResponse, sent: string) {
  const { query_parameters: own } = JSON.parse(sent || '{}')
  const rows = kept.filter(({ ehr }) => ehr === own?.ehr_id).map(rowOf)
  const columns = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ path: '/', name }))
  give(res, 200, { q: 'SELECT', name: 'care-plan::sections/1.0.0', columns, rows })
}

function write(kept: Kept[], req: IncomingMessage, res: ServerResponse, sent: string) {
  const found = kept.find(({ object }) => req.url?.includes(object))
  const body = JSON.parse(sent)
  const named = req.headers['if-match']
  // It reads the quotes as a part of the version.
  if (found && named?.startsWith('"')) return fault(res, 400, 'UUID string too large')
  if (found && named !== uidOf(found)) return fault(res, 412, 'Precondition Failed')
  const one = found ?? {
    ...section(PEGGY.ehrId, 'medication', '7f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a03'),
    version: 0,
  }
  if (!found) kept.push(one)
  one.version += 1
  one.body = body
  const headers = { etag: `"${uidOf(one)}"`, location: `http://ehrbase/${uidOf(one)}` }
  // Only this very word asks for a body; without one, a creation is 204 as well.
  if (req.headers.prefer !== 'return=representation') return give(res, 204, undefined, headers)
  give(res, found ? 200 : 201, wholeOf(one), headers)
}

function remove(kept: Kept[], req: IncomingMessage, res: ServerResponse) {
  const found = kept.find(({ object }) => req.url?.includes(object))
  if (!found) return fault(res, 404, 'Not Found')
  const headers = { etag: `"${uidOf(found)}"` }
  if (!req.url?.endsWith(uidOf(found))) return give(res, 409, undefined, headers)
  kept.splice(kept.indexOf(found), 1)
  give(res, 204, undefined, headers)
}

const ehrbase =
  (kept: Kept[]): RequestListener =>
  async (req, res) => {
    const sent = req.method === 'GET' ? '' : await text(req)
    if (req.url?.includes('/query/')) return query(kept, res, req.method === 'POST' ? sent : '')
    if (req.method === 'DELETE') return remove(kept, req, res)
    if (req.method !== 'GET') return write(kept, req, res, sent)
    // By its object, whatever the EHR of the path.
    const found = kept.find(({ object }) => req.url?.includes(object))
    if (!found) return fault(res, 404, 'Not Found')
    if (req.url?.includes('/versioned_composition/'))
      return give(res, 200, {
        ...{ uid: { value: found.object }, time_created: { value: '2026-01-01T00:00:00Z' } },
        owner_id: { id: { value: found.ehr } },
      })
    give(res, 200, wholeOf(found), { etag: `"${uidOf(found)}"` })
  }

let kept: Kept[]
let world: World
beforeEach(async () => {
  kept = [
    section(PEGGY.ehrId, 'contacts', OURS),
    section(WINSTON.ehrId, 'contacts', THEIRS, 'Campbell'),
  ]
  world = await openWorld(ehrbase(kept), 5_000, 'bare')
  world.access = accessOf({ scope: SCOPE })
})
afterEach(() => world.end())

describe('a record that is EHRbase', () => {
  const put = (headers: Record<string, string> = {}) =>
    request(world.app)
      .put(`${EHR}/composition/${OURS}`)
      .set({ ...IN_CONTEXT, 'If-Match': `"${OURS}::sys::1"`, ...headers })
      .send(section(PEGGY.ehrId, 'contacts', OURS, 'new words').body)

  it('answers the plan’s query, asked by POST', async () => {
    const { body } = await request(world.app).get(`${BASE}/query/care-plan::sections`).expect(200)
    expect(body.rows).toHaveLength(1)
    expect(body.name).toBe('care-plan::sections')
  })

  it('takes a write over the version that was read, and refuses a stale one', async () => {
    const written = await put({ Prefer: 'return=representation' })
    expect([written.status, written.headers.etag]).toEqual([200, `"${OURS}::sys::2"`])
    expect(written.headers.location).not.toContain('ehrbase')
    expect((await put()).status).toBe(412)
    const sent = world.upstream.find(isWrite)?.headers ?? {}
    expect(sent['openehr-audit_details.committer']).toContain('external_ref.id="555254239101"')
  })

  it('takes a new section, whose body may be left out', async () => {
    const made = await request(world.app)
      .post(`${EHR}/composition`)
      .set({ ...IN_CONTEXT, Prefer: 'respond-async, return=representation' })
      .send(section(PEGGY.ehrId, 'medication', '').body)
    expect([made.status, made.body.uid.value]).toEqual([
      201,
      '7f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a03::sys::1',
    ])
  })

  it('deletes the last version, and names it where another was meant', async () => {
    const del = (uid: string) =>
      request(world.app).delete(`${EHR}/composition/${uid}`).set(IN_CONTEXT)
    const stale = await del(`${OURS}::sys::0`)
    expect([stale.status, stale.headers.etag]).toEqual([409, `"${OURS}::sys::1"`])
    expect((await del(`${OURS}::sys::1`)).status).toBe(204)
    expect(kept.map(({ object }) => object)).toEqual([THEIRS])
  })

  it('ignores the EHR of a path, and so is not believed', async () => {
    for (const path of [`/composition/${THEIRS}`, `/versioned_composition/${THEIRS}`]) {
      const answer = await request(world.app).get(`${EHR}${path}`)
      expect([answer.status, answer.text.includes('Campbell')]).toEqual([404, false])
    }
    await request(world.app).get(`${EHR}/versioned_composition/${OURS}`).expect(200)
  })

  it('says its errors in its own words, of which none is passed on', async () => {
    const absent = await request(world.app).get(`${EHR}/composition/${OURS.replace('5f', '9f')}`)
    expect([absent.status, absent.text.includes('EHRbase')]).toEqual([404, false])
  })
})
