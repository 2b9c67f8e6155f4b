/**
 * A write that has been judged: in the trail, then on its way. Once it has left us only the record knows
 * whether it was done, so whatever is not its plain yes or no is told as unknown.
 */
import { auditHeaders } from '../core/authorship.js'
import { provenComposition } from '../core/composition.js'
import type { PolicyDecision } from '../core/decision.js'
import { writeJson } from '../core/json-text.js'
import { isVersionOf, objectOf, readable } from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import { requireAmong } from '../core/rows.js'
import type { UpstreamAnswer } from '../record/record.js'
import { recordAllowed } from './entry.js'
import {
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  planOf,
  rewritten,
} from './openehr-parts.js'
import { dropSaved } from './openehr-unsaved.js'
import { passValidators, sendJson } from './request.js'
import { goesOn, maySee } from './standing.js'
import { ifSayable, requireDone, writeOnce } from './write.js'

export interface Write {
  readonly interaction: 'composition_create' | 'composition_update'
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly composition: unknown
  readonly template: string
  readonly decision: PolicyDecision
  /** How many values were taken over from the GP record. */
  readonly adopted: number
  /** The version that is replaced. */
  readonly previous?: string
}

/** A composition that the record holds now, as it gave it. */
interface Written {
  readonly uid: string
  readonly body: unknown
}

const NAMED = /^(?:W\/)?"([^"]+)"$/
export const versionIn = ({ headers }: UpstreamAnswer): string =>
  NAMED.exec(headers.etag ?? '')?.[1] ?? ''

function send(parts: OpenEhrParts, { access }: OpenEhrCallIn, write: Write) {
  const { interaction, method, path, previous } = write
  return parts.record.forward({
    upstream: 'openehr',
    method,
    path,
    headers: {
      'content-type': 'application/json',
      prefer: 'return=representation',
      ...auditHeaders(access, interaction),
      ...(previous === undefined
        ? {}
        : { 'if-match': parts.record.ifMatch === 'bare' ? previous : `"${previous}"` }),
    },
    body: writeJson(write.composition),
  })
}

/** The record's plain no. @throws Refusal record_absent, version_stale, record_refused */
export const requireSaved = (call: OpenEhrCallIn, answer: UpstreamAnswer): void =>
  requireDone(answer, () => {
    const current = versionIn(answer)
    if (isVersionOf(current, call.uid)) call.res.set('ETag', `"${current}"`)
  })

/** A server may leave the body out: the version that it names is then read. @throws Refusal upstream_invalid */
async function readBack(parts: OpenEhrParts, call: OpenEhrCallIn, answer: UpstreamAnswer) {
  const version = versionIn(answer)
  if (!isVersionOf(version, call.uid)) throw new Refusal('upstream_invalid', 'openehr: no version')
  return (await ownComposition(parts, call.ehrId, version)).answer.body
}

/** The record's plain yes: what it holds now is another version, of what was written, of this EHR. */
async function proveDone(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  write: Write,
  answer: UpstreamAnswer,
): Promise<Written> {
  const body = answer.body ?? (await readBack(parts, call, answer))
  const { uid, template } = provenComposition(body, call.uid)
  if (template !== write.template || uid === write.previous)
    throw new Refusal('upstream_invalid', 'openehr: not what was written')
  // An update was proven before it left; a new one has had no uid until now.
  if (write.previous === undefined) requireAmong(await planOf(parts, call.ehrId), uid)
  return { uid, body }
}

export const wantsBody = ({ req }: OpenEhrCallIn): boolean =>
  /\breturn=representation\b/.test(req.get('prefer') ?? '')

async function answerWrite(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  write: Write,
  answer: UpstreamAnswer,
  { uid, body }: Written,
): Promise<void> {
  const { res, access, ehrId } = call
  const created = write.interaction === 'composition_create'
  const may = wantsBody(call) && readable(access, parts, write.template) !== undefined
  const seen = may && (await maySee(call.stands))
  const shown = seen ? ifSayable(() => rewritten(parts, body)) : undefined
  passValidators(res, answer)
  res.set('ETag', `"${uid}"`)
  res.set('Location', `${parts.base}/ehr/${ehrId}/composition/${uid}`)
  res.status(created ? 201 : shown === undefined ? 204 : 200)
  if (shown !== undefined) sendJson(res, shown)
  else res.end()
}

/** @throws Refusal record_absent, version_stale, record_refused (not done), write_unknown */
export async function commitWrite(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  write: Write,
): Promise<void> {
  const { interaction, template, previous, adopted } = write
  const detail = {
    ...{ interaction, template, ...(previous === undefined ? {} : { uid: previous }) },
    ...(adopted > 0 ? { adopted } : {}),
  }
  const does = interaction === 'composition_create' ? 'create' : 'update'
  const read = readable(call.access, parts, template) !== undefined
  const { answer, proof } = await writeOnce({
    still: () => goesOn(call),
    record: () => recordAllowed(parts.trail, call.access, [write.decision], detail),
    begin: () => parts.outcomes.begin(call.access, [{ does, what: { template }, previous }]),
    send: () => send(parts, call, write),
    refused: (given) => requireSaved(call, given),
    prove: (given) => proveDone(parts, call, write, given),
    written: ({ uid, body }) => [{ version: uid, ...(read ? { content: body } : {}) }],
  })
  await dropSaved(parts, call.access, call.ehrId, [template])
  await answerWrite(parts, call, write, answer, proof)
}

/** The version by which something was deleted, where the record names it. */
function deletionIn(answer: UpstreamAnswer, previous: string): string | undefined {
  const made = versionIn(answer)
  return isVersionOf(made, objectOf(previous)) ? made : undefined
}

/**
 * The record's plain no to a deletion, told as our own look tells it.
 * @throws Refusal record_absent, version_outdated, record_refused
 * @see openEHR REST API, "COMPOSITION: delete", 409
 */
const requireDeleted = (call: OpenEhrCallIn, answer: UpstreamAnswer, previous: string): void =>
  requireDone(answer, () => {
    const current = versionIn(answer)
    if (isVersionOf(current, objectOf(previous))) call.res.set('ETag', `"${current}"`)
    throw new Refusal('version_outdated', `the record answered ${answer.status}`)
  })

/**
 * A deletion's plain yes is a success without more to say. The version that it made is told where the record names it.
 * @throws Refusal of {@link requireDeleted}; write_unknown
 */
export async function commitDelete(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  write: Pick<Write, 'path' | 'template' | 'decision'> & { readonly previous: string },
): Promise<void> {
  const { path, template, decision, previous } = write
  const interaction = 'composition_delete'
  const detail = { interaction, template, uid: previous }
  const headers = auditHeaders(call.access, interaction)
  const { answer } = await writeOnce({
    still: () => goesOn(call),
    record: () => recordAllowed(parts.trail, call.access, [decision], detail),
    begin: () =>
      parts.outcomes.begin(call.access, [{ does: 'delete', what: { template }, previous }]),
    send: () => parts.record.forward({ upstream: 'openehr', method: 'DELETE', path, headers }),
    refused: (given) => requireDeleted(call, given, previous),
    prove: () => Promise.resolve(),
    written: (_, given) => [{ version: deletionIn(given, previous) }],
  })
  const made = deletionIn(answer, previous)
  if (made !== undefined) call.res.set('ETag', `"${made}"`)
  call.res.status(204).end()
}
