/** What the server of modelled-openehr.ts keeps: EHRs, versions, contributions and stored queries, in memory. */
import { randomUUID } from 'node:crypto'

export type Json = Record<string, unknown>

/** Where releases, or settings, of such a server differ. */
export interface Ways {
  /** Whether the quotes of `If-Match` are read as a part of the version. */
  quotesKept: boolean
  /** Whether the refusal to delete a version that is not the last one names the last one. */
  named: boolean
  /** Rows of a query that names no number of its own: `ehrbase.rest.aql.default-limit`. */
  limit: number | undefined
  /** Nothing but its own failure. */
  broken: boolean
}

export interface Version {
  readonly uid: string
  readonly object: string
  readonly ehr: string
  readonly contribution: string
  readonly at: number
  readonly audit: Json
  readonly preceding?: string
  /** Absent from a version that says that it was deleted. */
  readonly data?: Json
}

export interface Change {
  readonly type: string
  readonly preceding?: string
  readonly data?: Json
  readonly audit?: Json
}

export class Fault extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export const SYSTEM = 'records.example.org'
export const objectOf = (uid: string): string => uid.split('::')[0] ?? ''
export const id = (_type: string, value: string) => ({ _type, value })
export const time = (at: number) => ({ _type: 'DV_DATE_TIME', value: new Date(at).toISOString() })
export const whole = ({ uid, data }: Version): Json => ({
  ...data,
  uid: id('OBJECT_VERSION_ID', uid),
})
const templateOf = ({ archetype_details }: Json): string =>
  (archetype_details as { template_id: { value: string } }).template_id.value
const COLUMNS = ['template', 'uid', 'composition', 'ehr']

export class ModelledStore {
  readonly ways: Ways = { quotesKept: true, named: false, limit: undefined, broken: false }
  /** EHR_STATUS by EHR. */
  readonly ehrs = new Map<string, Json>()
  readonly versions: Version[] = []
  readonly contributions = new Map<string, { readonly ehr: string; readonly audit: Json }>()
  /** FOLDER by EHR. */
  readonly folders = new Map<string, Json>()
  readonly templates = new Set<string>()
  readonly queries = new Map<string, { readonly q: string; readonly version: string }>()

  lastOf(object: string): Version | undefined {
    return this.versions.filter((one) => one.object === object).at(-1)
  }

  /** @throws Fault 404 where there is none, or it was deleted; 412, or 409 for a deletion, where it is not the last */
  #requireLast(preceding: string, type: string): Version {
    const last = this.lastOf(objectOf(preceding))
    if (!last?.data) throw new Fault(404, `no composition ${preceding}`)
    if (last.uid === preceding) return last
    if (type !== '523') throw new Fault(412, 'Precondition Failed')
    throw new Fault(409, 'not the last version', this.ways.named ? { ETag: `"${last.uid}"` } : {})
  }

  #version(ehr: string, contribution: string, { type, preceding, data, audit }: Change): Version {
    const last = preceding === undefined ? undefined : this.#requireLast(preceding, type)
    if (data && !this.templates.has(templateOf(data)))
      throw new Fault(422, `Could not find template ${templateOf(data)}`)
    const object = last?.object ?? randomUUID()
    const number = Number(last?.uid.split('::')[2] ?? 0) + 1
    const at = Date.now()
    return {
      ...{ uid: `${object}::${SYSTEM}::${number}`, object, ehr, contribution, at },
      ...(preceding === undefined ? {} : { preceding }),
      ...(data === undefined ? {} : { data }),
      audit: {
        ...{ _type: 'AUDIT_DETAILS', system_id: SYSTEM, time_committed: time(at) },
        // Who commits is the credential's user, whatever a header says; only a contribution's body is believed.
        ...{ committer: { _type: 'PARTY_IDENTIFIED', name: 'service-user' }, ...audit },
      },
    }
  }

  /** All or nothing. @throws Fault */
  commit(ehr: string, changes: readonly Change[], audit: Json = {}) {
    const contribution = randomUUID()
    const made = changes.map((change) => this.#version(ehr, contribution, change))
    this.versions.push(...made)
    this.contributions.set(contribution, { ehr, audit })
    return { contribution, made }
  }

  /** What it can run: the plan's query, whose templates are given as a list. @throws Fault 400, 404 */
  run(name: string, parameters: Json): Json {
    const kept = this.queries.get(name)
    if (!kept) throw new Fault(404, `no stored query ${name}`)
    const { limit } = this.ways
    if (/\blike\b/i.test(kept.q))
      throw new Fault(400, 'not implemented: a template_id can be compared by =, != and MATCHES')
    const listed = /matches\s*\{([^}]*)\}/i.exec(kept.q)?.[1]?.split(/[',\s]+/) ?? []
    const found = this.versions.filter(
      ({ ehr, uid, object, data }) =>
        ehr === parameters.ehr_id &&
        this.lastOf(object)?.uid === uid &&
        data !== undefined &&
        listed.includes(templateOf(data)),
    )
    const rows = found.map((one) => [templateOf(one.data ?? {}), one.uid, whole(one), one.ehr])
    return {
      meta: {
        ...{ _type: 'RESULTSET', _executed_aql: kept.q },
        ...(limit === undefined ? {} : { _fetch: limit, _offset: 0 }),
      },
      ...{ q: kept.q, name: `${name}/${kept.version}`, rows: rows.slice(0, limit) },
      columns: COLUMNS.map((each, at) => ({ path: `#${at}`, name: each })),
    }
  }
}
