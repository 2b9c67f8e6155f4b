/**
 * The answer to a FHIR search, read as a whole answer or not at all: one that lacks a part would be
 * taken for "there is none".
 *
 * @see FHIR R4, "Search", "Bundle", "OperationOutcome"
 */
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { Refusal } from './refusal.js'

export interface Searchset {
  /** Matches and includes, as they came. */
  readonly entries: readonly unknown[]
  readonly links: readonly Json[]
}

const invalid = (detail: string) => new Refusal('upstream_invalid', `fhir: ${detail}`)

const FAILED: ReadonlySet<unknown> = new Set(['error', 'fatal'])
/** Codes that say that something is missing, however mild the server thinks it. */
const INCOMPLETE: ReadonlySet<unknown> = new Set(['incomplete', 'timeout'])

const modeOf = (entry: unknown): unknown =>
  isObject(entry) && isObject(entry.search) ? entry.search.mode : undefined

/** What a server remarks on its own search: a remark may be dropped, a failure may not. */
function requireRemark(entry: unknown): void {
  const resource = isObject(entry) ? entry.resource : undefined
  const issues =
    isObject(resource) && resource.resourceType === 'OperationOutcome' ? resource.issue : undefined
  if (!Array.isArray(issues)) throw invalid('an outcome that cannot be read')
  const remarks = issues.every(
    (issue) => isObject(issue) && !FAILED.has(issue.severity) && !INCOMPLETE.has(issue.code),
  )
  if (!remarks) throw invalid('a search that was not carried out whole')
}

function listOf(body: Json, member: 'entry' | 'link'): readonly unknown[] {
  const list = body[member]
  if (list === undefined) return []
  if (!Array.isArray(list)) throw invalid(`Bundle.${member} is no list`)
  return list
}

function linksOf(body: Json): readonly Json[] {
  return listOf(body, 'link').map((link) => {
    if (!isObject(link)) throw invalid('Bundle.link')
    if (link.relation === 'next' && typeof link.url !== 'string') throw invalid('next link')
    return link
  })
}

/**
 * @param passed how many matches the caller asked to leave out before the first; absent where it named no number. The
 *   total of such a page counts in some servers (HAPI) what came along as well
 * @throws Refusal upstream_invalid
 */
export function readSearchset(body: unknown, passed?: number): Searchset {
  if (!isObject(body) || body.resourceType !== 'Bundle' || body.type !== 'searchset')
    throw invalid('not a searchset')
  const entries: unknown[] = []
  let matches = 0
  for (const entry of listOf(body, 'entry')) {
    const mode = modeOf(entry)
    if (mode === 'outcome') requireRemark(entry)
    else entries.push(entry)
    if (mode !== 'outcome' && mode !== 'include') matches += 1
  }
  const links = linksOf(body)

  const total = plainNumbers(body.total ?? 0)
  if (typeof total !== 'number') throw invalid('Bundle.total')
  const counted = passed === undefined ? matches : passed + entries.length
  const goesOn = links.some(({ relation }) => relation === 'next')
  if (total > counted && !goesOn) throw invalid('fewer entries than the total')
  return { entries, links }
}
