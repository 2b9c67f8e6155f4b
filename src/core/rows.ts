/** Rows of a query, proven one by one before they leave: of the token's EHR, of templates that this role may see. */
import { z } from 'zod'
import type { Access } from './access.js'
import { type BoundQuery, EHR_COLUMN, templateColumn } from './aql/judge.js'
import { readComposition } from './composition.js'
import type { PolicyDecision } from './decision.js'
import { objectOf, type Rules, readable } from './openehr.js'
import { Refusal } from './refusal.js'
import { PLAN, type StoredQuery } from './stored-query.js'

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

/** Of a RESULT_SET its `q` stays behind: what a server says that it ran may hold anything. */
const resultSet = z.object({
  columns: z
    .array(z.object({ name: z.string().max(200), path: z.string().max(1000).optional() }))
    .max(200),
  rows: z.array(z.array(z.unknown())),
})

export interface ResultSet {
  readonly columns: z.infer<typeof resultSet>['columns']
  /** By a column's name. */
  readonly at: ReadonlyMap<string, number>
  readonly rows: readonly (readonly unknown[])[]
}

/** @param wanted columns that must be there. @throws Refusal upstream_invalid */
export function readResultSet(body: unknown, wanted: readonly string[]): ResultSet {
  const read = resultSet.safeParse(body)
  if (!read.success) throw invalid('not a RESULT_SET')
  const { columns, rows } = read.data
  const at = new Map(columns.map((column, index) => [column.name, index]))
  if (at.size !== columns.length || !wanted.every((each) => at.has(each)))
    throw invalid('columns of a query')
  if (rows.some((row) => row.length !== columns.length)) throw invalid('a row of other columns')
  return { columns, at, rows }
}

const counted = z.number().positive().optional().catch(undefined)
const cutOff = z.looseObject({
  meta: z.looseObject({ fetch: counted, _fetch: counted }),
  rows: z.array(z.unknown()),
})

/**
 * Of a query that nobody limited: a server may limit it by itself (EHRbase, by `ehrbase.rest.aql.default-limit`) and
 * say so in `meta` alone. Part of a plan would read as a plan that lacks the rest.
 *
 * @throws Refusal upstream_invalid
 */
export function requireAllRows(body: unknown): void {
  const read = cutOff.safeParse(body)
  if (!read.success) return
  const { fetch, _fetch = fetch } = read.data.meta
  if (_fetch !== undefined && read.data.rows.length >= _fetch)
    throw invalid('rows that the record itself has limited')
}

/** A cell must say that its row is of this EHR. @throws Refusal upstream_invalid */
export function requireOwnRow(cell: unknown, ehrId: string): void {
  if (typeof cell !== 'string' || cell.toLowerCase() !== ehrId) throw invalid('row of another EHR')
}

/** What a cell holds must be of the template that its row is judged by. @throws Refusal upstream_invalid */
export function requireCell(cell: unknown, templates: readonly string[]): void {
  const read = readComposition(cell)
  if (read !== undefined && !templates.includes(read.template))
    throw invalid('row that contradicts its composition')
}

export interface ProvenRow {
  readonly template: string
  /** What leaves of it. */
  readonly cells: readonly unknown[]
}

/** @throws Refusal upstream_invalid */
export function provenRows(query: StoredQuery, ehrId: string, body: unknown) {
  const { ehr, template } = query.proves
  const wanted = [ehr, ...('column' in template ? [template.column] : []), ...query.columns]
  const { columns, at, rows } = readResultSet(body, wanted)
  const cell = (row: readonly unknown[], name: string) => row[at.get(name) ?? -1]
  return {
    columns: query.columns.map((name) => columns[at.get(name) ?? -1]),
    rows: rows.map((row): ProvenRow => {
      requireOwnRow(cell(row, ehr), ehrId)
      const said = 'column' in template ? cell(row, template.column) : template.always
      if (typeof said !== 'string') throw invalid('row without a template')
      for (const each of row) requireCell(each, [said])
      return { template: said, cells: query.columns.map((name) => cell(row, name)) }
    }),
  }
}

/** A composition that the plan has now. */
export interface PlanRow {
  readonly template: string
  readonly uid: string
}

/** The plan's rows: each is a composition, its template and uid what the columns say. @throws Refusal upstream_invalid */
export function planRows(ehrId: string, body: unknown): readonly PlanRow[] {
  return provenRows(PLAN, ehrId, body).rows.map(({ template, cells: [, uid, composition] }) => {
    const read = readComposition(composition)
    if (read?.uid === undefined || read.uid !== uid || read.template !== template)
      throw invalid('row that contradicts its composition')
    return { template, uid: read.uid }
  })
}

