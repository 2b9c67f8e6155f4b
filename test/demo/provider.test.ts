import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose'
import { calculatePKCECodeChallenge } from 'openid-client'
import { openTestHospital, type TestHospital, USERS } from './hospital-provider.js'
import { CookieJar, type SignInChoice, signInAt, signOutAt, visit } from './sign-in.js'

const VERIFIER = 'a-verifier-that-is-long-enough-for-the-specification'
let hospital: TestHospital

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockReturnValue()
  hospital = await openTestHospital()
})
afterAll(() => hospital.close())

async function authorizationUrl(changes: Record<string, string> = {}): Promise<URL> {
  const url = new URL(`${hospital.issuer}/auth`)
  url.search = new URLSearchParams({
    client_id: 'launch-gateway',
    response_type: 'code',
    redirect_uri: hospital.redirectUri,
    scope: 'openid profile nationalrbacaccess selectedrole associatedorgs',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: await calculatePKCECodeChallenge(VERIFIER),
    code_challenge_method: 'S256',
    acr_values: 'AAL2_OR_AAL3_ANY',
    ...changes,
  }).toString()
  return url
}

async function assertion(key = hospital.key.key): Promise<string> {
  return new SignJWT({ jti: `${Math.random()}` })
    .setProtectedHeader({ alg: 'ES256', kid: hospital.key.kid })
    .setIssuer('launch-gateway')
    .setSubject('launch-gateway')
    .setAudience(hospital.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(key)
}

async function redeem(callback: URL, key = hospital.key.key): Promise<Record<string, string>> {
  const response = await fetch(`${hospital.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: hospital.redirectUri,
      code_verifier: VERIFIER,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(key),
    }),
  })
  return (await response.json()) as Record<string, string>
}

const signIn = async (choice: SignInChoice): Promise<URL> =>
  signInAt(await authorizationUrl(), choice)

/** The sign-in page, and where its form goes. */
async function firstPage(jar: CookieJar, changes: Record<string, string> = {}) {
  const begun = await visit(jar, await authorizationUrl(changes))
  const url = new URL(begun.headers.get('location') ?? '', hospital.issuer)
  const response = await visit(jar, url)
  return { url, response, page: await response.text() }
}

describe('the pretend OpenID provider, in the shape of NHS CIS2', () => {
  it('publishes what a relying party needs to know', async () => {
    const response = await fetch(`${hospital.issuer}/.well-known/openid-configuration`)
    expect(await response.json()).toMatchObject({
      issuer: hospital.issuer,
      authorization_endpoint: `${hospital.issuer}/auth`,
      acr_values_supported: ['AAL3_ANY', 'AAL2_OR_AAL3_ANY', 'AAL2_ANY'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_session_supported: true,
    })
  })

  it('puts the sign-in into the id_token and the person into userinfo', async () => {
    const tokens = await redeem(
      await signIn({ person: 'hospice-consultant', role: '555254240114' }),
    )
    expect(decodeProtectedHeader(tokens.id_token ?? '').alg).toBe('RS256')
    expect(decodeJwt(tokens.id_token ?? '')).toEqual({
      ...{ iss: hospital.issuer, aud: 'launch-gateway', sub: '555254239104', nonce: 'the-nonce' },
      ...{ acr: 'AAL3_ANY', amr: ['SMARTCARD'], auth_time: expect.any(Number) },
      ...{ iat: expect.any(Number), exp: expect.any(Number), sid: expect.any(String) },
      authentication_assurance_level: '3',
      id_assurance_level: '3',
      selected_roleid: '555254240114',
    })
    const response = await fetch(`${hospital.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    const userinfo = (await response.json()) as Record<string, unknown>
    expect(userinfo).toMatchObject({
      ...{ sub: '555254239104', uid: '555254239104', nhsid_useruid: '555254239104' },
      ...{ name: 'Dr Helen Marsh', title: 'Dr', given_name: 'Helen', family_name: 'Marsh' },
      nhsid_user_orgs: [{ org_code: '8HK21' }, { org_code: 'RQX01' }],
    })
    expect(userinfo.nhsid_nrbac_roles).toEqual([
      expect.objectContaining({ person_roleid: '555254240104', org_code: '8HK21' }),
      {
        person_orgid: expect.stringMatching(/^\d{12}$/),
        person_roleid: '555254240114',
        org_code: 'RQX01',
        role_name: '"Clinical":"Clinical Provision":"Clinical Practitioner Access Role"',
        role_code: 'S8000:G8000:R8000',
        activities: ['View Detailed Health Records', 'Perform Detailed Health Record'],
        activity_codes: ['B0360', 'B0380'],
      },
    ])
  })

  it('names the issuer in its answer (RFC 9207)', async () => {
    const callback = await signIn({ person: 'gp' })
    expect(callback.searchParams.get('iss')).toBe(hospital.issuer)
    expect(callback.searchParams.get('state')).toBe('the-state')
  })

  it('gives nothing to a client that cannot prove its key', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const answer = await redeem(await signIn({ person: 'gp' }), privateKey)
    expect(answer).toMatchObject({ error: 'invalid_client' })
  })

  it.each([
    ['another redirect address', { redirect_uri: 'https://elsewhere.example/' }],
    ['another client', { client_id: 'somebody' }],
  ])('shows a problem and sends nobody on with %s', async (_, changes) => {
    const response = await visit(new CookieJar(), await authorizationUrl(changes))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('You could not be signed in')
  })
})

