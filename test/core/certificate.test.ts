import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import {
  bearsName,
  type Certificate,
  type CertificateName,
  holdsKey,
  isExpectation,
  isInTime,
  LONGEST_CERTIFICATE,
  readCertificate,
  subjectText,
} from '../../src/core/certificate.js'
import { readName } from '../../src/core/distinguished-name.js'
import {
  type AlternativeName,
  certificate,
  newKeyPair,
  type Rdn,
  type Wanted,
} from '../certificates.js'

const read = (wanted: Wanted): Certificate => {
  const found = readCertificate(certificate(wanted).der)
  if (!found) throw new Error('a certificate that cannot be read')
  return found
}
const bears = (wanted: Wanted, name: CertificateName, value: string): boolean =>
  bearsName({ [name]: value }, read(wanted))

describe('A certificate', () => {
  const made = certificate({ subject: [{ C: 'GB' }, { O: 'Example Trust' }, { CN: 'care-app' }] })
  const base64 = made.der.toString('base64')

  it('reads the same as DER, as base64 and as PEM', () => {
    const found = readCertificate(made.der)
    expect(found).toBeDefined()
    for (const form of [base64, made.pem, made.pem.replaceAll('\n', '\r\n')])
      expect(readCertificate(form)).toEqual(found)
  })

  it('has the thumbprint that a bound token carries: SHA-256 of its bytes (RFC 8705 §3.1)', () => {
    const expected = createHash('sha256').update(made.der).digest('base64url')
    expect(readCertificate(made.der)?.thumbprint).toBe(expected)
  })

  // biome-ignore format: a table
  it.each<[string, Uint8Array | string]>([
    ['nothing',                          ''],
    ['no bytes',                         Buffer.alloc(0)],
    ['other text',                       'care-app'],
    ['something behind it',              Buffer.concat([made.der, Buffer.from([0])])],
    ['its last byte missing',            made.der.subarray(0, -1)],
    ['PEM handed in as bytes',           Buffer.from(made.pem)],
    ['two of them',                      made.pem + made.pem],
    ['a text before it',                 `subject=/CN=admin\n${made.pem}`],
    ['a private key',                    made.keyPem],
    ['a certificate beside its key',     made.pem + made.keyPem],
    ['base64 with a comma',              `${base64},${base64}`],
    ['base64 with spaces',               base64.replace(/.{64}/g, '$& ')],
    ['base64url',                        `${base64.replace(/=+$/, '')}_-`],
    ['PEM without its end',              made.pem.split('-----END')[0] ?? ''],
  ])('is none with %s', (_, sent) => {
    expect(readCertificate(sent)).toBeUndefined()
  })

  it('is read up to 16 KiB and no further', () => {
    const sized = (length: number) =>
      certificate({ by: made, subject: [{ CN: 'x'.repeat(length) }] }).der
    const around = sized(15_000).length - 15_000
    const longest = sized(LONGEST_CERTIFICATE - around)
    // ECDSA signatures differ by a byte or two in length.
    expect(Math.abs(longest.length - LONGEST_CERTIFICATE)).toBeLessThan(4)
    expect(readCertificate(sized(LONGEST_CERTIFICATE - around - 4))).toBeDefined()
    expect(readCertificate(sized(LONGEST_CERTIFICATE - around + 4))).toBeUndefined()
  })

  it('is valid from its first to its last second, both included (RFC 5280 §4.1.2.5)', () => {
    const [from, to] = [Date.parse('2031-05-06T07:08:09Z'), Date.parse('2055-05-06T07:08:09Z')]
    const found = read({ from, to })
    const valid = (now: number) => isInTime(found, now)
    expect([from - 1, from, to, to + 999, to + 1000].map(valid)).toEqual([
      ...[false, true, true, true, false],
    ])
  })
})

