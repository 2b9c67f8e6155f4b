/**
 * What somebody has typed and not saved, kept for them here and never at the record: for who may write that section
 * now. An extension of ours, beside openEHR's own resources.
 */
import type { Access } from '../core/access.js'
import { requireWritable, writable } from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import { readUnsaved, UNSAVED_BYTES, unsavedOf } from '../core/unsaved.js'
import { jsonBodyOf } from '../http/json-body.js'
import type { UnsavedMark } from '../session/unsaved.js'
import { allowedEntry, recordAllowed, recordRead } from './entry.js'
import type { Handler, OpenEhrParts } from './openehr-parts.js'
import { witnessesOf, witnessesTo } from './openehr-provenance.js'
import { goesOn } from './standing.js'

const unsavedBody = jsonBodyOf(UNSAVED_BYTES, {
  types: /^application\/json\s*(?:;|$)/i,
  exact: true,
})

const shown = ({ at, tag }: UnsavedMark) => ({ kept: new Date(at).toISOString(), etag: `"${tag}"` })

/** Which there are of the plan, for a person who comes back to it. Their words stay sealed. */
export const listUnsaved: Handler = async (parts, { res, access, ehrId }) => {
  if (access.grant.emergency !== undefined)
    throw new Refusal('policy_denied', 'unsaved_list: emergency')
  const templates = parts.plan
    .map(({ template }) => template)
    .filter((template) => writable(access, parts, template) !== undefined)
  const marks = await parts.unsaved.marks(
    templates.map((template) => unsavedOf(access, ehrId, template)),
  )
  const unsaved = templates.flatMap((template, i) => {
    const mark = marks[i]
    return mark === undefined ? [] : [{ template, ...shown(mark) }]
  })
  res.json({ unsaved })
}

/** On record where it goes to another launch than the one that kept it. */
export const readUnsavedOf: Handler = async (parts, call) => {
  const { res, access, stands, ehrId, uid: template } = call
  const decision = requireWritable(access, parts, template)
  const found = await parts.unsaved.read(unsavedOf(access, ehrId, template))
  if (found === undefined) throw new Refusal('record_absent', 'nothing unsaved')
  const { mark, typed } = found
  if (mark.launch !== access.grant.launch)
    await recordRead(parts.trail, { access, stands }, [decision], {
      ...{ interaction: 'unsaved_read', template, keptIn: mark.launch },
    })
  else await stands()
  const { kept, etag } = shown(mark)
  const { witnessed: _, ...sent } = typed
  const witnessed = witnessesTo(parts, access, typed)
  const seen = witnessed.length > 0 ? { witnessed } : {}
  res.set('ETag', etag).json({ template, kept, ...sent, ...seen })
}

export const keepUnsaved: Handler = async (parts, call) => {
  const { req, res, access, ehrId, uid: template } = call
  const decision = requireWritable(access, parts, template)
  const owner = unsavedOf(access, ehrId, template)
  const typed = readUnsaved(await unsavedBody(req, res))
  const entry = allowedEntry(access, [decision], { interaction: 'unsaved_keep', template })
  const { launch } = access.grant
  const witnessed = await witnessesOf(parts, access, owner, { template, adopted: typed.adopted })
  const whole = witnessed.length > 0 ? { ...typed, witnessed } : typed
  // Its sender may have taken any time over the body.
  await goesOn(call)
  const mark = await parts.unsaved.keep(owner, launch, whole, req.get('if-match'), entry)
  const { kept, etag } = shown(mark)
  res.set('ETag', etag).json({ template, kept })
}

/** A narrowing: done, then on record. */
export const discardUnsaved: Handler = async (parts, { res, access, ehrId, uid: template }) => {
  const decision = requireWritable(access, parts, template)
  if (await parts.unsaved.drop(unsavedOf(access, ehrId, template)))
    await recordAllowed(parts.trail, access, [decision], {
      ...{ interaction: 'unsaved_discard', template },
    })
  res.status(204).end()
}

/**
 * After a save: what this launch kept of the section is no longer unsaved. What another launch kept stays, for its
 * words may be others. The save has been done whatever becomes of this: what is left lapses, or its app discards it.
 */
export async function dropSaved(
  { unsaved }: Pick<OpenEhrParts, 'unsaved'>,
  access: Access,
  ehrId: string,
  templates: readonly string[],
): Promise<void> {
  const { launch, nhsNumber } = access.grant
  if (nhsNumber === undefined) return
  const drops = templates.map((template) =>
    unsaved.drop(unsavedOf(access, ehrId, template), launch),
  )
  await Promise.all(drops).catch(() => undefined)
}
