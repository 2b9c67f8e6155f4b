/**
 * The search query of a scope (`patient/Observation.rs?category=…|laboratory`), as a rule over resources. What
 * is granted is what is enforced: a query with anything that is not evaluated here is not granted.
 *
 * @see SMART App Launch 2.2, "Finer-grained resource constraints using search parameters"; FHIR R4, "Search", token
 */
import { type FhirType, isFhirType, rowOf, type TokenMember } from './fhir-types.js'
import { isObject, type Json } from './json.js'

interface Token {
  /** Absent: any system. Empty: none. */
  readonly system?: string
  /** Absent: any code of the system. */
  readonly code?: string
}

interface Rule {
  readonly name: string
  readonly member: TokenMember
  readonly anyOf: readonly Token[]
}

/** All rules must hold; in each, one of its tokens. */
export interface ScopeQuery {
  readonly rules: readonly Rule[]
}

const PLAIN = /^[A-Za-z0-9:/._-]{1,150}$/

function readToken(text: string, { is }: TokenMember): Token | undefined {
  const [first = '', second, ...rest] = text.split('|')
  if (rest.length > 0 || !/^[A-Za-z0-9:/._|-]{1,200}$/.test(text)) return undefined
  // A `code` has the system of its element, which no resource writes: only its own word can be compared.
  if (second === undefined) return PLAIN.test(first) ? { code: first } : undefined
  if (is === 'code' || (first === '' && second === '')) return undefined
  return { system: first, ...(second === '' ? {} : { code: second }) }
}

function readRule(type: FhirType, pair: string): Rule | undefined {
  const at = pair.indexOf('=')
  const name = pair.slice(0, Math.max(at, 0))
  const { tokens } = rowOf(type)
  const member = Object.hasOwn(tokens, name) ? tokens[name] : undefined
  if (member === undefined) return undefined
  const anyOf = pair
    .slice(at + 1)
    .split(',')
    .map((text) => readToken(text, member))
  return anyOf.every((token) => token !== undefined) ? { name, member, anyOf } : undefined
}

/** `undefined` for what cannot be evaluated on resources of this type, in whole or in part. */
export function readScopeQuery(type: string, query: string): ScopeQuery | undefined {
  if (!isFhirType(type)) return undefined
  const rules = query.split('&').map((pair) => readRule(type, pair))
  return rules.every((rule) => rule !== undefined) ? { rules } : undefined
}

/** All values at a path, through lists; FHIR has none of lists, however deep a record nests them. */
function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((each) => (Array.isArray(each) ? [] : valuesAt(each, path)))
  const [first, ...rest] = path
  if (first === undefined) return value === undefined ? [] : [value]
  return isObject(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : []
}

/** Where its type has them and nowhere else: a server may leave aside what has no place there. */
const codingsOf = (value: unknown, is: TokenMember['is']): readonly Json[] => {
  if (!isObject(value)) return []
  if (is === 'coding') return [value]
  return Array.isArray(value.coding) ? value.coding.filter(isObject) : []
}

const isToken = ({ system, code }: Token, coding: Json): boolean =>
  (system === undefined || (coding.system ?? '') === system) &&
  (code === undefined || coding.code === code)

function holds({ member, anyOf }: Rule, resource: Json): boolean {
  const values = member.at.flatMap((path) => valuesAt(resource, path.split('.')))
  if (member.is === 'code') return anyOf.some(({ code }) => values.includes(code))
  const codings = values.flatMap((value) => codingsOf(value, member.is))
  return codings.some((coding) => anyOf.some((token) => isToken(token, coding)))
}

export const matchesQuery = ({ rules }: ScopeQuery, resource: Json): boolean =>
  rules.every((rule) => holds(rule, resource))

const spell = ({ system, code = '' }: Token): string =>
  system === undefined ? code : `${system}|${code}`

/** The same as parameters of a search. */
export const parametersOf = ({ rules }: ScopeQuery): readonly (readonly [string, string])[] =>
  rules.map(({ name, anyOf }) => [name, anyOf.map(spell).join(',')])
