/**
 * Stored queries that may be run, each registered with what proves its rows: that they are of the EHR that was asked
 * for, and of which template. A server may take `ehr_id` for a hint and answer for everybody.
 *
 * @see openEHR REST API, "Query"
 */
import { z } from 'zod'
import type { Access } from './access.js'
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { isObjectId, requireOwnEhr } from './openehr.js'
import { AD_HOC } from './openehr-calls.js'
import { Refusal } from './refusal.js'

/** The plan: every section of one EHR. */
export const PLAN_QUERY = 'care-plan::sections'

/**
 * What a parameter may hold. Nothing that could end a literal: a server may write it into the query's text.
 */
export const PARAMETER_TYPES = {
  date: /^\d{4}-\d{2}-\d{2}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?$/,
  integer: /^-?\d{1,9}$/,
  code: /^[A-Za-z0-9][A-Za-z0-9_.:|-]{0,99}$/,
  text: /^[\p{L}\p{N} .,:;()/@+_-]{1,200}$/u,
} as const satisfies Readonly<Record<string, RegExp>>
export type ParameterType = keyof typeof PARAMETER_TYPES

export interface StoredQuery {
  readonly name: string
  /** Forwarded with it, where the server keeps several. */
  readonly version?: string
  /** The parameter that the query binds the EHR's id by. */
  readonly ehrParameter: string
  /** Columns that prove a row, as the server names them. `template` may be one template for all rows. */
  readonly proves: {
    readonly ehr: string
    readonly template: { readonly column: string } | { readonly always: string }
  }
  /** Columns that leave, in this order. */
  readonly columns: readonly string[]
  readonly parameters: Readonly<Record<string, ParameterType>>
}

export const PLAN: StoredQuery = {
  name: PLAN_QUERY,
  ehrParameter: 'ehr_id',
  proves: { ehr: 'ehr', template: { column: 'template' } },
  columns: ['template', 'uid', 'composition'],
  parameters: {},
}

const column = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/)

/** A row of `upstreams.openehr.queries`. */
export const storedQueryRow = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^(?:[A-Za-z0-9][\w.-]{0,79}::)?[A-Za-z0-9][\w.-]{0,79}$/,
        'expected a query’s qualified name',
      )
      .refine((name) => name !== AD_HOC && name !== PLAN_QUERY, 'is the gateway’s own'),
    version: z
      .string()
      .regex(/^\d{1,4}(\.\d{1,4}){0,2}$/)
      .optional(),
    ehr_parameter: column.default('ehr_id'),
    ehr_column: column,
    template_column: column.optional(),
    template: z.string().min(1).max(128).optional(),
    columns: z.array(column).min(1).max(50),
    parameters: z
      .record(column, z.enum(Object.keys(PARAMETER_TYPES) as [ParameterType, ...ParameterType[]]))
      .default({}),
  })
  .refine((row) => (row.template === undefined) !== (row.template_column === undefined), {
    message: 'expected template_column, or template for all rows',
    path: ['template_column'],
  })
  .refine((row) => !(row.ehr_parameter in row.parameters), {
    message: 'holds ehr_parameter, which the gateway alone fills in',
    path: ['parameters'],
  })
  .refine((row) => !row.columns.includes(row.ehr_column), {
    message: 'shows ehr_column, which proves the rows and stays here',
    path: ['columns'],
  })
  .transform(
    (row): StoredQuery => ({
      name: row.name,
      ...(row.version === undefined ? {} : { version: row.version }),
      ehrParameter: row.ehr_parameter,
      proves: {
        ehr: row.ehr_column,
        template:
          row.template === undefined
            ? { column: row.template_column ?? '' }
            : { always: row.template },
      },
      columns: row.columns,
      parameters: row.parameters,
    }),
  )

const PAGING: Readonly<Record<string, RegExp>> = { offset: /^\d{1,6}$/, fetch: /^\d{1,4}$/ }

/** The body by which a query is run. POST always: servers differ in what they read from an address. */
export interface QueryBody {
  readonly query_parameters: Readonly<Record<string, string>>
  readonly offset?: number
  readonly fetch?: number
}

const MOST_PARAMETERS = 50

