/** Which certificate a caller holds: by our own handshake with it, or by the word of a proxy that we trust. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Request } from 'express'
import {
  bearsName,
  type Certificate,
  type ExpectedCertificate,
  holdsKey,
  isInTime,
  readCertificate,
  subjectText,
} from '../core/certificate.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import type { CERTIFICATE_HEADERS } from '../core/settings.js'
import type { Clock } from '../core/values.js'

type CertificateHeader = (typeof CERTIFICATE_HEADERS)[number]

export interface MutualTls {
  /** Origin at which callers with a certificate reach us. */
  readonly alias: string
  /** Authorities whose word counts on our own listener. */
  readonly ca?: string | undefined
  readonly header?: CertificateHeader | undefined
  readonly verify_header?: string | undefined
}

/** A certificate whose key its caller has proven to hold, within its time. */
export interface PresentedCertificate extends Certificate {
  /** A configured authority stands behind it. Without that, the names in it are only claimed. */
  readonly trusted: boolean
}

/**
 * The certificate of a caller who must have one.
 * @throws Refusal of the given code: none, unreadable, told in two ways, out of its time
 */
export type CertificateOf = (req: Request, code: RefusalCode) => PresentedCertificate

type Refuse = (why: string) => Refusal

/** PEM, percent-encoded. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}

/** How each header spells a certificate. The first is RFC 9440 §2.1, the second nginx's `$ssl_client_escaped_cert`. */
const SPELT: Readonly<Record<CertificateHeader, (value: string) => Certificate | undefined>> = {
  'client-cert': (value) => readCertificate(/^:([A-Za-z0-9+/=]+):$/.exec(value)?.[1] ?? ''),
  'x-ssl-client-cert': (value) => {
    const pem = unescaped(value)
    return pem.includes('-----') ? readCertificate(pem) : undefined
  },
}

/**
 * A header that a proxy sets, exactly once. A second one, or one whose name some other program would take
 * for the same, came from the proxy's own caller.
 */
function headerOf({ rawHeaders }: Request, name: string, refuse: Refuse): string | undefined {
  const values: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i]?.toLowerCase() ?? ''
    if (sent === name) values.push(rawHeaders[i + 1] ?? '')
    else if (sent.replace(/[^a-z0-9]/g, '-') === name) throw refuse(`a header named like ${name}`)
  }
  if (values.length > 1) throw refuse(`${name} stands twice`)
  return values[0]
}

/** What Express itself would trust, of the one address that nobody can make up: who is connected to us. */
function isFromProxy(req: Request): boolean {
  const trusts = req.app.get('trust proxy fn') as (address: string, hop: number) => boolean
  const address = req.socket.remoteAddress
  return address !== undefined && trusts(address, 0)
}

/** @see RFC 9440 §2.4 */
function toldByProxy(
  req: Request,
  { header, verify_header }: MutualTls,
  refuse: Refuse,
): PresentedCertificate | undefined {
  if (header === undefined || !isFromProxy(req)) return undefined
  const verdict = verify_header && headerOf(req, verify_header, refuse)
  const value = headerOf(req, header, refuse)
  // How a proxy says that there was none.
  if (value === undefined || value === '') return undefined
  const found = SPELT[header](value)
  if (!found) throw refuse(`${header} holds no certificate`)
  return { ...found, trusted: verdict === 'SUCCESS' }
}

/** Read once a connection: a call with a bound token comes with each of its requests. */
function rememberShown() {
  const known = new WeakMap<Socket, PresentedCertificate>()
  return (socket: Socket, hasAuthorities: boolean, refuse: Refuse) => {
    const before = known.get(socket)
    if (before) return before
    const { authorized, getPeerX509Certificate } = socket as Partial<TLSSocket>
    const raw = getPeerX509Certificate?.call(socket as TLSSocket)?.raw
    if (!raw) return undefined
    const found = readCertificate(raw)
    if (!found) throw refuse('cannot be read')
    const shown = { ...found, trusted: hasAuthorities && authorized === true }
    known.set(socket, shown)
    return shown
  }
}

/** @see RFC 8705 §2, §3; RFC 9440 */
export function createCertificates(parts: {
  readonly mtls?: MutualTls | undefined
  readonly clock: Clock
}): CertificateOf {
  const { mtls, clock } = parts
  const shownOn = rememberShown()
  return (req, code) => {
    const refuse: Refuse = (why) => new Refusal(code, `certificate: ${why}`)
    if (!mtls) throw refuse('nobody is known by one here')
    const shown = shownOn(req.socket, mtls.ca !== undefined, refuse)
    const told = toldByProxy(req, mtls, refuse)
    if (shown && told) throw refuse('one is the proxy’s, one its caller’s')
    const found = shown ?? told
    if (!found) throw refuse('none')
    if (!isInTime(found, clock())) throw refuse('out of its time')
    return found
  }
}

/** The alias, for a call that comes with a certificate: its proofs name it there (RFC 8705 §5; RFC 9449 §4.3). */
export const aliasOf =
  (mtls: Pick<MutualTls, 'alias'> | undefined, certificateOf: CertificateOf) =>
  (req: Request): string | undefined => {
    if (!mtls) return undefined
    try {
      certificateOf(req, 'client_unproven')
      return mtls.alias
    } catch (error) {
      if (error instanceof Refusal) return undefined
      throw error
    }
  }

/**
 * `tls_client_auth`: a trusted authority, and the registered name.
 * @throws Refusal of the given code
 * @see RFC 8705 §2.1
 */
export function requireName(
  expected: ExpectedCertificate,
  presented: PresentedCertificate,
  code: RefusalCode,
): void {
  if (!presented.trusted) throw new Refusal(code, 'certificate: no authority stands behind it')
  if (!bearsName(expected, presented))
    throw new Refusal(code, `certificate: another name: ${subjectText(presented)}`)
}

/**
 * `self_signed_tls_client_auth`: a registered key, whoever signed for it.
 * @param keys the client's own, from its registration or its `jwks_uri`
 * @throws Refusal of the given code
 * @see RFC 8705 §2.2
 */
export function requireKey(
  keys: readonly Readonly<Record<string, unknown>>[],
  presented: PresentedCertificate,
  code: RefusalCode,
): void {
  if (!holdsKey(keys, presented)) throw new Refusal(code, 'certificate: not a registered key')
}
