/** Ways around the gates of a policy change, through the console's API and the sign-in of commands. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Post } from '../../src/core/console.js'
import { hashOf } from '../../src/core/ids.js'
import { launchTo } from '../app-by-hand.js'
import {
  API,
  bearerOf,
  begin,
  type Call,
  call,
  commandOf,
  confirm,
  drafted,
  poll,
  type Said,
  typeCode,
} from '../console/commanding.js'
import { at, post, signedIn } from '../console/signing-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { formsOf, send, type UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(120_000)

describe.each(STORES)('around the API of the console on the %s store', (store) => {
  let t: TestGateway
  let author: Call
  let guardian: Call
  let approver: Call
  beforeAll(async () => {
    t = await openTestGateway({ store })
    author = (await commandOf(t, 'author')).call
    approver = (await commandOf(t, 'approver', 3)).call
    guardian = (await commandOf(t, 'guardian', 3)).call
  }, 60_000)
  afterAll(() => t?.close())

  const reason = 'Callers wait for help.'
  const proposed = async (by: Call): Promise<Said> => {
    const { id, hash } = await drafted(by)
    return (await by(`POST /drafts/${id}/propose`, { hash, reason })).json.draft
  }

  describe('the sign-in of a command', () => {
    it('gives one bearer for one code, however many ask at once', async () => {
      const browser = await signedIn(t, 'viewer')
      const device = await begin(t)
      await confirm(t, browser, device.user_code)
      const all = await Promise.all([poll(t, device), poll(t, device), poll(t, device)])
      expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
      await t.clock.advance(5)
      await expectRefused(t, await poll(t, device), 'device_expired', 400)
    })

    it('ends with its ten minutes, at the minute, for the command and for its member', async () => {
      const browser = await signedIn(t, 'viewer')
      const [one, two] = [await begin(t), await begin(t)]
      await t.clock.advance(599)
      await confirm(t, browser, one.user_code)
      await t.clock.advance(1)
      expect(wordsOf((await typeCode(t, browser, two.user_code)).text)).toContain(
        'No command waits',
      )
      for (const device of [one, two])
        await expectRefused(t, await poll(t, device), 'device_expired', 400)
    })

    it('takes one answer: a no stays a no', async () => {
      const browser = await signedIn(t, 'viewer')
      const device = await begin(t)
      const page = await typeCode(t, browser, device.user_code)
      const form = { page, action: '/console/device/confirm' }
      await confirm(t, browser, device.user_code, 'no')
      const late = await post(t, browser, form, { answer: 'yes' })
      expect(wordsOf(late.text)).toContain('No command waits')
      await expectRefused(t, await poll(t, device), 'device_denied', 400)
    })

    it('is confirmed by the member’s own page only: not by another browser, nor from another site', async () => {
      const [mine, theirs] = [await signedIn(t, 'viewer'), await signedIn(t, 'author')]
      const device = await begin(t)
      const page = await typeCode(t, mine, device.user_code)
      const form = { page, action: '/console/device/confirm' }
      await expectRefused(t, await post(t, theirs, form), 'console_form_refused', 403)
      const headers = { 'sec-fetch-site': 'cross-site' }
      await expectRefused(t, await post(t, mine, form, {}, headers), 'console_form_refused', 403)
      const bare = await mine.visit(at(t, '/console/device/confirm'), {
        form: { code: device.user_code, answer: 'yes' },
      })
      await expectRefused(t, bare, 'console_form_refused', 403)
      expect((await poll(t, device)).json.error).toBe('authorization_pending')
    })

    it('is led to by no link: a code in the address is not looked at', async () => {
      const browser = await signedIn(t, 'viewer')
      const { user_code: code } = await begin(t)
      const page = await browser.visit(at(t, `/console/device?code=${code}&user_code=${code}`))
      expect(page.text).not.toContain(code)
      expect(formsOf(page.text).map(({ action }) => action)).not.toContain(
        '/console/device/confirm',
      )
    })

    it('shows a name that a command gives itself as text, without what nobody sees', async () => {
      const browser = await signedIn(t, 'viewer')
      const name = '<script>alert(1)</script>\u202e\u0007 root'
      const { json } = await call(t, 'POST /sign-in', { body: { client: name } })
      const page = await typeCode(t, browser, json.user_code)
      expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; root')
      for (const odd of ['<script>alert', '\u202e', '\u0007']) expect(page.text).not.toContain(odd)
    })

    it('turns away who tries codes, right ones as well', async () => {
      const browser = await signedIn(t, 'operator')
      for (let i = 0; i < 20; i++) await typeCode(t, browser, 'BCDF-GHJK')
      const { user_code: code } = await begin(t)
      await expectRefused(t, await typeCode(t, browser, code), 'rate_limited', 429)
      await t.clock.advance(600)
    })

    it('has no device code that can be guessed, and tells an unknown one from a used one to nobody', async () => {
      const none = await call(t, 'POST /sign-in/token', {
        body: { device_code: `dvc_${'A'.repeat(32)}` },
      })
      await expectRefused(t, none, 'device_expired', 400)
      expect(none.json.error).toBe('expired_token')
    })
  })

  describe('a bearer', () => {
    let browser: UserAgent
    let bearer: string
    beforeAll(async () => {
      browser = await signedIn(t, 'viewer')
      bearer = await bearerOf(t, browser)
    })
    const session = (given?: string, headers = {}) =>
      call(t, 'GET /session', { ...(given === undefined ? {} : { bearer: given }), headers })
    const expectOut = async (given?: string, headers = {}) =>
      expectRefused(t, await session(given, headers), 'command_signed_out', 401)

    it('stands in the Authorization header: no cookie, form or address does', async () => {
      expect((await session(bearer)).status).toBe(200)
      const cookie = browser.cookiesAt(at(t, API))
      await expectOut(undefined, { cookie })
      await expectOut(undefined, { cookie: `${cookie}; __Host-console=${bearer}` })
      const there = await send(at(t, `${API}/session?access_token=${bearer}`))
      await expectRefused(t, there, 'command_signed_out', 401)
      expect(there.headers['www-authenticate']).toMatch(/^Bearer realm=/)
    })

    it('is none of a clinician’s app, and opens no page of the console', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      await expectOut(tokens.access_token)
      const page = await send(at(t, '/console/drafts'), {
        headers: { authorization: `Bearer ${bearer}` },
      })
      expect(wordsOf(page.text)).toContain('Sign in to the access console')
      const record = await send(at(t, '/fhir/Patient'), {
        headers: { authorization: `Bearer ${bearer}` },
      })
      expect(record.status).toBe(401)
    })

    it('is stored as a hash alone', async () => {
      expect(await t.running.store.get('command', bearer)).toBeUndefined()
      const kept = await t.running.store.get('command', hashOf(bearer))
      expect(kept?.client).toBe('launch-gateway on a test')
      expect(JSON.stringify(kept)).not.toContain(bearer)
    })

    it('ends when its member signs out', async () => {
      const page = await browser.visit(at(t, '/console'))
      await post(t, browser, { page, action: '/console/sign-out' })
      await expectOut(bearer)
    })

    it('ends by a quarter of an hour without a call, and with its member’s session', async () => {
      const own = await signedIn(t, 'viewer')
      const idle = await bearerOf(t, own)
      await t.clock.advance(899)
      await own.visit(at(t, '/console'))
      expect((await session(idle)).status).toBe(200)
      await t.clock.advance(899)
      await own.visit(at(t, '/console'))
      await t.clock.advance(1)
      await expectOut(idle)
      const second = await bearerOf(t, own)
      await t.clock.advance(600)
      await session(second)
      await t.clock.advance(300)
      // Its member did nothing in the browser for a quarter of an hour.
      await expectOut(second)
    })
  })

  describe('a draft', () => {
    beforeAll(async () => {
      author = (await commandOf(t, 'author')).call
      approver = (await commandOf(t, 'approver', 3)).call
      guardian = (await commandOf(t, 'guardian', 3)).call
    })

    it('is not approved by its author, under a second login of the same person either', async () => {
      const { id, hash } = await proposed(guardian)
      await expectRefused(
        t,
        await guardian(`POST /drafts/${id}/approve`, { hash }),
        'draft_own',
        403,
      )
      const again = (await commandOf(t, 'guardian', 3)).call
      const refused = await again(`POST /drafts/${id}/approve`, { hash })
      expect(refused.json).toMatchObject({ error: 'access_denied', code: 'draft_own' })
      await expectRefused(t, refused, 'draft_own', 403)
      const tried = await entriesOf(t, { what: 'draft_refused' })
      expect(tried.at(-1)).toMatchObject({
        refusal: 'draft_own',
        detail: { act: 'approve', draft: id },
      })
    })

    it('is not approved by who signed in weakly, nor published by who may only approve', async () => {
      const { id, hash } = await proposed(author)
      const weak = (await commandOf(t, 'approver')).call
      const body = { hash }
      await expectRefused(t, await weak(`POST /drafts/${id}/approve`, body), 'console_denied', 403)
      await approver(`POST /drafts/${id}/approve`, body)
      await expectRefused(
        t,
        await approver(`POST /drafts/${id}/publish`, body),
        'console_denied',
        403,
      )
    })

    it('is approved and published as it was seen: another hash, or an edit in between, undoes it', async () => {
      const { id, hash, generation } = await proposed(author)
      const other = { hash: `${hash.slice(0, -1)}${hash.endsWith('A') ? 'B' : 'A'}` }
      await expectRefused(
        t,
        await approver(`POST /drafts/${id}/approve`, other),
        'draft_other_hash',
        409,
      )
      await approver(`POST /drafts/${id}/approve`, { hash })
      const { files } = (await author(`GET /drafts/${id}/files`)).json
      const more = {
        ...files,
        'policies/symptoms.cedar': `${files['policies/symptoms.cedar']}\n// more\n`,
      }
      const stale = await author(`PUT /drafts/${id}/files`, { generation, files: more })
      await expectRefused(t, stale, 'draft_changed', 409)
      const { draft } = (
        await author(`PUT /drafts/${id}/files`, { generation: generation + 1, files: more })
      ).json
      expect(draft.stage).toBe('open')
      for (const given of [hash, draft.hash])
        await expectRefused(
          t,
          await author(`POST /drafts/${id}/publish`, { hash: given }),
          'draft_stage',
          409,
        )
    })

    it('comes into force once, of two who publish at the same time', async () => {
      const { id, hash } = await proposed(author)
      await approver(`POST /drafts/${id}/approve`, { hash })
      const both = [author, guardian].map((by) => by(`POST /drafts/${id}/publish`, { hash }))
      const statuses = (await Promise.all(both)).map(({ status }) => status).sort()
      expect(statuses).toEqual([200, 409])
      await t.running.policies.refresh()
    })

    it('changes no other layer, and nothing that is a guardian’s', async () => {
      const opened = await author('POST /drafts', { title: 'Around a layer' })
      const { id, generation } = opened.json.draft
      const { files } = (await author(`GET /drafts/${id}/files`)).json
      const put = (more: object) =>
        author(`PUT /drafts/${id}/files`, { generation, files: { ...files, ...more } })
      const local = await put({ 'policies/local/A83001/own.cedar': '// mine' })
      await expectRefused(t, local, 'layer_refused', 403)
      for (const name of ['console.yaml', 'policies/invariants.yaml'])
        await expectRefused(t, await put({ [name]: '' }), 'guardian_required', 403)
      for (const name of [
        '../../etc/passwd',
        'policies/../x.cedar',
        'constructor',
        'policies/X.CEDAR',
      ])
        await expectRefused(t, await put({ [name]: 'x' }), 'draft_invalid', 400)
      // A name that JavaScript gives a meaning of its own is no file either.
      const proto = await put({ ['__proto__']: 'x' })
      expect((await author(`GET /drafts/${id}/files`)).json.files).toEqual(files)
      expect(proto.json.draft.hash).toBe(opened.json.draft.hash)
    })
  })

  describe('a member of one layer', () => {
    it('sees and writes that layer only, and of others not even the files', async () => {
      const { id: central } = await drafted(author)
      const theirs = await author('POST /drafts', { title: 'Of RYX01', layer: 'local/RYX01' })
      const put = await author(`PUT /drafts/${theirs.json.draft.id}/files`, {
        generation: 1,
        files: {
          'policies/local/RYX01/own.cedar':
            '@id("ryx-own") @layer("local") @reason("x") forbid (principal, action == Action::"delete", resource is Section);',
        },
      })
      const { id: local, hash: whole } = put.json.draft
      const secret = 'Dr Jones of RYX01 was dismissed.'
      await author(`POST /drafts/${local}/emergency`, { hash: whole, reason: secret })
      await t.running.policies.refresh()
      const posts: readonly Post[] = [
        { uid: '555254239202', duties: ['author'], layer: 'local/A83001' },
        { uid: '555254239203', duties: ['approver'], layer: 'local/RYX01' },
      ]
      const spy = jest.spyOn(t.running.policies, 'posts').mockReturnValue(posts)
      try {
        await expectRefused(t, await author(`GET /drafts/${central}`), 'console_denied', 403)
        const number = t.running.policies.version()
        for (const line of ['GET /versions', `GET /versions/${number}`]) {
          const told = await author(line)
          expect(told.text).toContain(`"version":${number}`)
          expect(told.text).not.toContain(secret)
        }
        const listed = (await author('GET /drafts')).json.drafts
        expect(listed.map(({ layer }: Said) => layer)).not.toContain('central')
        for (const layer of ['central', 'local/RYX01'])
          await expectRefused(
            t,
            await author('POST /drafts', { title: 'x', layer }),
            'console_denied',
            403,
          )
        const own = await author('POST /drafts', { title: 'Ours', layer: 'local/A83001' })
        const { id, generation } = own.json.draft
        const one = `/drafts/${id}`
        const put = (files: object) => author(`PUT ${one}/files`, { generation, files })
        const other = await put({ 'policies/patients.cedar': '// mine' })
        await expectRefused(t, other, 'layer_refused', 403)
        const mine = await put({ 'policies/local/A83001/mine.cedar': '// mine' })
        expect(mine.json.draft).toMatchObject({ stage: 'open', generation: generation + 1 })
        const { hash } = mine.json.draft
        await expectRefused(
          t,
          await approver(`POST ${one}/approve`, { hash }),
          'console_denied',
          403,
        )
        await expectRefused(t, await approver(`GET ${one}/files`), 'console_denied', 403)
        const back = { reason, inForce: t.running.policies.version() }
        const rolled = await approver('POST /versions/1/rollback', back)
        await expectRefused(t, rolled, 'console_denied', 403)
      } finally {
        spy.mockRestore()
      }
    })
  })

  describe('what is sent', () => {
    it('must say of an id what the address says, and nothing that is not known', async () => {
      const { id, hash } = await drafted(author)
      const line = `POST /drafts/${id}/propose`
      const said = { hash, reason, ticket: 'CHG-1' }
      for (const more of [{ draft: 'dft_other' }, { by: { uid: '1' } }, { version: 1 }])
        await expectRefused(t, await author(line, { ...said, ...more }), 'parameter_invalid', 400)
      await expectRefused(t, await author(line, { reason }), 'parameter_missing', 400)
      expect((await author(line, { ...said, draft: id })).status).toBe(200)
      const back = { reason, inForce: t.running.policies.version() }
      const other = await approver('POST /versions/1/rollback', { ...back, version: 2 })
      await expectRefused(t, other, 'parameter_invalid', 400)
    })

    it('is JSON, of a size, shallow, and of the kinds that are described', async () => {
      const { bearer } = await commandOf(t, 'author')
      const draft = (body: string, type = 'application/json') =>
        send(at(t, `${API}/drafts`), {
          ...{ method: 'POST', body },
          headers: { authorization: `Bearer ${bearer}`, 'content-type': type },
        })
      const form = 'application/x-www-form-urlencoded'
      await expectRefused(t, await draft('title=x', form), 'body_unreadable', 400)
      for (const body of [
        '',
        '[]',
        '"x"',
        'null',
        '{',
        `{"title":${'['.repeat(500)}${']'.repeat(500)}}`,
      ])
        await expectRefused(t, await draft(body), 'body_unreadable', 400)
      await expectRefused(t, await draft('{"title":{}}'), 'parameter_invalid', 400)
      const large = JSON.stringify({ title: 'x'.repeat(6 * 1_048_576) })
      await expectRefused(t, await draft(large), 'body_too_large', 413)
    })

    it('names a draft and a version that there are, or nothing', async () => {
      for (const id of ['dft_none', '..', 'toString', '%00'])
        expect((await author(`GET /drafts/${id}`)).status).toBe(404)
      for (const number of ['0', '-1', '99', '1e0', 'current', '01'])
        await expectRefused(
          t,
          await author(`GET /versions/${number}`),
          'policy_version_unknown',
          404,
        )
      await expectRefused(t, await author('GET /nothing'), 'not_found', 404)
    })
  })

  it('leaves no secret in the trail, and a whole one', async () => {
    const all = JSON.stringify(await entriesOf(t, { from: 0 }))
    // Whole words alone: the chain's hashes are chance, and spell each of these sooner or later.
    expect(all).not.toMatch(
      /(?<![\w-])(?:(?:cmd|dvc)_[\w-]{32}|[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4})(?![\w-])/,
    )
    await expectWholeTrail(t)
  })
})
