import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { OpenGateway } from '../../src/open.js'
import { recentQuestions } from '../../src/policy/asked-pages.js'
import { createDrafts, type Drafts } from '../../src/policy/drafts.js'
import { fleetOf } from '../../src/policy/fleet.js'
import { replayFiles } from '../../src/policy/replay.js'
import { launchTo, sectionsOf } from '../app-by-hand.js'
import { random } from '../contract/parts.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { expectWholeTrail } from '../trail-reading.js'

jest.setTimeout(60_000)

const author = { uid: '555000000001', name: 'Ann Author' }
const approver = { uid: '555000000002', name: 'Per Approver' }
const CLOSED = `
@id("nobody-reads-prognosis")
@layer("central")
@reason("Prognosis is closed for the moment.")
forbid (principal, action in [Action::"read", Action::"search"], resource == Section::"prognosis");
`
const TEST = `tests:
  - { name: Nobody reads prognosis, roles: [gp], action: read, on: section/prognosis, expect: deny }
`

describe.each(STORES)('a draft on the %s store', (store) => {
  let t: TestGateway
  let second: OpenGateway
  let drafts: Drafts
  beforeAll(async () => {
    t = await openTestGateway({ store })
    second = (await t.secondNode()).gateway
    const { store: kept, trail } = second
    const sections = t.config.plan.map(({ id }) => id)
    const parts = { store: kept, trail, clock: t.clock, random, sections }
    drafts = createDrafts({ ...parts, lockedOut: () => undefined })
    await t.running.asked.flush()
  }, 60_000)
  afterAll(() => t?.close())

  const onBoth = async () => {
    await t.running.policies.refresh()
    await second.policies.refresh()
    await t.running.fleet.beat()
    await second.fleet.beat()
    return [t.running.policies.version(), second.policies.version()]
  }

  it('closes a section on two nodes without a restart, having said whom it would turn; and back', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    expect(await sectionsOf(t, tokens)).toContain('prognosis')
    for (let i = 0; i < 10; i++) await t.running.asked.flush()
    const { files } = await drafts.inForce()
    const { id, generation } = await drafts.open({
      ...{ by: author, layer: 'central', title: 'Close prognosis', ticket: 'CHG-1' },
    })
    // Their own tests speak of the old rules.
    const kept = Object.entries(files).filter(([name]) => !name.startsWith('policies/tests/'))
    const closed = {
      ...Object.fromEntries(kept),
      'policies/closed.cedar': CLOSED,
      'policies/tests/closed.yaml': TEST,
    }
    const { hash } = await drafts.edit(id, { by: author, generation, files: closed })

    const questions = await recentQuestions(t.running.store, t.clock(), 86_400)
    const run = replayFiles(questions, files, closed)
    let step = run.next()
    while (!step.done) step = run.next()
    const { allowToDeny, denyToAllow } = step.value
    expect(allowToDeny.roles).toMatchObject([{ name: 'gp' }])
    expect(allowToDeny.organizations).toHaveLength(1)
    expect(allowToDeny.apps).toMatchObject([{ name: 'care-plan' }])
    expect(allowToDeny.examples[0]?.after).toEqual(['nobody-reads-prognosis'])
    expect(denyToAllow.questions).toBe(0)

    await drafts.propose(id, { by: author, reason: 'A breach.', ticket: '', hash })
    await drafts.approve(id, { by: approver, hash })
    await drafts.publish(id, { by: author, hash })
    expect(await onBoth()).toEqual([2, 2])
    expect(await sectionsOf(t, tokens)).not.toContain('prognosis')
    const fleet = await fleetOf(t.running.store, t.clock)
    expect(fleet.map(({ version, follows }) => [version, follows])).toEqual([
      [2, true],
      [2, true],
    ])

    await drafts.rollback({ version: 1, by: approver, reason: 'The breach is closed.' })
    expect(await onBoth()).toEqual([3, 3])
    expect(await sectionsOf(t, tokens)).toContain('prognosis')
  })

  it('is followed by a node that starts afterwards with the old files', async () => {
    await t.restart()
    expect(t.running.policies.version()).toBe(3)
    await expectWholeTrail(t)
  })
})
