/** A client's certificate: what it says, and whether it is the one that was registered. @see RFC 8705 */
import { hash as digest, X509Certificate } from 'node:crypto'
import {
  type DistinguishedName,
  isSameName,
  nameText,
  readName,
  readSubject,
} from './distinguished-name.js'
import { type EpochMs, seconds } from './values.js'

/** The bytes of a certificate, at most. One with fifty alternative names has four thousand. */
export const LONGEST_CERTIFICATE = 16_384

/** Alternative names, as the certificate spells them. */
export type AlternativeNames = Readonly<Record<'dns' | 'uri' | 'ip' | 'email', readonly string[]>>

/** What a certificate says. Nothing in it is proven yet but that its caller holds its key. */
export interface Certificate {
  /** SHA-256 of its bytes, as `cnf` of a bound token carries it. @see RFC 8705 §3.1 */
  readonly thumbprint: string
  /** `undefined` for a certificate without a readable subject: it matches no name. */
  readonly subject: DistinguishedName | undefined
  readonly names: AlternativeNames
  readonly notBefore: EpochMs
  /** The last second in which it is valid. */
  readonly notAfter: EpochMs
  /** As a JWK; `undefined` for a kind of key that JWK has no form for. */
  readonly publicKey: Readonly<Record<string, unknown>> | undefined
}

const PEM = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The bytes of exactly one certificate: DER, or base64 of it with or without PEM's lines around it. */
function bytesOf(sent: Uint8Array | string): Uint8Array | undefined {
  if (typeof sent !== 'string') return sent
  // Base64 is a third longer than what it holds; line breaks add a little.
  if (sent.length > LONGEST_CERTIFICATE * 1.5) return undefined
  const base64 = sent.includes('-----') ? PEM.exec(sent)?.[1]?.replace(/\s+/g, '') : sent
  return base64 && BASE64.test(base64) ? Buffer.from(base64, 'base64') : undefined
}

function open(bytes: Uint8Array): X509Certificate | undefined {
  try {
    const found = new X509Certificate(bytes)
    // What stands behind a certificate would be read by nobody, and still count in nobody's thumbprint.
    return Buffer.compare(found.raw, bytes) === 0 ? found : undefined
  } catch {
    return undefined
  }
}

