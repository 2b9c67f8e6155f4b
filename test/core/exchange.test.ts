import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { covers } from '../../src/core/authorization.js'
import { readMetadata, rowOf } from '../../src/core/client-metadata.js'
import { clientRow } from '../../src/core/client-registration.js'
import { exchangedScopes } from '../../src/core/exchange.js'
import { Refusal } from '../../src/core/refusal.js'
import { readScope, writeScope } from '../../src/core/scope.js'
import type { AccessClaims } from '../../src/core/token.js'

const KEY = { jwks: { keys: [{ kty: 'EC', kid: '1' }] }, type: 'key', id: 'end', name: 'End' }
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const row = (more: object) => clientRow.safeParse({ ...KEY, scopes: ['openid'], ...more })
const problems = (more: object) => row(more).error?.issues.map(({ path }) => path.join('.')) ?? []

const letters = fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }).map((set) => set.join(''))
const one = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('patient', 'user', 'system'),
      fc.constantFrom('*', 'Patient', 'CarePlan'),
      letters,
    )
    .map(([reach, type, set]) => `${reach}/${type}.${set}`),
  fc
    .tuple(fc.constantFrom('a::*', 'a::b.v1', 'a::c.v1', '*'), letters)
    .map(([template, set]) => `patient/composition-${template}.${set}`),
  fc.constantFrom('openid', 'launch', 'patient/Patient.r?active=true', 'patient/Patient.read'),
)
const some = fc.array(one, { minLength: 1, maxLength: 5 })

