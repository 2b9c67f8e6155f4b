import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { calculateJwkThumbprint } from 'jose'
import {
  DPOP_ALGORITHMS,
  isThumbprint,
  judgeProof,
  type ProofClaims,
  readProof,
  targetUri,
  thumbprint,
} from '../../src/core/dpop.js'
import { Refusal } from '../../src/core/refusal.js'
import { hashed, proofBy, proofKey, unsigned } from '../dpop-by-hand.js'

const NOW = 1_562_262_616_000
const SKEW = 30
const TOKEN_ENDPOINT = 'https://server.example.com/token'
const RESOURCE = 'https://resource.example.org/protectedresource'

/** RFC 9449 §4.1, figure 2: a proof at the token endpoint. */
const AT_TOKEN =
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik' +
  'VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR' +
  'nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE' +
  'QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj' +
  'oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia' +
  'WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg' +
  '4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'
/** §6.1: what a token that is bound to that key says. */
const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
/** §7.1, figure 12: a token, and the `ath` of the proof beside it. */
const ACCESS_TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
const ATH = 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'taken'
}

const claimsOf = (change: Partial<ProofClaims> = {}): ProofClaims => ({
  ...{ jti: '-BwC3ESc6acc2lTc', htm: 'POST', htu: TOKEN_ENDPOINT, iat: NOW / 1000 },
  ...change,
})

describe('The examples of RFC 9449', () => {
  it('are read as they are meant: key, thumbprint and claims (§4.1, §6.1)', () => {
    const proof = readProof(AT_TOKEN)
    expect(proof.alg).toBe('ES256')
    expect(proof.jkt).toBe(THUMBPRINT)
    expect(proof.claims).toEqual(claimsOf())
  })

  it('hold for the request that they were made for', () => {
    const { claims } = readProof(AT_TOKEN)
    const request = { method: 'POST', uri: TOKEN_ENDPOINT }
    expect(judgeProof(claims, request, NOW, SKEW)).toBe(NOW + 90_000)
  })

  it('name the token beside them by its hash (§7.1)', () => {
    const claims = claimsOf({ htm: 'GET', htu: RESOURCE, ath: ATH })
    const request = { method: 'GET', uri: RESOURCE, accessToken: ACCESS_TOKEN }
    expect(codeOf(() => judgeProof(claims, request, NOW, SKEW))).toBe('taken')
  })
})

describe('A thumbprint (RFC 7638)', () => {
  it.each(DPOP_ALGORITHMS)('of a key for %s is what jose makes of it', async (alg) => {
    const key = proofKey(alg)
    const proof = readProof(proofBy(key, claimsOf(), { jwk: { ...key.jwk, kid: 'x', x5c: [] } }))
    expect(proof.jkt).toBe(await calculateJwkThumbprint(key.jwk))
    expect(isThumbprint(proof.jkt)).toBe(true)
  })

  it('is the same whatever the order of members', () => {
    const { key } = readProof(AT_TOKEN)
    const turned = Object.fromEntries(Object.entries(key).reverse()) as typeof key
    expect(thumbprint(turned)).toBe(THUMBPRINT)
  })
})

