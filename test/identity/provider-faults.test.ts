import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair } from 'jose'
import { Refusal } from '../../src/core/refusal.js'
import {
  type ClinicianProvider,
  type ClinicianProviderConfig,
  openClinicianProvider,
} from '../../src/identity/clinician.js'
import {
  NOW_SECONDS,
  openPretendProvider,
  type PretendProvider,
  signedWithPublicKey,
  unsigned,
} from './pretend-provider.js'
import { configFor, newSecrets, refusalOf } from './relying-party.js'

let pretend: PretendProvider
let config: ClinicianProviderConfig
let now = Date.now()
const open = (changes: Partial<ClinicianProviderConfig> = {}): ClinicianProvider =>
  openClinicianProvider({ ...config, ...changes }, () => now)

beforeAll(async () => {
  pretend = await openPretendProvider()
  const { privateKey } = await generateKeyPair('ES256')
  config = configFor({
    issuer: pretend.issuer,
    redirectUri: 'https://gateway.example/sign-in/callback',
    key: { key: privateKey, kid: 'gateway-1' },
  })
})
beforeEach(() => {
  now = Date.now()
  Object.assign(pretend.answers, {
    metadata: {},
    userinfo: pretend.userinfo(),
    status: { token: 200, userinfo: 200, jwks: 200, metadata: 200 },
    silent: false,
    tired: false,
    keys: [pretend.publicJwk],
  })
  Object.assign(pretend.asked, { metadata: 0, jwks: 0 })
})
afterAll(() => pretend.close())

const begun = (party: ClinicianProvider): Promise<URL> =>
  party.begin({ ...newSecrets(), assurance: 2, framed: false })

/** A callback to a journey whose id_token is what `token` makes of faultless claims. */
async function finish(
  token: (claims: Record<string, unknown>) => string | Promise<string>,
  party: ClinicianProvider = open(),
): Promise<unknown> {
  const secrets = newSecrets()
  pretend.answers.idToken = await token(pretend.idClaims(secrets.nonce))
  const callback = new URL('https://gateway.example/sign-in/callback')
  const back = { code: 'c', state: secrets.state, iss: pretend.issuer }
  callback.search = new URLSearchParams(back).toString()
  return party.finish(callback, { ...secrets, assurance: 2 })
}
const signed = (claims: Record<string, unknown>): Promise<string> => pretend.sign(claims)

describe('an id_token that its provider did not sign is refused', () => {
  it('while a faultless one passes, so that each refusal below has one cause', async () => {
    expect(await finish(signed)).toMatchObject({ organization: 'A83001', assurance: 3 })
  })

  it('unsigned (alg none), although the provider says that it supports it', async () => {
    expect(await refusalOf(finish(unsigned))).toBe('sign_on_failed')
  })

  it('signed with the public key as a secret (RFC 8725 §2.1)', async () => {
    const forged = finish((claims) => signedWithPublicKey(claims, pretend.publicJwk))
    expect(await refusalOf(forged)).toBe('sign_on_failed')
  })

  it('signed by another key under the name of its own', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const forged = finish((claims) => pretend.sign(claims, {}, privateKey))
    expect(await refusalOf(forged)).toBe('sign_on_failed')
  })

  it('signed by a key that the token itself carries', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const header = { kid: 'mine', jwk: pretend.publicJwk, jku: 'http://127.0.0.1:1/jwks' }
    const forged = finish((claims) => pretend.sign(claims, header, privateKey))
    expect(await refusalOf(forged)).toBe('sign_on_failed')
  })

  it('altered after it was signed', async () => {
    const altered = finish(async (claims) => {
      const [head, , signature] = (await signed(claims)).split('.')
      const body = JSON.stringify({ ...claims, selected_roleid: '555254240104' })
      return `${head}.${Buffer.from(body).toString('base64url')}.${signature}`
    })
    expect(await refusalOf(altered)).toBe('sign_on_failed')
  })
})

describe('an answer that is signed but wrong is refused', () => {
  it.each([
    ['for another client', { aud: 'another' }],
    ['from another issuer', { iss: 'https://other.example' }],
    ['from the issuer with a slash more', () => ({ iss: `${pretend.issuer}/` })],
    ['expired', () => ({ exp: NOW_SECONDS() - 60 })],
    ['without a nonce', { nonce: undefined }],
    ['without auth_time', { auth_time: undefined }],
    ['of an auth_time to come', () => ({ auth_time: NOW_SECONDS() + 90 })],
    ['of a weakly proven identity', { id_assurance_level: '2' }],
    ['without an identity level', { id_assurance_level: undefined }],
    ['of a weaker sign-in than asked', { authentication_assurance_level: '1' }],
    ['of an assurance that is no number', { authentication_assurance_level: true }],
    ['of a user who is no SDS user', { sub: 'somebody' }],
  ])('an id_token %s', async (_, changes) => {
    const wrong = typeof changes === 'function' ? changes : () => changes
    const finished = finish((claims) => signed({ ...claims, ...wrong() }))
    expect(await refusalOf(finished)).toBe('sign_on_failed')
  })

  it.each([
    ['of another subject (OIDC Core §5.3.2)', { sub: '555254239102' }],
    ['whose uid is not its sub', { uid: '555254239102' }],
    ['whose nhsid_useruid is not its sub', { nhsid_useruid: '555254239102' }],
    ['without a uid', { uid: undefined }],
    ['larger than any clinician has', { padding: 'x'.repeat(600_000) }],
  ])('a userinfo %s', async (_, changes) => {
    pretend.answers.userinfo = { ...pretend.userinfo(), ...changes }
    expect(await refusalOf(finish(signed))).toMatch(/^sign_on_(failed|unavailable)$/)
  })

  it('a role that is not in the list', async () => {
    const finished = finish((claims) => signed({ ...claims, selected_roleid: '555254240999' }))
    expect(await refusalOf(finished)).toBe('role_unselected')
  })
})

