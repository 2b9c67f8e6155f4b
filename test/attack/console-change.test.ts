/**
 * Ways around the gates of a policy change, through the console itself. The store has no part in it: drafts.test.ts goes
 * around the same gates on both.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { formToken } from '../../src/console/form-token.js'
import type { Post } from '../../src/core/console.js'
import {
  answer,
  begin,
  CELL,
  hashIn,
  led,
  mendTest,
  propose,
  save,
  textIn,
  whole,
  written,
} from '../console/changing.js'
import { at, get, post, signedIn } from '../console/signing-in.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, formsOf, type UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(120_000)

const MARKUP = '</textarea></title><script>alert(1)</script><img src=x onerror=alert(2)>'
const PATIENTS = 'policies/patients.cedar'
const INVARIANTS = 'policies/invariants.yaml'
const NEVER = `  - name: Call handlers never read symptoms
    roles: call-handler
    actions: [read, search]
    on: section/symptoms
    expect: never
`

describe('around the gates of the console', () => {
  let t: TestGateway
  let author: UserAgent
  let approver: UserAgent
  let guardian: UserAgent
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
    author = await signedIn(t, 'author')
    approver = await signedIn(t, 'approver', 3)
    guardian = await signedIn(t, 'guardian', 3)
  }, 60_000)
  afterAll(() => t?.close())

  /** A form that no page offered, with a token as the page's own would be. */
  const forged = (
    browser: UserAgent,
    path: string,
    fields: Readonly<Record<string, string>> = {},
  ) => {
    const secret = /__Host-console=(con_[\w-]{32})/.exec(browser.cookiesAt(at(t, path)))?.[1] ?? ''
    return browser.visit(at(t, path), { form: { token: formToken(secret, path), ...fields } })
  }
  const refusedWith = ({ status, text }: Answer) =>
    `${status} ${/data-code="([a-z_]+)"/.exec(text)?.[1]}`
  const hashOf = async (browser: UserAgent, path: string) =>
    /files ([\w-]{43})<\/p>/.exec((await get(t, browser, path)).text)?.[1] ?? ''

  describe('a form', () => {
    it('works from its own page only: not without its token, not with another draft’s, not from another site', async () => {
      const [one, two] = [await begin(t, author), await begin(t, author, { title: 'Another' })]
      const page = await get(t, author, `${one}/abandon`)
      const [form] = formsOf(page.text).filter(({ action }) => action === `${one}/abandon`)
      const reason = 'Not needed.'
      for (const fields of [{ reason }, { ...form?.fields, reason }])
        await expectRefused(
          t,
          await author.visit(at(t, `${two}/abandon`), { form: fields }),
          'console_form_refused',
          403,
        )
      const headers = { 'sec-fetch-site': 'cross-site' }
      const sent = post(t, author, { page, action: `${one}/abandon` }, { reason }, headers)
      await expectRefused(t, await sent, 'console_form_refused', 403)
      const check = author.visit(at(t, `${one}/check`), { form: { file: PATIENTS, text: '' } })
      await expectRefused(t, await check, 'console_form_refused', 403)
      expect(led(await answer(t, author, `${one}/abandon`, { reason }))).toBe(one)
      expect(refusedWith(await forged(author, `${one}/abandon`, { reason }))).toBe(
        '409 draft_stage',
      )
    })

    it('is not answered for whoever has no duty for it, whatever its page offered', async () => {
      const path = await begin(t, author)
      const viewer = await signedIn(t, 'viewer')
      expect((await get(t, viewer, path)).text).not.toContain(`${path}/cell"`)
      for (const act of [
        'files',
        'check',
        'cell',
        'propose',
        'approve',
        'decline',
        'publish',
        'emergency',
        'abandon',
        'rebase',
        'shadow',
      ])
        await expectRefused(t, await forged(viewer, `${path}/${act}`), 'console_denied', 403)
      await expectRefused(
        t,
        await forged(author, '/console/versions/1/rollback'),
        'console_denied',
        403,
      )
    })
  })

  describe('what is typed', () => {
    it('stays text, wherever it is shown', async () => {
      const path = await begin(t, author, { title: MARKUP, ticket: MARKUP.slice(0, 60) })
      await save(t, author, path, PATIENTS, `// ${MARKUP}\n`)
      await answer(t, author, `${path}/abandon`, { reason: MARKUP })
      const pages = [
        '/console/drafts',
        path,
        `${path}/files?name=${PATIENTS}`,
        `${path}/difference`,
      ]
      for (const page of pages) {
        const { text } = await get(t, author, page)
        expect(text).not.toContain('<script>alert')
        expect(text).not.toContain('<img')
      }
      expect(await textIn(t, author, path, PATIENTS)).toBe(`// ${MARKUP}\n`)
    })

    it('is bounded, and stays on the page where it is refused', async () => {
      const path = await begin(t, author)
      const file = `${path}/files?name=${PATIENTS}`
      const page = await get(t, author, file)
      const form = { page, action: `${path}/files` }
      await expectRefused(
        t,
        await post(t, author, form, { text: 'a'.repeat(500_001) }),
        'parameter_invalid',
        400,
      )
      await expectRefused(
        t,
        await post(t, author, form, { text: 'a'.repeat(1_100_000) }),
        'body_too_large',
        413,
      )
      const hidden = await post(t, author, form, { text: '// a\u202eb' })
      expect(refusedWith(hidden)).toBe('400 draft_invalid')
      expect(hidden.text).toContain('// a\u202eb</textarea>')
      for (const name of [
        '../../etc/passwd',
        'policies/../roles.yaml',
        'policies/__proto__',
        '__proto__',
      ])
        expect(refusedWith(await post(t, author, form, { name, text: 'x' }))).toBe(
          '400 draft_invalid',
        )
    })

    it('over what somebody else saved meanwhile is shown beside it, and nothing is lost', async () => {
      const path = await begin(t, author)
      const page = await get(t, author, `${path}/files?name=${PATIENTS}`)
      await save(t, guardian, path, PATIENTS, '// theirs\n')
      const late = await post(t, author, { page, action: `${path}/files` }, { text: '// mine\n' })
      expect(late.status).toBe(409)
      expect(late.text).toMatch(/<pre[^>]*>\/\/ theirs\n<\/pre>[\s\S]*\n\/\/ mine\n<\/textarea>/)
      const again = await post(
        t,
        author,
        { page: late, action: `${path}/files` },
        { text: '// both\n' },
      )
      expect(again.status).toBe(303)
      expect(await textIn(t, author, path, PATIENTS)).toBe('// both\n')
    })

    it('is checked as it is typed, with its line, for whoever may write there', async () => {
      const path = await begin(t, author)
      const text =
        '@id("wide-one")\n@layer("central")\n@reason("x")\npermit (principal, action, resource) when { nonsense };'
      const said = await forged(author, `${path}/check`, { file: 'policies/new.cedar', text })
      const { problems } = JSON.parse(said.text)
      expect(problems).toContainEqual(
        expect.objectContaining({ file: 'policies/new.cedar', line: 4 }),
      )
      const wide = text.replace('{ nonsense }', '{ context.hour > 8 }')
      const sound = await forged(author, `${path}/check`, {
        file: 'policies/new.cedar',
        text: wide,
      })
      expect(JSON.parse(sound.text).problems).toContainEqual(
        expect.objectContaining({ file: 'policies/new.cedar', severity: 'warning' }),
      )
      const fields = { file: 'policies/local/A83001/new.cedar', text }
      await expectRefused(t, await forged(author, `${path}/check`, fields), 'layer_refused', 403)
    })
  })

  describe('who may not', () => {
    it('an author may not touch the invariants, nor who has which duty; a guardian may', async () => {
      const path = await begin(t, author)
      for (const name of [INVARIANTS, 'console.yaml']) {
        const text = `${await textIn(t, author, path, name)}# a word\n`
        expect(refusedWith(await save(t, author, path, name, text))).toBe('403 guardian_required')
        expect((await save(t, guardian, path, name, text)).status).toBe(303)
      }
    })

    it('an author gives no duty more than it has, from whatever file, and in no emergency', async () => {
      const path = await begin(t, author)
      const text =
        '@id("authors-guard")\n@layer("central")\n@reason("x")\npermit (principal in Role::"author", action in [Action::"console-guard", Action::"console-approve"], resource is Console);\n'
      await save(t, author, path, PATIENTS, `${await textIn(t, author, path, PATIENTS)}${text}`)
      // The team's own test that says who may what is an author's to take out.
      const tests = 'policies/tests/console.yaml'
      await answer(t, author, `${path}/files`, { remove: 'yes' }, `${path}/files?name=${tests}`)
      const sure = { reason: 'Now.', hash: await hashOf(author, path), sure: 'yes' }
      const sent = await forged(author, `${path}/emergency`, sure)
      expect(refusedWith(sent)).toBe('422 draft_unfit')
      expect(wordsOf(sent.text)).toContain('what duties allow is said in policies/console.cedar')
      await t.running.policies.refresh()
      expect(t.running.policies.version()).toBe(1)
    })

    it('a local author sees and writes their own layer only', async () => {
      const central = await begin(t, author)
      const posts: readonly Post[] = [
        { uid: '555254239202', duties: ['author'], layer: 'local/A83001' },
        { uid: '555254239203', duties: ['approver'], layer: 'local/RYX01' },
      ]
      const spy = jest.spyOn(t.running.policies, 'posts').mockReturnValue(posts)
      try {
        await expectRefused(t, await get(t, author, central), 'console_denied', 403)
        const page = await get(t, author, '/console/drafts')
        expect(page.text).not.toContain(central)
        const form = { page, action: '/console/drafts' }
        for (const layer of ['central', 'local/RYX01', 'local/../x', 'constructor'])
          await expectRefused(
            t,
            await post(t, author, form, { title: 'x', layer }),
            'console_denied',
            403,
          )
        const own = await begin(t, author, { layer: 'local/A83001' })
        const sent = { generation: '1', name: PATIENTS, text: '// mine' }
        expect(refusedWith(await forged(author, `${own}/files`, sent))).toBe('403 layer_refused')
        const mine = { ...sent, name: 'policies/local/A83001/mine.cedar' }
        expect((await forged(author, `${own}/files`, mine)).status).toBe(303)
        await expectRefused(t, await get(t, approver, `${own}/approve`), 'console_denied', 403)
      } finally {
        spy.mockRestore()
      }
    })
  })

  describe('soundness', () => {
    it('a red invariant stops a draft at every door, and says who could do what', async () => {
      const path = await begin(t, author)
      await answer(t, author, `${path}/cell`, CELL)
      await mendTest(t, author, path)
      const text = `${await textIn(t, guardian, path, INVARIANTS)}${NEVER}`
      await save(t, guardian, path, INVARIANTS, text)
      const told = wordsOf((await whole(t, author, `${path}/tests`)).text)
      expect(told).toMatch(/Call handlers never read symptoms: Call handler may read .* \(by /)
      const hash = await hashOf(author, path)
      for (const [step, fields] of [
        ['propose', { ticket: 'T' }],
        ['emergency', { sure: 'yes' }],
      ] as const) {
        const sent = await forged(author, `${path}/${step}`, { reason: 'Now.', hash, ...fields })
        expect(refusedWith(sent)).toBe('422 draft_unfit')
        expect(wordsOf(sent.text)).toContain('Call handlers never read symptoms')
      }
    })
  })

  describe('four eyes', () => {
    it('a person never approves their own, whatever they send', async () => {
      const path = await written(t, guardian)
      await propose(t, guardian, path)
      const page = await whole(t, guardian, `${path}/approve`)
      expect(page.text).toContain('data-own')
      const hash = await hashOf(guardian, path)
      expect(refusedWith(await forged(guardian, `${path}/approve`, { hash }))).toBe('403 draft_own')
      const refused = (await entriesOf(t, { what: 'draft_refused' })).at(-1)
      expect(refused).toMatchObject({ user: { name: 'Prof Susan Achebe' }, refusal: 'draft_own' })
    })

    it('nobody is offered to approve what they cannot have seen yet', async () => {
      const path = await written(t, author)
      const approve = () => get(t, approver, `${path}/approve`)
      // Files that no other draft held: of those it would be known already.
      const own = `${await textIn(t, author, path, PATIENTS)}// looked at early\n`
      await save(t, author, path, PATIENTS, own)
      await propose(t, author, path)
      const offers = ({ text }: Answer) => formsOf(text).map(({ action }) => action)
      const early = await approve()
      expect(early.text).toContain('data-under-way')
      expect(offers(early)).not.toContain(`${path}/approve`)
      expect(offers(early)).toContain(`${path}/decline`)
      expect(offers(await whole(t, approver, `${path}/approve`))).toContain(`${path}/approve`)
    })

    it('an approval is of what was seen, and ends with any edit', async () => {
      const path = await written(t, author)
      await propose(t, author, path)
      const page = await whole(t, approver, `${path}/approve`)
      const form = { page, action: `${path}/approve` }
      expect(refusedWith(await post(t, approver, form, { hash: 'A'.repeat(43) }))).toBe(
        '409 draft_other_hash',
      )
      await save(t, author, path, PATIENTS, `${await textIn(t, author, path, PATIENTS)}// more\n`)
      expect(refusedWith(await post(t, approver, form))).toBe('409 draft_stage')
      await propose(t, author, path)
      expect(refusedWith(await post(t, approver, form))).toBe('409 draft_other_hash')
      expect(led(await answer(t, approver, `${path}/approve`))).toBe(path)
      const ready = await whole(t, author, `${path}/publish`)
      await save(
        t,
        author,
        path,
        PATIENTS,
        `${await textIn(t, author, path, PATIENTS)}// and more\n`,
      )
      const publish = { page: ready, action: `${path}/publish` }
      expect(refusedWith(await post(t, author, publish))).toBe('409 draft_stage')
      expect(hashIn(ready, `${path}/publish`)).not.toBe(await hashOf(author, path))
    })
  })

  it('an emergency is reviewed by another; others are brought up to it; nobody rolls back past an invariant', async () => {
    const overtaken = await begin(t, author)
    await save(
      t,
      author,
      overtaken,
      PATIENTS,
      `${await textIn(t, author, overtaken, PATIENTS)}// more\n`,
    )
    const first = await written(t, guardian)
    const say = { reason: 'Callers wait.', sure: 'yes' }
    const page = await whole(t, guardian, `${first}/emergency`)
    const form = { page, action: `${first}/emergency` }
    expect(refusedWith(await post(t, guardian, form, { reason: 'Callers wait.' }))).toBe(
      '400 parameter_missing',
    )
    expect(led(await post(t, guardian, form, say))).toBe(first)
    await t.running.policies.refresh()
    expect(t.running.policies.version()).toBe(2)

    const review = first.replace('drafts', 'reviews')
    expect((await whole(t, guardian, review)).text).toContain('data-own')
    expect(refusedWith(await forged(guardian, review, { reason: 'Fine.' }))).toBe('403 draft_own')
    expect((await get(t, approver, '/console/reviews')).text).toContain(review)
    // Who may not review is led to the draft, not to a page that turns them away.
    expect((await get(t, author, '/console/reviews')).text).toContain(`href="${first}"`)
    expect(led(await answer(t, approver, review, { reason: 'It was needed.' }))).toBe(first)
    expect((await get(t, approver, '/console/reviews')).text).not.toContain(review)

    expect(wordsOf((await get(t, author, overtaken)).text)).toContain('Bring up to date')
    expect(led(await answer(t, author, `${overtaken}/rebase`))).toBe(overtaken)
    const changes = wordsOf((await whole(t, author, `${overtaken}/difference`)).text)
    expect(changes).toMatch(/Nobody gains or loses.*policies\/patients\.cedar \(changed\)/)
    expect(changes).not.toContain('reading.cedar')

    const never = await begin(t, guardian, { title: 'Never again' })
    await answer(t, guardian, `${never}/cell`, { ...CELL, wanted: 'deny' })
    await save(
      t,
      guardian,
      never,
      INVARIANTS,
      `${await textIn(t, guardian, never, INVARIANTS)}${NEVER}`,
    )
    expect(led(await answer(t, guardian, `${never}/emergency`, say))).toBe(never)
    const back = await answer(t, approver, '/console/versions/2/rollback', {
      reason: 'It was good.',
    })
    expect(refusedWith(back)).toBe('422 draft_unfit')
    // What is guarded does not come back with the rest, and is not told as if it did.
    const told = wordsOf((await whole(t, approver, '/console/versions/1/rollback')).text)
    expect(told).toMatch(/who has which duty .* stay as they are today.*sections\.yaml \(changed\)/)
    expect(told).not.toContain('policies/invariants.yaml')
    expect(wordsOf(back.text)).toMatch(/Call handlers never read symptoms: Call handler may read/)
    expect(back.text).toContain('It was good.</textarea>')
    await expectWholeTrail(t)
  })
})
