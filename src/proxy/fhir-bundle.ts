/**
 * Batches and transactions. A batch never reaches the record: each of its entries does, judged and recorded like a
 * call of its own. A transaction goes on as one, made anew of entries that were all judged before.
 *
 * @see FHIR R4, "batch/transaction"
 */
import type { Access } from '../core/access.js'
import type { Happening } from '../core/audit.js'
import { type FhirBundle, readBundle, readBundleEntry } from '../core/fhir-bundle.js'
import type { Json } from '../core/json.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import { outcomeOf } from '../http/refusals.js'
import { withinReading, withinTime } from './bounds.js'
import { aboutAccess } from './entry.js'
import { type FhirAnswer, type FhirAsked, READS } from './fhir-parts.js'
import { answerTransaction } from './fhir-transaction.js'
import type { ProxyParts } from './parts.js'
import type { Meanwhile, Stands } from './standing.js'

type Perform = (parts: ProxyParts, access: Access, asked: FhirAsked) => Promise<FhirAnswer>

/** As an entry of the answer. */
const entryOf = ({ status, body, etag, lastModified, location }: FhirAnswer): Json => ({
  ...(body === undefined ? {} : { resource: body }),
  response: {
    status: String(status),
    ...(location === undefined ? {} : { location }),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified: new Date(lastModified).toISOString() }),
  },
})

/** In the trail like a call that was refused by itself. @param done something was done that has to be told, recorded or not */
async function refusedEntry(
  parts: ProxyParts,
  access: Access,
  at: number,
  refusal: Refusal,
  done: boolean,
) {
  const entry: Happening = {
    ...{ what: 'access_refused', outcome: 'refused', ...aboutAccess(access) },
    refusal: refusal.code,
    detail: { ...refusal.facts, entry: at, why: refusal.detail },
  }
  await parts.trail.commit({ record: [entry] }).catch((error: unknown) => {
    if (!done) throw error
  })
  const { status, outcome } = outcomeOf(refusal)
  return { response: { status: String(status), outcome } }
}

/** After which the rest of a batch is refused alike: what is away, full or over is not asked fifty times. */
const FOR_ALL: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  ...(['record_unavailable', 'body_too_large'] as const),
  ...(['token_ended', 'token_expired', 'policy_stale', 'policy_changed'] as const),
])

/** With which what is another's, or withheld, is answered as what is not there. */
const UNTOLD: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  ...(['record_absent', 'record_other_patient', 'reference_refused'] as const),
])

interface Answered {
  readonly answer: Json
  /** It tells what was read, and of nothing that was done. */
  readonly read: boolean
}

/** Of a conditional create that found what it asks for nothing was done either. */
const isDone = ({ call }: FhirAsked, { status }: FhirAnswer): boolean =>
  !READS.has(call.interaction) && (call.interaction !== 'create' || status !== 200)

const withoutResource = ({ resource: _, ...rest }: Json): Json => rest

/** A fault of ours refuses the rest, where something was done before it that has to be told. @throws what it is, elsewhere */
function refusalOf(error: unknown, done: boolean): Refusal {
  if (error instanceof Refusal) return error
  if (!done) throw error
  const name = String((error as Error | null)?.name)
  return new Refusal('record_unavailable', `a fault: ${name}`, { cause: error })
}

/** A batch's entries one by one, together no more than one call may be given. What was done is told, if without what stands. */
async function answerEach(
  whole: ProxyParts,
  access: Access,
  { entry }: FhirBundle,
  perform: Perform,
  meanwhile: Meanwhile,
): Promise<readonly Answered[]> {
  const answers: Answered[] = []
  const requireTime = withinTime(whole)
  const { parts, requireRoom, settle } = withinReading(whole)
  let [all, given, done]: [Refusal | undefined, number, boolean] = [undefined, 0, false]
  for (const [at, one] of entry.entries()) {
    try {
      if (all !== undefined) throw all
      requireTime()
      requireRoom()
      await meanwhile.stands()
      const asked = { ...readBundleEntry(one), ...meanwhile }
      const answered = await perform(parts, access, asked)
      const [answer, read] = [entryOf(answered), !isDone(asked, answered)]
      done ||= !read
      const size = Buffer.byteLength(JSON.stringify(answer))
      settle(size)
      const fits = given + size <= parts.record.mostBytes
      if (!fits && read) throw new Refusal('body_too_large', 'answers of a batch')
      given += fits ? size : 0
      answers.push({ answer: fits ? answer : withoutResource(answer), read })
    } catch (error) {
      const refusal = refusalOf(error, done)
      settle(UNTOLD.has(refusal.code) ? 0 : undefined)
      if (FOR_ALL.has(refusal.code)) all = refusal
      // Nobody knows of one of them: that has to be told as well.
      done ||= refusal.code === 'write_unknown'
      const answer = await refusedEntry(parts, access, at, refusal, done)
      answers.push({ answer, read: false })
    }
  }
  return answers
}

/** What keeps the answers from leaving, all of them being there. */
async function overBy(stands: Stands): Promise<Refusal | undefined> {
  try {
    await stands()
    return undefined
  } catch (error) {
    return error instanceof Refusal ? error : new Refusal('record_unavailable', 'no store to ask')
  }
}

async function answerBatch(
  parts: ProxyParts,
  access: Access,
  bundle: FhirBundle,
  perform: Perform,
  meanwhile: Meanwhile,
): Promise<readonly Json[]> {
  const answers = await answerEach(parts, access, bundle, perform, meanwhile)
  const over = await overBy(meanwhile.stands)
  if (over === undefined) return answers.map(({ answer }) => answer)
  const kept: Json[] = []
  for (const [at, { answer, read }] of answers.entries())
    kept.push(read ? await refusedEntry(parts, access, at, over, true) : withoutResource(answer))
  return kept
}

/**
 * @throws Refusal body_unreadable, rate_limited; for a transaction all that one of its entries would
 */
export async function answerBundle(
  parts: ProxyParts,
  access: Access,
  body: unknown,
  perform: Perform,
  meanwhile: Meanwhile,
): Promise<FhirAnswer> {
  const bundle = readBundle(body)
  parts.again(access, bundle.entry.length - 1)
  if (bundle.type !== 'batch') await meanwhile.mayWrite()
  const entry =
    bundle.type === 'batch'
      ? await answerBatch(parts, access, bundle, perform, meanwhile)
      : await answerTransaction(parts, access, bundle.entry.map(readBundleEntry), meanwhile)
  return { status: 200, body: { resourceType: 'Bundle', type: `${bundle.type}-response`, entry } }
}
