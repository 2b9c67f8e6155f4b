/**
 * Creating and updating compositions. The template decides who may write; a write is in the trail before
 * it goes on; what went on is what was judged.
 */
import { authored } from '../core/authorship.js'
import { provenRows, readComposition, requireReadable } from '../core/composition.js'
import type { Json } from '../core/json.js'
import { isVersionOf, PLAN_QUERY, readIfMatch, requireTemplate } from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import { commitWrite } from './openehr-commit.js'
import {
  askRows,
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  rowsIn,
} from './openehr-parts.js'
import { jsonBody } from './request.js'

/** The composition that was sent, its template one that scope and policies let this user write, signed with their name. */
async function sentComposition(parts: OpenEhrParts, { req, res, access, call }: OpenEhrCallIn) {
  const sent = await jsonBody(req, res)
  const read = readComposition(sent)
  if (read === undefined) throw new Refusal('body_unreadable', 'not a COMPOSITION')
  const decision = requireTemplate(access, parts, call.letter, read.template)
  const composition = authored(sent as Json, access, parts.clock(), parts.skew)
  return { composition, decision, ...read }
}

/**
 * A plan has each section once, and records do not all see to it. Who begins a section holds it for as
 * long as a write may take, on all nodes; then the plan is read to see whether somebody has begun it before.
 *
 * @throws Refusal version_stale, record_unavailable, upstream_invalid
 */
async function requireFirst(parts: OpenEhrParts, ehrId: string, template: string): Promise<void> {
  const claim = { what: `section/${ehrId}/${template}`, until: parts.clock() + parts.holdMs }
  if (!(await parts.store.commit({ claims: [claim] })))
    throw new Refusal('version_stale', 'somebody begins this section now')
  const { rows } = provenRows({ name: PLAN_QUERY, ehrId }, rowsIn(await askRows(parts, ehrId)))
  if (rows.some((row) => row.template === template))
    throw new Refusal('version_stale', 'the section has been begun')
}

/** @see openEHR REST API, "COMPOSITION: create" */
export async function createComposition(parts: OpenEhrParts, call: OpenEhrCallIn): Promise<void> {
  const { composition, decision, template, uid } = await sentComposition(parts, call)
  // The record gives ids: one that a client chose could be that of another patient's composition.
  if (uid !== undefined) throw new Refusal('parameter_invalid', 'uid in a new composition')
  await requireFirst(parts, call.ehrId, template)
  const path = `/ehr/${call.ehrId}/composition`
  const write = { method: 'POST', path, composition, template, decision } as const
  await commitWrite(parts, call, { interaction: 'composition_create', ...write })
}

/** @see openEHR REST API, "COMPOSITION: update" */
export async function updateComposition(parts: OpenEhrParts, call: OpenEhrCallIn): Promise<void> {
  const { req, res, access, ehrId, uid: object } = call
  const previous = readIfMatch(req.get('if-match'), object)
  const { composition, decision, template, uid } = await sentComposition(parts, call)
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
  const write = { method: 'PUT', path, composition, template, decision, previous } as const
  await commitWrite(parts, call, { interaction: 'composition_update', ...write })
}
