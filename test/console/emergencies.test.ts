/** How a privacy officer reviews emergency access: the queue, one case, its close; and by whom never. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Emergency } from '../../src/core/emergency.js'
import type { LaunchId } from '../../src/core/ids.js'
import { emergencyPuts } from '../../src/session/emergencies.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type UserAgent, wordsOf } from '../user-agent.js'
import { at, get, post, signedIn } from './signing-in.js'

jest.setTimeout(60_000)

const NASTY = '<img src=x onerror=alert(1)>'
const OFFICER = '555254239205'
const FOUND = { outcome: 'appropriate', text: 'The crew’s notes say the same.' }
const HOUR = 3_600_000

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let officer: UserAgent
  beforeAll(async () => {
    t = await openTestGateway({ store })
    officer = await signedIn(t, 'privacy-officer')
  }, 60_000)
  afterAll(() => t?.close())

  let count = 0
  /** As a launch would have left it. */
  const used = async (change: Partial<Emergency> = {}): Promise<Emergency> => {
    count += 1
    const one: Emergency = {
      ...{ id: `emg_${String(count).padStart(32, '0')}` as never, launch: 'lch_x' as LaunchId },
      user: { uid: '555254239103', name: NASTY, roles: ['community-nurse'], organization: 'NX301' },
      ...{ patient: { fhirId: 'pat-1' }, system: 'gp-push', app: 'care-plan' },
      ...{ reason: 'cannot-consent', text: `Found at home. ${NASTY}` },
      ...{ at: t.clock() - 3 * HOUR, until: t.clock() - 2 * HOUR },
      ...change,
    }
    await t.running.store.commit({ puts: emergencyPuts(one) })
    return one
  }
  const path = ({ id }: Emergency) => `/console/emergencies/${id}`
  const close = async (one: Emergency, fields: Record<string, string> = FOUND) =>
    post(t, officer, { page: await get(t, officer, path(one)), action: path(one) }, fields)

  it('lists what waits, the oldest first, by organisation, with a count on the first page', async () => {
    const [young, old] = [await used(), await used({ at: t.clock() - 100 * HOUR })]
    const other = await used({ user: { uid: '1', roles: [], organization: 'A83001' } })
    const page = await get(t, officer, '/console/emergencies')
    expect(page.text).not.toContain(NASTY)
    expect(page.text.indexOf(path(old))).toBeLessThan(page.text.indexOf(path(young)))
    expect(wordsOf(page.text)).toMatch(/4 days .*NX301 .*3 hours/)
    const one = await get(t, officer, '/console/emergencies?of=A83001')
    expect([other, old].map((each) => one.text.includes(path(each)))).toEqual([true, false])
    expect(wordsOf((await get(t, officer, '/console')).text)).toMatch(/Waiting for a review [3-9]/)
  })

  it('shows who, when, why and the launch, and what people wrote as text', async () => {
    const one = await used()
    const page = await get(t, officer, path(one))
    const words = wordsOf(page.text)
    expect(words).toMatch(/The person needs care now and cannot be asked/)
    expect(words).toMatch(/Roles Community nurse/)
    expect(page.text).toContain('/console/launches/lch_x')
    expect(page.text).not.toContain(NASTY)
    const entry = (await entriesOf(t, { what: 'console_viewed' })).at(-1)
    expect(entry).toMatchObject({ launch: 'lch_x', patient: { fhirId: 'pat-1' } })
    expect(JSON.stringify(entry)).not.toContain('Found at home')
  })

  it('closes one with a finding, once, and the trail says by whom', async () => {
    const one = await used()
    expect(await close(one)).toMatchObject({ status: 303 })
    const entry = (await entriesOf(t, { what: 'emergency_reviewed' })).at(-1)
    expect(entry).toMatchObject({ user: { id: OFFICER }, detail: { outcome: 'appropriate' } })
    const page = await get(t, officer, path(one))
    expect(wordsOf(page.text)).toMatch(/Reviewed Finding appropriate By Miriam Goldberg/)
    const queue = await get(t, officer, '/console/emergencies')
    expect(queue.text).not.toContain(path(one))
    await expectWholeTrail(t)
  })

  it.each([
    ['no finding', { outcome: '' }, 'Choose what you found.'],
    ['a finding of no kind', { outcome: 'fine' }, 'Choose what you found.'],
    ['hardly a word', { text: 'ok' }, 'from 10 to 500 characters'],
    ['a book', { text: 'x'.repeat(20_000) }, 'from 10 to 500 characters'],
  ])('does not close one with %s, and keeps what was typed', async (_, fields, said) => {
    const one = await used()
    const page = await close(one, { ...FOUND, ...fields })
    expect(page.status).toBe(400)
    expect(wordsOf(page.text)).toContain(said)
    expect(await t.running.emergencies.read(one.id)).not.toHaveProperty('closed')
  })

  it('lets nobody close their own, not even past the page', async () => {
    const own = await used({
      user: { uid: OFFICER, roles: ['privacy-officer'], organization: 'A83001' },
    })
    const page = await get(t, officer, path(own))
    expect(wordsOf(page.text)).toContain('You used this yourself: somebody else reviews it.')
    expect(page.text).not.toContain(`action="${path(own)}"`)
    const other = await used()
    // The token of another page's form is good for that page alone; with its own the rule still holds.
    const { formToken } = await import('../../src/console/form-token.js')
    const secret = /__Host-console=(con_[\w-]{32})/.exec(officer.cookiesAt(at(t, '/console')))?.[1]
    const form = { ...FOUND, token: formToken(secret ?? '', path(own)) }
    const refused = await officer.visit(at(t, path(own)), { form })
    await expectRefused(t, refused, 'emergency_own', 403)
    expect((await close(other)).status).toBe(303)
  })

  it('knows none that there is not', async () => {
    for (const id of ['emg_nothing-here', 'x', `emg_${'x'.repeat(2000)}`])
      await expectRefused(t, await get(t, officer, `/console/emergencies/${id}`), 'not_found', 404)
  })
})