describe('A subject', () => {
  // biome-ignore format: a table
  const TRICKY: readonly [string, readonly Rdn[], string][] = [
    ['plain',                            [{ C: 'GB' }, { O: 'Trust' }, { CN: 'app' }],       'CN=app,O=Trust,C=GB'],
    ['with separators in its values',    [{ O: 'A, B + C; <D> "E" \\ =F' }],                 'O=A\\, B \\+ C\\; \\<D\\> \\"E\\" \\\\ \\=F'],
    ['with space and # at the ends',     [{ O: ' a ' }, { OU: '#b' }, { CN: 'c#' }],         'CN=c#,OU=\\#b,O=\\ a\\ '],
    ['with a set of two',                [{ O: 'T' }, { serialNumber: '7', CN: 'app' }],     'CN=app+SERIALNUMBER=7,O=T'],
    ['in other alphabets',               [{ CN: 'Zoë Ødegård 東京' }],                        'CN=Zoë Ødegård 東京'],
    ['with a NUL',                       [{ CN: 'app\0.example' }],                          'CN=app\\00.example'],
    ['with a line break',                [{ CN: 'app\nO=Trust' }],                           'CN=app\\0aO\\=Trust'],
    ['with types of its own',            [{ '1.2.3.4': 'x' }, { '2.5.4.97': 'NTRGB-1' }],    'ORGANIZATIONIDENTIFIER=NTRGB-1,1.2.3.4=x'],
    ['with an e-mail address',           [{ DC: 'uk' }, { emailAddress: 'a@b.uk' }],         'EMAILADDRESS=a@b.uk,DC=uk'],
    ['with an empty value',              [{ O: '' }, { CN: 'app' }],                         'CN=app,O='],
    ['in UTF-16',                        [{ CN: Buffer.from('1e0400410042', 'hex') }],       'CN=AB'],
    ['in Latin-1',                       [{ CN: Buffer.from('14035a6feb', 'hex') }],         'CN=Zoë'],
  ]

  it.each(TRICKY)('%s is told in the form of RFC 4514 and known by it', (_, subject, text) => {
    expect(subjectText(read({ subject }))).toBe(text)
    expect(bears({ subject }, 'tls_client_auth_subject_dn', text)).toBe(true)
  })

  it('is known by its own text alone, each of them', () => {
    for (const [, subject] of TRICKY) {
      const found = read({ subject })
      const known = TRICKY.filter(([, , text]) =>
        bearsName({ tls_client_auth_subject_dn: text }, found),
      )
      expect(known).toHaveLength(1)
    }
  })

  const APP: readonly Rdn[] = [{ C: 'GB' }, { O: 'Trust, A' }, { CN: 'app', serialNumber: '7' }]

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['as it is',                         'CN=app+serialNumber=7,O=Trust\\, A,C=GB'],
    ['its set in the other order',       'serialNumber=7+CN=app,O=Trust\\, A,C=GB'],
    ['types in other case',              'cn=app+SERIALNUMBER=7,o=Trust\\, A,c=GB'],
    ['types in full',                    'commonName=app+serialNumber=7,organizationName=Trust\\, A,countryName=GB'],
    ['types as numbers',                 '2.5.4.3=app+2.5.4.5=7,OID.2.5.4.10=Trust\\, A,2.5.4.6=GB'],
    ['a value escaped as octets',        'CN=app+serialNumber=7,O=Trust\\2C A,C=\\47\\42'],
    ['a value as its encoding',          'CN=#0C03617070+serialNumber=#130137,O=Trust\\, A,C=GB'],
    ['space around separators',          'CN = app + serialNumber = 7 , O = Trust\\, A, C=GB '],
  ])('is known when registered with %s', (_, text) => {
    expect(isExpectation({ tls_client_auth_subject_dn: text })).toBe(true)
    expect(bears({ subject: APP }, 'tls_client_auth_subject_dn', text)).toBe(true)
  })

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['the other way round',              'C=GB,O=Trust\\, A,CN=app+serialNumber=7'],
    ['a set taken apart',                'CN=app,serialNumber=7,O=Trust\\, A,C=GB'],
    ['a part of it',                     'CN=app+serialNumber=7,O=Trust\\, A'],
    ['more than it',                     'OU=x,CN=app+serialNumber=7,O=Trust\\, A,C=GB'],
    ['a value in other case',            'CN=App+serialNumber=7,O=Trust\\, A,C=GB'],
    ['space within a value',             'CN=app+serialNumber=7,O=Trust\\,  A,C=GB'],
    ['space that belongs to a value',    'CN=app\\ +serialNumber=7,O=Trust\\, A,C=GB'],
    ['another type',                     'UID=app+serialNumber=7,O=Trust\\, A,C=GB'],
    ['a type like a built-in',           'constructor=app+serialNumber=7,O=Trust\\, A,C=GB'],
  ])('is not known when registered with %s', (_, text) => {
    expect(isExpectation({ tls_client_auth_subject_dn: text })).toBe(true)
    expect(bears({ subject: APP }, 'tls_client_auth_subject_dn', text)).toBe(false)
  })

  // biome-ignore format: a table
  it.each<[string, string]>([
    ['nothing',                          ''],
    ['a word',                           'app'],
    ['a slash form',                     '/C=GB/CN=app+'],
    ['an open end',                      'CN=app,'],
    ['an open set',                      'CN=app+'],
    ['no type',                          '=app'],
    ['a bare quotation',                 'O="Trust, A"'],
    ['a bare separator',                 'O=a;CN=b'],
    ['a lone escape',                    'CN=app\\'],
    ['an unknown escape',                'CN=app\\x'],
    ['octets that spell nothing',        'CN=\\C3'],
    ['an encoding that is no text',      'CN=#020105'],
    ['an encoding of another length',    'CN=#0C0561'],
    ['half an octet',                    'CN=#0C0161a'],
    ['more than a thousand characters',  `CN=${'x'.repeat(1000)}`],
  ])('cannot be registered as %s', (_, text) => {
    expect(isExpectation({ tls_client_auth_subject_dn: text })).toBe(false)
  })

  it('that is empty, or whose text is none, has no name to be known by', () => {
    expect(subjectText(read({ subject: [] }))).toBe('(no subject)')
    expect(bears({ subject: [] }, 'tls_client_auth_subject_dn', '')).toBe(false)
    const broken = certificate({ subject: [{ CN: Buffer.from('0c02c328', 'hex') }] })
    expect(readCertificate(broken.der)).toBeUndefined()
  })

  // biome-ignore format: a table
  it.each<[string, (size: number) => boolean]>([
    ['a name of spaces and a quotation mark',  (size) => readName(`cn=${' '.repeat(size)}"`) === undefined],
    ['a name of spaces before its type',       (size) => readName(`${' '.repeat(size)}"`) === undefined],
    ['a name of spaces around its separator',  (size) => readName(`cn${' '.repeat(size)}"`) === undefined],
    ['a name of spaces after its value',       (size) => readName(`cn=a${' '.repeat(size)}"`) === undefined],
    ['an address of at signs',                 (size) => !bearsName({ tls_client_auth_san_email: 'a@app.example' }, { names: { email: [`${'@'.repeat(size)} `] } } as never)],
    ['a name of a value in hexadecimal',       (size) => readName(`cn=#${'00'.repeat(size)}x`) === undefined],
  ])('is read in no time from %s', (_what, isRefused) => {
    // A reader that tries each space again needs minutes of this process's own time for so many.
    const began = process.cpuUsage()
    expect(isRefused(300_000)).toBe(true)
    expect(process.cpuUsage(began).user / 1_000_000).toBeLessThan(5)
  })

  it('of fifteen thousand escapes is read at once', () => {
    const by = certificate({ authority: true })
    const found = read({ by, subject: [{ CN: ' ,+"\\'.repeat(3000) }] })
    expect(found.subject?.[0]?.[0]?.[1]).toHaveLength(15_000)
  })
})

