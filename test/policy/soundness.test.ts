/** What one node found sound is not judged anew by the next: publishing must not wait for seconds. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Problem } from '../../src/policy/problem.js'
import { createSoundness } from '../../src/policy/soundness.js'
import { STORES } from '../gateway.js'
import { SECTIONS } from './asking.js'
import {
  approver,
  author,
  openSite,
  proposedOf,
  refusalOf,
  type Site,
  small,
} from './draft-site.js'

jest.setTimeout(60_000)
const DAY = 86_400_000

describe.each(STORES)('what was found sound, on the %s store', (store) => {
  let site: Site
  let judged: string[]
  beforeEach(async () => {
    judged = []
    site = await openSite(store)
  })
  afterEach(() => site.close())

  /** A node that says which of them judged, and finds fault where it is told to. */
  async function node(
    name: string,
    sections: readonly string[] = SECTIONS,
    faults: Problem[] = [],
  ) {
    const { store: shared } = await site.node()
    const sound = createSoundness({ store: shared, clock: () => site.now, sections })
    const check = () => {
      judged.push(name)
      return faults
    }
    return site.node({ check, sound })
  }

  it('is approved and published on other nodes without being judged again', async () => {
    const [one, two, three] = [await node('one'), await node('two'), await node('three')]
    const { id, hash } = await proposedOf(one, small('read', 'update'))
    await two.drafts.approve(id, { by: approver, hash })
    await three.drafts.publish(id, { by: author, hash })
    expect(judged).toEqual(['one'])
  })

  it('is judged again after a day, and where the plan has other sections', async () => {
    const [one, other, late] = [
      await node('one'),
      await node('other', ['contacts']),
      await node('late'),
    ]
    const { id, hash } = await proposedOf(one, small('read', 'update'))
    await other.drafts.approve(id, { by: approver, hash })
    expect(judged).toEqual(['one', 'other'])
    site.now += DAY
    await late.drafts.publish(id, { by: author, hash })
    expect(judged).toEqual(['one', 'other', 'late'])
  })

  it('never is what somebody found a fault with: it is judged each time', async () => {
    const wrong = { file: 'roles.yaml', text: 'no' }
    const red = await node('red', SECTIONS, [wrong])
    expect(await refusalOf(proposedOf(red, small('read', 'update')))).toBe('draft_unfit')
    expect(await refusalOf(proposedOf(red, small('read', 'update')))).toBe('draft_unfit')
    expect(judged).toEqual(['red', 'red'])
  })
})
