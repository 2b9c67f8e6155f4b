/**
 * Certificates made by hand, byte by byte: Node cannot make any, and no library would make the ones that
 * an attacker would. ECDSA with P-256 and SHA-256 unless a key of another kind is given.
 * @see RFC 5280 §4.1; X.690 (DER)
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

const tlv = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content)
  const bytes = body.length.toString(16)
  const size = Buffer.from(bytes.padStart(bytes.length + (bytes.length % 2), '0'), 'hex')
  const length = body.length < 128 ? size : Buffer.concat([Buffer.of(0x80 | size.length), size])
  return Buffer.concat([Buffer.of(tag), length, body])
}

const sequence = (...content: readonly Uint8Array[]) => tlv(0x30, ...content)
const set = (...content: readonly Uint8Array[]) => tlv(0x31, ...content)
const octets = (content: Uint8Array) => tlv(0x04, content)
const bits = (content: Uint8Array) => tlv(0x03, Buffer.of(0), content)
const yes = tlv(0x01, Buffer.of(0xff))

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (arc: number): number[] => {
    const digits = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  }
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** UTCTime to 2049, GeneralizedTime from 2050. @see RFC 5280 §4.1.2.5 */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')
  return digits < '2050' ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits))
}

// biome-ignore format: a table
const TYPES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3', C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', serialNumber: '2.5.4.5',
  emailAddress: '1.2.840.113549.1.9.1', DC: '0.9.2342.19200300.100.1.25',
}

/** UTF8String, or the bytes of a whole value as they are. */
type Value = string | Uint8Array
/** Attributes that stand together, by short name or dotted: mostly one. */
export type Rdn = Readonly<Record<string, Value>>

const name = (rdns: readonly Rdn[]) =>
  sequence(
    ...rdns.map((rdn) =>
      set(
        ...Object.entries(rdn).map(([type, value]) =>
          sequence(
            oid(TYPES[type] ?? type),
            typeof value === 'string' ? tlv(0x0c, Buffer.from(value)) : value,
          ),
        ),
      ),
    ),
  )

/** Alternative names by the tag that they have in GeneralName. @see RFC 5280 §4.2.1.6 */
// biome-ignore format: a table
const GENERAL_NAMES = {
  email:     (value: string) => tlv(0x81, Buffer.from(value, 'latin1')),
  dns:       (value: string) => tlv(0x82, Buffer.from(value, 'latin1')),
  uri:       (value: string) => tlv(0x86, Buffer.from(value, 'latin1')),
  /** Address bytes in hex. */
  ip:        (value: string) => tlv(0x87, Buffer.from(value, 'hex')),
  directory: (value: string) => tlv(0xa4, name([{ CN: value }])),
  oid:       (value: string) => tlv(0x88, oid(value).subarray(2)),
} as const
export type AlternativeName = readonly [keyof typeof GENERAL_NAMES, string]

const extension = (id: string, critical: boolean, value: Uint8Array) =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value))

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

export interface Wanted {
  readonly subject?: readonly Rdn[]
  readonly alternatives?: readonly AlternativeName[]
  readonly from?: number
  readonly to?: number
  /** Who signs it; itself if left out. */
  readonly by?: Made
  /** An authority, that may sign others. */
  readonly authority?: boolean
  /** What it is for; a client by default. */
  readonly purpose?: string
  /** Another key than a new one. */
  readonly key?: KeyObject
  readonly publicKey?: KeyObject
}

export interface Made {
  readonly der: Buffer
  readonly pem: string
  readonly key: KeyObject
  readonly publicKey: KeyObject
  /** PKCS #8, as a listener wants it. */
  readonly keyPem: string
  readonly subject: readonly Rdn[]
}

const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

export const newKeyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const HOUR = 3_600_000

/** Makes a certificate. Its times are around `now` unless given. */
export function certificate(wanted: Wanted, now = Date.now()): Made {
  const { subject = [{ CN: 'nobody' }], alternatives = [], authority = false } = wanted
  const pair = wanted.key ? { privateKey: wanted.key } : newKeyPair()
  const publicKey = wanted.publicKey ?? ('publicKey' in pair ? pair.publicKey : undefined)
  if (!publicKey) throw new Error('a key of its own needs its public half')
  const names = sequence(...alternatives.map(([kind, value]) => GENERAL_NAMES[kind](value)))
  const extensions = [
    extension('2.5.29.19', true, authority ? sequence(yes) : sequence()),
    ...(authority
      ? []
      : [extension('2.5.29.37', false, sequence(oid(wanted.purpose ?? CLIENT_AUTH)))]),
    ...(alternatives.length > 0 ? [extension('2.5.29.17', false, names)] : []),
  ]
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.of(1), randomBytes(8)),
    ECDSA_SHA256,
    name(wanted.by?.subject ?? subject),
    sequence(time(wanted.from ?? now - HOUR), time(wanted.to ?? now + HOUR)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, wanted.by?.key ?? pair.privateKey)
  const der = sequence(body, ECDSA_SHA256, bits(signature))
  const keyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { der, pem: pemOf(der), key: pair.privateKey, publicKey, keyPem, subject }
}
