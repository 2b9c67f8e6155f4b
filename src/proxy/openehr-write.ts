/**
 * Creating and updating compositions. The template decides who may write; a write is in the trail before
 * it goes on; what went on is what was judged.
 */
import { provenComposition, readComposition, requireReadable } from '../core/composition.js'
import type { PolicyDecision } from '../core/decision.js'
import {
  auditDetails,
  isVersionOf,
  readable,
  readIfMatch,
  requireTemplate,
} from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import type { UpstreamAnswer } from '../record/record.js'
import { recordAllowed } from './entry.js'
import {
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  rewritten,
} from './openehr-parts.js'
import { jsonBody, passValidators } from './request.js'

interface Write {
  readonly interaction: 'composition_create' | 'composition_update'
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly composition: unknown
  readonly template: string
  readonly decision: PolicyDecision
  /** The version that is replaced. */
  readonly previous?: string
}

/** The composition that was sent, its template one that scope and policies let this user write. */
async function sentComposition(parts: OpenEhrParts, { req, res, access, call }: OpenEhrCallIn) {
  const composition = await jsonBody(req, res)
  const read = readComposition(composition)
  if (read === undefined) throw new Refusal('body_unreadable', 'not a COMPOSITION')
  const decision = requireTemplate(access, parts, call.letter, read.template)
  return { composition, decision, ...read }
}

/** @see openEHR REST API, "COMPOSITION: create" */
export async function createComposition(parts: OpenEhrParts, call: OpenEhrCallIn): Promise<void> {
  const { composition, decision, template, uid } = await sentComposition(parts, call)
  // The record gives ids: one that a client chose could be that of another patient's composition.
  if (uid !== undefined) throw new Refusal('parameter_invalid', 'uid in a new composition')
  const path = `/ehr/${call.ehrId}/composition`
  const write = { method: 'POST', path, composition, template, decision } as const
  await commit(parts, call, { interaction: 'composition_create', ...write })
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
  await commit(parts, call, { interaction: 'composition_update', ...write })
}

async function commit(parts: OpenEhrParts, call: OpenEhrCallIn, write: Write): Promise<void> {
  const { access } = call
  const { interaction, method, path, template, previous } = write
  // In the trail before it goes on. When it then fails, the refusal makes the second entry.
  await recordAllowed(parts.trail, access, [write.decision], {
    interaction,
    template,
    ...(previous === undefined ? {} : { uid: previous }),
  })
  const answer = await parts.record.forward({
    upstream: 'openehr',
    method,
    path,
    headers: {
      'content-type': 'application/json',
      prefer: 'return=representation',
      'openehr-audit-details': auditDetails(access, interaction),
      ...(previous === undefined ? {} : { 'if-match': `"${previous}"` }),
    },
    body: JSON.stringify(write.composition),
  })
  answerWrite(parts, call, write, answer)
}

/** @throws Refusal record_absent, version_stale, record_refused, upstream_invalid */
function requireWritten(call: OpenEhrCallIn, { status, headers }: UpstreamAnswer): void {
  if (status === 404 || status === 410) throw new Refusal('record_absent', 'gone since it was read')
  if (status === 412 || status === 409) {
    const current = /^"([^"]+)"$/.exec(headers.etag ?? '')?.[1] ?? ''
    if (isVersionOf(current, call.uid)) call.res.set('ETag', `"${current}"`)
    throw new Refusal('version_stale', `the record answered ${status}`)
  }
  if (status >= 300) throw new Refusal('record_refused', `the record answered ${status}`)
}

function answerWrite(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  write: Write,
  answer: UpstreamAnswer,
): void {
  const { req, res, access, ehrId } = call
  requireWritten(call, answer)
  const written = provenComposition(answer.body, call.uid)
  if (written.template !== write.template)
    throw new Refusal('upstream_invalid', 'openehr: another template than written')

  const created = write.interaction === 'composition_create'
  const shown =
    /\breturn=representation\b/.test(req.get('prefer') ?? '') &&
    readable(access, parts, write.template) !== undefined
  passValidators(res, answer)
  res.set('ETag', `"${written.uid}"`)
  res.set('Location', `${parts.base}/ehr/${ehrId}/composition/${written.uid}`)
  res.status(created ? 201 : shown ? 200 : 204)
  if (shown) res.json(rewritten(parts, answer.body))
  else res.end()
}