describe('the scopes of an exchanged token', () => {
  it('lie within the subject token’s and the registration’s, whatever is asked', () => {
    fc.assert(
      fc.property(some, some, fc.option(some, { nil: undefined }), (had, limits, asked) => {
        const subject = { scope: had.join(' ') } as AccessClaims
        let given: readonly string[] = []
        try {
          given = exchangedScopes(asked?.join(' '), subject, { scopes: limits } as never).map(
            writeScope,
          )
        } catch {
          return
        }
        for (const word of given) {
          const scope = readScope(word)
          if (!scope) throw new Error(word)
          // A registered query only narrows what was had without one.
          const bare = scope.kind === 'fhir' ? { ...scope, query: '' } : scope
          expect(covers(had, scope) || covers(had, bare)).toBe(true)
          expect(covers(limits, scope)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are covered by letters of several scopes together, and by no query', () => {
    const covered = (words: string[], asked: string) => {
      const scope = readScope(asked)
      return scope !== undefined && covers(words, scope)
    }
    expect(covered(['patient/Patient.r', 'patient/Patient.s'], 'patient/Patient.rs')).toBe(true)
    expect(covered(['patient/Patient.r'], 'patient/Patient.rs')).toBe(false)
    expect(covered(['patient/*.rs'], 'patient/Patient.r')).toBe(true)
    expect(covered(['patient/Patient.r'], 'patient/*.r')).toBe(false)
    expect(covered(['user/Patient.r'], 'patient/Patient.r')).toBe(false)
    expect(covered(['patient/Patient.r?active=true'], 'patient/Patient.r')).toBe(false)
    expect(covered(['patient/Patient.r'], 'patient/Patient.r?active=true')).toBe(true)
  })
})

describe('a registration', () => {
  // biome-ignore format: a table
  it.each<[string, object, readonly string[]]>([
    ['of a back end says whose',                    { grant_types: [EXCHANGE], exchanges_for: ['care-plan'] }, []],
    ['of a back end names no app',                  { grant_types: [EXCHANGE] },                               ['exchanges_for']],
    ['exchanges without the grant type',            { grant_types: ['client_credentials'], exchanges_for: ['care-plan'] }, ['exchanges_for']],
    ['exchanges its own tokens',                    { grant_types: [EXCHANGE], exchanges_for: ['end'] },       ['exchanges_for']],
    ['of a service is by a key',                    { grant_types: ['client_credentials'] },                   []],
    ['of a service is by a secret',                 { grant_types: ['client_credentials'], type: 'secret', secret_hash: 'a'.repeat(43), jwks: undefined }, ['grant_types']],
    ['of a service is public',                      { grant_types: ['client_credentials'], type: 'public' },   ['grant_types']],
    ['of a service has a person’s number (RFC 9068 §5)', { grant_types: ['client_credentials'], id: '555254239101' }, ['id']],
    ['of a certificate’s key at an address',        { type: 'certificate', jwks: undefined, jwks_uri: 'https://a.example/jwks', redirect_uris: ['https://a.example/'] }, []],
    ['of a certificate without name or key',        { type: 'certificate', jwks: undefined, redirect_uris: ['https://a.example/'] }, ['tls_client_auth_subject_dn']],
    ['of a certificate by a name and by a key',     { type: 'certificate', tls_client_auth_san_dns: 'a.example', redirect_uris: ['https://a.example/'] }, ['tls_client_auth_subject_dn']],
    ['of an app whose tokens need no key demands nonces', { dpop_nonce: 'required', redirect_uris: ['https://a.example/'] }, ['dpop_nonce']],
    ['of an app whose tokens need a key demands nonces', { dpop_nonce: 'required', dpop_bound_access_tokens: true, redirect_uris: ['https://a.example/'] }, []],
    ['of profile fapi2 demands nonces',             { dpop_nonce: 'required', profile: 'fapi2', redirect_uris: ['https://a.example/'] }, []],
    ['of a certificate demands nonces',             { dpop_nonce: 'required', type: 'certificate', redirect_uris: ['https://a.example/'] }, ['dpop_nonce']],
    ['lets grants live longer than a year',         { offline_lifetime: 31_536_001, redirect_uris: ['https://a.example/'] }, ['offline_lifetime']],
    ['of a public app introspects',                 { type: 'public', redirect_uris: ['https://a.example/'], introspects: true }, ['introspects']],
  ])('%s: what is wrong with it', (_, more, wrong) => {
    expect(problems(more)).toEqual(wrong)
  })
})

describe('metadata of an app that registers itself', () => {
  const RULES = {
    profile: 'smart',
    scopes: ['openid'],
    certificates: true,
    grants: ['authorization_code'],
  } as const
  const BY_NAME = { tls_client_auth_san_dns: 'a.example' }
  const KEYS = { jwks_uri: 'https://a.example/jwks' }
  /** What it becomes, or the member that is refused. */
  const read = (more: object) => {
    const sent = { redirect_uris: ['https://a.example/back'], ...more }
    try {
      return clientRow.parse(
        rowOf('dynamic-1', readMetadata(sent, 'dynamic-1', RULES), RULES, undefined),
      )
    } catch (error) {
      if (error instanceof Refusal) return error.detail.replace(/:.*/, '')
      throw error
    }
  }
  const [named, own] = ['tls_client_auth', 'self_signed_tls_client_auth']

  // biome-ignore format: a table
  it.each<[string, object, unknown]>([
    ['a name that an authority vouches for',      { token_endpoint_auth_method: named, ...BY_NAME },           { certificate: BY_NAME }],
    ['the same, and keys for its requests',       { token_endpoint_auth_method: named, ...BY_NAME, ...KEYS },  { certificate: BY_NAME, keys: { jwksUri: KEYS.jwks_uri } }],
    ['an authority, and keys in a name’s place',  { token_endpoint_auth_method: named, ...KEYS },              'tls_client_auth_subject_dn'],
    ['its own certificate, by an address',        { token_endpoint_auth_method: own, ...KEYS },                { keys: { jwksUri: KEYS.jwks_uri } }],
    ['its own certificate, and a name',           { token_endpoint_auth_method: own, ...KEYS, ...BY_NAME },    'self_signed_tls_client_auth'],
    ['nonces in the proofs of its key',           { token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true, dpop_nonce: 'required' }, { bound: 'key', nonceRequired: true }],
    ['nonces, and no key',                        { token_endpoint_auth_method: 'none', dpop_nonce: 'required' }, 'dpop_nonce'],
    ['nonces in a word of its own',               { token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true, dpop_nonce: true }, 'dpop_nonce'],
  ])('%s', (_what, more, expected) => {
    const found = read(more)
    if (typeof expected === 'string') expect(found).toBe(expected)
    else expect(found).toMatchObject(expected as object)
    if (typeof found !== 'string' && 'keys' in found && !('tls_client_auth_san_dns' in more))
      expect(found).not.toHaveProperty('certificate')
  })
})
