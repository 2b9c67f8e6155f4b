/** The pages that show what policies come to: the matrix, trying out, a review of rights, and why a launch was denied. */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { parse } from 'yaml'
import type { TrailEntry } from '../../src/core/audit.js'
import type { Post } from '../../src/core/console.js'
import { circumstancesKept } from '../../src/core/denial.js'
import { readCases, runCases } from '../../src/policy/cases.js'
import { createDrafts } from '../../src/policy/drafts.js'
import { lockedOut } from '../../src/policy/lockout.js'
import { App, launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { handleOf, open, SENSITIVE } from '../launching.js'
import { FILES, ORDINARY, SECTIONS } from '../policy/asking.js'
import { entriesOf, expectRefused, referenceOf } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'
import { get, post, signedIn } from './signing-in.js'

jest.setTimeout(120_000)

const NASTY = '<script>alert(1)</script>'
const AUTHOR = { uid: '555254239202', name: 'Rohan Mehta' }
const LOCAL = 'policies/local/A83001/own.cedar'
const OTHERS = 'policies/local/RYX01/own.cedar'
const MORE = {
  'policies/more.cedar': `@id("nurses-write-prognosis") @layer("central") @reason("${NASTY} Nurses may.")
permit (principal in Role::"community-nurse", action == Action::"update", resource == Section::"prognosis")
when { context.purpose == "direct-care" };
`,
}
const OWN = {
  [LOCAL]: `@id("not-at-fernbank") @layer("local") @reason("Not at Fernbank.")
forbid (principal, action == Action::"read", resource == Section::"contacts");
`,
}

let t: TestGateway
let author: UserAgent
let draft: string
beforeAll(async () => {
  t = await openTestGateway({ store: 'embedded' })
  author = await signedIn(t, 'author')
  draft = await draftOf(MORE)
}, 90_000)
afterAll(() => t?.close())

/** A draft of the author's, as their own pages would make it. */
async function draftOf(more: Readonly<Record<string, string>>, layer = 'central'): Promise<string> {
  const { store, trail } = t.running
  const drafts = createDrafts({
    ...{ store, trail, clock: t.clock, random: (n) => new Uint8Array(randomBytes(n)) },
    ...{ sections: SECTIONS, lockedOut: (files) => lockedOut(files, t.clock()) },
  })
  const { id, generation } = await drafts.open({
    ...{ by: AUTHOR, title: `More ${NASTY}`, ticket: 'T-1', layer },
  })
  const { files } = await drafts.read(id)
  await drafts.edit(id, { by: AUTHOR, generation, files: { ...files, ...more } })
  return id
}

/** The page once what it shows is worked out; a page may ask for a second thing when it has the first. */
async function settled(browser: UserAgent, path: string): Promise<Answer> {
  for (let tries = 0; tries < 5; tries++) {
    const page = await get(t, browser, path)
    if (!page.text.includes('data-under-way')) return page
    await Promise.all([t.running.matrices.idle(), t.running.findings.idle()])
  }
  throw new Error(`${path} is never worked out`)
}

const cellOf = (page: Answer, name: string): string =>
  wordsOf(
    new RegExp(`<a [^>]*>(?:(?!</a>).)*: ${name}</span></a>.*?</td>`).exec(page.text)?.[0] ?? '',
  )

describe('the matrix', () => {
  it('is worked out elsewhere: the page answers at once, says how far it is, and looks again', async () => {
    const page = await get(t, author, '/console/matrix')
    expect(page.status).toBe(200)
    expect(page.text).toContain('/assets/again.js')
    expect(page.text).not.toContain('http-equiv')
    expect(page.text).toMatch(/<a href="\/console\/matrix[^"]*">look now<\/a>/)
    expect(page.headers['content-security-policy']).toContain("connect-src 'self'")
    expect(wordsOf(page.text)).toMatch(/\d+% of the cells/)
    const known = await settled(author, '/console/matrix')
    expect(known.text).toContain('As the engine itself answers')
    expect(cellOf(known, 'GP, read, Personal and professional contacts')).toMatch(/Yes/)
  })

  it('says yes, no and under which conditions by word and shape, and usual conditions once', async () => {
    const page = await settled(author, '/console/matrix?role=gp')
    expect(cellOf(page, 'GP, delete, Resuscitation \\(CPR\\)')).toMatch(/^○ No/)
    expect(page.text).toMatch(/<th scope="row"[^>]*><bdi>Resuscitation/)
    expect(page.text).toMatch(/<th scope="col"[^>]*><bdi>update/)
    expect(page.text).toContain('(the-console-opens-no-plan)')
  })

  it('of a draft marks what is not as in force, and lists it in words', async () => {
    const page = await settled(author, `/console/matrix?draft=${draft}`)
    expect(cellOf(page, 'Community nurse, update, Diagnoses and prognosis')).toContain('changed')
    expect(cellOf(page, 'GP, read, Diagnoses and prognosis')).not.toContain('changed')
    const list = wordsOf(
      (await settled(author, `/console/matrix?draft=${draft}&show=changed`)).text,
    )
    expect(list).toContain('1 cell is not as in force')
    expect(list).toMatch(
      /Community nurse, update, Diagnoses and prognosis No Yes, if: when the purpose is direct care/,
    )
    // What people wrote is text, not markup.
    expect(page.text).not.toContain(NASTY)
  })

  it('is seen as users of one organisation see it, and says whose rule decides', async () => {
    const own = await draftOf(OWN, 'local/A83001')
    const at = `/console/matrix?draft=${own}`
    expect(
      cellOf(await settled(author, at), 'GP, read, Personal and professional contacts'),
    ).toMatch(/No.*local\/A83001/)
    const nobodys = await settled(author, `/console/matrix?draft=${own}&layer=none`)
    expect(cellOf(nobodys, 'GP, read, Personal and professional contacts')).toMatch(/Yes/)
  })

  it('leads to a cell with its conditions, its policies, and the way to change it', async () => {
    const cell = 'role=community-nurse&action=update&resource=section%2Fprognosis'
    const page = await settled(author, `/console/matrix/cell?draft=${draft}&${cell}`)
    expect(wordsOf(page.text)).toMatch(/This must hold the purpose is direct care/)
    expect(page.text).toContain('nurses-write-prognosis (central)')
    expect(page.text).toContain(
      `/console/drafts/${draft}/cell?role=community-nurse&amp;action=update`,
    )
    expect(page.text).not.toContain(NASTY)
    const viewer = await signedIn(t, 'viewer')
    const theirs = await settled(viewer, `/console/matrix/cell?draft=${draft}&${cell}`)
    expect(theirs.text).not.toContain(`/console/drafts/${draft}/cell`)
    expect(theirs.text).not.toContain('/console/simulate')
  })

  it('says that a draft cannot be read, and what is wrong', async () => {
    const broken = await draftOf({ 'policies/broken.cedar': 'permit (principal' })
    const path = `/console/matrix?draft=${broken}`
    await get(t, author, path)
    const page = await settled(author, path)
    expect(wordsOf(page.text)).toMatch(/It could not be worked out policies\/broken\.cedar/)
  })

  it.each([
    ['draft=dft_nothing', 'draft_unknown'],
    [`draft=${'x'.repeat(5000)}`, 'draft_unknown'],
  ])('knows no %s', async (query, code) => {
    await expectRefused(t, await get(t, author, `/console/matrix?${query}`), code as never, 404)
  })

  it('takes words that are none for nothing', async () => {
    const page = await get(
      t,
      author,
      `/console/matrix?role=${NASTY}&group=__proto__&layer=local/x&type=y`,
    )
    expect(page.status).toBe(200)
    expect(page.text).not.toContain(NASTY)
  })
})

describe('trying out', () => {
  const tried = async (fields: Record<string, string>, browser = author) => {
    const page = await get(t, browser, '/console/simulate')
    return post(t, browser, { page, action: '/console/simulate' }, fields)
  }
  const GP = { role: 'gp', activities: 'B0360, B0380', organization: 'a83001', app: 'care-plan' }

  it('says the answer, by which policies, what would turn it, scopes and a token that is none', async () => {
    const page = await tried({ ...GP, action: 'read', resource: 'section/prognosis' })
    const words = wordsOf(page.text)
    expect(page.status).toBe(200)
    expect(words).toMatch(/Allowed .*Decided by clinicians-read-the-plan \(central\)/)
    expect(words).toMatch(
      /Each of these alone would make it denied: .*the purpose is administration/,
    )
    expect(words).toMatch(/What the app care-plan would be granted .*patient\/Patient/)
    expect(words).toContain('Preview of an access token: not signed, not issued')
    expect(words).not.toMatch(/eyJ/)
    expect(words).toMatch(
      /sensitive-records-need-more forbid central no condition 1: the record is marked sensitive/,
    )
  })

  it('works out a role from job role and organisation, as a launch would', async () => {
    const codes = { by: 'code', code: 'R0260', source: 'baseline', organization: 'A83001' }
    expect(wordsOf((await tried(codes)).text)).toMatch(/Roles GP .*A83001, gp-practice/)
    expect(wordsOf((await tried({ ...codes, organization: 'Z9Z9' })).text)).toMatch(/Roles none/)
  })

  it('gives the same as a test that the policies pass', async () => {
    const page = await tried({
      ...GP,
      action: 'update',
      resource: 'section/resuscitation',
      sensitive: 'yes',
    })
    const yaml = /aria-label="The same as a test"><code>(.*?)<\/code>/s.exec(page.text)?.[1] ?? ''
    const text = yaml.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
    const { cases, problems } = readCases({ 'policies/tests/own.yaml': text }, SECTIONS)
    expect(problems).toEqual([])
    expect(cases).toHaveLength(1)
    expect(runCases(cases, t.running.policies)).toEqual([])
    expect(parse(text).tests[0]).toMatchObject({ sensitive: true, assurance: 2 })
  })

  it('asks a draft as well', async () => {
    const nurse = { role: 'community-nurse', action: 'update', resource: 'section/prognosis' }
    expect(wordsOf((await tried(nurse)).text)).toMatch(/○ Denied/)
    expect(wordsOf((await tried({ ...nurse, of: draft })).text)).toMatch(/● Allowed/)
  })

  it('changes nothing, and is on record as a look', async () => {
    await tried(GP)
    const entry = (await entriesOf(t, { what: 'console_viewed' })).at(-1)
    expect(entry?.detail).toMatchObject({
      page: '/console/simulate',
      tried: true,
      act: 'console-simulate',
    })
    expect(await entriesOf(t, { what: 'token_issued' })).toEqual([])
  })

  it.each([
    ['an hour', { hour: '24' }, 'Hour'],
    ['an activity', { activities: NASTY }, 'Activities'],
    ['a resource', { resource: 'section' }, 'On'],
    ['an organisation', { organization: NASTY.slice(0, 10) }, 'Organisation'],
    ['more codes than anybody has', { activities: 'B0360 '.repeat(50) }, 'Activities'],
  ])('says what is wrong with %s that is none', async (_, fields, told) => {
    const page = await tried(fields)
    expect(page.status).toBe(400)
    expect(wordsOf(page.text)).toContain(`${told}: `)
    expect(page.text).not.toContain(NASTY)
  })

  it('is for those who write or approve: nobody else gets it, by any way', async () => {
    const viewer = await signedIn(t, 'viewer')
    await expectRefused(t, await get(t, viewer, '/console/simulate'), 'console_denied', 403)
  })
})

describe('a review of rights', () => {
  let approver: UserAgent
  beforeAll(async () => {
    approver = await signedIn(t, 'approver')
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    expect(await readsPatient(t, tokens)).toBe(200)
  })
  const review = async (fields: Record<string, string>) => {
    const page = await settled(approver, '/console/rights')
    return post(t, approver, { page, action: '/console/rights' }, fields)
  }

  it('says who may, who did, and what nobody used', async () => {
    const words = wordsOf((await review({ action: 'read', resource: 'fhir/Patient' })).text)
    expect(words).toMatch(/Who may .*GP Yes/)
    expect(words).toMatch(/Who did .*555254239101.*A83001/)
    const unused = words.slice(words.indexOf('Allowed, and used by nobody'))
    expect(unused).toMatch(/Community nurse read Patient/)
    expect(unused).not.toMatch(/ GP read Patient/)
  })

  it('names people with a duty for what is of the console', async () => {
    const words = wordsOf(
      (await review({ action: 'console-approve', resource: 'console/policies' })).text,
    )
    expect(words).toMatch(/People with such a duty .*555254239203 approver central/)
    expect(words).not.toContain('555254239201')
  })

  it('is a file as well, in which no cell is a formula', async () => {
    const { store, trail } = t.running
    expect(store).toBeDefined()
    await trail.record({
      ...{ what: 'access_allowed', outcome: 'success', app: 'care-plan' },
      user: { id: '=HYPERLINK("http://x")', name: '+cmd', roles: ['gp'], organization: '@A1' },
      detail: { interaction: 'read', type: 'Patient', id: 'x' },
    })
    const file = await review({ action: 'read', resource: 'fhir/Patient', sheet: 'did' })
    expect(file.headers['content-disposition']).toMatch(/attachment; filename="?rights-did-.*\.csv/)
    expect(file.text).toContain(`"'=HYPERLINK(""http://x"")","'+cmd","'@A1"`)
    const entry = (await entriesOf(t, { what: 'console_viewed' })).at(-1)
    expect(entry?.detail).toMatchObject({ exported: 'did', resource: 'fhir/Patient' })
  })
})

describe('why a launch was denied', () => {
  it('says what would have had to be different', async () => {
    const order = { system: 'gp-push', user: 'receptionist', patient: SENSITIVE }
    const page = await open(t, new UserAgent(), order)
    expect(page.status).toBe(403)
    const found = await get(t, author, `/console/decisions/${referenceOf(page)}`)
    const words = wordsOf(found.text)
    expect(words).toMatch(/Denied: the launch/)
    expect(words).toMatch(
      /What would have had to be different .*the record is not marked sensitive/,
    )
    // The entry keeps codes and flags, so nothing is assumed.
    expect(words).not.toContain('This holds if')
    const kept = (await entriesOf(t, { what: 'decision_made' })).at(-1)
    expect(kept?.detail).toMatchObject({ action: 'launch', codes: ['B0370'], flags: ['sensitive'] })
  })

  it('says the same of an entry that was written before entries kept so much, and what it assumes', async () => {
    const { app, system, purpose, user, policy, detail } = (
      await entriesOf(t, { what: 'decision_made' })
    ).at(-1) as TrailEntry
    const { codes: _, flags: __, ...older } = detail ?? {}
    await t.running.trail.record({
      ...{ what: 'decision_made', outcome: 'refused', reference: 'ref_an-older-one' as never },
      ...({ app, system, purpose, user, policy } as Partial<TrailEntry>),
      detail: older,
    })
    const words = wordsOf((await get(t, author, '/console/decisions/ref_an-older-one')).text)
    expect(words).toMatch(
      /the record is not marked sensitive.*This holds if .*the record was marked sensitive/,
    )
  })

  it('says it of an app that was given nothing', async () => {
    const app = new App(t, new UserAgent())
    const landed = await open(t, app.browser, { system: 'gp-push', user: 'receptionist' })
    const scope = 'launch openid patient/composition-care-plan::prognosis.v1.rs'
    await app.authorize(handleOf(landed), { scope })
    const { launch } = (await entriesOf(t, { what: 'decision_made' })).at(-1) as TrailEntry
    const words = wordsOf((await get(t, author, `/console/decisions/${launch}`)).text)
    expect(words).toMatch(/Denied: access for the app/)
    expect(words).toMatch(/Denied read section\/prognosis, search section\/prognosis/)
    expect(words).toContain(
      'No single change would have done for it to read Diagnoses and prognosis.',
    )
    expect(words).not.toContain('This holds if')
  })

  it('says it of a call to the record', async () => {
    const facts = circumstancesKept({ ...ORDINARY, patient: { sensitive: false, deceased: true } })
    await t.running.trail.record({
      ...{ what: 'access_refused', outcome: 'refused', app: 'care-plan', purpose: 'direct-care' },
      ...{ system: 'gp-push', reference: 'ref_a-call-1' as never },
      user: { id: 'x', roles: ['gp'], organization: 'A83001' },
      policy: { version: 1, effect: 'deny', policies: ['plans-of-the-deceased-are-read-only'] },
      detail: { ...facts, codes: ['B0380'], asked: ['update section/resuscitation'] },
    })
    const words = wordsOf((await get(t, author, '/console/decisions/ref_a-call-1')).text)
    expect(words).toMatch(/Denied: a call to the record/)
    expect(words).toMatch(/What would have had to be different .*the person is alive/)
  })

  it('says so where the trail has not enough', async () => {
    const launch = 'lch_000000000000000000000000'
    await t.running.trail.record({
      ...{ what: 'decision_made', outcome: 'refused', app: 'care-plan', purpose: 'direct-care' },
      reference: 'ref_not-enough-1',
      user: { id: 'x', roles: ['gp'], organization: 'A83001' },
      policy: { version: 1, effect: 'deny', policies: ['no-such-policy'] },
      detail: { action: 'launch', assurance: 2, activities: 'listed', rung: 'pushed' },
    })
    expect(launch).toBeDefined()
    const found = await get(t, author, '/console/decisions/ref_not-enough-1')
    expect(wordsOf(found.text)).toContain('The trail does not hold enough of what was asked')
  })
})

it('stands on the shipped policies', () => {
  expect(Object.keys(FILES)).not.toContain(LOCAL)
})

describe('what was tried out, kept as a test', () => {
  const NURSE = { role: 'community-nurse', action: 'update', resource: 'section/prognosis' }
  const keep = async (fields: Record<string, string>, change: Record<string, string> = {}) => {
    const form = await get(t, author, `/console/simulate?draft=${draft}`)
    const page = await post(
      t,
      author,
      { page: form, action: '/console/simulate' },
      { ...fields, of: draft },
    )
    return post(t, author, { page, action: `/console/drafts/${draft}/keep-test` }, change)
  }
  const testsOf = async () => {
    const { id, hash } = (await t.running.store.get('draft', draft)) ?? { id: '', hash: '' }
    const kept = await t.running.store.get('draftFiles', `${id}/${hash}`)
    return readCases(kept?.files ?? {}, SECTIONS).cases.filter(({ file }) =>
      file.endsWith('tried-out.yaml'),
    )
  }

  it('stands in the draft, beside those before it, with the draft’s own answer', async () => {
    expect((await keep(NURSE)).location?.pathname).toBe(`/console/drafts/${draft}/tests`)
    expect((await keep({ ...NURSE, purpose: 'administration' })).status).toBe(303)
    expect((await testsOf()).map(({ expect: answer }) => answer)).toEqual(['allow', 'deny'])
  })

  it.each([
    ['another text', { test: NASTY }],
    ['too long a text', { test: 'x'.repeat(20_000) }],
    ['a test that is none', { test: 'tests: [{ name: Nothing }]' }],
    ['a bomb', { test: 'tests: &a [*a, *a]' }],
    ['a draft that has moved on', { generation: '1' }],
  ])('is not kept of %s', async (_, change) => {
    const before = await testsOf()
    const page = await keep(NURSE, change)
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.status).toBeLessThan(500)
    expect(page.text).not.toContain(NASTY)
    expect(await testsOf()).toEqual(before)
  })

  it('is offered to nobody who may not write in it', async () => {
    const approver = await signedIn(t, 'approver')
    const form = await get(t, approver, `/console/simulate?draft=${draft}`)
    const page = await post(t, approver, { page: form, action: '/console/simulate' }, { of: draft })
    expect(page.status).toBe(200)
    expect(page.text).not.toContain('keep-test')
  })
})

describe('a member of one layer', () => {
  it('sees the matrix as its users do, tries out on its own drafts, and sees no other layer', async () => {
    const mine = await draftOf(OWN, 'local/A83001')
    const others = await draftOf(
      { [OTHERS]: OWN[LOCAL].replace('fernbank', 'elsewhere') },
      'local/RYX01',
    )
    const posts: readonly Post[] = [{ uid: AUTHOR.uid, duties: ['author'], layer: 'local/A83001' }]
    const spy = jest.spyOn(t.running.policies, 'posts').mockReturnValue(posts)
    try {
      const page = await settled(author, `/console/matrix?draft=${mine}&layer=local/RYX01`)
      expect(wordsOf(page.text)).toContain('Seen by users under local/A83001')
      expect(cellOf(page, 'GP, read, Personal and professional contacts')).toMatch(/local\/A83001/)
      for (const other of [draft, others]) {
        for (const path of ['matrix', 'simulate', 'matrix/cell'])
          await expectRefused(
            t,
            await get(t, author, `/console/${path}?draft=${other}`),
            'console_denied',
            403,
          )
        const form = await get(t, author, '/console/simulate')
        const tried = await post(
          t,
          author,
          { page: form, action: '/console/simulate' },
          { of: other },
        )
        await expectRefused(t, tried, 'console_denied', 403)
      }
      await expectRefused(t, await get(t, author, '/console/rights'), 'console_denied', 403)
    } finally {
      spy.mockRestore()
    }
  })
})
