import { describe, expect, it } from '@jest/globals'
import { readAuthorization } from '../../src/core/authorization-request.js'
import { row } from '../standalone.js'

const FHIR = 'https://gateway.example/fhir'
const BASES = ['https://gateway.example', FHIR] as const
const NOW = 1_780_000_000

const sent = {
  ...{ response_type: 'code', client_id: 'reader', state: 'abc', aud: FHIR },
  ...{ scope: 'launch/patient openid patient/Patient.r' },
  ...{ code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' },
}
const reader = { id: 'reader', type: 'public', scopes: sent.scope.split(' ') }

const read = (change: object = {}, members: object = {}) =>
  readAuthorization(
    new Map(Object.entries({ ...sent, ...change })),
    row({ ...reader, ...members }),
    BASES,
    NOW,
  )

describe('an authorize request', () => {
  it('keeps a nonce whole up to its bound, and is refused with a longer one (OIDC Core §3.1.3.7)', () => {
    const nonce = 'n'.repeat(500)
    expect(read({ nonce }).nonce).toBe(nonce)
    expect(() => read({ nonce: `${nonce}n` })).toThrow('parameter_invalid')
  })

  it('takes a resource for an audience, with a slash at its end or without (RFC 8707)', () => {
    for (const named of [FHIR, `${FHIR}/`, 'https://gateway.example', 'https://gateway.example/']) {
      expect(read({ aud: named }).scopes).toHaveLength(3)
      const { aud: _, ...others } = sent
      const resource = new Map(Object.entries({ ...others, resource: named }))
      expect(readAuthorization(resource, row(reader), BASES, NOW).scopes).toHaveLength(3)
    }
    for (const named of [`${FHIR}//`, `${FHIR}/Patient`, 'https://gateway.example.evil', ''])
      expect(() => read({ aud: named })).toThrow('audience_invalid')
  })

  it('is refused where an acr is essential that nobody here gives (OIDC Core §5.5.1.1)', () => {
    const claims = (acr: object) => ({ claims: JSON.stringify({ id_token: { acr } }) })
    const theirs = 'urn:mace:incommon:iap:silver'
    for (const asked of [{ value: theirs }, { values: [theirs, 'AAL4_ANY'] }]) {
      expect(() => read(claims({ ...asked, essential: true }))).toThrow('login_required')
      expect(read(claims(asked)).demand.assurance).toBeUndefined()
    }
    const either = { essential: true, values: [theirs, 'AAL3_ANY'] }
    expect(read(claims(either)).demand.assurance).toBe(3)
    expect(read(claims({ essential: true })).demand.assurance).toBeUndefined()
  })

  it('is refused to an app that is not registered for codes (RFC 6749 §4.1.2.1)', () => {
    const members = { type: 'certificate', tls_client_auth_san_dns: 'app.example' }
    expect(() => read({}, { ...members, grant_types: ['client_credentials'] })).toThrow(
      'grant_type_unregistered',
    )
    expect(read({}, members).scopes).toHaveLength(3)
  })
})
