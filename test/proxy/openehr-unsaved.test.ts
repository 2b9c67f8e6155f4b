/** What somebody typed and did not save, kept for them at the gateway. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { Access } from '../../src/core/access.js'
import type { Grant } from '../../src/core/grant.js'
import {
  ALL_SCOPES,
  accessOf,
  IN_CONTEXT,
  NOW,
  openWorld,
  PEGGY,
  patient,
  type World,
} from './world.js'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.end())

const HOUR = 3_600_000
const TEMPLATE = 'care-plan::what-matters.v1'
const OTHER_TEMPLATE = 'care-plan::contacts.v1'
const WORDS = 'Wants to be at home with Arthur'
const TYPED = { values: { note: WORDS }, typed: '2026-11-23T11:59:58Z' }
const ehr = (of = PEGGY) => `/openehr/v1/ehr/${of.ehrId}`
const at = (template = TEMPLATE, of = PEGGY) => `${ehr(of)}/unsaved/${template}`

const keep = (body: unknown = TYPED, path = at(), headers: Record<string, string> = IN_CONTEXT) =>
  request(world.app)
    .put(path)
    .set(headers)
    .send(body as object)
const read = (path = at()) => request(world.app).get(path)
const list = (of = PEGGY) => request(world.app).get(`${ehr(of)}/unsaved`)
const discard = (path = at()) => request(world.app).delete(path).set(IN_CONTEXT)

/** What the record holds of Peggy's section, as the first of somebody else's. */
const section = async () => {
  const { body } = await request(world.app).get('/openehr/v1/query/care-plan::sections').expect(200)
  const rows = body.rows as [string, string, Record<string, unknown>][]
  const [, , { uid: _, ...fresh }] = rows.find(([template]) => template === TEMPLATE) ?? [
    '',
    '',
    {},
  ]
  world.entries.length = 0
  return fresh
}
const save = (fresh: object, of: typeof PEGGY, headers: Record<string, string> = IN_CONTEXT) =>
  request(world.app)
    .post(`${ehr(of)}/composition`)
    .set(headers)
    .send(fresh)
    .expect(201)

const as = (grant: Partial<Grant>, access: Access = world.access) => {
  world.access = { ...access, grant: { ...access.grant, ...grant } }
}
/** The same person, launched anew. */
const relaunched = (launch = 'lch_later') => {
  as({ launch: launch as Grant['launch'], signOn: 'sgn_later' as Grant['signOn'] })
  return { 'launch-context': launch.replace('lch', 'ctx') }
}
const refusalOf = () => world.entries.at(-1)?.refusal
const recorded = () => world.entries.map(({ detail }) => detail?.interaction)
const sealed = () => [...world.kept].filter(([key]) => key.startsWith('unsaved '))

describe('What was typed and not saved', () => {
  it('comes back to the same person in a later launch, whole, and says when it was kept', async () => {
    const base = `5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01::record.example::3`
    const whole = {
      ...{ ...TYPED, base },
      adopted: [{ field: 'note', item: 'Condition/c1', text: 'Heart failure' }],
    }
    const kept = await keep(whole).expect(200)
    expect(kept.body).toEqual({ template: TEMPLATE, kept: '2026-11-23T12:00:00.000Z' })
    world.now += HOUR
    relaunched()
    expect((await list().expect(200)).body.unsaved).toEqual([
      { template: TEMPLATE, kept: '2026-11-23T12:00:00.000Z', etag: kept.headers.etag },
    ])
    const back = await read().expect(200)
    expect(back.body).toEqual({ template: TEMPLATE, kept: '2026-11-23T12:00:00.000Z', ...whole })
    expect([back.headers.etag, back.headers['cache-control']]).toEqual([
      ...[kept.headers.etag, 'no-store'],
    ])
    expect(world.upstream).toEqual([])
  })

  it('stands in the store sealed, its owner and its words unreadable', async () => {
    await keep().expect(200)
    const text = JSON.stringify([...world.kept])
    for (const word of [WORDS, 'Arthur', PEGGY.nhsNumber, PEGGY.ehrId, 'what-matters', '555254'])
      expect(text).not.toContain(word)
  })

  it.each<[string, Partial<Grant>, string?]>([
    ['a colleague at the same desk', { person: '555254239107' }],
    ['another app of the same person', { client: 'other-app' }],
    ['another patient under the same EHR', { nhsNumber: '9990000085' as never }],
    ['another section', {}, at(OTHER_TEMPLATE)],
  ])('is not there for %s', async (_, grant, path = at()) => {
    await keep().expect(200)
    as(grant)
    expect((await read(path)).status).toBe(404)
    expect((await list()).body.unsaved).toHaveLength(path === at() ? 0 : 1)
    await request(world.app).delete(path).set(IN_CONTEXT).expect(204)
    world.access = accessOf()
    await read().expect(200)
  })

  it('is not there for another patient’s launch, by whichever EHR it asks', async () => {
    const david = patient('9990000085')
    await keep().expect(200)
    world.access = accessOf({ of: david })
    expect((await read()).status).toBe(404)
    expect((await read(at(TEMPLATE, david))).status).toBe(404)
    expect((await list(david)).body.unsaved).toEqual([])
    expect((await keep()).status).toBe(404)
  })

  it('is gone a day after it was typed at last, and stays while it is typed', async () => {
    await keep().expect(200)
    world.now += 23 * HOUR
    await keep().expect(200)
    world.now += 24 * HOUR - 1
    await read().expect(200)
    world.now += 1
    expect((await read()).status).toBe(404)
    expect((await list()).body.unsaved).toEqual([])
  })

  it('goes with the save of its section, and not with that of another', async () => {
    const fresh = await section()
    const david = patient('9990000085')
    world.access = accessOf({ of: david })
    await keep(TYPED, at(TEMPLATE, david)).expect(200)
    await keep(TYPED, at(OTHER_TEMPLATE, david)).expect(200)
    await save(fresh, david)
    expect((await list(david)).body.unsaved).toMatchObject([{ template: OTHER_TEMPLATE }])
  })

  it('stays when another launch of the same person saves the section: its words may be others', async () => {
    const fresh = await section()
    const david = patient('9990000085')
    world.access = accessOf({ of: david })
    await keep(TYPED, at(TEMPLATE, david)).expect(200)
    const context = relaunched()
    await save(fresh, david, context)
    await read(at(TEMPLATE, david)).expect(200)
  })
})

