import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type ClinicianProvider, openClinicianProvider } from '../../src/identity/clinician.js'
import { openTestHospital, type TestHospital } from '../demo/hospital-provider.js'
import { signInAt } from '../demo/sign-in.js'
import { configFor, newSecrets, refusalOf } from './relying-party.js'

let hospital: TestHospital
let clinicians: ClinicianProvider

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockReturnValue()
  hospital = await openTestHospital()
  clinicians = openClinicianProvider(configFor(hospital), Date.now)
})
afterAll(() => hospital.close())

describe('a callback that does not belong to the journey is refused', () => {
  const back = async (): Promise<{ callback: URL; secrets: ReturnType<typeof newSecrets> }> => {
    const secrets = newSecrets()
    const url = await clinicians.begin({ ...secrets, assurance: 2, framed: false })
    return { callback: await signInAt(url, { person: 'gp', assurance: 2 }), secrets }
  }
  const other = newSecrets()

  it.each([
    ['another state (RFC 6749 §10.12)', { state: other.state }],
    ['another nonce (OIDC Core §3.1.3.7, 11)', { nonce: other.nonce }],
    ['another verifier (RFC 7636 §4.6)', { verifier: other.verifier }],
  ])('with %s', async (_, wrong) => {
    const { callback, secrets } = await back()
    const finished = clinicians.finish(callback, { ...secrets, ...wrong, assurance: 2 })
    expect(await refusalOf(finished)).toBe('sign_on_failed')
  })

  it.each<[string, (callback: URL) => void]>([
    ['another iss (RFC 9207 §2.4)', ({ searchParams }) => searchParams.set('iss', 'https://other')],
    ['two iss', ({ searchParams }) => searchParams.append('iss', '/')],
    ['no iss', ({ searchParams }) => searchParams.delete('iss')],
    ['no code', ({ searchParams }) => searchParams.delete('code')],
    ['two codes', ({ searchParams }) => searchParams.append('code', 'second')],
    ['two states', ({ searchParams }) => searchParams.append('state', 'second')],
    ['an altered code', ({ searchParams }) => searchParams.set('code', 'altered')],
    ['no parameters at all', (callback) => (callback.search = '')],
  ])('with %s', async (_, alter) => {
    const { callback, secrets } = await back()
    alter(callback)
    const finished = clinicians.finish(callback, { ...secrets, assurance: 2 })
    expect(await refusalOf(finished)).toBe('sign_on_failed')
  })

  it('a second time with the same code', async () => {
    const { callback, secrets } = await back()
    await clinicians.finish(callback, { ...secrets, assurance: 2 })
    const again = clinicians.finish(callback, { ...secrets, assurance: 2 })
    expect(await refusalOf(again)).toBe('sign_on_failed')
  })

  it('as cancelled by somebody who does not know the state', async () => {
    const callback = new URL(hospital.redirectUri)
    callback.search = `${new URLSearchParams({ error: 'access_denied', iss: hospital.issuer, state: 'x' })}`
    const finished = clinicians.finish(callback, { ...newSecrets(), assurance: 2 })
    expect(await refusalOf(finished)).toBe('sign_on_failed')
  })

  it('but counts by its parameters only: a proxy in front of us may have changed its host', async () => {
    const { callback, secrets } = await back()
    const inner = new URL(`http://10.0.0.7:3000/inner${callback.search}`)
    expect(await refusalOf(clinicians.finish(inner, { ...secrets, assurance: 2 }))).toBe(
      'not refused',
    )
  })
})
