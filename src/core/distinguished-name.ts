/** Distinguished names as text, compared by what they say. @see RFC 4514; RFC 4517 §4.2.15 */

/** One attribute: its type under the one name that we know it by, and its value as plain text. */
export type Attribute = readonly [type: string, value: string]
/** Sets of attributes, the most specific first, as RFC 4514 §2.1 writes them; each set in one order. */
export type DistinguishedName = readonly (readonly Attribute[])[]

/** Names in use for attribute types beside RFC 4519's own, in lower case. */
// biome-ignore format: a table
const SYNONYMS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'cn', commonname: 'cn',
  '2.5.4.4': 'sn', surname: 'sn',
  '2.5.4.5': 'serialnumber',
  '2.5.4.6': 'c', countryname: 'c', country: 'c',
  '2.5.4.7': 'l', localityname: 'l', locality: 'l',
  '2.5.4.8': 'st', stateorprovincename: 'st', s: 'st',
  '2.5.4.9': 'street', streetaddress: 'street',
  '2.5.4.10': 'o', organizationname: 'o',
  '2.5.4.11': 'ou', organizationalunitname: 'ou', organizationalunit: 'ou',
  '2.5.4.12': 'title',
  '2.5.4.42': 'gn', givenname: 'gn',
  '2.5.4.43': 'initials',
  '2.5.4.97': 'organizationidentifier',
  '0.9.2342.19200300.100.1.1': 'uid', userid: 'uid',
  '0.9.2342.19200300.100.1.25': 'dc', domaincomponent: 'dc',
  '1.2.840.113549.1.9.1': 'emailaddress', email: 'emailaddress', e: 'emailaddress',
}

const SYNONYM = new Map(Object.entries(SYNONYMS))

function typeOf(text: string): string {
  const type = text.toLowerCase().replace(/^oid\./, '')
  return SYNONYM.get(type) ?? type
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text that octets spell, or `undefined` where they spell none. */
function spelt(octets: readonly number[]): string | undefined {
  try {
    return utf8.decode(Uint8Array.from(octets))
  } catch {
    return undefined
  }
}

const octetsOf = (hex: string): number[] => [...Buffer.from(hex, 'hex')]

/** Tags of UTF8String, PrintableString and IA5String: a value in hexadecimal is one of these, or is refused. */
const TEXT_TAGS = [0x0c, 0x13, 0x16]

/** A value written as the octets of its encoding. @see RFC 4514 §2.4 */
function encodedValue(text: string): string | undefined {
  const hex = /^#((?:[0-9a-f]{2})+) *$/i.exec(text)?.[1]
  if (hex === undefined) return undefined
  const [tag = 0, length, ...octets] = octetsOf(hex)
  // A length of 128 or more takes octets of its own: nobody registers such a value in hexadecimal.
  const isText = TEXT_TAGS.includes(tag) && length === octets.length && length < 128
  return isText ? spelt(octets) : undefined
}

/** Octets in hexadecimal, an escaped character, a character. */
const PIECE = /\\([0-9a-f]{2})|\\(.)|([^\\])/giu

function escapedValue(text: string): string | undefined {
  const pieces = [...text.matchAll(PIECE)]
  // Space around a value is not part of it, unless it is escaped.
  while (pieces.at(-1)?.[0] === ' ') pieces.pop()
  return spelt(
    pieces.flatMap(([, hex, escaped, plain]) =>
      hex === undefined ? [...Buffer.from(escaped ?? plain ?? '')] : octetsOf(hex),
    ),
  )
}

/**
 * Type, value, and what follows: `,` another set, `+` more of this one, nothing the end. A value begins with no space
 * of its own: were there two that could take it, a long run of spaces would keep us busy.
 */
const ATTRIBUTE =
  / *((?:oid\.)?(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)+)) *= *((?! )(?:[^\\,+"<>;\0]|\\[0-9a-f]{2}|\\[ "#+,;<=>\\])*)([,+]|$)/iy

/** By code unit, so that the same on every machine. */
const inOrder = (a: Attribute, b: Attribute): number => (a.join('=') < b.join('=') ? -1 : 1)

/**
 * A name in the form of RFC 4514. Space around `,`, `+` and `=` is forgiven, for most tools write it.
 * Answers `undefined` for what is no name, the empty one included: it names nobody.
 */
export function readName(text: string): DistinguishedName | undefined {
  const name: Attribute[][] = [[]]
  const attribute = new RegExp(ATTRIBUTE)
  for (let end: string | undefined = ','; end !== ''; ) {
    const match = attribute.exec(text)
    if (!match) return undefined
    const [, type = '', written = ''] = match
    const value = written.startsWith('#') ? encodedValue(written) : escapedValue(written)
    if (value === undefined) return undefined
    name.at(-1)?.push([typeOf(type), value])
    end = match[3]
    if (end === ',') name.push([])
  }
  return name.map((set) => set.sort(inOrder))
}

/**
 * The subject of a certificate as Node tells it: a set a line, the most general first, each value escaped
 * as in RFC 4514 and control characters as well, so that no value can break a line or begin an attribute.
 */
export const readSubject = (lines: string | undefined): DistinguishedName | undefined =>
  lines === undefined ? undefined : readName(lines.split('\n').reverse().join(','))

/**
 * Same sets in the same order; within a set, order does not count. Values are compared as they are: RFC 4517
 * would let case and space differ, and a registration has no need of that.
 */
export const isSameName = (a: DistinguishedName, b: DistinguishedName): boolean =>
  JSON.stringify(a) === JSON.stringify(b)

const ESCAPED = /^[ #]|[,+"<>;=\\]| $/g
const CONTROL = /\p{Cc}/gu

const hexOf = (character: string): string =>
  Buffer.from(character).toString('hex').replace(/../g, '\\$&')

/** A name as text, in RFC 4514's form, safe to show. */
export const nameText = (name: DistinguishedName): string =>
  name
    .map((set) =>
      set
        .map(([type, value]) => {
          const text = value.replace(ESCAPED, '\\$&').replace(CONTROL, hexOf)
          return `${type.toUpperCase()}=${text}`
        })
        .join('+'),
    )
    .join(',')