/**
 * A uid proves nothing of whose composition it is, and a server may ignore the EHR of a path: one that is not among
 * the plan's rows of this EHR is another's, or none of the plan, or deleted.
 *
 * @throws Refusal record_other_patient
 */
export function requireAmong(rows: readonly PlanRow[], uid: string): PlanRow {
  const own = rows.find((row) => objectOf(row.uid) === objectOf(uid))
  if (own === undefined)
    throw new Refusal('record_other_patient', 'a composition that is not of this EHR')
  return own
}

export interface ReleasedRows {
  readonly body: object
  /** Templates of the rows that leave, and of those that this role may not see. */
  readonly released: readonly string[]
  readonly withheld: readonly string[]
  readonly decisions: readonly PolicyDecision[]
  /** What the plan's own query has proven. */
  readonly plan: readonly PlanRow[]
}

/** A decision for each template, asked once. */
export function judgeOnce(access: Access, rules: Rules) {
  const known = new Map<string, PolicyDecision | undefined>()
  return (template: string): PolicyDecision | undefined => {
    if (!known.has(template)) known.set(template, readable(access, rules, template))
    return known.get(template)
  }
}

/** Whether, and not what: without it "no rows" would read as "no plan". */
const withheldMember = (withheld: boolean) => (withheld ? { __withheld: true } : {})

/** Templates of the plan, by whether this role may read them. */
export function readableTemplates(access: Access, rules: Rules) {
  const judge = judgeOnce(access, rules)
  const templates = rules.plan.map(({ template }) => template)
  return {
    judge,
    open: templates.filter((template) => judge(template) !== undefined),
    some: templates.some((template) => judge(template) === undefined),
  }
}

/**
 * The rows of a stored query that this role may see, without the columns that only proved them.
 * @throws Refusal upstream_invalid
 */
export function releaseRows(
  access: Access,
  rules: Rules,
  query: StoredQuery,
  asked: { readonly ehrId: string; readonly body: unknown },
): ReleasedRows {
  const plan = query.name === PLAN.name ? planRows(asked.ehrId, asked.body) : []
  const { columns, rows } = provenRows(query, asked.ehrId, asked.body)
  const { judge, some } = readableTemplates(access, rules)
  const kept = rows.filter(({ template }) => judge(template) !== undefined)
  const withheld = rows.filter(({ template }) => judge(template) === undefined)
  const names = withheld.map(({ template }) => template)
  return {
    body: {
      name: query.name,
      columns,
      rows: kept.map(({ cells }) => cells),
      // Of a query with conditions it says what the role may not see at all: else it would answer them.
      ...withheldMember(query.name === PLAN.name ? names.length > 0 : some),
    },
    released: kept.map(({ template }) => template),
    withheld: names,
    decisions: kept.flatMap(({ template }) => judge(template) ?? []),
    plan,
  }
}

/**
 * The rows of a query that an app wrote and the gateway bound (aql/judge.ts): each of the EHR, each of its
 * compositions of a template that may be read. The columns that prove it were added, and stay here.
 *
 * @throws Refusal upstream_invalid
 */
export function releaseBound(
  access: Access,
  rules: Rules,
  bound: BoundQuery,
  asked: { readonly ehrId: string; readonly body: unknown },
): ReleasedRows {
  const proof = Array.from({ length: bound.compositions }, (_, index) => templateColumn(index))
  const { columns, at, rows } = readResultSet(asked.body, [EHR_COLUMN, ...proof])
  const ours = [EHR_COLUMN, ...proof].map((name) => at.get(name) ?? -1)
  const shown = columns.map((_, index) => index).filter((index) => !ours.includes(index))
  if (shown.length !== bound.columns) throw invalid('columns of a query')
  const { judge, some } = readableTemplates(access, rules)
  const released: string[] = []
  for (const row of rows) {
    requireOwnRow(row[ours[0] ?? -1], asked.ehrId)
    // The query left them out: a server that gives them all the same is not believed in the rest.
    const templates = ours.slice(1).map((index) => {
      const said = row[index]
      if (typeof said !== 'string' || judge(said) === undefined)
        throw invalid('row of another template than asked')
      return said
    })
    for (const cell of row) requireCell(cell, templates)
    released.push(...templates)
  }
  const names = [...new Set(released)]
  return {
    body: {
      columns: shown.map((index) => columns[index]),
      rows: rows.map((row) => shown.map((index) => row[index])),
      ...withheldMember(some),
    },
    released: names,
    withheld: [],
    decisions: names.flatMap((template) => judge(template) ?? []),
    plan: [],
  }
}