/** Before each of them is looked at. @throws Refusal parameter_invalid */
function requireFew(body: Json): void {
  const { query_parameters: own } = body
  if ([body, own].some((each) => isObject(each) && Object.keys(each).length > MOST_PARAMETERS))
    throw new Refusal('parameter_invalid', 'query_parameters')
}

const flat = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))

/** What a client's POST says of parameters and pages, as the same words in an address would. @throws Refusal parameter_invalid */
export function queryWords(body: unknown): ReadonlyMap<string, string> {
  if (!isObject(body)) throw new Refusal('body_unreadable', 'query')
  requireFew(body)
  const { query_parameters: own = {}, ...rest } = plainNumbers(body) as Json
  if (!isObject(own)) throw new Refusal('parameter_invalid', 'query_parameters')
  const words = new Map<string, string>()
  for (const [name, value] of [...Object.entries(own), ...Object.entries(rest)]) {
    if (!flat(value) || words.has(name)) throw new Refusal('parameter_invalid', 'query_parameters')
    words.set(name, String(value))
  }
  return words
}

/**
 * The query as it goes on: its EHR the token's own, nothing but its registered parameters.
 * @throws Refusal interaction_refused, parameter_invalid, record_other_patient
 */
export function bindQuery(
  access: Access,
  query: StoredQuery,
  words: ReadonlyMap<string, string>,
): QueryBody {
  const { ehrParameter, parameters } = query
  const bound: Record<string, string> = {}
  const paging: Record<string, number> = {}
  for (const [name, value] of words) {
    const type = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (name === ehrParameter || name === 'ehr_id') {
      if (!isObjectId(value)) throw new Refusal('parameter_invalid', `query parameter ${name}`)
      requireOwnEhr(access, value)
    } else if (Object.hasOwn(PAGING, name) && PAGING[name]?.test(value))
      paging[name] = Number(value)
    else if (type !== undefined && PARAMETER_TYPES[type].test(value)) bound[name] = value
    else throw new Refusal('parameter_invalid', `query parameter ${name}`)
  }
  return {
    query_parameters: { ...bound, [ehrParameter]: requireOwnEhr(access, undefined) },
    ...paging,
  }
}

export interface AdHoc {
  readonly q: string
  readonly values: ReadonlyMap<string, string | number | boolean>
  readonly fetch?: number
  readonly offset?: number
}

const adHoc = z.strictObject({
  q: z.string().min(1),
  query_parameters: z
    .record(
      z.string().regex(/^[A-Za-z]\w{0,63}$/),
      z.union([z.string().max(500), z.number(), z.boolean()]),
    )
    .default({}),
  fetch: z.number().int().min(1).max(9_999).optional(),
  offset: z.number().int().min(0).max(999_999).optional(),
})

/**
 * A query that an app wrote, as its body says it. `$ehr_id` is the token's EHR, said or not.
 * @throws Refusal parameter_invalid, record_other_patient
 */
export function readAdHoc(access: Access, body: unknown): AdHoc {
  if (isObject(body)) requireFew(body)
  const read = adHoc.safeParse(plainNumbers(body))
  if (!read.success)
    throw new Refusal('parameter_invalid', `query: ${read.error.issues[0]?.path.join('.') ?? ''}`)
  const { q, query_parameters: own, fetch, offset } = read.data
  const ehrId = requireOwnEhr(access, own.ehr_id === undefined ? undefined : String(own.ehr_id))
  return {
    q,
    values: new Map([...Object.entries(own), ['ehr_id', ehrId]]),
    ...(fetch === undefined ? {} : { fetch }),
    ...(offset === undefined ? {} : { offset }),
  }
}

/** The same of an address, where every value is text. @throws Refusal parameter_invalid */
export function adHocWords(query: ReadonlyMap<string, string>): object {
  const paging = new Map<string, unknown>()
  const values = new Map<string, string>()
  for (const [name, value] of query) {
    if (name === 'q') paging.set(name, value)
    else if (Object.hasOwn(PAGING, name)) {
      if (!PAGING[name]?.test(value)) throw new Refusal('parameter_invalid', name)
      paging.set(name, Number(value))
    } else values.set(name, value)
  }
  return { ...Object.fromEntries(paging), query_parameters: Object.fromEntries(values) }
}