describe('Keeping it', () => {
  it('is for who may write that section now, by scope and by the policies in force', async () => {
    await keep().expect(200)
    const rights = [
      ['scope_insufficient', accessOf({ scope: ALL_SCOPES.replace('.crus', '.r') })],
      ['scope_insufficient', accessOf({ scope: ALL_SCOPES.replace('::*', '::contacts.v1') })],
      ['token_other_audience', accessOf({ audience: ['https://gateway.example/fhir'] })],
    ] as const
    for (const [code, access] of rights) {
      world.access = access
      for (const call of [() => keep(), () => read(), () => discard()]) {
        expect((await call()).status).toBeGreaterThanOrEqual(401)
        expect(refusalOf()).toBe(code)
      }
    }
    world.access = accessOf()
    world.allowed = ({ action }) => action === 'read'
    for (const call of [() => keep(), () => read(), () => discard()]) {
      expect((await call()).status).toBe(403)
      expect(refusalOf()).toBe('policy_denied')
    }
    expect((await list()).body.unsaved).toEqual([])
    for (const letter of ['create', 'update']) {
      world.allowed = ({ action }) => action === letter
      await keep().expect(200)
      expect((await list()).body.unsaved).toHaveLength(1)
    }
    world.policy.state.mayIssue = false
    expect((await keep()).status).toBe(503)
  })

  it('is never for emergency access, whatever its scopes and the policies say', async () => {
    await keep().expect(200)
    as({ emergency: { id: 'emg_1', reason: 'life', until: NOW + HOUR } as never })
    for (const call of [() => keep(), () => read(), () => list(), () => discard()]) {
      expect((await call()).status).toBe(403)
      expect(refusalOf()).toBe('policy_denied')
    }
  })

  it('says in which context it was made, and ends with it', async () => {
    for (const [code, headers] of [
      ['context_missing', {}],
      ['context_other', { 'launch-context': 'ctx_elsewhere' }],
    ] as const) {
      await keep(TYPED, at(), headers)
      expect(refusalOf()).toBe(code)
      await request(world.app).delete(at()).set(headers)
      expect(refusalOf()).toBe(code)
    }
    world.chart = { launch: 'lch_z', patient: '9990000085', from: 'lch_z' }
    expect((await keep()).status).toBe(409)
    expect(refusalOf()).toBe('context_superseded')
  })

  it.each([
    ['no JSON', '{"values":', 400],
    ['a member twice', '{"values":{},"values":{},"typed":"2026-11-23T11:59:58Z"}', 400],
    ['another shape', JSON.stringify({ ...TYPED, note: WORDS }), 400],
    ['no object', '[]', 400],
    ['64 KB and more', JSON.stringify({ ...TYPED, values: { note: 'x'.repeat(65_536) } }), 413],
  ])('takes nothing of %s', async (_, body, status) => {
    const call = request(world.app)
      .put(at())
      .set({ ...IN_CONTEXT, 'content-type': 'application/json' })
    expect((await call.send(body)).status).toBe(status)
    expect([...world.kept]).toEqual([])
    expect(JSON.stringify(world.entries)).not.toContain('Arthur')
  })

  it('takes nothing for a template that is none of the plan’s, nor parameters', async () => {
    expect((await keep(TYPED, at('care-plan::invented.v1'))).status).toBe(403)
    expect((await keep(TYPED, `${at()}?force=true`)).status).toBe(400)
    expect([...world.kept]).toEqual([])
  })

  it('replaces what another launch kept only when that was seen', async () => {
    const first = await keep().expect(200)
    const context = relaunched()
    expect((await keep({ ...TYPED, values: {} }, at(), context)).status).toBe(412)
    expect((await read()).body.values).toEqual(TYPED.values)
    const seen = { ...context, 'If-Match': String(first.headers.etag) }
    await keep({ ...TYPED, values: { note: 'more' } }, at(), seen).expect(200)
    // From then on it is the later launch's.
    world.access = accessOf()
    expect((await keep()).status).toBe(412)
  })

  it('keeps twenty of one person, and lets the oldest go for one more', async () => {
    for (let i = 0; i <= 20; i++) {
      as({ nhsNumber: `99900000${10 + i}` as never })
      await keep().expect(200)
    }
    expect(sealed()).toHaveLength(20)
    as({ nhsNumber: '9990000010' as never })
    expect((await read()).status).toBe(404)
    as({ nhsNumber: '9990000011' as never })
    await discard().expect(204)
    as({ nhsNumber: '9990000090' as never })
    await keep().expect(200)
    as({ nhsNumber: '9990000012' as never })
    await read().expect(200)
    as({ nhsNumber: '9990000010' as never, person: 'somebody else' })
    await keep().expect(200)
    expect(sealed()).toHaveLength(21)
  })
})

