/**
 * Where a resource leads within its own record. An id does not say whose it is: `Condition/7` may be another patient's,
 * and whoever reads the record by another way would follow it. So what is written may lead only to what its writer may
 * read, and whether there is anything else at a place is not told.
 *
 * @see FHIR R4, "References between Resources"
 */
import { localOf, namesAnother, type Whose } from './fhir-compartment.js'
import { type Judging, judgeResource } from './fhir-judge.js'
import { isFhirType, rowOf } from './fhir-types.js'
import { isObject, type Json } from './json.js'
import { parameterFault } from './refusal.js'

export interface Place {
  readonly type: string
  readonly id: string
}

/** As FHIR writes it: relative to the record, or to its address, which the caller has taken off. */
const PLACE = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/
/** To what stands inside, what a transaction makes, another server. */
const ELSEWHERE = /^(?:#|[A-Za-z][A-Za-z0-9+.-]*:)/

/** A directory is for everybody; that a patient is the launch's own, `namesAnother` sees to. */
const isOpen = (type: string): boolean =>
  isFhirType(type) && ['self', 'directory'].includes(rowOf(type).whose)

/** Each reference, without the record's own address before it. */
function localsIn(value: unknown, whose: Whose): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) =>
    name === 'reference' && typeof each === 'string'
      ? [localOf(each.trim(), whose)]
      : localsIn(each, whose),
  )
}

function placeOf(local: string): Place | undefined {
  const [, type, id] = PLACE.exec(local) ?? []
  return type === undefined || id === undefined ? undefined : { type, id }
}

const nameOf = ({ type, id }: Place): string => `${type}/${id}`

/**
 * Where a resource leads that is to be written, and what stands does not lead already: that was judged when it was
 * written, and who changes a word of it need not be let in everywhere.
 *
 * @param before as it stands; absent for a new one
 * @throws Refusal parameter_invalid for a reference that is none
 */
export function newPlaces(before: Json | undefined, after: Json, whose: Whose): readonly Place[] {
  const known = new Set(
    localsIn(before, whose)
      .flatMap((local) => placeOf(local) ?? [])
      .map(nameOf),
  )
  const found = new Map<string, Place>()
  for (const local of localsIn(after, whose)) {
    if (ELSEWHERE.test(local)) continue
    const place = placeOf(local)
    if (place === undefined) throw parameterFault('parameter_invalid', 'reference')
    if (!isOpen(place.type) && !known.has(nameOf(place))) found.set(nameOf(place), place)
  }
  return [...found.values()]
}

/** Whether what the record gives of a place is something that this caller may read. */
export function mayLeadTo(judging: Judging, { type, id }: Place, body: unknown): boolean {
  if (!isObject(body) || body.resourceType !== type || body.id !== id) return false
  // Of a type without a row it is not known whose one is: only that it names nobody else.
  if (!isFhirType(type)) return !namesAnother(body, judging.whose)
  return judgeResource(judging, body, 'r').is === 'given'
}
