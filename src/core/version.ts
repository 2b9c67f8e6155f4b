/** Versions of a composition, each judged by its own template: a server may have let an object change it. */
import { z } from 'zod'
import { readComposition } from './composition.js'
import { isVersionOf, objectOf } from './openehr.js'
import { Refusal } from './refusal.js'

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

const value = z.looseObject({ value: z.string().max(250) })

/** A DV_DATE_TIME, or its text: so the REST API's releases before 1.0.3 show it, and EHRbase. */
export const timeOf = z.union([value.transform((time) => time.value), z.string().max(250)])

const versioned = z.object({
  uid: value,
  owner_id: z.object({ id: value }),
  time_created: timeOf,
})

/** @throws Refusal upstream_invalid when it is another object, or another EHR's */
export function releaseVersioned(body: unknown, object: string, ehrId: string) {
  const read = versioned.safeParse(body)
  if (!read.success) throw invalid('not a VERSIONED_COMPOSITION')
  const { uid, owner_id, time_created } = read.data
  if (uid.value.toLowerCase() !== object.toLowerCase()) throw invalid('another object than asked')
  if (owner_id.id.value.toLowerCase() !== ehrId) throw invalid('an object of another EHR')
  return {
    _type: 'VERSIONED_COMPOSITION',
    uid: { _type: 'HIER_OBJECT_ID', value: uid.value },
    owner_id: {
      _type: 'OBJECT_REF',
      id: { _type: 'HIER_OBJECT_ID', value: ehrId },
      namespace: 'local',
      type: 'EHR',
    },
    time_created: { _type: 'DV_DATE_TIME', value: time_created },
  }
}

const original = z.looseObject({
  uid: value,
  data: z.unknown().optional(),
  item: z.unknown().optional(),
})

/** A version with what it holds; an imported one holds the original, and nothing beside it or within that. */
const unwrapped = (body: unknown) => {
  const read = original.safeParse(body)
  if (!read.success) throw invalid('not a VERSION')
  if (read.data.item === undefined) return read.data
  const inner = original.safeParse(read.data.item)
  if (!inner.success || read.data.data !== undefined || inner.data.item !== undefined)
    throw invalid('not an IMPORTED_VERSION')
  return { ...inner.data, uid: read.data.uid, inner: inner.data.uid }
}

/**
 * @param object the versioned object; `asked`: its version, or empty for the one at a time
 * @throws Refusal upstream_invalid; record_absent for a version that says that the composition was deleted
 */
export function provenVersion(
  body: unknown,
  object: string,
  asked: string,
): { readonly uid: string; readonly template: string } {
  const { uid, data } = unwrapped(body)
  if (!isVersionOf(uid.value, object) || (asked !== '' && uid.value !== asked))
    throw invalid('another version than asked')
  if (data === undefined || data === null) throw new Refusal('record_absent', 'deleted by then')
  const read = readComposition(data)
  if (read === undefined) throw invalid('a version that holds no COMPOSITION')
  if (read.uid !== undefined && objectOf(read.uid) !== objectOf(uid.value))
    throw invalid('a version that holds another composition')
  return { uid: uid.value, template: read.template }
}
