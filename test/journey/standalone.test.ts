/** Launches that begin at the app. @see SMART App Launch 2.2, "Launch App: Standalone Launch"; OIDC Core §3.1.2 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt } from 'jose'
import { App, call, claimsIn, codeOf, launchTo, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, localOnly, NO_PLAN, open, PEGGY, patientOf } from '../launching.js'
import {
  asking,
  authorize,
  BACK,
  basic,
  choose,
  follow,
  named,
  row,
  SECRET,
  standaloneApps,
  throughProvider,
  token,
} from '../standalone.js'
import { entriesOf, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const DATA = 'launch/patient openid fhirUser patient/Patient.r'
const peggy = patientOf(PEGGY)
/** What the button of a patient sends whom the user opened lately. */
const offered = ({ text }: Answer, number: string): string => {
  const shown = [number.slice(0, 3), number.slice(3, 6), number.slice(6)].join(' ')
  const button = /name="recent" value="([^"]*)">NHS No. <span[^>]*>([\d ]+)</g
  return [...text.matchAll(button)].find(([, , name]) => name === shown)?.[1] ?? ''
}
const back = (answer: Answer) => Object.fromEntries(answer.location?.searchParams ?? [])

describe.each(STORES)('a standalone launch on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    const { apps } = await standaloneApps()
    const scopes = `${DATA} online_access offline_access`.split(' ')
    const more = [
      row({ id: 'brief', type: 'public', scopes, offline_lifetime: 3600 }),
      row({ id: 'passing', type: 'public', scopes, grant_types: ['authorization_code'] }),
    ]
    t = await openTestGateway({ store, change: (c) => ({ apps: [...c.apps, ...apps, ...more] }) })
  }, 60_000)
  afterAll(() => t?.close())

  /** To the page that asks for a patient, signed in. */
  const atChoice = async (browser: UserAgent, person = 'gp', id = 'solo', scope = DATA) => {
    const asked = asking(t, id, scope)
    const page = await throughProvider(
      t,
      browser,
      await authorize(t, browser, asked.parameters),
      person,
    )
    return { ...asked, page }
  }
  const redeem = async (id: string, answer: Answer, verifier: string, headers = {}) => {
    const { code } = back(answer)
    const given = await token(
      t,
      {
        ...{ grant_type: 'authorization_code', code: code ?? '', redirect_uri: BACK },
        ...{ code_verifier: verifier, client_id: id },
      },
      headers,
    )
    return { status: given.status, tokens: JSON.parse(given.text) }
  }

  it('signs in, lets the user name the patient, and gives tokens for that patient only', async () => {
    const browser = new UserAgent()
    const { page, state, verifier } = await atChoice(browser)
    expect(page.text).toContain('Whose plan do you want to open?')
    expect(page.text).not.toMatch(/ASHWORTH/i)
    const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    expect(landed.location?.href.split('?')[0]).toBe(BACK)
    expect(back(landed)).toMatchObject({ state, iss: t.issuer })
    const { status, tokens } = await redeem('solo', landed, verifier)
    expect(status).toBe(200)
    expect(tokens).toMatchObject({
      ...{ patient: peggy.fhirId, need_patient_banner: true, token_type: 'Bearer' },
      scope: 'launch/patient openid fhirUser patient/Patient.r',
    })
    const other = patientOf(NO_PLAN).fhirId
    expect((await call(t, tokens.access_token, `/fhir/Patient/${peggy.fhirId}`)).status).toBe(200)
    expect((await call(t, tokens.access_token, `/fhir/Patient/${other}`)).status).toBe(404)
    const kinds = (await entriesOf(t, { launch: tokens.__launch })).map(({ what }) => what)
    expect(kinds).toEqual(
      expect.arrayContaining([
        'launch_verified',
        'signed_on',
        'patient_confirmed',
        'session_opened',
        'grant_opened',
      ] as never),
    )
  })

  it('needs no second sign-in, and offers whom the user opened lately', async () => {
    const browser = new UserAgent()
    const first = await atChoice(browser)
    await choose(t, browser, first.page, named(PEGGY, peggy.birthDate))
    const asked = asking(t, 'solo', DATA)
    const page = await authorize(t, browser, asked.parameters)
    expect(page.text).toContain('Opened lately by you')
    const landed = await choose(t, browser, page, { recent: offered(page, PEGGY) })
    const { tokens } = await redeem('solo', landed, asked.verifier)
    expect(tokens.patient).toBe(peggy.fhirId)
  })

  it('opens whom the button names, whomever the user opened elsewhere meanwhile', async () => {
    const [browser, other] = [new UserAgent(), new UserAgent()]
    await choose(t, browser, (await atChoice(browser)).page, named(PEGGY, peggy.birthDate))
    const asked = asking(t, 'solo', DATA)
    const page = await authorize(t, browser, asked.parameters)
    const elsewhere = named(NO_PLAN, patientOf(NO_PLAN).birthDate)
    await choose(t, other, (await atChoice(other)).page, elsewhere)
    const landed = await choose(t, browser, page, { recent: offered(page, PEGGY) })
    const { tokens } = await redeem('solo', landed, asked.verifier)
    expect(tokens.patient).toBe(peggy.fhirId)
  })

  it('offers by a button nobody whom the user did not open', async () => {
    const browser = new UserAgent()
    let { page } = await atChoice(browser, 'practice-nurse')
    for (const recent of [PEGGY, '0', 'length', '__proto__']) {
      page = await choose(t, browser, page, { recent })
      expect(page.status).toBe(422)
    }
  })

  it('says the same of an unknown number as of a wrong birth date, and goes on asking', async () => {
    const browser = new UserAgent()
    let { page } = await atChoice(browser)
    const said = new Set<string>()
    for (const wrong of [
      named('9990000077', '1950-01-01'),
      named(PEGGY, '1950-01-01'),
      named('123', ''),
    ]) {
      page = await choose(t, browser, page, wrong)
      expect(page.status).toBe(422)
      // What was typed stands there again, so that nothing is lost; nothing else differs.
      expect(page.text).toContain(`value="${wrong.nhs_number}"`)
      said.add(page.text.replace(/ value="[^"]*"/g, ''))
    }
    expect(said.size).toBe(1)
    const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    expect(back(landed)).toHaveProperty('code')
  })

  it('ends the choice after ten tries, and tells the app', async () => {
    const browser = new UserAgent()
    let { page } = await atChoice(browser, 'practice-nurse')
    const { page: first } = { page }
    for (let n = 0; n < 10; n++)
      page = await choose(t, browser, page, named(NO_PLAN, `19${20 + n}-01-01`))
    const late = await choose(t, browser, page, named(NO_PLAN, '1999-01-01'))
    expect(late.status).toBe(403)
    expect(first.status).toBe(200)
  })

  it('is denied to a user whose role may not, by an error that goes to the app', async () => {
    const browser = new UserAgent()
    const asked = asking(t, 'solo', DATA)
    const page = await authorize(t, browser, asked.parameters)
    const answer = await throughProvider(t, browser, page, 'no-role')
    expect(back(answer)).toMatchObject({
      error: 'access_denied',
      state: asked.state,
      iss: t.issuer,
    })
  })

  it('works in the browser that asked, and in no other', async () => {
    const browser = new UserAgent()
    const asked = asking(t, 'solo', DATA)
    const url = new URL('/oauth/authorize', t.issuer)
    url.search = new URLSearchParams(asked.parameters).toString()
    const sent = await browser.visit(url)
    expect(sent.location?.pathname).toBe('/launch/standalone')
    const stranger = await new UserAgent().visit(sent.location as URL)
    expect(stranger.status).toBe(400)
    expect((await browser.visit(sent.location as URL)).location?.origin).toBe(t.origins.hospital)
  })

  it.each([
    ['of the record without launch/patient', 'openid patient/Patient.r', 'launch_required'],
    ['launch without a handle', 'launch openid patient/Patient.r', 'launch_required'],
  ])('refuses scopes %s', async (_what, scope) => {
    const asked = asking(t, 'solo', scope)
    const answer = await authorize(t, new UserAgent(), asked.parameters)
    // What nobody registered was left out before: then nothing at all is asked.
    expect(['invalid_request', 'invalid_scope']).toContain(back(answer).error)
  })

  describe('of an app that only signs its user on', () => {
    const signedOn = async (browser: UserAgent, change = {}) => {
      const asked = asking(t, 'relying', 'openid profile', { aud: undefined, ...change })
      return { ...asked, answer: await authorize(t, browser, asked.parameters) }
    }

    it('asks for no patient and gives an id_token, to a client with its secret', async () => {
      const browser = new UserAgent()
      const asked = await signedOn(browser)
      const landed = await throughProvider(t, browser, asked.answer)
      const { code } = back(landed)
      const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: BACK }
      const wrong = await token(
        t,
        { ...form, code_verifier: asked.verifier },
        basic('relying', `${SECRET}x`),
      )
      expect(wrong.status).toBe(401)
      expect(wrong.headers['www-authenticate']).toMatch(/^Basic realm=/)
      const given = await token(
        t,
        { ...form, code_verifier: asked.verifier },
        basic('relying', SECRET),
      )
      const tokens = JSON.parse(given.text)
      expect(tokens).toMatchObject({ scope: 'openid profile', token_type: 'Bearer' })
      expect(tokens).not.toHaveProperty('patient')
      const claims = decodeJwt(tokens.id_token)
      expect(claims).toMatchObject({ iss: t.issuer, aud: 'relying', sub: '555254239101' })
      expect(claims.auth_time).toEqual(expect.any(Number))
      const read = await call(t, tokens.access_token, `/fhir/Patient/${peggy.fhirId}`)
      expect([401, 403]).toContain(read.status)
    })

    it('answers prompt=none with a code where the user is signed on, and with login_required elsewhere', async () => {
      const browser = new UserAgent()
      const stranger = await signedOn(new UserAgent(), { prompt: 'none' })
      expect(back(stranger.answer)).toMatchObject({
        error: 'login_required',
        state: stranger.state,
      })
      await throughProvider(t, browser, (await signedOn(browser)).answer)
      const silent = await signedOn(browser, { prompt: 'none' })
      expect(back(silent.answer)).toHaveProperty('code')
    })

    it('signs in anew for prompt=login and for a max_age that has passed', async () => {
      const browser = new UserAgent()
      await throughProvider(t, browser, (await signedOn(browser)).answer)
      await t.clock.advance(20)
      expect(back((await signedOn(browser, { max_age: '10000' })).answer)).toHaveProperty('code')
      for (const change of [{ prompt: 'login' }, { max_age: '10' }]) {
        const again = await signedOn(browser, change)
        expect(again.answer.location?.origin).toBe(t.origins.hospital)
      }
      const silent = await signedOn(browser, { prompt: 'none', max_age: '1' })
      expect(back(silent.answer).error).toBe('login_required')
    })

    it('asks for a stronger sign-in where the app wants one', async () => {
      const browser = new UserAgent()
      await throughProvider(t, browser, (await signedOn(browser)).answer)
      const stronger = await signedOn(browser, { acr_values: 'AAL3_ANY' })
      expect(stronger.answer.location?.searchParams.get('acr_values')).toBe('AAL3_ANY')
      const landed = await throughProvider(t, browser, stronger.answer, 'gp', 3)
      expect(back(landed)).toHaveProperty('code')
    })

    it('says login_required when somebody else is signed on than the app expects', async () => {
      const browser = new UserAgent()
      const claims = JSON.stringify({ id_token: { sub: { value: '555254239999' } } })
      const first = await signedOn(browser, { claims })
      const landed = await throughProvider(t, browser, first.answer)
      expect(back(landed)).toMatchObject({ error: 'login_required', state: first.state })
    })

    it('may leave PKCE out beside a nonce, and then a verifier is no good', async () => {
      const browser = new UserAgent()
      const without = { code_challenge: undefined, code_challenge_method: undefined }
      const landed = await throughProvider(t, browser, (await signedOn(browser, without)).answer)
      const form = {
        grant_type: 'authorization_code',
        redirect_uri: BACK,
        code: back(landed).code ?? '',
      }
      const downgraded = await token(
        t,
        { ...form, code_verifier: 'v'.repeat(43) },
        basic('relying', SECRET),
      )
      expect(JSON.parse(downgraded.text).error).toBe('invalid_grant')
      const given = await token(t, { ...form, client_secret: SECRET, client_id: 'relying' })
      expect(given.status).toBe(200)
      const neither = await signedOn(browser, { ...without, nonce: undefined })
      expect(back(neither.answer).error).toBe('invalid_request')
    })

    it('of old may leave out PKCE and nonce where its registration says so', async () => {
      const browser = new UserAgent()
      const bare = { code_challenge: undefined, code_challenge_method: undefined, nonce: undefined }
      const asked = asking(t, 'old', 'openid', { ...bare, aud: undefined })
      const page = await authorize(t, browser, asked.parameters)
      expect(back(await throughProvider(t, browser, page))).toHaveProperty('code')
    })

    it('answers by a form that posts itself where the app wants that', async () => {
      const browser = new UserAgent()
      const asked = await signedOn(browser, { response_mode: 'form_post' })
      const page = await throughProvider(t, browser, asked.answer)
      expect(page.status).toBe(200)
      expect(page.text).toContain(`action="${BACK}"`)
      expect(page.text).toMatch(/name="code" value="cod_/)
      expect(page.text).toContain(`name="state" value="${asked.state}"`)
      expect(page.headers['content-security-policy']).toContain(
        "form-action 'self' https://solo.example",
      )
    })
  })

  describe('of an app that was opened from the patient record', () => {
    /** Tokens of somebody else, in a browser of their own. */
    const atOthers = async () => {
      const order = { system: 'gp-push', user: 'practice-nurse' }
      return (await launchTo(t, order)).tokens
    }

    it('signs in anew where the app asks for a stronger sign-in, and stays the same launch', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      const asked = await follow(
        t,
        browser,
        await app.authorize(handle, { acr_values: 'AAL3_ANY' }),
      )
      const landed = await throughProvider(t, browser, asked, 'gp', 3)
      const tokens = tokensOf(await app.redeem(codeOf(landed)))
      expect(tokens.patient).toBe(peggy.fhirId)
      expect(claimsIn(tokens.id_token)).toMatchObject({ acr: expect.stringMatching(/AAL3/) })
      const old = await app.authorize(handle)
      expect(old.text).toContain('handle_invalid')
    })

    it('opens nothing twice by asking for another sign-in with a handle that was used', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      await app.code(handle)
      const again = await app.authorize(handle, { prompt: 'login' })
      expect(back(again)).toMatchObject({ error: 'invalid_request' })
      expect(back(again)).not.toHaveProperty('code')
    })

    it('gives no code for another person than the app names (OIDC Core §5.5.1), and the handle stays good', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      const named = (sub: string) => JSON.stringify({ id_token: { sub: { value: sub } } })
      const { id_token } = await atOthers()
      for (const change of [{ claims: named('555254239999') }, { id_token_hint: id_token }]) {
        const answer = await app.authorize(handle, change)
        expect(back(answer)).toMatchObject({ error: 'login_required', state: app.state })
      }
      const right = await app.authorize(handle, { claims: named('555254239101') })
      expect(back(right)).toHaveProperty('code')
    })

    it('knows by its hint a person whom only their own system can name', async () => {
      const browser = new UserAgent()
      const order = { system: 'gp-post', claims: localOnly }
      const { tokens } = await launchTo(t, order, browser)
      expect(claimsIn(tokens.id_token).sub).toMatch(/^gp-post\//)
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, order))
      const { id_token: others } = await atOthers()
      expect(back(await app.authorize(handle, { id_token_hint: others }))).toMatchObject({
        error: 'login_required',
      })
      const own = await app.authorize(handle, { id_token_hint: tokens.id_token })
      expect(back(own)).toHaveProperty('code')
    })

    it('refuses another person than the launch named, although the app is told', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      const asked = await follow(t, browser, await app.authorize(handle, { prompt: 'login' }))
      const answer = await throughProvider(t, browser, asked, 'practice-nurse')
      expect(back(answer)).toMatchObject({ error: 'access_denied', state: app.state })
    })
  })

  it('lets a grant with offline_access outlive the session, and not its end by the user', async () => {
    const browser = new UserAgent()
    const { page, verifier } = await atChoice(browser, 'gp', 'solo', `${DATA} offline_access`)
    const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    const { tokens } = await redeem('solo', landed, verifier)
    await t.clock.advance(13 * 3600)
    const form = { grant_type: 'refresh_token', client_id: 'solo' }
    const later = await token(t, { ...form, refresh_token: tokens.refresh_token })
    expect(later.status).toBe(200)
    const fresh = JSON.parse(later.text)
    expect((await call(t, fresh.access_token, `/fhir/Patient/${peggy.fhirId}`)).status).toBe(200)
    await t.clock.advance(31 * 24 * 3600)
    const late = await token(t, { ...form, refresh_token: fresh.refresh_token })
    expect(JSON.parse(late.text).error).toBe('invalid_grant')
  })

  it('ends such a grant sooner where its app is registered for less', async () => {
    const browser = new UserAgent()
    const { page, verifier } = await atChoice(browser, 'gp', 'brief', `${DATA} offline_access`)
    const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    const { tokens } = await redeem('brief', landed, verifier)
    const renew = async (refresh_token: string) => {
      const form = { grant_type: 'refresh_token', client_id: 'brief', refresh_token }
      const answer = await token(t, form)
      return { status: answer.status, said: JSON.parse(answer.text) }
    }
    await t.clock.advance(3599)
    const { status, said } = await renew(tokens.refresh_token)
    expect(status).toBe(200)
    await t.clock.advance(1)
    expect((await renew(said.refresh_token)).said.error).toBe('invalid_grant')
  })

  it('gives nothing that lasts to an app that may not renew', async () => {
    const browser = new UserAgent()
    const asked = `${DATA} offline_access online_access`
    const { page, verifier } = await atChoice(browser, 'gp', 'passing', asked)
    const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    const { tokens } = await redeem('passing', landed, verifier)
    expect(tokens.scope).toBe(DATA)
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(await t.running.store.get('grant', tokens.__launch)).toMatchObject({ offline: false })
  })

  it('leaves a trail that is whole', () => expectWholeTrail(t))
})
