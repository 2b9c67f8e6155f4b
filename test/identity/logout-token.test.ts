import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { generateKeyPair, importJWK, SignJWT } from 'jose'
import { type ClinicianProvider, openClinicianProvider } from '../../src/identity/clinician.js'
import { openTestHospital, type TestHospital } from '../demo/hospital-provider.js'
import { CookieJar, signInAt, signOutAt } from '../demo/sign-in.js'
import { NOW_SECONDS, signedWithPublicKey, unsigned } from './pretend-provider.js'
import { configFor, newSecrets, refusalOf } from './relying-party.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
let hospital: TestHospital
let clinicians: ClinicianProvider

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockReturnValue()
  hospital = await openTestHospital()
  clinicians = openClinicianProvider(configFor(hospital), Date.now)
})
afterEach(() => {
  hospital.logoutTokens.length = 0
})
afterAll(() => hospital.close())

const claims = (): Record<string, unknown> => ({
  ...{ iss: hospital.issuer, aud: 'launch-gateway', sub: '555254239101', sid: 'session-1' },
  ...{ iat: NOW_SECONDS(), exp: NOW_SECONDS() + 120, jti: 'jti-1' },
  events: { [EVENT]: {} },
})
const signingKey = () => hospital.keys.signing[0] ?? {}

async function sign(payload: object, header: object = {}, jwk = signingKey()): Promise<string> {
  return new SignJWT({ ...payload })
    .setProtectedHeader({ alg: 'RS256', kid: signingKey().kid ?? '', typ: 'logout+jwt', ...header })
    .sign(await importJWK(jwk, 'RS256'))
}

describe('a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6)', () => {
  it('comes when the person signs out at the provider, and names the session that the sign-on had', async () => {
    const secrets = newSecrets()
    const jar = new CookieJar()
    const url = await clinicians.begin({ ...secrets, assurance: 2, framed: false })
    const callback = await signInAt(url, { person: 'gp' }, jar)
    const { providerSession } = await clinicians.finish(callback, { ...secrets, assurance: 2 })

    await signOutAt(new URL(`${hospital.issuer}/sign-out`), jar)

    expect(hospital.problems).toEqual([])
    expect(hospital.logoutTokens).toHaveLength(1)
    expect(await clinicians.readLogoutToken(hospital.logoutTokens[0] ?? '')).toEqual({
      issuer: hospital.issuer,
      subject: '555254239101',
      providerSession,
      jti: expect.stringMatching(/^.{10,}$/),
      iat: expect.any(Number),
    })
  })

  it.each<[string, object, object]>([
    ['as the specification writes it', {}, {}],
    ['with several audiences', { aud: ['other', 'launch-gateway'] }, {}],
    ['with the session only', { sub: undefined }, {}],
    ['with the person only', { sid: undefined }, {}],
    ['without a type', {}, { typ: undefined }],
    ['without an expiry, which is optional here', { exp: undefined }, {}],
  ])('is read %s', async (_, changes, header) => {
    const token = await sign({ ...claims(), ...changes }, header)
    expect((await clinicians.readLogoutToken(token)).jti).toBe('jti-1')
  })

  it.each<[string, () => object, object?]>([
    ['for another client', () => ({ aud: 'another' })],
    ['without an audience', () => ({ aud: undefined })],
    ['from another issuer', () => ({ iss: 'https://other.example' })],
    ['with a nonce: it is an id_token', () => ({ nonce: 'n' })],
    ['with an empty nonce', () => ({ nonce: null })],
    ['without events', () => ({ events: undefined })],
    ['about another event', () => ({ events: { 'http://other': {} } })],
    ['whose event is no object', () => ({ events: { [EVENT]: true } })],
    ['whose events are a list', () => ({ events: [EVENT] })],
    ['without a jti', () => ({ jti: undefined })],
    ['without iat', () => ({ iat: undefined })],
    ['older than five minutes', () => ({ iat: NOW_SECONDS() - 340, exp: undefined })],
    ['made in the future', () => ({ iat: NOW_SECONDS() + 90 })],
    ['expired', () => ({ exp: NOW_SECONDS() - 60 })],
    ['that names neither person nor session', () => ({ sub: undefined, sid: undefined })],
    ['that is another kind of token', () => ({}), { typ: 'at+jwt' }],
    ['of an unknown key', () => ({}), { kid: 'made-up' }],
  ])('is refused %s', async (_, changes, header = {}) => {
    const token = await sign({ ...claims(), ...changes() }, header)
    expect(await refusalOf(clinicians.readLogoutToken(token))).toBe('logout_token_invalid')
  })

  it.each<[string, () => Promise<string>]>([
    ['unsigned', async () => unsigned(claims())],
    [
      'signed with the public key as a secret',
      async () => {
        const { kty, n, e, kid } = signingKey()
        return signedWithPublicKey(claims(), { kty: kty ?? 'RSA', n, e, kid } as never)
      },
    ],
    [
      'signed by another key',
      async () => {
        const { privateKey } = await generateKeyPair('RS256')
        const header = { alg: 'RS256', kid: signingKey().kid ?? '' }
        return new SignJWT(claims()).setProtectedHeader(header).sign(privateKey)
      },
    ],
    ['that is no token', async () => 'nonsense'],
    ['that is empty', async () => ''],
    ['of a megabyte', async () => 'x'.repeat(1_000_000)],
  ])('is refused %s', async (_, token) => {
    expect(await refusalOf(clinicians.readLogoutToken(await token()))).toBe('logout_token_invalid')
  })

  it('waits for another day when the keys cannot be had: the provider will send it again', async () => {
    const away = { ...configFor(hospital), issuer: 'http://127.0.0.1:9/oidc' }
    const party = openClinicianProvider(away, Date.now)
    expect(await refusalOf(party.readLogoutToken(await sign(claims())))).toBe('sign_on_unavailable')
  })
})
