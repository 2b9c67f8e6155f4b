/** A plan has each section once: two resuscitation decisions side by side contradict each other, and nobody may edit either. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { give, type LooseRecord, looseRecord, section } from './loose-record.js'
import {
  accessOf,
  HOLD_MS,
  IN_CONTEXT,
  NOW,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from './world.js'

let record: LooseRecord
let world: World
beforeEach(async () => {
  record = looseRecord()
  world = await openWorld(record.listener)
})
afterEach(() => world.end())

async function add(id: string, of = PEGGY) {
  world.access = accessOf({ of })
  const { body } = section(of.ehrId, id, '')
  return await request(world.app)
    .post(`/openehr/v1/ehr/${of.ehrId}/composition`)
    .set(IN_CONTEXT)
    .send(body)
}
const templates = () => record.kept.map(({ template }) => template)

describe('two users who begin the same section, at a record that would take both', () => {
  it('at once: one begins it, all others are told that somebody did', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => add('resuscitation')))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 412, 412, 412])
    expect(templates()).toEqual(['care-plan::resuscitation.v1'])
    expect(world.entries.filter(({ refusal }) => refusal === 'version_stale')).toHaveLength(3)
  })

  it('the second while the first is still on its way', async () => {
    let second: { status: number } | undefined
    record.hold = async () => {
      record.hold = async () => undefined
      second = await add('resuscitation')
    }
    expect((await add('resuscitation')).status).toBe(201)
    expect(second?.status).toBe(412)
    expect(templates()).toHaveLength(1)
  })

  it('the second at any later time', async () => {
    expect((await add('resuscitation')).status).toBe(201)
    for (const later of [1, HOLD_MS, 86_400_000]) {
      world.now = NOW + later
      expect((await add('resuscitation')).status).toBe(412)
    }
    expect(templates()).toHaveLength(1)
  })

  it('leaves other sections and other patients alone', async () => {
    const answers = await Promise.all([add('resuscitation'), add('contacts')])
    const theirs = await add('resuscitation', WINSTON)
    expect([...answers, theirs].map(({ status }) => status)).toEqual([201, 201, 201])
  })

  it('can be begun again once a first try has failed and its time is over', async () => {
    const { answer } = record
    record.answer = (res) => {
      record.kept.splice(0)
      give(res, 422, { message: 'x' })
    }
    expect((await add('resuscitation')).status).toBe(422)
    record.answer = answer
    world.now = NOW + HOLD_MS - 1
    expect((await add('resuscitation')).status).toBe(412)
    world.now = NOW + HOLD_MS
    expect((await add('resuscitation')).status).toBe(201)
  })

  it('writes nothing while the claim cannot be made or the plan not be read', async () => {
    world.storeFails = true
    expect((await add('resuscitation')).status).toBe(500)
    await world.end()
    world = await openWorld((req, res) =>
      req.url?.includes('/query/') ? give(res, 500) : record.listener(req, res),
    )
    expect((await add('resuscitation')).status).toBe(503)
    expect(record.calls).toEqual([])
  })
})
