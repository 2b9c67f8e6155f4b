/** Several changes at once: each judged as if it came alone, all of them proven afterwards, or none believed. */

import { requireReadable } from '../core/composition.js'
import {
  authoredContribution,
  type Change,
  type GivenContribution,
  readContribution,
  readGiven,
  type SentContribution,
  shownContribution,
} from '../core/contribution.js'
import type { PolicyDecision } from '../core/decision.js'
import { writeJson } from '../core/json-text.js'
import { isObjectId, isVersionOf, objectOf, readable, requireTemplate } from '../core/openehr.js'
import { requireNoOther } from '../core/openehr-names.js'
import { saysSource } from '../core/provenance.js'
import { Refusal } from '../core/refusal.js'
import { judgeOnce, type PlanRow, requireAmong } from '../core/rows.js'
import type { UpstreamAnswer } from '../record/record.js'
import { withinTime } from './bounds.js'
import { recordAllowed, recordRead } from './entry.js'
import { requireSaved, wantsBody } from './openehr-commit.js'
import {
  ask,
  askBeside,
  type Handler,
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  planOf,
  rewritten,
  systemOf,
} from './openehr-parts.js'
import { withProvenance } from './openehr-provenance.js'
import { dropSaved } from './openehr-unsaved.js'
import { requireFirst } from './openehr-write.js'
import { jsonBody, requireFound, sendJson } from './request.js'
import { goesOn, maySee } from './standing.js'
import { ifSayable, writeOnce } from './write.js'

interface Judged {
  readonly change: Change
  readonly template: string
  readonly decision: PolicyDecision
}

/**
 * A change of what stands: of this EHR, readable, still the version that it follows, and of the same template.
 * @throws Refusal record_other_patient, record_absent, version_stale, parameter_invalid
 */
function standing({ access }: OpenEhrCallIn, parts: OpenEhrParts, rows: readonly PlanRow[]) {
  return ({ previous = '', template }: Change): string => {
    const row = requireAmong(rows, previous)
    requireReadable(access, parts, row.template)
    if ((template ?? row.template) !== row.template)
      throw new Refusal('parameter_invalid', 'a composition keeps its template')
    if (row.uid !== previous) throw new Refusal('version_stale', 'read since')
    return row.template
  }
}

/** Every change, by the letter of its change type. @throws as {@link standing}, and by scope and policy */
function judged(
  parts: OpenEhrParts,
  call: OpenEhrCallIn,
  { changes }: SentContribution,
  rows: readonly PlanRow[],
): readonly Judged[] {
  const templateOf = standing(call, parts, rows)
  return changes.map((change) => {
    const template = change.previous === undefined ? change.template : templateOf(change)
    const decision = requireTemplate(call.access, parts, change.letter, template ?? '')
    requireNoOther(change.data, call.access, call.ehrId, parts.record.subjectNamespace)
    return { change, template: template ?? '', decision }
  })
}

/** The same changes with what they say of their provenance proven. @throws Refusal provenance_unproven */
async function provenChanges(
  parts: OpenEhrParts,
  { access, stands, ehrId }: OpenEhrCallIn,
  all: readonly Judged[],
): Promise<{ readonly changes: readonly Change[]; readonly adopted: number }> {
  const changes: Change[] = []
  const requireTime = withinTime(parts)
  let adopted = 0
  for (const { change, template } of all) {
    const { data, previous } = change
    if (data === undefined || !saysSource(data)) {
      changes.push(change)
      continue
    }
    requireTime()
    await stands()
    const standing = previous && (await ownComposition(parts, ehrId, previous)).answer.body
    const sent = { composition: data, template, ehrId }
    const told = await withProvenance(parts, access, sent, standing)
    adopted += told.adopted
    changes.push({ ...change, data: told.composition })
  }
  return { changes, adopted }
}

const tag = /^(?:W\/)?"([^"]+)"$/

/** What the record says that it made; read where it left it out of its answer. @throws Refusal upstream_invalid */
async function madeBy(
  parts: OpenEhrParts,
  { ehrId }: OpenEhrCallIn,
  answer: UpstreamAnswer,
): Promise<GivenContribution> {
  if (answer.body !== undefined) return readGiven(answer.body, '')
  const uid = tag.exec(answer.headers.etag ?? '')?.[1] ?? ''
  if (!isObjectId(uid)) throw new Refusal('upstream_invalid', 'openehr: no contribution')
  const again = await ask(parts, `/ehr/${ehrId}/contribution/${uid}`)
  requireFound(again)
  return readGiven(again.body, uid)
}

