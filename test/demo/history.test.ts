/** The past that the demonstration's console begins with. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { makeHistory } from '../../src/demo/history.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { entriesOf, expectWholeTrail } from '../trail-reading.js'

jest.setTimeout(60_000)

describe('the pretend history', () => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
    await makeHistory(t.running.drafts)
  }, 60_000)
  afterAll(() => t?.close())

  it('is of a change, its end in an emergency, one that waits and one whose tests are red', async () => {
    const drafts = await t.running.drafts.list()
    const told = drafts.map(({ title, stage }) => `${title}: ${stage}`).sort()
    expect(told).toEqual([
      'Medicines for call handlers: published',
      'Prognosis by practice nurses: open',
      'Symptoms for call handlers: proposed',
      'Take back medicines for call handlers: published',
    ])
    const history = await t.running.drafts.history(10)
    expect(history.map(({ version, origin }) => `${version} ${origin}`)).toEqual([
      '3 emergency',
      '2 console',
      '1 seed',
    ])
  })

  it('leaves in force what was in force at first', async () => {
    const [first, now] = await Promise.all([
      t.running.drafts.version(1),
      t.running.drafts.inForce(),
    ])
    expect(now.files).toEqual(first.files)
  })

  it('is made once', async () => {
    await makeHistory(t.running.drafts)
    expect(await t.running.drafts.list()).toHaveLength(4)
  })

  it('is in the trail like any other', async () => {
    expect(await entriesOf(t, { what: 'draft_approved' })).toHaveLength(1)
    await expectWholeTrail(t)
  })
})
