/**
 * Scopes as values. Two grammars share the letters `c r u d s`: SMART's for FHIR and SMART on openEHR's
 * for compositions and stored queries; every other scope is a plain word.
 *
 * @see SMART App Launch 2.2, "Scopes for requesting FHIR Resources"; SMART on openEHR, "Resource scopes"
 */

export type Letter = 'c' | 'r' | 'u' | 'd' | 's'
export type Reach = 'patient' | 'user' | 'system'

export interface FhirScope {
  readonly kind: 'fhir'
  readonly reach: Reach
  /** A resource type, or `*`. */
  readonly type: string
  readonly letters: ReadonlySet<Letter>
  /** Search parameters that narrow it, as sent; empty when none. */
  readonly query: string
  /** Asked in SMART v1's words (`.read`, `.write`, `.*`), and so answered in them. */
  readonly v1: boolean
}

export interface OpenEhrScope {
  readonly kind: 'openehr'
  readonly reach: Reach
  readonly resource: 'composition' | 'template' | 'aql'
  /** A template id or query name, with `*` for any run of characters. */
  readonly pattern: string
  readonly letters: ReadonlySet<Letter>
}

export interface PlainScope {
  readonly kind: 'plain'
  readonly name: string
}

export type Scope = FhirScope | OpenEhrScope | PlainScope

/** To introspect with a service's token instead of its own proof. A scope of our own has two underscores (SMART). */
export const INTROSPECT = '__introspect'

const V1_LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }
const V1_WORDS: Readonly<Record<string, string>> = { rs: 'read', cud: 'write', cruds: '*' }

const FHIR =
  /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(c?r?u?d?s?|read|write|\*)(?:\?(.{1,200}))?$/
const OPENEHR =
  /^(patient|user|system)\/(composition|template|aql)-([A-Za-z0-9_.:*-]{1,128})\.(c?r?u?d?s?)$/
/** RFC 6749 §3.3: NQCHAR, without space. */
const PLAIN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

const letters = (text: string): ReadonlySet<Letter> => new Set(text) as Set<Letter>

/** What was read lately: a launch reads the same scopes five times over, and everybody's are the same few. */
const known = new Map<string, Scope>()
const MOST_KNOWN = 1000

/** One scope; `undefined` for what no grammar reads (wrong order or unknown letters included: never guessed). */
export function readScope(text: string): Scope | undefined {
  const before = known.get(text)
  if (before !== undefined) return before
  const scope = parseScope(text)
  if (scope === undefined) return undefined
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(text, scope)
  return scope
}

function parseScope(text: string): Scope | undefined {
  const fhir = FHIR.exec(text)
  if (fhir) {
    const [, reach, type, permission = '', query = ''] = fhir
    const v1 = V1_LETTERS[permission]
    if (permission === '') return undefined
    return {
      kind: 'fhir',
      reach: reach as Reach,
      type: type ?? '',
      letters: letters(v1 ?? permission),
      query,
      v1: v1 !== undefined,
    }
  }
  const openehr = OPENEHR.exec(text)
  if (openehr) {
    const [, reach, resource, pattern = '', permission = ''] = openehr
    if (permission === '') return undefined
    return {
      kind: 'openehr',
      reach: reach as Reach,
      resource: resource as OpenEhrScope['resource'],
      pattern,
      letters: letters(permission),
    }
  }
  return text.includes('/') && !text.startsWith('launch/') && !/^https?:/.test(text)
    ? undefined
    : PLAIN.test(text)
      ? { kind: 'plain', name: text }
      : undefined
}

/** A scope parameter: what could be read, in order, each once. At most 100 scopes of it are looked at. */
export function readScopes(text: string): readonly Scope[] {
  const words = [...new Set(text.split(' ').filter((word) => word !== ''))].slice(0, 100)
  return words.map(readScope).filter((scope) => scope !== undefined)
}

const ORDER: readonly Letter[] = ['c', 'r', 'u', 'd', 's']
const spell = (set: ReadonlySet<Letter>): string =>
  ORDER.filter((letter) => set.has(letter)).join('')

export function writeScope(scope: Scope): string {
  if (scope.kind === 'plain') return scope.name
  const permission = spell(scope.letters)
  if (scope.kind === 'openehr')
    return `${scope.reach}/${scope.resource}-${scope.pattern}.${permission}`
  const word = scope.v1 ? (V1_WORDS[permission] ?? permission) : permission
  return `${scope.reach}/${scope.type}.${word}${scope.query === '' ? '' : `?${scope.query}`}`
}

/** One of v1's words, which its app looks for as it asked: no letters are added to it. */
const isV1Word = (scope: Scope): boolean =>
  scope.kind === 'fhir' && scope.v1 && spell(scope.letters) in V1_WORDS

/** The same rights in the fewest scopes, each where its first part stood. @see SMART App Launch 2.2, "Scopes" */
export function shortest(scopes: readonly Scope[]): readonly Scope[] {
  const sums = new Map<string, Scope>()
  for (const scope of scopes) {
    if (scope.kind === 'plain' || isV1Word(scope)) {
      sums.set(writeScope(scope), scope)
      continue
    }
    const name = writeScope({ ...scope, letters: new Set() })
    const sum = sums.get(name)
    if (sum === undefined || sum.kind === 'plain') sums.set(name, scope)
    else {
      const letters = new Set([...sum.letters, ...scope.letters])
      const v1 = sum.kind === 'fhir' && sum.v1 && scope.kind === 'fhir' && scope.v1
      sums.set(name, sum.kind === 'fhir' ? { ...sum, letters, v1 } : { ...sum, letters })
    }
  }
  return [...sums.values()]
}

/** Whether a template id or query name is one that the scope's pattern names. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name
  const parts = pattern.split(/\*+/)
  const [first = '', last = ''] = [parts[0], parts.at(-1)]
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from)
    if (at < 0 || at + part.length > name.length - last.length) return false
    from = at + part.length
  }
  return true
}
