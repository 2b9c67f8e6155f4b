/** What comes back from openEHR, looked at again before it leaves. */
import { z } from 'zod'
import type { Access } from './access.js'
import type { PolicyDecision } from './decision.js'
import {
  isVersionOf,
  objectOf,
  PLAN_QUERY,
  type Rules,
  readable,
  STORED_QUERIES,
} from './openehr.js'
import { Refusal } from './refusal.js'

const composition = z.looseObject({
  _type: z.literal('COMPOSITION'),
  uid: z.looseObject({ value: z.string() }).optional(),
  archetype_details: z.looseObject({ template_id: z.looseObject({ value: z.string() }) }),
})

export interface ReadComposition {
  readonly template: string
  readonly uid: string | undefined
}

/** Template and uid of a composition; `undefined` for anything that is none. */
export function readComposition(value: unknown): ReadComposition | undefined {
  const read = composition.safeParse(value)
  if (!read.success) return undefined
  return {
    template: read.data.archetype_details.template_id.value,
    uid: read.data.uid?.value,
  }
}

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

/**
 * The composition that the record gave, proven to be the one asked for.
 * @param asked a uid; empty for any, when the record chose it
 * @throws Refusal upstream_invalid
 */
export function provenComposition(
  body: unknown,
  asked: string,
): { readonly template: string; readonly uid: string } {
  const read = readComposition(body)
  if (read?.uid === undefined) throw invalid('not a COMPOSITION')
  if (!isVersionOf(read.uid, asked)) throw invalid('another composition than asked')
  return { template: read.template, uid: read.uid }
}

/**
 * Whether this role may see a composition. What it may not see is answered as what does not exist.
 * @throws Refusal record_absent
 */
export function requireReadable(access: Access, rules: Rules, template: string): PolicyDecision {
  const decision = readable(access, rules, template)
  if (decision === undefined) throw new Refusal('record_absent', 'template not readable')
  return decision
}

const history = z.looseObject({
  items: z.array(z.looseObject({ version_id: z.looseObject({ value: z.string() }) })),
})

/** @throws Refusal upstream_invalid */
export function provenHistory(body: unknown, object: string): void {
  const read = history.safeParse(body)
  if (!read.success) throw invalid('not a REVISION_HISTORY')
  if (!read.data.items.every((item) => isVersionOf(item.version_id.value, object)))
    throw invalid('history of another composition')
}

const resultSet = z.looseObject({
  q: z.string().optional(),
  columns: z.array(z.looseObject({ name: z.string(), path: z.string().optional() })),
  rows: z.array(z.array(z.unknown())),
})

export interface ReleasedRows {
  readonly body: object
  /** Templates of the rows that leave, and of those that this role may not see. */
  readonly released: readonly string[]
  readonly withheld: readonly string[]
  readonly decisions: readonly PolicyDecision[]
}

/** One row, proven to be of this EHR and what its columns say. @throws Refusal upstream_invalid */
function provenRow(row: readonly unknown[], at: ReadonlyMap<string, number>, ehrId: string) {
  const cell = (name: string) => row[at.get(name) ?? -1]
  const [ehr, template, uid] = [cell('ehr'), cell('template'), cell('uid')]
  // A server may treat ehr_id as a hint only, and answer for everybody.
  if (typeof ehr !== 'string' || ehr.toLowerCase() !== ehrId) throw invalid('row of another EHR')
  const read = readComposition(cell('composition'))
  if (read?.uid === undefined || read.template !== template || read.uid !== uid)
    throw invalid('row that contradicts its composition')
  return {
    template: read.template,
    uid: read.uid,
    cells: [template, uid, cell('composition')],
  }
}

interface AskedQuery {
  readonly name: string
  readonly ehrId: string
}

/**
 * What a stored query gave, each row proven to be of the EHR that was asked for.
 * @throws Refusal upstream_invalid
 */
export function provenRows({ name, ehrId }: AskedQuery, body: unknown) {
  const read = resultSet.safeParse(body)
  if (!read.success) throw invalid('not a RESULT_SET')
  const { columns, rows, q } = read.data
  const at = new Map(columns.map((column, index) => [column.name, index]))
  const wanted = STORED_QUERIES[name] ?? []
  if (at.size !== columns.length || !wanted.every((each) => at.has(each)))
    throw invalid('columns of a stored query')
  return {
    q,
    columns: wanted.slice(0, 3).map((each) => columns[at.get(each) ?? -1]),
    rows: rows.map((row) => provenRow(row, at, ehrId)),
  }
}

/**
 * A composition's uid proves nothing of whose it is, and a server may ignore the EHR of a path: one that
 * is not among the plan's rows of this EHR is another's, or none of the plan.
 *
 * @param rows what the plan's query gave for the EHR
 * @throws Refusal record_other_patient, upstream_invalid
 */
export function requireOwn(ehrId: string, rows: unknown, uid: string): void {
  const own = provenRows({ name: PLAN_QUERY, ehrId }, rows).rows
  if (!own.some((row) => objectOf(row.uid) === objectOf(uid)))
    throw new Refusal('record_other_patient', 'a composition that is not of this EHR')
}

/**
 * The rows of a stored query that this role may see, without the column that proved them.
 * @throws Refusal upstream_invalid
 */
export function releaseRows(
  access: Access,
  rules: Rules,
  query: AskedQuery,
  body: unknown,
): ReleasedRows {
  const { q, columns, rows } = provenRows(query, body)
  const proven = rows.map((row) => ({ ...row, decision: readable(access, rules, row.template) }))
  const kept = proven.filter((row) => row.decision !== undefined)
  const withheld = proven.filter((row) => row.decision === undefined).map((row) => row.template)
  return {
    body: {
      ...(q === undefined ? {} : { q }),
      name: query.name,
      columns,
      rows: kept.map((row) => row.cells),
      // Whether, and not what: without it "no rows" would read as "no plan".
      ...(withheld.length === 0 ? {} : { __withheld: true }),
    },
    released: kept.map((row) => row.template),
    withheld,
    decisions: kept.flatMap((row) => row.decision ?? []),
  }
}
