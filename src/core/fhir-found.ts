/** The answer to a search, made anew of what may be released. */
import { readCall } from './call.js'
import type { PolicyDecision } from './decision.js'
import { type FhirPlan, readFhirCall, type SearchCall } from './fhir.js'
import { judgeResource } from './fhir-judge.js'
import {
  type FhirRelease,
  invalid,
  isId,
  ours,
  type Released,
  requirePatientSeen,
} from './fhir-own.js'
import { heldToPatient, includedBy, isPaged } from './fhir-search.js'
import { isFhirType } from './fhir-types.js'
import { isObject, type Json } from './json.js'
import { atOnce } from './json-text.js'
import { Refusal } from './refusal.js'
import { readSearchset } from './searchset.js'

/** Of a link to another page only how many and from where: the search in it is the one that was judged. */
function pageOf(link: Json, { type, parameters }: SearchCall, { base, whose }: FhirRelease) {
  if (typeof link.url !== 'string' || !link.url.startsWith(`${base}/`)) return undefined
  // Of a search by form some servers (HAPI) name the form's own path, which only POST knows.
  const address = link.url.slice(base.length).replace(/^(\/\w+)\/_search\?/, '$1?')
  try {
    const call = readFhirCall(readCall('GET', address, {}))
    if (call.interaction !== 'search' || call.type !== type) return undefined
    heldToPatient(call, whose.patient)
    const [count, offset] = [call.parameters.get('_count'), call.parameters.get('_offset')]
    // One that leads back would be followed for ever.
    const on = Number(offset) > Number(parameters.get('_offset') ?? 0)
    if (offset === undefined || (link.relation === 'next' && !on)) return undefined
    return new Map([
      ...parameters,
      ...(count ? [['_count', count] as const] : []),
      ['_offset', offset],
    ])
  } catch {
    return undefined
  }
}

/**
 * The same search from where this page ends, where a record names its first page's next one by a word of its own
 * (HAPI's `_getpages`): such a word is nobody's to use but whoever was judged, so none leaves. A record that does so
 * on a later page as well does not page by offset, and would be asked for ever.
 */
function pageAfter({ url }: Json, { parameters }: SearchCall, matches: number, base: string) {
  const opaque =
    typeof url === 'string' && /^\/?\?/.test(url.startsWith(base) ? url.slice(base.length) : '')
  const goesOn = opaque && matches > 0 && !parameters.has('_offset')
  return goesOn ? new Map([...parameters, ['_offset', String(matches)]]) : undefined
}

/** The address of a search, held to the patient, with these parameters. */
export const addressOf = (
  call: SearchCall,
  parameters: ReadonlyMap<string, string>,
  { base, whose }: FhirRelease,
): string =>
  atOnce(base, '/', call.type, '?', heldToPatient({ ...call, parameters }, whose.patient))

const PAGES: ReadonlySet<unknown> = new Set(['first', 'previous', 'next', 'last'])

/** Links made anew. A lost `next` would hide entries: refused. */
function linksOf(
  links: readonly Json[],
  call: SearchCall,
  matches: number,
  release: FhirRelease,
): readonly Json[] {
  const { base } = release
  const pages = links.flatMap((link): readonly Json[] => {
    const { relation } = link
    if (!PAGES.has(relation)) return []
    const own = ours(link, release)
    const after = relation === 'next' ? pageAfter(own, call, matches, base) : undefined
    const parameters = pageOf(own, call, release) ?? after
    if (parameters !== undefined) return [{ relation, url: addressOf(call, parameters, release) }]
    if (relation === 'next') throw invalid('next link')
    return []
  })
  return [{ relation: 'self', url: addressOf(call, call.parameters, release) }, ...pages]
}

interface Entry {
  readonly resource: Json
  readonly mode: 'match' | 'include'
}

const modeOf = (entry: Json): unknown => (isObject(entry.search) ? entry.search.mode : undefined)

/** An entry that a search like this can have. */
function readEntry(entry: unknown, call: SearchCall): Entry {
  const resource = isObject(entry) ? entry.resource : undefined
  if (!isObject(entry) || !isObject(resource) || !isId(resource.id))
    throw invalid('an entry without a resource')
  const { resourceType: type } = resource
  const included = modeOf(entry) === 'include'
  const known = included ? includedBy(call).some((one) => one === type) : type === call.type
  if (!known) throw invalid(`not a ${call.type} in a searchset`)
  return { resource, mode: included ? 'include' : 'match' }
}

const WHOSE: ReadonlySet<string> = new Set(['patient', 'subject', 'subject:Patient'])

/** The last part of an address or a reference. */
const lastOf = (address: string): string => address.split('/').at(-1) ?? ''

