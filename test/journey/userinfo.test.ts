/** Who the user is, told to the app. @see OIDC Core §5.3, §5.5 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import {
  App,
  type Change,
  call,
  claimsIn,
  launchTo,
  type Tokens,
  tokensOf,
} from '../app-by-hand.js'
import { type BackEnds, exchangeAs, introspected, openWithBackEnds } from '../back-ends.js'
import { STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { handleOf, type Order, open } from '../launching.js'
import { entriesOf, expectRefused } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const NAMES = { userinfo: { name: null }, id_token: { name: null } }

describe.each(STORES)('userinfo on the %s store', (store) => {
  let ends: BackEnds
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    ends = await openWithBackEnds(store)
    t = ends.t
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  }, 60_000)
  afterAll(() => t?.close())

  const at = () => new URL('/oauth/userinfo', t.issuer)
  const read = async (token: string) => JSON.parse((await call(t, token, '/oauth/userinfo')).text)
  const started = async (change: Change, order: Order = { system: 'gp-push' }) => {
    const app = new App(t, new UserAgent(), order.app)
    const code = await app.code(handleOf(await open(t, app.browser, order)), change)
    return tokensOf(await app.redeem(code))
  }
  const SUB = '555254239101'

  it('says whom the id_token says, and fhirUser where it was granted', async () => {
    const answer = await call(t, tokens.access_token, '/oauth/userinfo')
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
    expect(JSON.parse(answer.text)).toEqual({
      sub: claimsIn(tokens.id_token).sub,
      fhirUser: `${t.issuer}/fhir/Practitioner/${SUB}`,
    })
    const bare = await started({ scope: 'launch openid patient/Patient.r' })
    expect(await read(bare.access_token)).toEqual({ sub: SUB })
  })

  it('takes the token in the header of GET and POST, and in the form of a POST (RFC 6750 §2)', async () => {
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const form = { access_token: tokens.access_token }
    for (const sent of [
      { headers },
      { headers, method: 'POST' },
      { headers, form: {} },
      { form },
    ]) {
      const answer = await send(at(), sent)
      expect([answer.status, JSON.parse(answer.text).sub]).toEqual([200, SUB])
    }
  })

  it('takes it nowhere else, and never twice', async () => {
    const query = new URL(`?access_token=${tokens.access_token}`, at())
    await expectRefused(t, await send(query), 'token_missing', 401)
    await expectRefused(t, await send(query, { method: 'POST' }), 'token_missing', 401)
    const twice = await send(at(), {
      form: { access_token: tokens.access_token },
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    await expectRefused(t, twice, 'parameter_invalid', 400)
    const empty = await send(at(), { form: { access_token: '' } })
    await expectRefused(t, empty, 'token_missing', 401)
    const long = await send(at(), { form: { access_token: 'a'.repeat(9000) } })
    await expectRefused(t, long, 'token_invalid', 401)
  })

  it('asks for the scope openid, whatever the token’s audience', async () => {
    const only = await started({ scope: 'launch patient/Patient.r' })
    await expectRefused(
      t,
      await call(t, only.access_token, '/oauth/userinfo'),
      'scope_insufficient',
      403,
    )
    expect(claimsIn(tokens.access_token).aud).not.toContain(t.issuer)
    const bare = await started({ scope: 'launch openid' })
    expect(claimsIn(bare.access_token).aud).toEqual([t.issuer])
    expect(await read(bare.access_token)).toEqual({ sub: SUB })
    const refused = await call(t, 'x', '/oauth/userinfo')
    expect(refused.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('says the name with the scope profile, or where the app asked for it by name (§5.5)', async () => {
    const named = await started({ claims: JSON.stringify(NAMES) })
    const told = await read(named.access_token)
    expect(told.name).toMatch(/^Dr /)
    expect(claimsIn(named.id_token).name).toBe(told.name)
    expect(claimsIn(tokens.id_token)).not.toHaveProperty('name')
    const once = await started({ claims: JSON.stringify({ id_token: { name: null } }) })
    expect(await read(once.access_token)).not.toHaveProperty('name')
  })

  it('says a name that is not in ASCII, which the id_token leaves out', async () => {
    const name = 'Björk Łukasz'
    const claims = ({ practitioner }: { readonly practitioner: object }) => ({
      practitioner: { ...practitioner, name },
    })
    const own = await started({ claims: JSON.stringify(NAMES) }, { system: 'gp-push', claims })
    expect((await read(own.access_token)).name).toBe(name)
    expect(claimsIn(own.id_token)).not.toHaveProperty('name')
  })

  it('is signed for an app that is registered so, for that app', async () => {
    const scope = 'launch openid profile'
    const own = await started({ scope }, { system: 'gp-push', app: 'key-app' })
    const answer = await call(t, own.access_token, '/oauth/userinfo')
    expect(answer.headers['content-type']).toBe('application/jwt')
    expect(decodeProtectedHeader(answer.text).alg).toBe('ES256')
    expect(decodeJwt(answer.text)).toMatchObject({ iss: t.issuer, aud: 'key-app', sub: SUB })
    expect(decodeJwt(answer.text).name).toMatch(/^Dr /)
    expect((await introspected(ends, 'reader', answer.text)).active).toBe(false)
  })

  it('gives a back end no more than its scopes, not what the app asked for by name', async () => {
    const own = await started({ claims: JSON.stringify(NAMES) })
    const token = tokensOf(await exchangeAs(ends, 'back-end', own.access_token)).access_token
    expect(await read(token)).toEqual({ sub: SUB })
  })

  it('can be read from the app’s own pages, and from no others', async () => {
    const origin = APP_ORIGINS['care-plan'] ?? ''
    const headers = { origin, 'access-control-request-headers': 'authorization' }
    const preflight = await send(at(), { method: 'OPTIONS', headers })
    expect(preflight.headers['access-control-allow-origin']).toBe(origin)
    const stranger = await call(t, tokens.access_token, '/oauth/userinfo', {
      headers: { origin: 'https://elsewhere.example' },
    })
    expect(stranger.headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('is in the trail, by the names of the claims', async () => {
    const { tokens: own } = await launchTo(t, { system: 'gp-push' })
    await read(own.access_token)
    const entries = await entriesOf(t, { launch: own.__launch })
    expect(entries.at(-1)).toMatchObject({
      ...{ what: 'access_allowed', app: 'care-plan' },
      detail: { interaction: 'userinfo', claims: ['sub', 'fhirUser'] },
    })
  })
})
