import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Clinician } from '../../src/core/clinician-claims.js'
import type { Assurance } from '../../src/core/roles.js'
import {
  type ClinicianProvider,
  type ClinicianProviderConfig,
  openClinicianProvider,
} from '../../src/identity/clinician.js'
import { openTestHospital, type TestHospital } from '../demo/hospital-provider.js'
import { CookieJar, type SignInChoice, signInAt } from '../demo/sign-in.js'
import { configFor, newSecrets, refusalOf } from './relying-party.js'

let hospital: TestHospital
let clinicians: ClinicianProvider
const started = Date.now()
let now = started
const seconds = (): number => Math.floor(now / 1000)

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockReturnValue()
  hospital = await openTestHospital(() => now)
  clinicians = open({})
})
afterEach(() => {
  now = started
})
afterAll(() => hospital.close())

const open = (changes: Partial<ClinicianProviderConfig>): ClinicianProvider =>
  openClinicianProvider({ ...configFor(hospital), ...changes }, () => now)

type Asked = Parameters<ClinicianProvider['finish']>[1]

/** One journey to the provider and back. `alter` is what the user does to the address on the way. */
async function journey(
  choice: SignInChoice,
  {
    party = clinicians,
    assurance = 2,
    jar = new CookieJar(),
    alter = () => {},
    forceLogin = false,
    ...asked
  }: Partial<Asked> & {
    party?: ClinicianProvider
    assurance?: Assurance
    jar?: CookieJar
    alter?: (url: URL) => void
    forceLogin?: boolean
  } = {},
): Promise<Clinician> {
  const secrets = newSecrets()
  const url = await party.begin({ ...secrets, assurance, framed: false, forceLogin })
  alter(url)
  const callback = await signInAt(url, choice, jar)
  return party.finish(callback, { ...secrets, assurance, ...asked })
}

describe('a clinician who signs on at the OpenID provider (OIDC Core §3.1)', () => {
  it('comes back as the person, role and organisation that the provider knows', async () => {
    expect(await journey({ person: 'gp', assurance: 2 })).toEqual({
      user: {
        localId: '555254239101',
        name: 'Dr Amara Okafor',
        sdsUserId: '555254239101',
        sdsRoleProfileId: '555254240101',
        roleCodes: ['S0010:G0020:R0260'],
        activityCodes: ['B0360', 'B0380', 'B8028'],
      },
      organization: 'A83001',
      organizationName: 'Fernbank Surgery',
      assurance: 2,
      authentication: { time: seconds(), acr: 'AAL2_ANY', amr: ['TOTP'] },
      issuer: hospital.issuer,
      providerSession: expect.stringMatching(/^.{20,}$/),
    })
  })

  it('has the assurance of the smartcard when it was used', async () => {
    const clinician = await journey({ person: 'paramedic', assurance: 3 }, { assurance: 3 })
    expect(clinician.assurance).toBe(3)
    expect(clinician.authentication.acr).toBe('AAL3_ANY')
  })

  it.each([
    ['555254240104', '8HK21'],
    ['555254240114', 'RQX01'],
  ])(
    'works in the one role that was chosen, %s, wherever it stands in the list',
    async (role, organization) => {
      const clinician = await journey({ person: 'hospice-consultant', role })
      expect(clinician.user.sdsRoleProfileId).toBe(role)
      expect(clinician.organization).toBe(organization)
    },
  )

  it('is not signed on without any role', async () => {
    expect(await refusalOf(journey({ person: 'no-role' }))).toBe('role_absent')
  })

  it('is not signed on when the provider was not asked which role was chosen', async () => {
    const party = open({ scope: 'openid profile nationalrbacaccess' })
    expect(await refusalOf(journey({ person: 'gp' }, { party }))).toBe('role_unselected')
  })

  it('may cancel, and is told so', async () => {
    expect(await refusalOf(journey({ person: 'gp', cancel: true }))).toBe('sign_on_cancelled')
  })

  it('is not asked again while the provider knows them', async () => {
    const jar = new CookieJar()
    await journey({ person: 'gp' }, { jar })
    const again = await journey({ person: 'receptionist' }, { jar })
    expect(again.user.localId).toBe('555254239101')
  })

  it('may sign in as somebody else when a fresh sign-in is demanded, in a new session', async () => {
    const jar = new CookieJar()
    const first = await journey({ person: 'gp' }, { jar })
    const second = await journey(
      { person: 'practice-nurse' },
      { jar, forceLogin: true, since: seconds() },
    )
    expect(second.user.localId).toBe('555254239102')
    expect(second.providerSession).not.toBe(first.providerSession)
  })
})

describe('what is asked of the provider', () => {
  it('is in the address: PKCE, state, nonce, assurance, age, window and hint', async () => {
    const secrets = newSecrets()
    const party = open({ maxAge: 300 })
    const url = await party.begin({
      ...{ ...secrets, assurance: 3, framed: true, forceLogin: true },
      loginHint: '555254239101',
    })
    expect(url.origin + url.pathname).toBe(`${hospital.issuer}/auth`)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'launch-gateway',
      response_type: 'code',
      redirect_uri: hospital.redirectUri,
      scope: 'openid profile nationalrbacaccess selectedrole associatedorgs',
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      acr_values: 'AAL3_ANY',
      max_age: '300',
      prompt: 'login',
      display: 'popup',
      login_hint: '555254239101',
    })
    expect(url.href).not.toContain(secrets.verifier)
  })

  it('is a stronger sign-in when the one they have is too weak', async () => {
    const jar = new CookieJar()
    const weak = await journey({ person: 'gp', assurance: 2 }, { jar })
    const strong = await journey({ person: 'gp', assurance: 3 }, { jar, assurance: 3 })
    expect([weak.assurance, strong.assurance]).toEqual([2, 3])
  })

  it('is held against the answer: a weaker sign-in than asked is refused', async () => {
    const alter = (url: URL): void => url.searchParams.set('acr_values', 'AAL2_ANY')
    const weak = journey({ person: 'gp', assurance: 2 }, { assurance: 3, alter })
    expect(await refusalOf(weak)).toBe('sign_on_failed')
  })

  it('is a fresh sign-in once the last is older than max_age', async () => {
    const jar = new CookieJar()
    now = started - 400_000
    await journey({ person: 'gp' }, { jar })
    now = started
    const party = open({ maxAge: 300 })
    const again = await journey({ person: 'practice-nurse' }, { party, jar, maxAge: 300 })
    expect(again.user.localId).toBe('555254239102')
  })

  it.each([
    ['max_age was taken out of the address', { maxAge: 300 }],
    ['a fresh sign-in was demanded', { since: Math.floor(started / 1000) }],
  ])('is held against the answer: an old sign-in is refused when %s', async (_, asked) => {
    const jar = new CookieJar()
    now = started - 400_000
    await journey({ person: 'gp' }, { jar })
    now = started
    expect(await refusalOf(journey({ person: 'gp' }, { jar, ...asked }))).toBe('sign_on_failed')
  })

  it.each([
    ['at max_age with the allowed clock difference', 330, 'not refused'],
    ['one second past it', 331, 'sign_on_failed'],
  ])('accepts a sign-in %s', async (_, age, outcome) => {
    const jar = new CookieJar()
    now = started - age * 1000
    await journey({ person: 'gp' }, { jar })
    now = started
    expect(await refusalOf(journey({ person: 'gp' }, { jar, maxAge: 300 }))).toBe(outcome)
  })
})