const KINDS: Readonly<Record<string, keyof AlternativeNames>> = {
  DNS: 'dns',
  URI: 'uri',
  'IP Address': 'ip',
  email: 'email',
}
/** One name of Node's list: a value that could be taken for more than one name is in quotes, as JSON. */
const ALTERNATIVE = /([A-Za-z][A-Za-z0-9 ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/** All or none: a list that is not understood to its end says nothing. */
function readAlternatives(list: string | undefined): AlternativeNames {
  const names: Record<keyof AlternativeNames, string[]> = { dns: [], uri: [], ip: [], email: [] }
  const alternative = new RegExp(ALTERNATIVE)
  while (list && alternative.lastIndex < list.length) {
    const [, kind = '', value] = alternative.exec(list) ?? []
    if (value === undefined) return { dns: [], uri: [], ip: [], email: [] }
    const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
    if (known) names[known].push(value.startsWith('"') ? JSON.parse(value) : value)
  }
  return names
}

function publicKeyOf(certificate: X509Certificate): Certificate['publicKey'] {
  try {
    return { ...certificate.publicKey.export({ format: 'jwk' }) }
  } catch {
    return undefined
  }
}

/**
 * Reads DER, or base64 of it, or PEM: one certificate and nothing else, within the bound.
 * Answers `undefined` for anything else.
 */
export function readCertificate(sent: Uint8Array | string): Certificate | undefined {
  const bytes = bytesOf(sent)
  const found = bytes && bytes.length <= LONGEST_CERTIFICATE ? open(bytes) : undefined
  if (!bytes || !found) return undefined
  const [notBefore, notAfter] = [Date.parse(found.validFrom), Date.parse(found.validTo)]
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return undefined
  return {
    thumbprint: digest('sha256', bytes, 'base64url'),
    subject: readSubject(found.subject),
    names: readAlternatives(found.subjectAltName),
    notBefore,
    notAfter,
    publicKey: publicKeyOf(found),
  }
}

/** Both ends are part of the time (RFC 5280 §4.1.2.5), to the second: certificates know no smaller. */
export const isInTime = ({ notBefore, notAfter }: Certificate, now: EpochMs): boolean =>
  seconds(notBefore) <= seconds(now) && seconds(now) <= seconds(notAfter)

/** For the trail: who it says it is. */
export const subjectText = ({ subject }: Certificate): string =>
  subject ? nameText(subject).slice(0, 200) : '(no subject)'

const lower = (text: string): string => text.toLowerCase()

/** Dotted decimal as it is, IPv6 in the one form that RFC 5952 gives it. */
function addressText(text: string): string | undefined {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return text
  const url = `http://[${text}]/`
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Only a domain's case does not count. @see RFC 5280 §7.5 */
const emailText = (text: string): string => {
  const at = text.lastIndexOf('@')
  return text.slice(0, at) + lower(text.slice(at))
}

const HOST = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i

/** One form of a name for its comparison, or `undefined` for a text that cannot be such a name. */
type Form = (text: string) => string | undefined

/** How each kind of alternative name is compared. A wildcard is a name like any other, so it matches nothing. */
const FORMS: Readonly<Record<keyof AlternativeNames, Form>> = {
  dns: (text) => (HOST.test(text) ? lower(text) : undefined),
  uri: (text) => (/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) ? text : undefined),
  ip: addressText,
  // Something on both sides of one `@` at least. A pattern for it would try each `@` to the end.
  email: (text) =>
    /^[!-~]+$/.test(text) && text.slice(1, -1).includes('@') ? emailText(text) : undefined,
}

const among = (kind: keyof AlternativeNames) => (expected: string, certificate: Certificate) => {
  const form = FORMS[kind](expected)
  return form !== undefined && certificate.names[kind].some((name) => FORMS[kind](name) === form)
}

const isSubject = (expected: string, { subject }: Certificate): boolean => {
  const name = readName(expected)
  return name !== undefined && subject !== undefined && isSameName(name, subject)
}

/** What a client of `tls_client_auth` registers, one of them: how its certificate is known. @see RFC 8705 §2.1.2 */
const EXPECTATIONS = {
  tls_client_auth_subject_dn: { isOne: readName, holds: isSubject },
  tls_client_auth_san_dns: { isOne: FORMS.dns, holds: among('dns') },
  tls_client_auth_san_uri: { isOne: FORMS.uri, holds: among('uri') },
  tls_client_auth_san_ip: { isOne: FORMS.ip, holds: among('ip') },
  tls_client_auth_san_email: { isOne: FORMS.email, holds: among('email') },
} as const
export type CertificateName = keyof typeof EXPECTATIONS
export const CERTIFICATE_NAMES = Object.keys(EXPECTATIONS) as readonly CertificateName[]

/** A registration's expectation: exactly one of its members is there. */
export type ExpectedCertificate = Readonly<Partial<Record<CertificateName, string | undefined>>>

const expectationsIn = (expected: ExpectedCertificate) =>
  CERTIFICATE_NAMES.flatMap((name): [CertificateName, string][] => {
    const value = expected[name]
    return value === undefined ? [] : [[name, value]]
  })

/** Whether a registration may say this: exactly one name, in its own form, at most a thousand characters. */
export function isExpectation(expected: ExpectedCertificate): boolean {
  const [only, ...more] = expectationsIn(expected)
  if (!only || more.length > 0) return false
  const [name, value] = only
  return value.length <= 1000 && EXPECTATIONS[name].isOne(value) !== undefined
}

/**
 * Whether the certificate bears the registered name. The caller has seen that its chain is trusted: anybody
 * can make one that bears any name.
 */
export function bearsName(expected: ExpectedCertificate, certificate: Certificate): boolean {
  const [only, ...more] = expectationsIn(expected)
  if (!only || more.length > 0) return false
  const [name, value] = only
  return EXPECTATIONS[name].holds(value, certificate)
}

/** Members that make up each kind of public key. @see RFC 7638 §3.2; RFC 8037 §2 */
const KEY_MEMBERS = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
])

type Jwk = Readonly<Record<string, unknown>>

function isSameKey(a: Jwk, b: Jwk): boolean {
  const members = a.kty === b.kty ? KEY_MEMBERS.get(String(a.kty)) : undefined
  return members?.every((name) => typeof a[name] === 'string' && a[name] === b[name]) ?? false
}

/** What a registered key stands for: the key of its certificate, where it has one, else itself. */
function keyIn(jwk: Jwk): Jwk | undefined {
  if (jwk.x5c === undefined) return jwk
  const first: unknown = Array.isArray(jwk.x5c) ? jwk.x5c[0] : undefined
  return typeof first === 'string' ? readCertificate(first)?.publicKey : undefined
}

/**
 * Whether the certificate's key is one that was registered. Who signed it does not matter: that the caller
 * holds the key does, and the handshake has shown that. @see RFC 8705 §2.2
 */
export function holdsKey(keys: readonly Jwk[], { publicKey }: Certificate): boolean {
  if (!publicKey) return false
  return keys.some((jwk) => {
    const registered = keyIn(jwk)
    return registered !== undefined && isSameKey(registered, publicKey)
  })
}
