/**
 * The directory of an EHR as this role may see it: what it refers to is known by the plan's rows, and a folder that
 * holds nothing of it is not there. So is another patient's directory: nothing in it is among the rows.
 *
 * @see openEHR RM, "Common", FOLDER
 */
import { z } from 'zod'
import { isVersionOf, objectOf } from './openehr.js'
import { Refusal } from './refusal.js'

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)
const DEEPEST = 20

const reference = z.looseObject({ id: z.looseObject({ value: z.string().max(250) }) })
const folder = z.looseObject({
  uid: z.looseObject({ value: z.string().max(250) }).nullish(),
  name: z.looseObject({ value: z.string().max(1000) }),
  archetype_node_id: z.string().max(200).nullish(),
  items: z.array(reference).max(10_000).nullish(),
  folders: z.array(z.unknown()).max(1000).nullish(),
})

/** A folder with what may be seen of it, or `undefined` when that is nothing. */
function seen(
  body: unknown,
  isSeen: (object: string) => boolean,
  depth: number,
): object | undefined {
  const read = folder.safeParse(body)
  if (!read.success || depth > DEEPEST) throw invalid('not a FOLDER')
  const { uid, name, archetype_node_id } = read.data
  const items = (read.data.items ?? [])
    .filter(({ id }) => isSeen(objectOf(id.value)))
    .map(({ id, namespace, type }) => ({ _type: 'OBJECT_REF', id, namespace, type }))
  const folders = (read.data.folders ?? []).flatMap((inner) => seen(inner, isSeen, depth + 1) ?? [])
  if (items.length === 0 && folders.length === 0) return undefined
  return {
    _type: 'FOLDER',
    ...(uid ? { uid } : {}),
    name,
    ...(archetype_node_id ? { archetype_node_id } : {}),
    ...(items.length === 0 ? {} : { items }),
    ...(folders.length === 0 ? {} : { folders }),
  }
}

/**
 * @param asked the version that was asked for; empty for any
 * @param isSeen whether an object is of this EHR, and this role may read it
 * @throws Refusal record_absent, upstream_invalid
 */
export function releaseDirectory(
  body: unknown,
  asked: string,
  isSeen: (object: string) => boolean,
): { readonly body: object; readonly uid: string } {
  const uid = folder.safeParse(body).data?.uid?.value
  if (uid === undefined || !isVersionOf(uid, asked)) throw invalid('another FOLDER than asked')
  const shown = seen(body, isSeen, 0)
  if (shown === undefined) throw new Refusal('record_absent', 'nothing of it is readable')
  return { body: shown, uid }
}
