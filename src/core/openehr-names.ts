/**
 * Whom a composition names besides its EHR, wherever in it: a plan is of one patient, in whatever place an id can stand.
 * @see openEHR RM, "Common", PARTY_PROXY; "Data Types", DV_EHR_URI, DV_IDENTIFIER
 */
import type { Access } from './access.js'
import { isObject, type Json } from './json.js'
import { isNhsNumberSystem } from './nhs-number.js'
import { OBJECT } from './openehr-calls.js'
import { Refusal } from './refusal.js'

interface Own {
  readonly ehrId: string
  readonly nhsNumber: string | undefined
  /** Under which the record keeps NHS numbers. */
  readonly namespace: string
}

const ANY_EHR = /^\s*ehr:\/\//i
const NAMED_EHR = /^ehr:\/\/(?:[A-Za-z0-9._-]{1,100}\/)?([^/?#]{1,100})(?:[/?#]|$)/i
/** Before what may be an EHR, the system's name: one that looks like an EHR is read as one by who knows no systems there. */
const NAMED_FIRST = new RegExp(`^\\s*ehr://(${OBJECT})(?![\\w-])`, 'i')
/** The same within one system; what begins with no EHR is within the link's own. */
const NAMED_HERE = new RegExp(`^\\s*ehr:/?(${OBJECT})(?![\\w-])`, 'i')

/** An EHR in an address of the REST API, ours or the record's. @see openEHR REST API, "EHR" */
const IN_ADDRESS = new RegExp(`/ehr/(${OBJECT})(?![\\w-])`, 'gi')

function isOtherEhr(text: string, { ehrId }: Own): boolean {
  if (ANY_EHR.test(text)) {
    const [, first = ehrId] = NAMED_FIRST.exec(text) ?? []
    return [first, NAMED_EHR.exec(text)?.[1]].some((named) => named?.toLowerCase() !== ehrId)
  }
  const [, here = ehrId] = NAMED_HERE.exec(text) ?? []
  if (here.toLowerCase() !== ehrId) return true
  // What has spaces in it is words.
  const named = text.includes('/') && !/\s/.test(text.trim()) ? text.matchAll(IN_ADDRESS) : []
  return [...named].some(([, id]) => id?.toLowerCase() !== ehrId)
}

const isOtherNumber = (
  value: unknown,
  systems: readonly unknown[],
  { nhsNumber, namespace }: Own,
): boolean =>
  value !== nhsNumber &&
  systems.some(
    (system) =>
      typeof system === 'string' && (system.trim() === namespace || isNhsNumberSystem(system)),
  )

const isOtherIdentifier = (given: unknown, own: Own): boolean =>
  isObject(given) && isOtherNumber(given.id, [given.type, given.issuer, given.assigner], own)

/** A party by an NHS number that is not the patient's: whom it refers to, or what it is known by. A relative's own is theirs to bear. */
function isOtherParty({ _type, external_ref: ref, identifiers }: Json, own: Own): boolean {
  if (_type !== 'PARTY_RELATED' && Array.isArray(identifiers))
    if (identifiers.some((each) => isOtherIdentifier(each, own))) return true
  if (!isObject(ref) || !isObject(ref.id)) return false
  return isOtherNumber(ref.id.value, [ref.namespace, ref.id.scheme], own)
}

function namesAnother(value: unknown, own: Own): boolean {
  if (typeof value === 'string') return isOtherEhr(value, own)
  if (typeof value !== 'object' || value === null) return false
  if (isObject(value) && isOtherParty(value, own)) return true
  return Object.values(value).some((each) => namesAnother(each, own))
}

/**
 * @param namespace under which the record keeps NHS numbers
 * @throws Refusal resource_refused
 */
export function requireNoOther(
  composition: Json | undefined,
  { grant: { nhsNumber } }: Access,
  ehrId: string,
  namespace: string,
): void {
  // Whoever it says composed it is not who it will say (authorship.ts).
  const { composer: _said, ...content } = composition ?? {}
  if (namesAnother(content, { ehrId, nhsNumber, namespace }))
    throw new Refusal('resource_refused', 'a composition that names another patient')
}