/** Exactly the changes that were sent, of this EHR. @throws Refusal upstream_invalid, record_other_patient */
async function proveMade(
  parts: OpenEhrParts,
  { ehrId }: OpenEhrCallIn,
  all: readonly Judged[],
  given: GivenContribution,
): Promise<void> {
  const rows = await planOf(parts, ehrId)
  const isMade = ({ change: { previous }, template }: Judged): boolean =>
    previous === undefined
      ? rows.some((row) => row.template === template && given.versions.includes(row.uid))
      : given.versions.some((uid) => uid !== previous && isVersionOf(uid, objectOf(previous)))
  if (given.versions.length !== all.length || !all.every(isMade))
    throw new Refusal('upstream_invalid', 'openehr: not what was contributed')
}

const send = ({ record }: OpenEhrParts, ehrId: string, body: object): Promise<UpstreamAnswer> =>
  record.forward({
    upstream: 'openehr',
    method: 'POST',
    path: `/ehr/${ehrId}/contribution`,
    headers: { 'content-type': 'application/json', prefer: 'return=representation' },
    body: writeJson(body),
  })

const doesOf = ({ previous, data }: Change): 'create' | 'update' | 'delete' =>
  previous === undefined ? 'create' : data === undefined ? 'delete' : 'update'

/** One change of it, as it stands now: the record makes what was sent, or nothing. */
function writtenBy(
  parts: OpenEhrParts,
  { access }: OpenEhrCallIn,
  { change: { previous, data }, template }: Judged,
  versions: readonly string[],
) {
  const version =
    previous === undefined
      ? undefined
      : versions.find((uid) => isVersionOf(uid, objectOf(previous)))
  const read = readable(access, parts, template) !== undefined
  return { version, ...(read ? { content: data } : {}) }
}

/** @see openEHR REST API, "CONTRIBUTION: create" */
export const createContribution: Handler = async (parts, call) => {
  const { req, res, access, stands, ehrId } = call
  const sent = readContribution(await jsonBody(req, res))
  const rows = await planOf(parts, ehrId)
  const all = judged(parts, call, sent, rows)
  const begun = all.filter(({ change }) => change.previous === undefined)
  if (begun.length > 0)
    await requireFirst(
      parts,
      ehrId,
      begun.map(({ template }) => template),
    )
  const { changes, adopted } = await provenChanges(parts, call, all)
  const body = authoredContribution(
    { ...sent, changes },
    {
      ...{ access, now: parts.clock(), skew: parts.skew },
      system: await systemOf(parts, call, rows),
    },
  )
  const detail = {
    interaction: 'contribution_create',
    changes: all.map(({ change, template }) => `${change.letter} ${template}`),
    uids: all.flatMap(({ change }) => change.previous ?? []),
    ...(adopted > 0 ? { adopted } : {}),
  }
  const decisions = all.map(({ decision }) => decision)
  const writings = all.map(({ change, template }) => ({
    ...{ does: doesOf(change), what: { template }, previous: change.previous },
  }))
  const { proof: given } = await writeOnce({
    still: () => goesOn(call),
    record: () => recordAllowed(parts.trail, access, decisions, detail),
    begin: () => parts.outcomes.begin(access, writings),
    send: () => send(parts, ehrId, body),
    refused: (answer) => requireSaved(call, answer),
    async prove(answer) {
      const made = await madeBy(parts, call, answer)
      await proveMade(parts, call, all, made)
      return made
    },
    written: ({ versions }) => all.map((one) => writtenBy(parts, call, one, versions)),
  })
  await dropSaved(
    parts,
    access,
    ehrId,
    all.map(({ template }) => template),
  )
  res.set('ETag', `"${given.uid}"`)
  res.set('Location', `${parts.base}/ehr/${ehrId}/contribution/${given.uid}`)
  res.status(201)
  const seen = wantsBody(call) && (await maySee(stands))
  const shown = seen
    ? ifSayable(() => rewritten(parts, shownContribution(given, given.versions)))
    : undefined
  if (shown === undefined) res.end()
  else sendJson(res, shown)
}

/** What of it this role may see: versions of other sections, and of anything that is no section, are left out. */
export const readContributionOf: Handler = async (parts, { res, access, stands, ehrId, uid }) => {
  const { answer, rows } = await askBeside(parts, ehrId, `/ehr/${ehrId}/contribution/${uid}`)
  const given = readGiven(answer.body, uid)
  const judge = judgeOnce(access, parts)
  const templates = new Map(rows.map((row) => [objectOf(row.uid), row.template]))
  const decisionOf = (version: string) => judge(templates.get(objectOf(version)) ?? '')
  const seen = given.versions.filter((version) => decisionOf(version) !== undefined)
  if (seen.length === 0) throw new Refusal('record_absent', 'nothing of it is readable')
  const decisions = seen.flatMap((version) => decisionOf(version) ?? [])
  const detail = { interaction: 'contribution_read', uid }
  await recordRead(parts.trail, { access, stands }, decisions, detail)
  res.set('ETag', `"${given.uid}"`)
  sendJson(res, rewritten(parts, shownContribution(given, seen)))
}