describe('Alternative names', () => {
  const names: readonly AlternativeName[] = [
    ['dns', 'App.Example.NHS.uk'],
    ['dns', '*.wild.example'],
    ['uri', 'https://app.example/id?a=1,2'],
    ['ip', '0a000001'],
    ['ip', '20010db8000000000000000000000001'],
    ['email', 'Ops@App.Example'],
  ]

  // biome-ignore format: a table
  it.each<[CertificateName, string, boolean]>([
    ['tls_client_auth_san_dns',   'app.example.nhs.uk',               true],
    ['tls_client_auth_san_dns',   'APP.example.nhs.uk',               true],
    ['tls_client_auth_san_dns',   'example.nhs.uk',                   false],
    ['tls_client_auth_san_dns',   'a.wild.example',                   false],
    ['tls_client_auth_san_dns',   '10.0.0.1',                         false],
    ['tls_client_auth_san_uri',   'https://app.example/id?a=1,2',     true],
    ['tls_client_auth_san_uri',   'https://app.example/id?a=1',       false],
    ['tls_client_auth_san_uri',   'https://App.example/id?a=1,2',     false],
    ['tls_client_auth_san_ip',    '10.0.0.1',                         true],
    ['tls_client_auth_san_ip',    '2001:db8::1',                      true],
    ['tls_client_auth_san_ip',    '2001:0DB8:0:0:0:0:0:1',            true],
    ['tls_client_auth_san_ip',    '2001:db8::2',                      false],
    ['tls_client_auth_san_ip',    '10.0.0.2',                         false],
    ['tls_client_auth_san_email', 'Ops@app.example',                  true],
    ['tls_client_auth_san_email', 'ops@app.example',                  false],
    ['tls_client_auth_san_email', 'Ops@example',                      false],
  ])('are compared: %s %s is %s', (name, value, expected) => {
    expect(isExpectation({ [name]: value })).toBe(true)
    expect(bears({ alternatives: names }, name, value)).toBe(expected)
  })

  // biome-ignore format: a table
  it.each<[CertificateName, string]>([
    ['tls_client_auth_san_dns',   '*.wild.example'],
    ['tls_client_auth_san_dns',   '.example'],
    ['tls_client_auth_san_dns',   'app.example.'],
    ['tls_client_auth_san_dns',   ''],
    ['tls_client_auth_san_dns',   'app.example, DNS:b.example'],
    ['tls_client_auth_san_uri',   'app.example'],
    ['tls_client_auth_san_uri',   'https://app.example/ id'],
    ['tls_client_auth_san_ip',    '010.0.0.1'],
    ['tls_client_auth_san_ip',    '10.0.0.1.'],
    ['tls_client_auth_san_ip',    '10.0.0.256'],
    ['tls_client_auth_san_ip',    '10.1'],
    ['tls_client_auth_san_ip',    '1]/[::1'],
    ['tls_client_auth_san_ip',    '[::1]'],
    ['tls_client_auth_san_email', 'app.example'],
    ['tls_client_auth_san_email', '@app.example'],
    ['tls_client_auth_san_email', 'ops@'],
    ['tls_client_auth_san_email', 'ops @app.example'],
  ])('cannot be registered as %s %p', (name, value) => {
    expect(isExpectation({ [name]: value })).toBe(false)
  })

  it('are not the subject, nor one another (a common name is no host)', () => {
    const subject: readonly Rdn[] = [{ CN: 'app.example' }]
    expect(bears({ subject }, 'tls_client_auth_san_dns', 'app.example')).toBe(false)
    const uri: Wanted = { subject, alternatives: [['uri', 'https://app.example']] }
    expect(bears(uri, 'tls_client_auth_san_dns', 'app.example')).toBe(false)
    const other: Wanted = {
      alternatives: [
        ['dns', '10.0.0.1'],
        ['email', 'a@app.example'],
      ],
    }
    expect(bears(other, 'tls_client_auth_san_ip', '10.0.0.1')).toBe(false)
    expect(bears(other, 'tls_client_auth_san_dns', 'app.example')).toBe(false)
  })

  // biome-ignore format: a table
  it.each<[string, AlternativeName]>([
    ['a comma in a host',                ['dns', 'evil.example, DNS:app.example']],
    ['a quotation in a host',            ['dns', 'evil.example", DNS:app.example']],
    ['a NUL in a host',                  ['dns', 'app.example\0.evil.example']],
    ['a line break in a host',           ['dns', 'evil.example\nDNS:app.example']],
    ['a comma in an address',            ['uri', 'https://evil.example/, DNS:app.example']],
    ['a directory name',                 ['directory', 'x, DNS:app.example']],
    ['a colon in an e-mail address',     ['email', 'a@evil.example, DNS:app.example']],
    ['an address of one byte',           ['ip', '0a']],
    ['an identifier',                    ['oid', '1.2.3.4']],
  ])('cannot be made up by %s', (_, name) => {
    const found = read({ alternatives: [name] })
    expect(bearsName({ tls_client_auth_san_dns: 'app.example' }, found)).toBe(false)
    expect(bearsName({ tls_client_auth_san_ip: '10.0.0.1' }, found)).toBe(false)
    const beside = read({ alternatives: [name, ['dns', 'app.example']] })
    expect(bearsName({ tls_client_auth_san_dns: 'app.example' }, beside)).toBe(true)
  })
})

