/**
 * Creating, updating and deleting compositions. The template decides who may write; a write is in the trail before
 * it goes on; what went on is what was judged.
 */
import { authored } from '../core/authorship.js'
import { readComposition, requireReadable } from '../core/composition.js'
import type { Json } from '../core/json.js'
import { isVersionOf, objectOf, readIfMatch, requireTemplate } from '../core/openehr.js'
import { requireNoOther } from '../core/openehr-names.js'
import { Refusal } from '../core/refusal.js'
import { commitDelete, commitWrite } from './openehr-commit.js'
import {
  ehrNamed,
  type Handler,
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  planOf,
} from './openehr-parts.js'
import { withProvenance } from './openehr-provenance.js'
import { jsonBody } from './request.js'

/** In the spellings of the specification's versions. It decides nothing where the body says it; but it may not say otherwise. */
const TEMPLATE_HEADERS = ['openehr-template-id', 'openehr-template_id']

/** The composition that was sent, its template one that scope and policies let this user write, signed with their name. */
async function sentComposition(
  parts: OpenEhrParts,
  { req, res, access, ehrId }: OpenEhrCallIn,
  letter: 'c' | 'u',
) {
  const sent = await jsonBody(req, res)
  const read = readComposition(sent)
  if (read === undefined) throw new Refusal('body_unreadable', 'not a COMPOSITION')
  if (TEMPLATE_HEADERS.some((name) => (req.get(name) ?? read.template) !== read.template))
    throw new Refusal('parameter_invalid', 'a header that names another template than the body')
  const decision = requireTemplate(access, parts, letter, read.template)
  requireNoOther(sent as Json, access, ehrId, parts.record.subjectNamespace)
  const composition = authored(sent as Json, access, parts.clock(), parts.skew)
  return { composition, decision, ...read }
}

/**
 * A plan has each section once, and records do not all see to it. Who begins a section holds it for as
 * long as a write may take, on all nodes; then the plan is read to see whether somebody has begun it before.
 *
 * @throws Refusal version_stale, record_unavailable, upstream_invalid
 */
export async function requireFirst(
  parts: OpenEhrParts,
  ehrId: string,
  templates: readonly string[],
): Promise<void> {
  const until = parts.clock() + parts.holdMs
  const ehr = ehrNamed(parts, ehrId)
  const claims = templates.map((template) => ({ what: `section/${ehr}/${template}`, until }))
  if (claims.length > 0 && !(await parts.store.commit({ claims })))
    throw new Refusal('version_stale', 'somebody begins this section now')
  const rows = await planOf(parts, ehrId)
  if (rows.some((row) => templates.includes(row.template)))
    throw new Refusal('version_stale', 'the section has been begun')
}

/** @see openEHR REST API, "COMPOSITION: create" */
export const createComposition: Handler = async (parts, call) => {
  const sent = await sentComposition(parts, call, 'c')
  const { decision, template, uid } = sent
  // The record gives ids: one that a client chose could be that of another patient's composition.
  if (uid !== undefined) throw new Refusal('parameter_invalid', 'uid in a new composition')
  const told = await withProvenance(parts, call.access, { ...sent, ehrId: call.ehrId })
  await requireFirst(parts, call.ehrId, [template])
  const path = `/ehr/${call.ehrId}/composition`
  const write = { method: 'POST', path, template, decision, ...told } as const
  await commitWrite(parts, call, { interaction: 'composition_create', ...write })
}

/** @see openEHR REST API, "COMPOSITION: update" */
export const updateComposition: Handler = async (parts, call) => {
  const { req, res, access, ehrId, uid: object } = call
  const previous = readIfMatch(req.get('if-match'), object)
  const sent = await sentComposition(parts, call, 'u')
  const { decision, template, uid } = sent
  if (uid !== undefined && uid !== object && !isVersionOf(uid, object))
    throw new Refusal('parameter_invalid', 'uid of another composition')

  // The composition as it stands decides too: else a role could turn a section that it may not touch
  // into one that it may.
  const path = `/ehr/${ehrId}/composition/${object}`
  const standing = await ownComposition(parts, ehrId, object)
  if (standing.template !== template) {
    requireReadable(access, parts, standing.template)
    throw new Refusal('parameter_invalid', 'a composition keeps its template')
  }
  // What was judged is exactly what is replaced: the record checks the same version once more.
  if (standing.uid !== previous) {
    res.set('ETag', `"${standing.uid}"`)
    throw new Refusal('version_stale', 'read since')
  }
  const told = await withProvenance(parts, access, { ...sent, ehrId }, standing.answer.body)
  const write = { method: 'PUT', path, template, decision, previous, ...told } as const
  await commitWrite(parts, call, { interaction: 'composition_update', ...write })
}

/**
 * A deletion is a version of its own: what there was stays in the record's history.
 * @see openEHR REST API, "COMPOSITION: delete"
 */
export const deleteComposition: Handler = async (parts, call) => {
  const { res, access, ehrId, uid: previous } = call
  const standing = await ownComposition(parts, ehrId, objectOf(previous))
  const { template } = standing
  requireReadable(access, parts, template)
  const decision = requireTemplate(access, parts, 'd', template)
  if (standing.uid !== previous) {
    res.set('ETag', `"${standing.uid}"`)
    throw new Refusal('version_outdated', 'read since')
  }
  const path = `/ehr/${ehrId}/composition/${previous}`
  await commitDelete(parts, call, { path, template, decision, previous })
}
