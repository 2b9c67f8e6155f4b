/** Launches that must not be believed: each is refused by its row, leaves its entry, and shows nothing. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { RefusalCode } from '../../src/core/refusal.js'
import type { LaunchTokenClaims } from '../../src/demo/desktop-faults.js'
import { buildAssertion, underTheirNames } from '../../src/demo/desktop-launches.js'
import { App } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  claimsOf,
  confirmPerson,
  handleOf,
  launchOf,
  localOnly,
  type Order,
  OTHER_BIRTH_DATE,
  open,
  push,
  sealOf,
  signIn,
  tokenOf,
} from '../launching.js'
import { entriesOf, expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')
const times = (iat: number, exp: number) => (sent: LaunchTokenClaims) => ({
  iat: sent.iat + iat,
  exp: sent.iat + exp,
})
const patient = (change: object) => (sent: LaunchTokenClaims) => ({
  patient: { ...sent.patient, ...change },
})
const practitioner = (change: object) => (sent: LaunchTokenClaims) => ({
  practitioner: { ...sent.practitioner, ...change },
})

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const post = (token: string, browser = new UserAgent()): Promise<Answer> =>
    browser.visit(new URL('/launch', t.issuer), { form: { launch_token: token } })
  const theirs = (order: Order) =>
    underTheirNames(claimsOf(t, order), launchOf(t, order).system.claims ?? {})
  const signedBy = async (
    header: object,
    key: Parameters<SignJWT['sign']>[0],
    order: Order = { system: 'gp-post' },
  ) =>
    new SignJWT({ ...theirs(order) })
      .setProtectedHeader({ typ: 'launch+jwt', ...header } as never)
      .sign(key)

  // biome-ignore format: a table
  const SIGNATURES: readonly (readonly [string, RefusalCode, () => Promise<string>])[] = [
    ['that is not signed (alg none)',           'signature_invalid', async () => `${base64url({ alg: 'none', typ: 'launch+jwt' })}.${base64url(theirs({ system: 'gp-post' }))}.`],
    ['with “None” for an algorithm',            'signature_invalid', async () => `${base64url({ alg: 'None', typ: 'launch+jwt', kid: 'x' })}.${base64url(theirs({ system: 'gp-post' }))}.AAAA`],
    ['signed with another system’s key',        'signature_invalid', () => tokenOf(t, { system: 'gp-post', key: { ...t.systems['gp-push']?.key, kid: t.systems['gp-post']?.key.kid ?? '' } as never })],
    ['that another registered system signed',   'signature_invalid', () => tokenOf(t, { system: 'gp-post', key: t.systems['gp-ward']?.key as never })],
    ['under a key that nobody registered',      'signature_invalid', () => tokenOf(t, { system: 'gp-post', header: { kid: 'nobody' } })],
    ['without a key’s name',                    'signature_invalid', () => tokenOf(t, { system: 'gp-post', header: { kid: undefined } })],
    ['of another type',                         'signature_invalid', () => tokenOf(t, { system: 'gp-post', header: { typ: 'JWT' } })],
    ['with a critical header',                  'signature_invalid', async () => `${base64url({ alg: 'ES256', typ: 'launch+jwt', kid: t.systems['gp-post']?.key.kid, crit: ['exp'], exp: 1 })}.${(await tokenOf(t, { system: 'gp-post' })).split('.').slice(1).join('.')}`],
    ['whose claims were changed',               'signature_invalid', async () => (await tokenOf(t, { system: 'gp-post' })).replace(/\.[^.]+\./, `.${base64url(theirs({ system: 'gp-post', user: 'hospice-consultant' }))}.`)],
    ['signed by HMAC with the public key',      'signature_invalid', () => signedBy({ alg: 'HS256', kid: t.systems['gp-post']?.key.kid }, new TextEncoder().encode(JSON.stringify(t.systems['gp-post']?.key.x)))],
    ['that brings its own key',                 'signature_invalid', async () => { const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true }); const jwk = await exportJWK(publicKey); return signedBy({ alg: 'ES256', jwk, jku: `${t.origins.desktop}/smart/jwks`, kid: 'own' }, privateKey) }],
    ['of a system that is not registered',      'system_unknown',    () => tokenOf(t, { system: 'gp-post', claims: () => ({ iss: 'gp-elsewhere' }) })],
    ['of a system named like a built-in',       'system_unknown',    () => tokenOf(t, { system: 'gp-post', claims: () => ({ iss: '__proto__' }) })],
    ['that came through another door',          'rung_unregistered', () => tokenOf(t, { system: 'gp-push' })],
    ['that is no token at all',                 'launch_malformed',  async () => 'a.b'],
    ['longer than any launch',                  'launch_malformed',  async () => `${'a'.repeat(70_000)}.b.c`],
    ['that was made for the token endpoint',    'signature_invalid', () => buildAssertion(launchOf(t, { system: 'gp-ward' }))],
  ]
  it.each(SIGNATURES)('refuses a launch %s', async (_what, code, token) => {
    await expectRefused(t, await post(await token()), code, 400)
  })

  // biome-ignore format: a table
  const CLAIMS: readonly (readonly [string, RefusalCode, number, Order['claims']])[] = [
    ['that has expired',                        'launch_expired',       400, times(-91, -31)],
    ['that would live an hour',                 'launch_too_long',      400, times(0, 3600)],
    ['that lives one second too long',          'launch_too_long',      400, times(0, 61)],
    ['that ends before it begins',              'launch_too_long',      400, times(10, 5)],
    ['from the future',                         'launch_future',        400, times(31, 60)],
    ['that is not valid yet',                   'launch_future',        400, (sent) => ({ nbf: sent.iat + 31 })],
    ['without its time',                        'launch_malformed',     400, () => ({ iat: undefined })],
    ['without an end',                          'launch_malformed',     400, () => ({ exp: undefined })],
    ['without a number of its own (jti)',       'launch_malformed',     400, () => ({ jti: undefined })],
    ['addressed to somebody else',              'launch_misaddressed',  400, () => ({ aud: 'https://elsewhere.example' })],
    ['addressed to us among others',            'launch_misaddressed',  400, () => ({ aud: [t.issuer, 'https://elsewhere.example'] })],
    ['for an organisation outside the registration', 'organization_refused', 403, () => ({ organization: { ods_code: 'X99999' } })],
    ['for an app outside the registration',     'app_refused',          403, () => ({ app: 'another-app' })],
    ['for an app named like a built-in',        'app_refused',          403, () => ({ app: 'constructor' })],
    ['for a purpose outside the registration',  'launch_malformed',     400, () => ({ purpose: 'safeguarding' })],
    ['with a wrong check digit',                'nhs_number_invalid',   400, patient({ nhs_number: '9990000019' })],
    ['with ten equal digits',                   'nhs_number_invalid',   400, patient({ nhs_number: '9999999999' })],
    ['with a number that is no text',           'launch_malformed',     400, patient({ nhs_number: 9990000018 })],
    ['of a patient whom nobody knows',          'patient_unknown',      404, patient({ nhs_number: '9990999996' })],
    ['with another date of birth',              'patient_mismatch',     404, patient({ birth_date: '1938-03-15' })],
    ['without a date of birth',                 'launch_malformed',     400, patient({ birth_date: undefined })],
    ['with a day that does not exist',          'launch_malformed',     400, patient({ birth_date: '1938-02-30' })],
    ['whose user has a number of another form', 'launch_malformed',     400, practitioner({ sds_user_id: '55525423910x' })],
    ['whose roles are no list',                 'launch_malformed',     400, practitioner({ role_codes: 'R0260' })],
    ['with a thousand roles',                   'launch_malformed',     400, practitioner({ role_codes: Array.from({ length: 1000 }, () => 'R0260') })],
    ['with an intent that is markup',           'launch_malformed',     400, () => ({ intent: '<script>' })],
    ['with a session’s strength in other script', 'launch_malformed',   400, () => ({ acr: '\u0430al3' })],
  ]
  it.each(CLAIMS)('refuses a launch %s', async (_what, code, status, claims) => {
    for (const system of ['gp-ward', 'gp-push']) {
      const order = { system, ...(claims ? { claims } : {}) }
      const answer =
        system === 'gp-push' ? await push(t, order) : await open(t, new UserAgent(), order)
      const entry = await expectRefused(t, answer, code, status)
      expect(entry).toMatchObject({ what: 'launch_refused', system })
      expect(JSON.stringify(entry.detail)).not.toMatch(/999\d{7}|\b19\d\d-\d\d-\d\d\b/)
    }
  })

  it('answers an unknown number and a wrong date of birth with the same words', async () => {
    const words = async (order: Order) =>
      wordsOf((await open(t, new UserAgent(), order)).text).replace(/ref_[\w-]+/, '')
    const unknown = await words({
      system: 'gp-post',
      claims: patient({ nhs_number: '9990999996' }),
    })
    expect(await words({ system: 'gp-post', patient: OTHER_BIRTH_DATE })).toBe(unknown)
  })

  // biome-ignore format: a table
  const SEALED: readonly (readonly [string, RefusalCode, number, () => Promise<string>])[] = [
    ['in the clear',                  'seal_invalid',       400, async () => base64url(claimsOf(t, { system: 'gp-sealed' }))],
    ['to another key',                'seal_invalid',       400, async () => (await sealOf(t, { system: 'gp-sealed' })).replace(/^[^.]+/, (head) => base64url({ ...JSON.parse(Buffer.from(head, 'base64url').toString()), epk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } }))],
    ['with a byte changed',           'seal_invalid',       400, async () => (await sealOf(t, { system: 'gp-sealed' })).replace(/.{4}$/, 'AAAA')],
    ['longer than any launch',        'seal_invalid',       400, async () => 'a'.repeat(33_000)],
    ['that has expired',              'launch_expired',     400, () => sealOf(t, { system: 'gp-sealed', claims: times(-91, -31) })],
    ['with a wrong check digit',      'nhs_number_invalid', 400, () => sealOf(t, { system: 'gp-sealed', claims: patient({ nhs_number: '9990000019' }) })],
    ['for another app',               'app_refused',        403, () => sealOf(t, { system: 'gp-sealed', claims: () => ({ app: 'another-app' }) })],
  ]
  it.each(SEALED)('refuses a launch sealed %s', async (_what, code, status, seal) => {
    const form = { system: 'gp-sealed', sealed: await seal() }
    const answer = await new UserAgent().visit(new URL('/launch/sealed', t.issuer), { form })
    await expectRefused(t, answer, code, status)
  })

  it.each(['gp-post', 'nobody', '__proto__', ''])(
    'refuses a seal in the name of “%s”',
    async (system) => {
      const form = { system, sealed: await sealOf(t, { system: 'gp-sealed' }) }
      const answer = await new UserAgent().visit(new URL('/launch/sealed', t.issuer), { form })
      await expectRefused(
        t,
        answer,
        system === 'gp-post' ? 'rung_unregistered' : 'system_unknown',
        400,
      )
    },
  )

  it.each([
    ['by address', '/launch?patient=9990000018&user=gp', undefined],
    ['by form', '/launch', { patient: '9990000018', birth_date: '1938-03-14', user: 'gp' }],
  ])('refuses patient and user in the clear %s', async (_how, path, form) => {
    const answer = await send(new URL(path, t.issuer), form ? { form } : {})
    await expectRefused(t, answer, 'launch_clear_text', 400)
  })

  it('shows a name with markup and direction marks as plain words, and keeps it so', async () => {
    const browser = new UserAgent()
    const name = '<img src=x onerror=alert(1)>\u202eevil\u2066\u0000 "Dr" {{ 7*7 }}'
    const claims = (sent: LaunchTokenClaims) => {
      const { practitioner: person } = localOnly(sent) as Pick<LaunchTokenClaims, 'practitioner'>
      return { sub: 'markup', practitioner: { ...person, name } }
    }
    const asked = await open(t, browser, { system: 'gp-clinic', claims })
    const page = await signIn(t, browser, asked, { person: 'gp' })
    expect(page.text).toContain('&lt;img src=x onerror=alert(1)&gt;evil')
    expect(page.text).toContain('{{ 7*7 }}')
    expect(page.text).not.toMatch(/<img|\p{Cf}/u)
    expectNoPatient(page)
    const tokens = await new App(t, browser).tokens(await confirmPerson(t, browser, page, 'yes'))
    const [verified] = await entriesOf(t, { launch: tokens.__launch })
    expect(verified?.user?.name).toBe('<img src=x onerror=alert(1)>evil "Dr" {{ 7*7 }}')
  })

  it('goes on working, with a whole trail', async () => {
    expect(handleOf(await open(t, new UserAgent(), { system: 'gp-post' }))).toMatch(/^hdl_/)
    await expectWholeTrail(t)
  })
})