describe('A proof cannot be read', () => {
  const ec = proofKey('ES256')
  const rsa = proofKey('PS256')
  const modulusOf = (octets: number, first: number) =>
    Buffer.concat([Buffer.from([first]), Buffer.alloc(octets - 1, 1)]).toString('base64url')
  const rsaOf = (octets: number, first: number) =>
    proofBy(rsa, claimsOf(), { jwk: { kty: 'RSA', e: 'AQAB', n: modulusOf(octets, first) } })

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['that is empty',                      ''],
    ['that is no JWS',                     'x'],
    ['without a signature',                `${unsigned(ec, claimsOf())}.`],
    ['with a fourth part',                 `${proofBy(ec, claimsOf())}.x`],
    ['with another behind a comma',        `${proofBy(ec, claimsOf())}, ${proofBy(ec, claimsOf())}`],
    ['with padding',                       proofBy(ec, claimsOf()).replace('.', '=.')],
    ['whose header is no JSON',            'eA.eA.eA'],
    ['whose header is an array',           'W10.e30.eA'],
    ['whose header is null',               'bnVsbA.e30.eA'],
    ['longer than any',                    proofBy(ec, claimsOf({ nonce: 'x'.repeat(8192) } ))],
    ['of another type',                    proofBy(ec, claimsOf(), { typ: 'at+jwt' })],
    ['of no type',                         proofBy(ec, claimsOf(), { typ: undefined })],
    ['of a type in capitals',              proofBy(ec, claimsOf(), { typ: 'DPOP+JWT' })],
    ['that is not signed',                 proofBy(ec, claimsOf(), { alg: 'none' })],
    ['with a symmetric algorithm',         proofBy(ec, claimsOf(), { alg: 'HS256' })],
    ['with an algorithm that we have not', proofBy(ec, claimsOf(), { alg: 'RS256' })],
    ['with an algorithm named like a built-in', proofBy(ec, claimsOf(), { alg: 'constructor' })],
    ['without an algorithm',               proofBy(ec, claimsOf(), { alg: undefined })],
    ['with an algorithm of other keys',    proofBy(ec, claimsOf(), { alg: 'ES384' })],
    ['with critical extensions',           proofBy(ec, claimsOf(), { crit: ['b64'], b64: false })],
    ['with empty critical extensions',     proofBy(ec, claimsOf(), { crit: [] })],
    ['without a key',                      proofBy(ec, claimsOf(), { jwk: undefined })],
    ['with the address of a key',          proofBy(ec, claimsOf(), { jwk: undefined, jku: 'https://elsewhere.example' })],
    ['with a key that is a text',          proofBy(ec, claimsOf(), { jwk: 'x' })],
    ['with the private half of its key',   proofBy(ec, claimsOf(), { jwk: ec.signing.export({ format: 'jwk' }) })],
    ['with an empty private member',       proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, d: '' } })],
    ['with one private member of RSA',     proofBy(rsa, claimsOf(), { jwk: { ...rsa.jwk, dp: 'AA' } })],
    ['with a symmetric key',               proofBy(ec, claimsOf(), { jwk: { kty: 'oct', k: 'AAAA' } })],
    ['with a symmetric part',              proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, k: 'AAAA' } })],
    ['with a key of another curve',        proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, crv: 'P-384' } })],
    ['with half a point',                  proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, y: undefined } })],
    ['with a long coordinate',             proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, x: `AAAA${ec.jwk.x}` } })],
    ['with a key for sealing',             proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, use: 'enc' } })],
    ['with a key for another algorithm',   proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, alg: 'ES384' } })],
    ['with a key that may not verify',     proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, key_ops: ['sign'] } })],
    ['with an RSA key of 2047 bits',       rsaOf(256, 0x7f)],
    ['with an RSA key of 1024 bits',       rsaOf(128, 0xff)],
    ['with zeros before its RSA key',      rsaOf(257, 0)],
    ['with an RSA key of 8200 bits',       rsaOf(1025, 0xff)],
    ['without jti',                        proofBy(ec, claimsOf(), {}).replace(/\.[^.]+\./, `.${Buffer.from('{"htm":"POST","htu":"x","iat":1}').toString('base64url')}.`)],
    ['with an empty jti',                  proofBy(ec, claimsOf({ jti: '' }))],
    ['with a jti of 201 characters',       proofBy(ec, claimsOf({ jti: 'x'.repeat(201) }))],
    ['with a jti that is a number',        proofBy(ec, claimsOf({ jti: 1 as never }))],
    ['without htm',                        proofBy(ec, { ...claimsOf(), htm: undefined })],
    ['without htu',                        proofBy(ec, { ...claimsOf(), htu: undefined })],
    ['without iat',                        proofBy(ec, { ...claimsOf(), iat: undefined })],
    ['with a time that is a text',         proofBy(ec, { ...claimsOf(), iat: '1562262616' })],
    ['with a nonce that is a list',        proofBy(ec, { ...claimsOf(), nonce: ['x'] })],
  ])('%s', (_what, jws) => {
    expect(codeOf(() => readProof(jws))).toBe('dpop_invalid')
  })

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['a jti of 200 characters',     proofBy(ec, claimsOf({ jti: 'x'.repeat(200) }))],
    ['an RSA key of 2048 bits',     rsaOf(256, 0x80)],
    ['an RSA key of 8192 bits',     rsaOf(1024, 0xff)],
    ['a key as browsers write it',  proofBy(ec, claimsOf(), { jwk: { ...ec.jwk, ext: true, key_ops: ['verify'], use: 'sig', alg: 'ES256' } })],
    ['claims that we do not know',  proofBy(ec, { ...claimsOf(), more: { x: 1 } })],
  ])('but can with %s', (_what, jws) => {
    expect(codeOf(() => readProof(jws))).toBe('taken')
  })

  it('and never fails in another way, whatever is sent', () => {
    const part = fc.oneof(
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.base64String(),
    )
    const any = fc.oneof(
      fc.string(),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    )
    fc.assert(
      fc.property(any, (text) => {
        expect(codeOf(() => readProof(text))).toBe('dpop_invalid')
      }),
    )
  })
})

