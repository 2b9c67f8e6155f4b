/**
 * What may be shown of messages that hold secrets: secrets are cut, tokens are decoded and lose their
 * signatures, so that nothing that is shown works anywhere.
 */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { LaunchId } from '../core/ids.js'

/** A secret of a launch: see core/ids.ts. */
const SECRET = /\b(lnk|pnd|hdl|cod|rft)_([0-9a-z]{25})\.[\w-]{32}/
/** Parameters that are cut whatever they hold, and those that are shown decoded. */
const CUT = new Set([
  ...['code_verifier', 'client_secret', 'refresh_token', 'code', 'sealed', 'launch', 'proof'],
  ...['day', 'month', 'year'],
])
const TOKENS = new Set(['launch_token', 'client_assertion', 'access_token', 'id_token'])

/** A secret's kind and launch may be seen, the rest may not. */
export const cutSecrets = (text: string): string => text.replace(new RegExp(SECRET, 'g'), '$1_$2.…')
const cut = (text: string): string =>
  SECRET.test(text)
    ? cutSecrets(text)
    : `${text.slice(0, text.length / 4)}… (${text.length} characters)`

/** Header and claims; the signature is left out, so that what is shown works nowhere. */
function decoded(token: string): unknown {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch {
    return cut(token)
  }
}

const shown = (name: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value
  if (TOKENS.has(name)) return decoded(value)
  return CUT.has(name) ? cut(value) : cutSecrets(value).slice(0, 2000)
}

/** The fields of a message, each cut or decoded as its name asks. */
export const shownAll = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shown(name, value)]))

/** An address with its parameters, cut. */
export function shownLocation(location: string): string {
  const [address = '', query] = cutSecrets(location).split('?')
  if (query === undefined) return address
  const fields = shownAll(Object.fromEntries(new URLSearchParams(query)))
  return `${address}?${Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')}`
}

/** The launch whose secret stands in one of the texts, whichever secret it is. */
export function launchIn(texts: readonly (string | undefined)[]): LaunchId | undefined {
  for (const text of texts) {
    const tag = SECRET.exec(text ?? '')?.[2]
    if (tag !== undefined) return `lch_${tag}`
  }
  return undefined
}
