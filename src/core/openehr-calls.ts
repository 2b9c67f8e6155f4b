/**
 * openEHR REST as far as we let it through: one EHR, the plan's own templates, queries that were registered. What no
 * row matches is refused: EHRs by subject, changes of EHR and EHR_STATUS, the directory's writing, definitions'
 * writing, demographics, administration.
 *
 * @see openEHR REST API, "EHR", "Query", "Definition"; docs/openehr-scopes.md holds the same table
 */
import type { Call } from './call.js'
import { Refusal } from './refusal.js'
import type { Letter } from './scope.js'

/** `<uuid>`, or a version of it: `<uuid>::<system>::<number>`. */
export const OBJECT = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'
export const VERSION = `${OBJECT}::[A-Za-z0-9._-]{1,100}::\\d{1,9}`

/** Where ad-hoc AQL is run, and what it is called in a scope. */
export const AD_HOC = 'aql'

const within = (rest: string) => new RegExp(`^/ehr/([^/]+)${rest}$`)
const at = (rest: string) => new RegExp(`^${rest}$`)
const NONE: readonly string[] = []
const TIMED: readonly string[] = ['version_at_time']

/** What a token must hold before anything is asked: a composition scope, a query's, or ad-hoc AQL's. */
type Reach = 'composition' | 'query' | 'ad-hoc'

interface Row {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: RegExp
  readonly name: string
  readonly reach: Reach
  /** Any of them lets the call begin; which one it needs is judged by each template that it is about. */
  readonly letters: readonly Letter[]
  /** Parameters of the address; those of a query are its own. */
  readonly query: readonly string[]
}

/** Interactions, and the letters of scopes that they need. First match wins. */
// biome-ignore format: a table
export const OPENEHR_INTERACTIONS = [
  { method: 'GET',    path: within(''),                                                     name: 'ehr_read',                   reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within('/ehr_status'),                                          name: 'ehr_status_read',            reach: 'composition', letters: ['r'],           query: TIMED },
  { method: 'GET',    path: within(`/ehr_status/(${VERSION})`),                             name: 'ehr_status_read',            reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within(`/composition/(${VERSION})`),                            name: 'composition_read',           reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within(`/composition/(${OBJECT})`),                             name: 'composition_read',           reach: 'composition', letters: ['r'],           query: TIMED },
  { method: 'POST',   path: within('/composition'),                                         name: 'composition_create',         reach: 'composition', letters: ['c'],           query: NONE },
  { method: 'PUT',    path: within(`/composition/(${OBJECT})`),                             name: 'composition_update',         reach: 'composition', letters: ['u'],           query: NONE },
  { method: 'DELETE', path: within(`/composition/(${VERSION})`),                            name: 'composition_delete',         reach: 'composition', letters: ['d'],           query: NONE },
  { method: 'GET',    path: within(`/versioned_composition/(${OBJECT})`),                   name: 'versioned_composition_read', reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within(`/versioned_composition/(${OBJECT})/revision_history`),  name: 'revision_history',           reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within(`/versioned_composition/(${OBJECT})/version`),           name: 'version_read',               reach: 'composition', letters: ['r'],           query: TIMED },
  { method: 'GET',    path: within(`/versioned_composition/(${OBJECT})/version/(${VERSION})`), name: 'version_read',            reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'POST',   path: within('/contribution'),                                        name: 'contribution_create',        reach: 'composition', letters: ['c', 'u', 'd'], query: NONE },
  { method: 'GET',    path: within(`/contribution/(${OBJECT})`),                            name: 'contribution_read',          reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within('/directory'),                                           name: 'directory_read',             reach: 'composition', letters: ['r'],           query: TIMED },
  { method: 'GET',    path: within(`/directory/(${VERSION})`),                              name: 'directory_read',             reach: 'composition', letters: ['r'],           query: NONE },
  { method: 'GET',    path: within('/unsaved'),                                             name: 'unsaved_list',               reach: 'composition', letters: ['c', 'u'],      query: NONE },
  { method: 'GET',    path: within('/unsaved/([^/]+)'),                                     name: 'unsaved_read',               reach: 'composition', letters: ['c', 'u'],      query: NONE },
  { method: 'PUT',    path: within('/unsaved/([^/]+)'),                                     name: 'unsaved_keep',               reach: 'composition', letters: ['c', 'u'],      query: NONE },
  { method: 'DELETE', path: within('/unsaved/([^/]+)'),                                     name: 'unsaved_discard',            reach: 'composition', letters: ['c', 'u'],      query: NONE },
  { method: 'GET',    path: at('/definition/template/adl1\\.4'),                            name: 'template_list',              reach: 'composition', letters: ['c', 'r', 'u'], query: NONE },
  { method: 'GET',    path: at('/definition/template/adl1\\.4/([^/]+)'),                    name: 'template_read',              reach: 'composition', letters: ['c', 'r', 'u'], query: NONE },
  { method: 'GET',    path: at(`/query/${AD_HOC}`),                                         name: 'ad_hoc_query',               reach: 'ad-hoc',      letters: ['s'],           query: NONE },
  { method: 'POST',   path: at(`/query/${AD_HOC}`),                                         name: 'ad_hoc_query',               reach: 'ad-hoc',      letters: ['s'],           query: NONE },
  { method: 'GET',    path: at('/query/([^/]+)(?:/([^/]+))?'),                              name: 'query',                      reach: 'query',       letters: ['s'],           query: NONE },
  { method: 'POST',   path: at('/query/([^/]+)(?:/([^/]+))?'),                              name: 'query',                      reach: 'query',       letters: ['s'],           query: NONE },
] as const satisfies readonly Row[]

export type OpenEhrInteraction = (typeof OPENEHR_INTERACTIONS)[number]['name']

/** Interactions that change the record, or what is kept beside it: each names its context. */
export const OPENEHR_WRITES: ReadonlySet<OpenEhrInteraction> = new Set<OpenEhrInteraction>([
  'composition_create',
  'composition_update',
  'composition_delete',
  'contribution_create',
  'unsaved_keep',
  'unsaved_discard',
])

export interface OpenEhrCall {
  readonly interaction: OpenEhrInteraction
  readonly method: Row['method']
  readonly reach: Reach
  readonly letters: readonly Letter[]
  /** As the client wrote it, where the path has one; compared before anything is asked (openehr.ts). */
  readonly ehr: string | undefined
  /** What is asked for: a uid, a template, a query; empty for the only one, or a new one. */
  readonly id: string
  /** The version of it that is asked for; empty for none. */
  readonly version: string
  readonly query: ReadonlyMap<string, string>
}

/** ISO 8601, extended, with its zone. @see openEHR REST API, "version_at_time" */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

/** @throws Refusal interaction_refused, parameter_invalid */
export function readOpenEhrCall({ method, path, query }: Call): OpenEhrCall {
  const row = OPENEHR_INTERACTIONS.find((each) => each.method === method && each.path.test(path))
  if (row === undefined) throw new Refusal('interaction_refused', `${method} at openEHR`)
  const [, ...found] = row.path.exec(path) ?? []
  const isWithin = path.startsWith('/ehr/')
  const [id = '', version = ''] = isWithin ? found.slice(1) : found
  if (row.reach === 'composition') {
    for (const [name, value] of query)
      if (!(row.query as readonly string[]).includes(name) || !TIME.test(value))
        throw new Refusal('parameter_invalid', `${row.name}: ${name}`)
  }
  const { name: interaction, reach, letters } = row
  const ehr = isWithin ? (found[0] ?? '') : undefined
  return { interaction, method: row.method, reach, letters, ehr, id, version, query }
}
