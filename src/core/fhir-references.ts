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
/** To what stands inside, and what a transaction makes or nobody keeps. */
const NOWHERE = /^(?:#[A-Za-z0-9.-]{0,64}|urn:(?:uuid|oid):[A-Za-z0-9.-]{1,100})$/
const WEB = /^https?:\/\/[^\s/]+\/\S+$/i

/** Members besides `reference` that may hold the address of a resource. */
const ADDRESSES = new Set(['url', 'valueUrl', 'valueUri', 'valueCanonical', 'instantiatesUri'])
/** Places and definitions: nobody's, as a directory is, and not looked up. */
const NOBODYS = new Set([
  ...['Location', 'HealthcareService', 'Endpoint', 'Questionnaire', 'PlanDefinition'],
  ...['ActivityDefinition', 'StructureDefinition', 'ValueSet', 'CodeSystem', 'Library'],
])

/** That a patient is the launch's own, `namesAnother` sees to. */
const isOpen = (type: string): boolean =>
  NOBODYS.has(type) || (isFhirType(type) && ['self', 'directory'].includes(rowOf(type).whose))

/** Where the record stands, and we do. */
export interface Bases {
  readonly whose: Pick<Whose, 'upstream'>
  readonly base: string
}

/** All of them, as they came: each reference, and what else is the address of a resource. */
function writtenIn(value: unknown, bases: Bases, name = ''): readonly string[] {
  // Some readers take the last of a list for the one that they expect.
  if (Array.isArray(value)) return value.flatMap((each) => writtenIn(each, bases, name))
  if (isObject(value))
    return Object.entries(value).flatMap(([member, each]) => writtenIn(each, bases, member))
  const text = typeof value === 'string' ? value.trim() : ''
  const leads =
    name === 'reference' ||
    text.startsWith(`${bases.whose.upstream}/`) ||
    (ADDRESSES.has(name) && PLACE.test(text))
  return leads ? [text] : []
}

/** Another spelling of the record's own address, or of ours, is read by some as the same. */
function isOutside(text: string, { whose, base }: Bases): boolean {
  if (!WEB.test(text) || !URL.canParse(text)) return false
  const { host } = new URL(text)
  return [whose.upstream, base].every((own) => new URL(own).host !== host)
}

function placeOf(text: string, { whose: { upstream } }: Bases): Place | undefined {
  const local = text.startsWith(`${upstream}/`) ? text.slice(upstream.length + 1) : text
  const [, type, id] = PLACE.exec(local) ?? []
  return type === undefined || id === undefined ? undefined : { type, id }
}

/**
 * Where a resource leads that is to be written, and what stands does not lead already: that was judged when it was
 * written, and who changes a word of it need not be let in everywhere.
 *
 * @param before as it stands; absent for a new one
 * @throws Refusal parameter_invalid for a reference that is none
 */
export function newPlaces(before: Json | undefined, after: Json, bases: Bases): readonly Place[] {
  const stood = new Set(writtenIn(before, bases))
  const found = new Map<string, Place>()
  for (const text of writtenIn(after, bases)) {
    if (stood.has(text) || NOWHERE.test(text) || isOutside(text, bases)) continue
    const place = placeOf(text, bases)
    if (place === undefined) throw parameterFault('parameter_invalid', 'reference')
    if (!isOpen(place.type)) found.set(`${place.type}/${place.id}`, place)
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