describe('its sign-in pages', () => {
  it('may never be framed, nor keep the window from its opener', async () => {
    const jar = new CookieJar()
    const { response } = await firstPage(jar)
    const begun = await visit(jar, await authorizationUrl())
    for (const { headers } of [response, begun]) {
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
    }
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('say that they are pretence, and offer every person', async () => {
    const { page } = await firstPage(new CookieJar())
    expect(page).toContain('This is a pretend sign-in service')
    for (const { name } of USERS) expect(page).toContain(name)
  })

  it('set cookies under names and a path of their own, because cookies know no ports', async () => {
    const jar = new CookieJar()
    const begun = await visit(jar, await authorizationUrl())
    const cookies = begun.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThan(1)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^hospital_oidc[a-z_]*(\.sig)?=/)
      expect(cookie).toMatch(/; path=\/oidc\//)
      expect(cookie).toMatch(/httponly/)
    }
  })

  it('choose beforehand whom the hint names', async () => {
    const { page } = await firstPage(new CookieJar(), { login_hint: '555254239105' })
    expect(page).toMatch(/value="paramedic" required checked/)
  })

  it('offer only the smartcard when the strongest sign-in is asked', async () => {
    const jar = new CookieJar()
    const { url, page } = await firstPage(jar, { acr_values: 'AAL3_ANY' })
    expect(page).not.toContain('Authenticator app')
    const weak = new URLSearchParams({ person: 'gp', assurance: '2' })
    expect((await visit(jar, url, weak)).status).toBe(400)
  })

  it.each([
    ['nobody', {}],
    ['a person who does not exist', { person: 'nobody', assurance: '3' }],
    ['no way to sign in', { person: 'gp' }],
    ['an assurance that is not offered', { person: 'gp', assurance: '1' }],
  ])('ask again after a choice of %s', async (_, fields) => {
    const jar = new CookieJar()
    const { url } = await firstPage(jar)
    const response = await visit(jar, url, new URLSearchParams(fields))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('Choose a person and one of the ways to sign in.')
  })

  it('ask a person of several roles for one, and for one that is theirs', async () => {
    const jar = new CookieJar()
    const { url } = await firstPage(jar)
    const choice = { person: 'hospice-consultant', assurance: '3' }
    const page = await visit(jar, url, new URLSearchParams(choice))
    expect(page.status).toBe(200)
    expect(await page.text()).toMatch(
      /Choose your role[\s\S]*St Bride&#39;s[\s\S]*Capital University/,
    )
    const other = await visit(jar, url, new URLSearchParams({ ...choice, role: '555254240101' }))
    expect(other.status).toBe(400)
  })

  it('belong to the browser that began', async () => {
    const { url } = await firstPage(new CookieJar())
    const response = await visit(new CookieJar(), url)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('This sign-in has expired.')
  })
})

describe('signing out at the provider', () => {
  it('ends its session, so that the next sign-in asks', async () => {
    const jar = new CookieJar()
    await signInAt(await authorizationUrl(), { person: 'gp' }, jar)
    expect(await signOutAt(new URL(`${hospital.issuer}/sign-out`), jar)).toContain('signed out')
    const begun = await visit(jar, await authorizationUrl())
    expect(begun.headers.get('location')).toMatch(/\/oidc\/interaction\//)
    expect(hospital.logoutTokens).toHaveLength(1)
  })

  it('is harmless for somebody who is not signed in', async () => {
    const before = hospital.logoutTokens.length
    const page = await signOutAt(new URL(`${hospital.issuer}/sign-out`), new CookieJar())
    expect(page).toContain('You are signed out')
    expect(hospital.logoutTokens).toHaveLength(before)
  })

  it('is linked from a page that says what this place is', async () => {
    const page = await (await fetch(`${hospital.issuer}/`)).text()
    expect(page).toContain('href="/oidc/sign-out"')
    const style = await fetch(`${hospital.issuer}/style.css`)
    expect(style.headers.get('content-type')).toContain('text/css')
  })
})
