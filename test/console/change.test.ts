/** A change of the policies at the console, from draft to rollback, by three people. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { launchTo, readsPatient, sectionsOf, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type UserAgent, wordsOf } from '../user-agent.js'
import { answer, begin, CELL, led, mendTest, propose, testLine, whole } from './changing.js'
import { get, post, signedIn } from './signing-in.js'

jest.setTimeout(120_000)

describe.each(STORES)('a change of the policies on the %s store', (store) => {
  let t: TestGateway
  let second: Awaited<ReturnType<TestGateway['secondNode']>>
  let author: UserAgent
  let approver: UserAgent
  let path: string
  /** What was given under version 1. */
  let earlier: Awaited<ReturnType<typeof launchTo>>
  beforeAll(async () => {
    t = await openTestGateway({ store })
    second = await t.secondNode()
    // From here on it is heard what is asked.
    await t.running.asked.flush()
    author = await signedIn(t, 'author')
    approver = await signedIn(t, 'approver', 3)
  }, 60_000)
  afterAll(() => t?.close())

  const seenBy = async (): Promise<readonly string[]> => {
    const { tokens } = await launchTo(t, { system: 'gp-push', user: 'call-handler' })
    return sectionsOf(t, tokens)
  }
  const live = async () => {
    await t.running.policies.refresh()
    await second.gateway.policies.refresh()
    return [t.running.policies.version(), second.gateway.policies.version()]
  }

  it('begins as a draft that changes nothing, and says what comes next', async () => {
    expect(await seenBy()).not.toContain('symptoms')
    for (let i = 0; i < 10; i++) await t.running.asked.flush()
    path = await begin(t, author)
    const page = wordsOf((await whole(t, author, path)).text)
    expect(page).toMatch(
      /Begun Rohan Mehta.*Proposed : comes next Approved : later Put into force : later/,
    )
    expect(page).toContain('Not now. The draft changes nothing yet.')
    expect(wordsOf((await get(t, author, '/console/drafts')).text)).toContain('CHG-1')
  })

  it('is written in a cell, which shows its Cedar and says in words who gains what', async () => {
    const page = await get(
      t,
      author,
      `${path}/cell?role=call-handler&action=read,search&resource=section/symptoms`,
    )
    expect(page.text).toMatch(/value="section\/symptoms" selected/)
    expect(page.text).toMatch(/name="action-search"[^>]*checked/)
    const form = { page, action: `${path}/cell` }
    const { location } = await post(t, author, form, { ...CELL, 'purpose-direct-care': 'yes' })
    const { pathname, search } = location as URL
    const text = wordsOf((await whole(t, author, `${pathname}${search}`)).text)
    expect(text).toContain('permit ( principal in Role::"call-handler"')
    expect(text).toMatch(
      /Who gains Call handler gains read and search on Symptoms and how to help when the purpose is direct care/,
    )
    expect(text).not.toContain('Who loses')
    expect(text).toContain('2 differences in')
  })

  it('is stopped by a red test, with its place, until the test is mended', async () => {
    const page = await whole(t, author, `${path}/tests`)
    expect(page.text).toContain(
      `${path}/files?name=policies%2Ftests%2Fsections.yaml&amp;line=${testLine()}`,
    )
    expect(wordsOf(page.text)).toContain('Call handlers read nothing else')
    // The page offers no form; one that is sent all the same is refused as well.
    const asked = await whole(t, author, `${path}/propose`)
    expect(asked.text).not.toContain(`action="${path}/propose"`)
    led(await mendTest(t, author, path))
    expect(wordsOf((await whole(t, author, `${path}/tests`)).text)).toContain(
      'Its tests pass and its invariants hold',
    )
  })

  it('says whom it would have touched, of what was really asked', async () => {
    const page = await whole(t, author, `${path}/impact`)
    const words = wordsOf(page.text)
    expect(words).toMatch(/[1-9]\d* different questions, asked [1-9]/)
    expect(words).toMatch(/From allowed to denied 0 different questions.*From denied to allowed/)
    expect(words).toMatch(/cells \(a role, an action, a kind of data\), 2 are answered otherwise/)
  })

  it('is proposed, and approved by another person who signed in with a smartcard', async () => {
    expect(led(await propose(t, author, path))).toBe(path)
    const weak = await signedIn(t, 'approver')
    const denied = await get(t, weak, `${path}/approve`)
    await expectRefused(t, denied, 'console_denied', 403)
    expect(denied.text).toContain(`to=${encodeURIComponent(`${path}/approve`)}`)
    approver = await signedIn(t, 'approver', 3)
    const page = await whole(t, approver, `${path}/approve`)
    const text = wordsOf(page.text)
    expect(text).toMatch(/Rohan Mehta.*Callers wait for help.*CHG-1/)
    expect(text).toMatch(
      /Its tests pass.*Call handler gains read and search.*0 answers would have turned/,
    )
    expect(led(await post(t, approver, { page, action: `${path}/approve` }))).toBe(path)
    expect(wordsOf((await whole(t, approver, path)).text)).toMatch(
      /Approved Dr Isabel Fontaine.*Holds until/,
    )
  })

  it('is put into force by its author, on both nodes, and lets in who was denied a minute ago', async () => {
    earlier = await launchTo(t, { system: 'gp-push' })
    expect(led(await answer(t, author, `${path}/publish`))).toBe(path)
    expect(await live()).toEqual([2, 2])
    expect(await seenBy()).toContain('symptoms')
    const versions = wordsOf((await get(t, author, '/console/versions')).text)
    expect(versions).toMatch(
      /Version 2 In force A draft that another person approved: Callers wait for help. \( CHG-1 \) Rohan Mehta , approved by Dr Isabel Fontaine/,
    )
    // Whether anybody approved it is seen first, not only on its own page.
    for (const first of ['/console', '/console/policies'])
      expect(wordsOf((await get(t, author, first)).text)).toMatch(
        /Put into force by Rohan Mehta How A draft that another person approved/,
      )
    const changed = await whole(t, author, '/console/versions/2/difference?from=1')
    expect(wordsOf(changed.text)).toContain('Call handler gains read and search on Symptoms')
  })

  it('is rolled back as a new version, which ends what was given since if that is wanted, and nothing of before', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    // Given under version 1, and renewed under version 2.
    const renewed = tokensOf(await earlier.app.refresh(earlier.tokens))
    const to = '/console/versions/1/rollback'
    const page = await whole(t, approver, to)
    expect(wordsOf(page.text)).toContain('Call handler loses read and search on Symptoms')
    const say = { reason: 'It was too early.', revoke: 'yes' }
    expect(led(await post(t, approver, { page, action: to }, say))).toBe('/console/versions/3')
    expect(await live()).toEqual([3, 3])
    // What was given under version 2 is over, on both nodes; what was given under version 1 goes on.
    expect(await seenBy()).not.toContain('symptoms')
    for (const to of [t.issuer, `http://localhost:${second.port}`]) {
      expect(await readsPatient({ issuer: to }, tokens)).toBe(401)
      expect(await readsPatient({ issuer: to }, renewed)).toBe(200)
    }
    const text = wordsOf((await get(t, author, '/console/policies')).text)
    expect(text).toMatch(/Version 3 .*Dr Isabel Fontaine How A roll back Reason It was too early/)
  })

  it('is told whole by the trail', async () => {
    const draft = path.split('/').at(-1)
    const steps = (await entriesOf(t, {}))
      .filter(({ what, detail }) => detail?.draft === draft && what !== 'console_viewed')
      .map(({ what, user }) => `${what} ${user?.name}`)
    expect(steps).toEqual([
      'draft_opened Rohan Mehta',
      'draft_edited Rohan Mehta',
      'draft_edited Rohan Mehta',
      'draft_proposed Rohan Mehta',
      'draft_approved Dr Isabel Fontaine',
      'policy_published Rohan Mehta',
    ])
    await expectWholeTrail(t)
  })
})
