/**
 * Where a resource leads within its own record. An id does not say whose it is: `Condition/7` may be another patient's,
 * and whoever reads the record by another way would follow it. So what is written may lead only to what its writer may
 * read, and whether there is anything else at a place is not told.
 *
 * @see FHIR R4, "References between Resources"
 */
import type { Whose } from './fhir-compartment.js'
import { type Judging, judgeResource, type Verdict } from './fhir-judge.js'
import { isFhirType, rowOf } from './fhir-types.js'
import { isObject, type Json } from './json.js'
import { parameterFault } from './refusal.js'

export interface Place {
  readonly type: string
  readonly id: string
}

const SEGMENT = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9.-]{1,64}'
/** As FHIR writes it, without the record's own address before it. */
const PLACE = new RegExp(`^([A-Z][A-Za-z]{1,63})/(${SEGMENT})(?:/_history/${SEGMENT})?$`)
/** Whatever some server might take for one. */
const LIKE_A_PLACE = /^[./]*[A-Z][A-Za-z]{1,63}\/[A-Za-z0-9.-]{1,64}(?:[/?].*)?$/
/** To what stands inside, and what a transaction makes or nobody keeps. */
const NOWHERE = /^(?:#[A-Za-z0-9.-]{0,64}|urn:(?:uuid|oid):[A-Za-z0-9.-]{1,100})$/
const WEB = /^https?:\/\/[^\s/]+\/\S+$/i

/** Members besides `reference` that hold addresses, which need not be of resources. */
const ADDRESSES = new Set([
  ...['url', 'valueUrl', 'valueUri', 'valueCanonical', 'instantiatesUri', 'instantiatesCanonical'],
])
/** Places and definitions: for everybody, as a directory is, and not looked up. */
const EVERYBODYS = new Set([
  ...['Location', 'HealthcareService', 'Endpoint', 'Questionnaire', 'PlanDefinition', 'Measure'],
  ...['ActivityDefinition', 'StructureDefinition', 'OperationDefinition', 'SearchParameter'],
  ...['ValueSet', 'CodeSystem', 'ConceptMap', 'NamingSystem', 'Library'],
])

/** That a patient is the launch's own, `namesAnother` sees to. */
const isOpen = (type: string): boolean =>
  EVERYBODYS.has(type) || (isFhirType(type) && ['self', 'directory'].includes(rowOf(type).whose))

/** Where the record stands, and we do. */
export interface Bases {
  readonly whose: Pick<Whose, 'upstream'>
  readonly base: string
}

/** A text, and the member that it stands in. */
interface Written {
  readonly name: string
  readonly text: string
}

function writtenIn(value: unknown, name = ''): readonly Written[] {
  // Some readers take the last of a list for the one that they expect.
  if (Array.isArray(value)) return value.flatMap((each) => writtenIn(each, name))
  if (isObject(value))
    return Object.entries(value).flatMap(([member, each]) => writtenIn(each, member))
  if (typeof value === 'string') return [{ name, text: value.trim() }]
  return name === 'reference' ? [{ name, text: '' }] : []
}

const nameOf = ({ type, id }: Place): string => `${type}/${id}`

function placeOf(text: string, { whose: { upstream } }: Bases): Place | undefined {
  const local = text.startsWith(`${upstream}/`) ? text.slice(upstream.length + 1) : text
  const [, type, id] = PLACE.exec(local) ?? []
  return type === undefined || id === undefined ? undefined : { type, id }
}

const hostOf = (address: string): string => new URL(address).hostname.replace(/\.$/, '')

/** Another spelling of the record's own address, or of ours, is read by some as the same. */
const isOurs = (text: string, { whose, base }: Bases): boolean =>
  [whose.upstream, base].some((own) => hostOf(own) === hostOf(text))

const isWeb = (text: string): boolean => WEB.test(text) && URL.canParse(text)

const notOne = () => parameterFault('parameter_invalid', 'reference')

/**
 * Where a text leads in the record; `undefined` for one that leads nowhere there.
 * @throws Refusal parameter_invalid where two servers could read two things
 */
function ledBy({ name, text }: Written, bases: Bases): Place | undefined {
  if (name === 'reference') {
    const outside = NOWHERE.test(text) || (isWeb(text) && !isOurs(text, bases))
    const place = placeOf(text, bases)
    if (place === undefined && !outside) throw notOne()
    return place
  }
  // Of a canonical without its version; of an address without the place in it.
  const [address = ''] = text.split(/[|#]/, 1)
  const place = placeOf(address, bases)
  if (!ADDRESSES.has(name)) return place && isFhirType(place.type) ? place : undefined
  const like = LIKE_A_PLACE.test(address) || (isWeb(address) && isOurs(address, bases))
  if (place === undefined && like) throw notOne()
  return place
}

/**
 * Where a resource leads that is to be written, and what stands does not lead already: that was judged when it was
 * written, and who changes a word of it need not be let in everywhere.
 *
 * @param before as it stands; absent for a new one
 * @throws Refusal parameter_invalid for a reference that is none
 */
export function newPlaces(before: Json | undefined, after: Json, bases: Bases): readonly Place[] {
  const stood = writtenIn(before)
  const texts = new Set(stood.map(({ text }) => text))
  // What was an address becomes no reference by having stood.
  const references = stood.filter(({ name }) => name === 'reference')
  const referred = new Set(
    references.flatMap(({ text }) => {
      const place = placeOf(text, bases)
      return place === undefined ? [text] : [text, nameOf(place)]
    }),
  )
  const found = new Map<string, Place>()
  for (const written of writtenIn(after)) {
    const known = written.name === 'reference' ? referred : texts
    if (known.has(written.text)) continue
    const place = ledBy(written, bases)
    if (place && !isOpen(place.type) && !referred.has(nameOf(place)))
      found.set(nameOf(place), place)
  }
  return [...found.values()]
}

/**
 * What holds of a place for this caller, as of a read of it.
 * @param body what the record gives of it; `undefined` for nothing
 */
export function judgePlace(judging: Judging, { type, id }: Place, body: unknown): Verdict {
  const there = isObject(body) && body.resourceType === type && body.id === id
  return there ? judgeResource(judging, body, 'r') : { is: 'foreign' }
}

/** Whether it can be found out whose one of its type is. */
export const isOnOffer = ({ type }: Place): boolean => isFhirType(type)