describe('The trail', () => {
  it('has one entry for all keepings of a section in one launch, and one where it goes to another', async () => {
    await keep().expect(200)
    world.now += 5_000
    await keep({ ...TYPED, values: { note: 'more' } }).expect(200)
    world.now += 2 * HOUR
    await keep().expect(200)
    await read().expect(200)
    await list().expect(200)
    expect(recorded()).toEqual(['unsaved_keep'])
    const seen = { ...relaunched(), 'If-Match': String((await read()).headers.etag) }
    expect(world.entries.at(-1)).toMatchObject({
      ...{ what: 'access_allowed', launch: 'lch_later' },
      patient: { nhsNumber: PEGGY.nhsNumber },
      detail: { interaction: 'unsaved_read', template: TEMPLATE, keptIn: 'lch_test' },
    })
    await keep(TYPED, at(), seen).expect(200)
    const gone = request(world.app).delete(at()).set(seen)
    await gone.expect(204)
    expect(recorded()).toEqual(['unsaved_keep', 'unsaved_read', 'unsaved_keep', 'unsaved_discard'])
    await request(world.app).delete(at()).set(seen).expect(204)
    expect(recorded()).toHaveLength(4)
    expect(JSON.stringify(world.entries)).not.toContain(WORDS)
  })

  it('comes first: what it cannot take is neither kept nor given back', async () => {
    world.trailFails = true
    expect((await keep()).status).toBe(500)
    expect(sealed()).toEqual([])
    world.trailFails = false
    await keep().expect(200)
    relaunched()
    world.trailFails = true
    const back = await read()
    expect([back.status, back.text.includes('Arthur')]).toEqual([500, false])
  })
})

describe('A store that fails, or was changed', () => {
  it('keeps nothing, and says so', async () => {
    world.storeFails = true
    expect((await keep()).status).toBe(500)
    expect([sealed(), world.entries.filter(({ outcome }) => outcome === 'success')]).toEqual([
      [],
      [],
    ])
  })

  it('makes no save fail that the record has taken', async () => {
    const { body } = await request(world.app).get('/openehr/v1/query/care-plan::sections')
    const rows = body.rows as [string, string, object][]
    const [, uid, standing] = rows.find(([template]) => template === TEMPLATE) ?? ['', '', {}]
    await keep().expect(200)
    world.storeFails = true
    const put = request(world.app).put(`${ehr()}/composition/${uid.split('::')[0]}`)
    await put
      .set({ ...IN_CONTEXT, 'If-Match': `"${uid}"` })
      .send(standing)
      .expect(204)
    expect(sealed()).toHaveLength(1)
  })

  it.each([
    ['said to be of another launch', { launch: 'lch_x' }],
    ['said to be of another time', { at: NOW + HOUR }],
    ['sealed by another hand', { sealed: 'x.y.z' }],
  ])('gives nothing of what was %s', async (_, change) => {
    await keep().expect(200)
    const [[key, put] = ['', { value: {}, until: 0 }]] = sealed()
    world.kept.set(key, { ...put, value: { ...(put.value as object), ...change } })
    const back = await read()
    expect([back.status, back.text.includes('Arthur')]).toEqual([500, false])
  })

  it('gives nothing of what was put in the place of somebody else’s', async () => {
    await keep().expect(200)
    const [[, theirs] = ['', { value: {}, until: 0 }]] = sealed()
    as({ person: '555254239107' })
    await keep({ ...TYPED, values: { note: 'mine' } }).expect(200)
    const [, [key] = ['']] = sealed()
    world.kept.set(key, theirs)
    const back = await read()
    expect([back.status, back.text.includes('Arthur')]).toEqual([500, false])
  })

  it('lets one of two at once be kept, and tells the other to try again', async () => {
    const other = { ...TYPED, values: { note: 'other' } }
    const answers = await Promise.all([keep(), keep(other, at(OTHER_TEMPLATE))])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503])
  })
})