/**
 * Entries prove whose they are; an answer without any proves nothing, and reads as "there is none". Where it names the
 * search that it answers, that is this one: over a connection that has come apart it may be somebody else's.
 * @throws Refusal upstream_invalid
 */
function requireAnswers(
  links: readonly Json[],
  { type }: SearchCall,
  { whose }: FhirRelease,
): void {
  for (const { relation, url } of links) {
    if (relation !== 'self' || typeof url !== 'string') continue
    const [address = '', query] = url.split('?', 2)
    const named = lastOf(address.replace(/\/_search$/, ''))
    const about = type === 'Patient' ? new Set(['_id']) : WHOSE
    const others = [...new URLSearchParams(query)].filter(
      ([name, value]) => about.has(name) && lastOf(value) !== whose.patient,
    )
    if ((isFhirType(named) && named !== type) || others.length > 0)
      throw invalid('the answer to another search')
  }
}

/** FHIR's mark for an answer from which something may have been left out. @see HL7 v3 ObservationValue */
const REDACTED = {
  security: [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' },
  ],
}

/** Where the references of a resource lead, in full. */
function ledTo(value: unknown, base: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => {
    if (name !== 'reference' || typeof each !== 'string') return ledTo(each, base)
    const local = each.startsWith(`${base}/`) ? each.slice(base.length + 1) : each
    return [`${base}/${local.split('/', 2).join('/')}`]
  })
}

/** An entry as it leaves. */
export interface Given {
  readonly fullUrl: string
  readonly resource: Json
  readonly search: { readonly mode: Entry['mode'] }
}

/** What comes along with a match is given with it: what only a withheld one names would tell of it. */
export function withoutStrays(entries: readonly Given[], { base }: FhirRelease): readonly Given[] {
  const isMatch = ({ search }: Given) => search.mode === 'match'
  if (entries.every(isMatch)) return entries
  const led = new Set(entries.filter(isMatch).flatMap(({ resource }) => ledTo(resource, base)))
  return entries.filter((entry) => isMatch(entry) || led.has(entry.fullUrl))
}

/** A record that mixes patients in one answer is not to be believed in any part of it. */
function judged(plan: FhirPlan<SearchCall>, entries: readonly Entry[], release: FhirRelease) {
  const decisions: PolicyDecision[] = []
  const unseen: Json[] = []
  const given = entries.filter(({ resource, mode }) => {
    const [letter, decision] = mode === 'match' ? (['s', plan.decision] as const) : (['r'] as const)
    const verdict = judgeResource(release, resource, letter, decision)
    if (verdict.is === 'foreign')
      throw invalid(`a ${resource.resourceType} of another patient in a searchset`)
    if (verdict.is === 'given') decisions.push(...verdict.decisions)
    else if (resource.resourceType === 'Patient') unseen.push(resource)
    return verdict.is === 'given'
  })
  for (const patient of unseen) requirePatientSeen(release, patient, 's')
  return { given, decisions }
}

/**
 * What may be withheld was asked before the record was: under other rules the mark, and the pages, would be wrong.
 * @throws Refusal policy_changed
 */
function requireSameRules({ decision }: FhirPlan<SearchCall>, { policies }: FhirRelease): void {
  const now = policies.version()
  if (decision !== undefined && decision.version !== now)
    throw new Refusal('policy_changed', `from version ${decision.version} to ${now}`)
}

/**
 * Made anew of what may be released: no count, link, time or member of the record's own tells of the rest. The
 * mark says what the role may not see, never whether there is any of it.
 */
export function releasedSearch(
  plan: FhirPlan<SearchCall>,
  body: unknown,
  release: FhirRelease,
): Released {
  const { call } = plan
  requireSameRules(plan, release)
  const { base } = release
  const from = call.parameters.get('_offset')
  const read = readSearchset(body, from === undefined ? undefined : Number(from))
  if (read.entries.length === 0) requireAnswers(read.links, call, release)
  const entries = read.entries.map((entry) => readEntry(entry, call))
  const { given, decisions } = judged(plan, entries, release)
  const found = entries.filter(({ mode }) => mode === 'match').length
  const link = linksOf(read.links, call, found, release)
  const whole = !isPaged(call) && !link.some(({ relation }) => relation === 'next')
  const matches = given.filter(({ mode }) => mode === 'match').length
  const bundle: Json = {
    resourceType: 'Bundle',
    ...(plan.withholds ? { meta: REDACTED } : {}),
    type: 'searchset',
    ...(whole ? { total: matches } : {}),
    link,
    entry: withoutStrays(
      given.map(({ resource, mode }) => ({
        fullUrl: atOnce(base, '/', String(resource.resourceType), '/', String(resource.id)),
        resource: ours(resource, release),
        search: { mode },
      })),
      release,
    ),
  }
  return { body: bundle, decisions: [...decisions], entries: matches }
}