describe('The address of a proof (§4.3, number 9; RFC 3986 §6.2)', () => {
  const OURS = 'https://gateway.example/fhir/Patient/a~b'

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['itself',                        OURS],
    ['with a query',                  `${OURS}?_id=1`],
    ['with a query and a fragment',   `${OURS}?_id=1#part`],
    ['with a fragment',               `${OURS}#?x`],
    ['with its standard port',        'https://gateway.example:443/fhir/Patient/a~b'],
    ['with an empty port',            'https://gateway.example:/fhir/Patient/a~b'],
    ['in capitals where case is free','HTTPS://Gateway.EXAMPLE/fhir/Patient/a~b'],
    ['with dot segments',             'https://gateway.example/x/../fhir/./Patient/a~b'],
    ['encoded more than it must be',  'https://gateway.example/%66hir/Patient/a%7eb'],
  ])('%s is the same', (_what, htu) => {
    expect(targetUri(htu)).toBe(OURS)
  })

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['another scheme',            'http://gateway.example/fhir/Patient/a~b'],
    ['another host',              'https://elsewhere.example/fhir/Patient/a~b'],
    ['another port',              'https://gateway.example:8443/fhir/Patient/a~b'],
    ['another path',              'https://gateway.example/fhir/Patient/a~c'],
    ['a path in capitals',        'https://gateway.example/fhir/patient/a~b'],
    ['a slash at the end',        'https://gateway.example/fhir/Patient/a~b/'],
    ['a double slash',            'https://gateway.example//fhir/Patient/a~b'],
    ['a slash that is encoded',   'https://gateway.example/fhir%2fPatient/a~b'],
    ['an encoding of an encoding','https://gateway.example/fhir/Patient/a%257Eb'],
    ['a dot after the host',      'https://gateway.example./fhir/Patient/a~b'],
    ['user information',          'https://gateway.example@gateway.example/fhir/Patient/a~b'],
    ['our host as a user',        'https://gateway.example@elsewhere.example/fhir/Patient/a~b'],
    ['backslashes',               'https:\\\\gateway.example\\fhir\\Patient\\a~b'],
    ['a line break',              'https://gateway.example/fhir/\nPatient/a~b'],
    ['a space before',            ' https://gateway.example/fhir/Patient/a~b'],
    ['no scheme',                 '//gateway.example/fhir/Patient/a~b'],
    ['a path alone',              '/fhir/Patient/a~b'],
    ['nothing',                   ''],
  ])('with %s is another', (_what, htu) => {
    expect(targetUri(htu)).not.toBe(OURS)
  })

  it('is its own normal form, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), (text) => {
        const once = targetUri(text)
        if (once !== undefined) expect(targetUri(once)).toBe(once)
      }),
    )
  })

  it('that cannot be read is no address, even when ours cannot be either', () => {
    const request = { method: 'POST', uri: 'https://gateway.example/a b' }
    expect(codeOf(() => judgeProof(claimsOf({ htu: request.uri }), request, NOW, SKEW))).toBe(
      'dpop_invalid',
    )
  })
})

describe('A proof held against its request', () => {
  const judged = (change: Partial<ProofClaims>, now = NOW, accessToken?: string): string =>
    codeOf(() =>
      judgeProof(
        claimsOf(change),
        { method: 'POST', uri: TOKEN_ENDPOINT, ...(accessToken ? { accessToken } : {}) },
        now,
        SKEW,
      ),
    )
  const at = NOW / 1000

  // biome-ignore format: a table
  it.each<[string, Partial<ProofClaims>, string]>([
    ['of another method',                    { htm: 'GET' },                 'dpop_invalid'],
    ['of a method in small letters',         { htm: 'post' },                'dpop_invalid'],
    ['for another address',                  { htu: RESOURCE },              'dpop_invalid'],
    ['for this address with a query',        { htu: `${TOKEN_ENDPOINT}?a` }, 'taken'],
    ['from 30 seconds ahead',                { iat: at + 30 },               'taken'],
    ['from a moment more ahead',             { iat: at + 30.001 },           'dpop_invalid'],
    ['from almost 90 seconds ago',           { iat: at - 89.999 },           'taken'],
    ['from 90 seconds ago',                  { iat: at - 90 },               'dpop_invalid'],
    ['from the far future',                  { iat: 1e300 },                 'dpop_invalid'],
    ['from before time',                     { iat: -1e300 },                'dpop_invalid'],
    ['that expired within the skew',         { exp: at - 29.999 },           'taken'],
    ['that expired before the skew',         { exp: at - 30 },               'dpop_invalid'],
    ['that holds from the end of the skew',  { nbf: at + 30 },               'taken'],
    ['that holds only later',                { nbf: at + 31 },               'dpop_invalid'],
  ])('%s', (_what, change, code) => {
    expect(judged(change)).toBe(code)
  })

  // biome-ignore format: a table
  it.each<[string, string | undefined, string]>([
    ['that names it',                ATH,                  'taken'],
    ['that names no token',          undefined,            'dpop_invalid'],
    ['that names another token',     hashed('another'),    'dpop_invalid'],
    ['that names it in other words', `${ATH}=`,            'dpop_invalid'],
    ['that holds it in clear',       ACCESS_TOKEN,         'dpop_invalid'],
  ])('beside a token %s', (_what, ath, code) => {
    const claims = ath === undefined ? {} : { ath }
    expect(judged(claims, NOW, ACCESS_TOKEN)).toBe(code)
  })

  it('is fresh until the moment that it answers, and not at it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -90, max: 29 }), (offset) => {
        const claims = claimsOf({ iat: at + offset })
        const request = { method: 'POST', uri: TOKEN_ENDPOINT }
        const until = judgeProof(claims, request, NOW - 90_000, SKEW + 120)
        expect(codeOf(() => judgeProof(claims, request, until - 1, SKEW + 120))).toBe('taken')
        expect(codeOf(() => judgeProof(claims, request, until, SKEW + 120))).toBe('dpop_invalid')
      }),
    )
  })
})
