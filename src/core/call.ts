/**
 * A call to the record, read once. What we judge is what we forward: paths are decoded exactly once and
 * built anew from the decoded parts, so that no second reader can see another path than we did.
 */
import { Refusal } from './refusal.js'

export interface Call {
  readonly method: string
  /** Decoded, with a leading `/`: `/Patient/123`. */
  readonly path: string
  /** Decoded, each name once. */
  readonly query: ReadonlyMap<string, string>
}

/** No dot segment, no matrix parameter, no control character, nothing that would need encoding again. */
const SEGMENT = /^(?!\.)[A-Za-z0-9._:~$-]{1,200}$/
const NAME = /^[A-Za-z_][A-Za-z0-9_:.-]{0,63}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const MOST_PARAMETERS = 20
const LONGEST_ADDRESS = 2000
const LONGEST_VALUE = 500

/** Headers by which some servers let a request change its method behind a judge's back. */
const METHOD_OVERRIDES = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x_http_method_override',
]

const refuse = (detail: string) => new Refusal('parameter_invalid', detail)

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse('percent-encoding')
  }
}

function readPath(raw: string): string {
  // The base itself, to which bundles are posted.
  if (raw === '/') return raw
  if (!raw.startsWith('/')) throw refuse('path')
  const segments = raw.slice(1).split('/').map(decode)
  for (const segment of segments) {
    // A decoded `%2f` or `%25` is neither of these characters, and so is refused here too.
    if (!SEGMENT.test(segment) || segment.includes('..')) throw refuse('path segment')
  }
  return `/${segments.join('/')}`
}

function readQuery(raw: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  for (const pair of raw.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode((at < 0 ? pair : pair.slice(0, at)).replaceAll('+', ' '))
    const value = decode(at < 0 ? '' : pair.slice(at + 1).replaceAll('+', ' '))
    // The detail never repeats what was sent: it could be an NHS number.
    if (!NAME.test(name)) throw refuse('parameter name')
    if (query.has(name)) throw new Refusal('parameter_repeated', name)
    if (CONTROL.test(value) || value.length > LONGEST_VALUE) throw refuse(`value of ${name}`)
    query.set(name, value)
    if (query.size > MOST_PARAMETERS) throw refuse('too many parameters')
  }
  return query
}

/**
 * @param address path and query as the client sent them, relative to our base
 * @throws Refusal parameter_invalid, parameter_repeated, interaction_refused (method override)
 */
export function readCall(
  method: string,
  address: string,
  headers: Readonly<Record<string, unknown>>,
): Call {
  if (METHOD_OVERRIDES.some((name) => headers[name] !== undefined))
    throw new Refusal('interaction_refused', 'method override')
  if (address.length > LONGEST_ADDRESS) throw refuse('address length')
  const at = address.indexOf('?')
  const path = readPath(at < 0 ? address : address.slice(0, at))
  return { method, path, query: at < 0 ? new Map() : readQuery(address.slice(at + 1)) }
}

/**
 * The same call with the parameters of a form beside those of its address, each name once over both.
 * @throws Refusal parameter_invalid, parameter_repeated
 */
export function withForm(call: Call, form: string): Call {
  const more = readQuery(form)
  for (const name of more.keys())
    if (call.query.has(name)) throw new Refusal('parameter_repeated', name)
  return { ...call, query: new Map([...call.query, ...more]) }
}

/** Parameters that stand by themselves, as in a header. @throws Refusal parameter_invalid, parameter_repeated */
export const readParameters = (text: string): ReadonlyMap<string, string> => {
  if (text.length > LONGEST_ADDRESS) throw refuse('address length')
  return readQuery(text.replace(/^\?/, ''))
}

/** What is not encoded: most names, and many a value. */
const UNRESERVED = /^[\w.-]*$/
const encoded = (text: string): string => (UNRESERVED.test(text) ? text : encodeURIComponent(text))

/** A query to forward, encoded by us. */
export function writeQuery(query: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [name, value] of query)
    text += `${text === '' ? '' : '&'}${encoded(name)}=${encoded(value)}`
  return text
}