describe('A registration', () => {
  it('names exactly one of the five (RFC 8705 §2.1.2)', () => {
    const two = { tls_client_auth_san_dns: 'app.example', tls_client_auth_subject_dn: 'CN=app' }
    const found = read({ subject: [{ CN: 'app' }], alternatives: [['dns', 'app.example']] })
    for (const expected of [{}, two]) {
      expect(isExpectation(expected)).toBe(false)
      expect(bearsName(expected, found)).toBe(false)
    }
    const one = { ...two, tls_client_auth_san_dns: undefined }
    expect([isExpectation(one), bearsName(one, found)]).toEqual([true, true])
  })
})

describe('A registered key (RFC 8705 §2.2)', () => {
  const pair = newKeyPair()
  const own = certificate({ key: pair.privateKey, publicKey: pair.publicKey })
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig' }
  const other = { ...newKeyPair().publicKey.export({ format: 'jwk' }) }
  const x5c = (made: { der: Buffer }) => [made.der.toString('base64')]
  const holds = (...keys: Record<string, unknown>[]) =>
    holdsKey(keys, readCertificate(own.der) as Certificate)

  it('is known by its members among others', () => {
    expect(holds(other, jwk)).toBe(true)
    expect([holds(), holds(other)]).toEqual([false, false])
  })

  it('is known by its certificate, also after that was renewed under the same key', () => {
    const renewed = certificate({ key: pair.privateKey, publicKey: pair.publicKey })
    expect(holds({ ...jwk, x5c: x5c(own) })).toBe(true)
    expect(holds({ ...jwk, x5c: x5c(renewed) })).toBe(true)
  })

  // biome-ignore format: a table
  it.each<[string, Record<string, unknown>]>([
    ['a certificate of another key',     { ...jwk, x5c: x5c(certificate({})) }],
    ['a certificate that is none',       { ...jwk, x5c: ['AAAA'] }],
    ['no certificate in its list',       { ...jwk, x5c: [] }],
    ['a text instead of a list',         { ...jwk, x5c: x5c(own)[0] }],
    ['half a point',                     { ...jwk, y: undefined }],
    ['another curve',                    { ...jwk, crv: 'P-384' }],
    ['another kind',                     { ...jwk, kty: 'OKP' }],
    ['a kind that is none',              { ...jwk, kty: 'constructor' }],
    ['nothing but a kind',               { kty: 'EC' }],
    ['the same kid',                     { ...other, kid: '1' }],
  ])('is not known with %s', (_, key) => {
    expect(holds(key)).toBe(false)
  })

  // biome-ignore format: a table
  it.each([
    ['RSA',     generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-384',   generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('may be %s', (_, { publicKey }) => {
    // The signature is another key's: a self-signed certificate's own is never looked at.
    const found = readCertificate(certificate({ key: pair.privateKey, publicKey }).der)
    const registered = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
    const keys = [{ ...registered.export({ format: 'jwk' }) }]
    expect(found && holdsKey(keys, found)).toBe(true)
    expect(holds(...keys)).toBe(false)
  })

  it('of a kind that JWK has no form for is never known', () => {
    const { publicKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
    const found = readCertificate(certificate({ key: pair.privateKey, publicKey }).der)
    expect(found?.publicKey).toBeUndefined()
    expect(found && holdsKey([jwk, { kty: undefined }], found)).toBe(false)
  })
})
