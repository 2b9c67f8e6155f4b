/** The EHR of a patient: under the number that they bear now, and under no other. */
import { z } from 'zod'
import type { NhsNumber } from '../core/context.js'
import { Refusal } from '../core/refusal.js'
import { PLAN_QUERY } from '../core/stored-query.js'
import type { Upstream, UpstreamAnswer } from './upstream.js'

export interface EhrServer extends Upstream {
  /** `EHR_STATUS.subject.external_ref.namespace` under which NHS numbers are kept. */
  readonly subjectNamespace: string
}

const subjectStatus = z.object({
  subject: z.object({
    external_ref: z.object({ id: z.object({ value: z.string() }), namespace: z.string() }),
  }),
})
const ehr = z.object({
  ehr_id: z.object({ value: z.guid() }),
  ehr_status: z.unknown().optional(),
})

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

function read<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw invalid(`${what}: ${result.error.issues[0]?.path.join('.') ?? ''}`)
}

const fault = z.looseObject({
  message: z.string().min(1),
  code: z.union([z.number(), z.string()]).optional(),
})
/** Members by which proxies and web frameworks, not openEHR servers, say that a path leads nowhere. */
const ELSEWHERE = ['status', 'statusCode', 'path', 'timestamp', 'request_id', 'requestId']
const NO_ROUTE =
  /\broutes?\b|^(?:resource )?not found\W*$|^cannot (?:get|post|put)\b|missing authentication token/i

/**
 * Whether a 404 is an openEHR server's own word that it has no such EHR. A wrong address gives one as
 * well, and would tell every clinician that there is no plan.
 * @see openEHR REST API, "Error handling"
 */
function saysAbsent(body: unknown): boolean {
  const said = fault.safeParse(body)
  if (!said.success || ELSEWHERE.some((name) => Object.hasOwn(said.data, name))) return false
  return !NO_ROUTE.test(said.data.message)
}

const definition = z.looseObject({ name: z.literal(PLAN_QUERY) })
const definitions = z.union([
  definition,
  z.array(z.unknown()),
  z.looseObject({ versions: z.array(z.unknown()) }),
])

function definesThePlan(body: unknown): boolean {
  const said = definitions.safeParse(body)
  if (!said.success) return false
  const all = Array.isArray(said.data) ? said.data : [said.data, said.data.versions].flat()
  return all.some((each) => definition.safeParse(each).success)
}

/**
 * A base is proven to be the plan's openEHR server by having its stored query. Asked whenever an EHR is
 * said to be absent, so that a proxy that was changed a minute ago is not believed on yesterday's proof.
 *
 * @throws Refusal record_unavailable
 * @see openEHR REST API, "Definition", "QUERY"
 */
async function requireOpenEhr(openehr: Upstream): Promise<void> {
  const path = `/definition/query/${PLAN_QUERY}`
  const answer = await openehr.call({ method: 'GET', path }).catch((error: unknown) => error)
  const { status, body } = answer as Partial<UpstreamAnswer>
  if (status !== 200 || !definesThePlan(body))
    throw new Refusal('record_unavailable', `openehr: no EHR, and no ${PLAN_QUERY} to prove it by`)
}

export interface FoundEhr {
  readonly ehrId: string
  /** The number that it is kept under. */
  readonly subject: string
}

/** The EHR that answers to a number; `undefined` only when the record itself says that there is none. */
export async function findEhr(openehr: EhrServer, number: string): Promise<FoundEhr | undefined> {
  const { subjectNamespace } = openehr
  // openEHR REST offers no other way than the query: this number does stand in an address on its way
  // to the openEHR server. It never does in one of ours, nor in a log of ours.
  const query = new URLSearchParams({ subject_id: number, subject_namespace: subjectNamespace })
  const answer = await openehr.call({ method: 'GET', path: '/ehr', query: query.toString() })
  if (answer.status === 404 && saysAbsent(answer.body)) {
    await requireOpenEhr(openehr)
    return undefined
  }
  if (answer.status !== 200) throw invalid(`GET /ehr gave ${answer.status}`)
  const { ehr_id, ehr_status } = read(ehr, answer.body, 'EHR')
  const inline = subjectStatus.safeParse(ehr_status)
  const status = inline.success ? inline.data : await readStatus(openehr, ehr_id.value)
  const { id, namespace } = status.subject.external_ref
  if (namespace !== subjectNamespace) throw invalid('EHR of another subject')
  return { ehrId: ehr_id.value.toLowerCase(), subject: id.value }
}

/** Servers may give EHR.ehr_status as a reference only; whose EHR it is must be seen all the same. */
async function readStatus(openehr: Upstream, ehrId: string) {
  const answer = await openehr.call({ method: 'GET', path: `/ehr/${ehrId}/ehr_status` })
  return read(subjectStatus, answer.body, 'EHR_STATUS')
}

/**
 * The one EHR of a patient, of those that were found under all numbers they ever bore. After a merge of
 * records an EHR may be left under the old number: to overlook it is to say that there is no plan, and
 * to choose between two is to show half of one.
 *
 * @throws Refusal upstream_invalid
 */
export function soleEhr(
  found: readonly (FoundEhr | undefined)[],
  current: NhsNumber,
  numbers: ReadonlySet<string>,
): string | undefined {
  const all = found.filter((each) => each !== undefined)
  if (all.some(({ subject }) => !numbers.has(subject))) throw invalid('EHR of another subject')
  if (all.some(({ subject }) => subject !== current))
    throw invalid('an EHR under another number than the current one')
  const [ehrId, ...others] = new Set(all.map((each) => each.ehrId))
  if (others.length > 0) throw invalid('several EHRs of one patient')
  return ehrId
}
