/**
 * Pages of a search for a caller from whom something may be withheld. The record counts what may not be told: a page
 * with less on it than was asked for, or one to follow that brings nothing, says that there is more. So as many of the
 * record's pages are judged, from its first, as one of ours takes, and ours are made of what is given.
 */
import { readCall } from './call.js'
import { type FhirPlan, readFhirCall, type SearchCall } from './fhir.js'
import { addressOf, type Given, withoutStrays } from './fhir-found.js'
import { type FhirRelease, invalid, type Released } from './fhir-own.js'
import { isPaged } from './fhir-search.js'
import { searchOf } from './fhir-types.js'
import type { Json } from './json.js'

/** Of the record's, for one of ours. */
const MOST_PAGES = 50
/** Matches on one of ours where the client names no number, and as many as it may name. */
const MOST_MATCHES = 999
/** Matches on one of the record's: its first is as long as it likes where the client asks for no pages. */
const AT_ONCE = '100'

/** Whether the record's own pages would tell this caller of what they may not see. */
export const tellsByPages = ({ call, reached, withholds }: FhirPlan<SearchCall>): boolean =>
  searchOf(call.type).includes('_count') && (reached !== 'all' || withholds)

/** The search from its first match, whatever part of it was asked for. */
export function fromFirst(call: SearchCall): SearchCall {
  if (!isPaged(call)) return call
  const { _count, _offset, ...rest } = Object.fromEntries(call.parameters)
  const how = _count === undefined ? {} : { _count: AT_ONCE }
  return { ...call, parameters: new Map(Object.entries({ ...rest, ...how })) }
}

const entriesOf = ({ body }: Released) => body.entry as readonly Given[]
const linksOf = ({ body }: Released) => body.link as readonly Json[]

function boundsOf({ parameters }: SearchCall) {
  const from = Number(parameters.get('_offset') ?? 0)
  return { from, to: from + Number(parameters.get('_count') ?? MOST_MATCHES) }
}

/** Each once, for a record may give it again when something came before it meanwhile. */
function matchesOn(pages: readonly Released[]): readonly Given[] {
  const all = pages.flatMap(entriesOf).filter(({ search }) => search.mode === 'match')
  return [...new Map(all.map((one) => [one.fullUrl, one])).values()]
}

/**
 * The search for the record's next page; `undefined` when one of ours can be made of what there is.
 * @param pages from the first, as they were released. @throws Refusal upstream_invalid
 */
export function nextAsked(
  call: SearchCall,
  pages: readonly Released[],
  { base }: FhirRelease,
): SearchCall | undefined {
  const last = pages.at(-1)
  const next = last && linksOf(last).find(({ relation }) => relation === 'next')
  // One more than it holds says that another follows.
  if (next === undefined || matchesOn(pages).length > boundsOf(call).to) return undefined
  if (pages.length >= MOST_PAGES) throw invalid('more matches than can be judged at once')
  const on = readFhirCall(readCall('GET', String(next.url).slice(base.length), {}))
  if (on.interaction !== 'search') throw invalid('next link')
  return { ...on, form: call.form, parameters: new Map([...on.parameters, ['_count', AT_ONCE]]) }
}

/** Whether all that was given stands on the record's one page, which is then ours, and tells of no other. */
const isWhole = (call: SearchCall, [first, ...others]: readonly Released[]): boolean =>
  first !== undefined &&
  !isPaged(call) &&
  others.length === 0 &&
  linksOf(first).length === 1 &&
  entriesOf(first).length <= MOST_MATCHES

/** One page of what was given. @param pages from the first, as many as {@link nextAsked} asked for */
export function pageFrom(
  call: SearchCall,
  pages: readonly Released[],
  release: FhirRelease,
): Released {
  const [whole] = pages
  if (whole && isWhole(call, pages)) return whole
  const { from, to } = boundsOf(call)
  const matches = matchesOn(pages)
  const shown = matches.slice(from, to)
  const included = pages.flatMap(entriesOf).filter(({ search }) => search.mode === 'include')
  const brought = [...new Map(included.map((one) => [one.fullUrl, one])).values()]
  const onward = new Map([...call.parameters, ['_offset', String(to)]])
  const next =
    matches.length > to ? [{ relation: 'next', url: addressOf(call, onward, release) }] : []
  const { total: _total, ...first } = pages[0]?.body ?? {}
  return {
    body: {
      ...first,
      ...(isPaged(call) || next.length > 0 ? {} : { total: matches.length }),
      link: [{ relation: 'self', url: addressOf(call, call.parameters, release) }, ...next],
      entry: withoutStrays([...shown, ...brought], release),
    },
    decisions: pages.flatMap(({ decisions }) => decisions),
    entries: shown.length,
  }
}
