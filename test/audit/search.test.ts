import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { searchTrail, type TrailQuery } from '../../src/audit/search.js'
import { openTrail, type Trail } from '../../src/audit/trail.js'
import type { Happening } from '../../src/core/audit.js'
import { newLaunchId } from '../../src/core/ids.js'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Store } from '../../src/store/store.js'

const START = Date.UTC(2026, 0, 5, 9)
const HOUR = 3_600_000
const random = (bytes: number) => new Uint8Array(randomBytes(bytes))

describe('searching the trail', () => {
  let now = START
  let dir = ''
  const stores: Store[] = []
  const trails: Trail[] = []
  const launch = newLaunchId(START + HOUR, random)
  const say = (machine: number, about: Partial<Happening>) =>
    trails[machine]?.record({ what: 'access_allowed', outcome: 'success', ...about })
  const find = async (query: TrailQuery) => {
    const found: string[] = []
    for await (const entry of searchTrail(stores[0] as Store, query))
      if (entry.what !== 'writer_opened') found.push(entry.reference ?? '')
    return found
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'search-'))
    for (let machine = 0; machine < 3; machine++) {
      const store = await openEmbedded({ dir, clock: () => now, random })
      stores.push(store)
      trails.push(await openTrail({ store, clock: () => now }))
    }
    const gp = { id: 'gp', organization: 'A83001' }
    const patient = { fhirId: 'p1', nhsNumber: '9990000018' }
    const said: [hours: number, machine: number, about: Partial<Happening>][] = [
      [0.5, 0, { reference: 'ref_early', launch }],
      [1, 1, { reference: 'ref_a', launch, user: gp }],
      [2, 0, { reference: 'ref_b', launch, patient }],
      [2, 1, { reference: 'ref_other', user: { id: 'nurse' }, patient: { fhirId: 'p2' } }],
      [3, 2, { reference: 'ref_c', launch, user: gp, patient }],
      [4, 0, { reference: 'ref_north', patient: { fhirId: 'p1', tenant: 'north' } }],
      [5, 0, { reference: 'ref_page', detail: { patients: ['north/p1', '9990000026'] } }],
      [13.9, 1, { reference: 'ref_d', launch }],
      [14, 0, { reference: 'ref_late', launch }],
    ]
    said.push([14.1, 2, { what: 'launch_refused', reference: 'ref_refused' }])
    for (const [hours, machine, about] of said) {
      now = START + hours * HOUR
      await say(machine, about)
    }
  })
  afterAll(async () => {
    for (const store of stores) await store.close()
    await rm(dir, { recursive: true })
  })

  it('tells the story of a launch in the order of time, whichever machines wrote it', async () => {
    expect(await find({ launch })).toEqual(['ref_a', 'ref_b', 'ref_c', 'ref_d'])
  })

  it.each<[string, TrailQuery, string[]]>([
    ['a reference from a refusal page', { reference: 'ref_b' }, ['ref_b']],
    ['a user', { user: 'gp' }, ['ref_a', 'ref_c']],
    ['a patient by NHS number', { patient: '9990000018' }, ['ref_b', 'ref_c']],
    ['a patient by FHIR id', { patient: 'p2' }, ['ref_other']],
    ['an id in whatever record', { patient: 'p1' }, ['ref_b', 'ref_c', 'ref_north', 'ref_page']],
    ['an id in a tenant’s record', { patient: 'north/p1' }, ['ref_north', 'ref_page']],
    ['an id in the region’s record', { patient: '/p1' }, ['ref_b', 'ref_c']],
    ['a half of an id', { patient: '1' }, []],
    ['an organisation', { organization: 'A83001' }, ['ref_a', 'ref_c']],
    ['a user and a patient together', { user: 'gp', patient: 'p1' }, ['ref_c']],
    ['a kind of entry', { what: 'launch_refused' }, ['ref_refused']],
    ['nobody that was here', { user: 'nobody' }, []],
    [
      'a span of time, its end left out',
      { from: START + 2 * HOUR, to: START + 3 * HOUR },
      ['ref_b', 'ref_other'],
    ],
  ])('finds what concerns %s', async (_, query, references) => {
    expect((await find(query)).sort()).toEqual(references)
  })

  it('answers no more than it was asked for', async () => {
    expect(await find({ launch, limit: 2 })).toEqual(['ref_a', 'ref_b'])
    expect(await find({ launch, limit: 0 })).toEqual([])
  })

  it('finds the beginning of a span in chains of any length', async () => {
    for (let count = 0; count < 40; count++) {
      now += 1000
      await say(count % 3, { reference: `ref_${count}` })
    }
    for (const back of [1, 2, 17, 39, 40]) {
      const found = await find({ from: now - (back - 1) * 1000 })
      expect(found).toEqual(Array.from({ length: back }, (_, i) => `ref_${40 - back + i}`))
    }
  })
})