describe('a provider that cannot be asked', () => {
  it('is unavailable when nothing listens there', async () => {
    const party = open({ issuer: 'http://127.0.0.1:9/op' })
    expect(await refusalOf(begun(party))).toBe('sign_on_unavailable')
  })

  it('is unavailable when it does not answer in time', async () => {
    pretend.answers.silent = true
    expect(await refusalOf(begun(open({ timeoutSeconds: 0.05 })))).toBe('sign_on_unavailable')
  })

  it.each(['metadata', 'token', 'userinfo', 'jwks'] as const)(
    'is unavailable when its %s endpoint breaks',
    async (endpoint) => {
      pretend.answers.status[endpoint] = 503
      expect(await refusalOf(finish(signed))).toBe('sign_on_unavailable')
    },
  )

  it('is asked again at the next attempt, and works once it is back', async () => {
    const party = open()
    pretend.answers.status.metadata = 503
    expect(await refusalOf(begun(party))).toBe('sign_on_unavailable')
    pretend.answers.status.metadata = 200
    expect(await refusalOf(begun(party))).toBe('not refused')
  })

  it('may close a connection just as more is asked on it, and nobody signs on in vain', async () => {
    pretend.answers.tired = true
    expect(await finish(signed)).toMatchObject({ organization: 'A83001' })
  })

  it('says nothing of codes or tokens in its refusal', async () => {
    pretend.answers.status.token = 503
    const error = await finish(signed).catch((e: unknown) => e)
    expect((error as Refusal).detail).toBe(`${pretend.issuer}/token: 503`)
    expect(error).toBeInstanceOf(Refusal)
  })
})

describe('what the provider says of itself (OpenID Connect Discovery §4.3)', () => {
  it('is not asked before the first journey, and once for many at a time', async () => {
    const party = open()
    expect(pretend.asked.metadata).toBe(0)
    await Promise.all(Array.from({ length: 10 }, () => begun(party)))
    expect(pretend.asked.metadata).toBe(1)
  })

  it('is kept for an hour', async () => {
    const party = open()
    await begun(party)
    now += 3_599_000
    await begun(party)
    expect(pretend.asked.metadata).toBe(1)
    now += 1_000
    await begun(party)
    expect(pretend.asked.metadata).toBe(2)
  })

  it.each([
    ['another issuer', { issuer: 'https://other.example' }],
    ['an issuer with a slash more', () => ({ issuer: `${pretend.issuer}/` })],
    ['an issuer that only a parser finds equal', () => ({ issuer: `${pretend.issuer}/../op` })],
    ['a sign-in page in clear text elsewhere', { authorization_endpoint: 'http://far.example/a' }],
    ['keys in clear text elsewhere', { jwks_uri: 'http://far.example/jwks' }],
    ['a script as its sign-in page', { authorization_endpoint: 'javascript:alert(1)' }],
    ['no keys', { jwks_uri: undefined }],
  ])('is refused with %s', async (_, metadata) => {
    pretend.answers.metadata = typeof metadata === 'function' ? metadata() : metadata
    expect(await refusalOf(begun(open()))).toBe('sign_on_failed')
  })

  it('does not make us call in clear text elsewhere', async () => {
    pretend.answers.metadata = { token_endpoint: 'http://far.example/token' }
    expect(await refusalOf(finish(signed))).toBe('sign_on_unavailable')
  })

  it('must come by https, but for loopback in the demonstration', () => {
    expect(() => open({ allowHttp: false })).toThrow('expected https')
    expect(() => open({ issuer: 'http://far.example/op' })).toThrow('expected https')
  })
})

describe('keys of the provider', () => {
  it('are not fetched anew for every made-up key name', async () => {
    const party = open()
    await finish(signed, party)
    for (const kid of ['made-up-1', 'made-up-2', 'made-up-3']) {
      const forged = finish((claims) => pretend.sign(claims, { kid }), party)
      expect(await refusalOf(forged)).toBe('sign_on_failed')
    }
    expect(pretend.asked.jwks).toBe(1)
  })

  it('are fetched anew for a key that the provider changed to, five minutes after the last time', async () => {
    const party = open()
    await finish(signed, party)
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const next = { ...(await exportJWK(publicKey)), kid: 'pretend-2', alg: 'RS256', use: 'sig' }
    pretend.answers.keys = [next]
    const signedByNext = (claims: Record<string, unknown>): Promise<string> =>
      pretend.sign(claims, { kid: 'pretend-2' }, privateKey)
    expect(await refusalOf(finish(signedByNext, party))).toBe('sign_on_failed')

    now += 301_000
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now)
    expect(await refusalOf(finish(signedByNext, party))).toBe('not refused')
    clock.mockRestore()
    expect(pretend.asked.jwks).toBe(2)
  })
})
