/**
 * Batches and transactions. A batch never reaches the record: each of its entries does, judged and recorded like a
 * call of its own. A transaction goes on as one, made anew of entries that were all judged before.
 *
 * @see FHIR R4, "batch/transaction"
 */
import type { Access } from '../core/access.js'
import { type FhirBundle, readBundle, readBundleEntry } from '../core/fhir-bundle.js'
import type { Json } from '../core/json.js'
import { Refusal } from '../core/refusal.js'
import { outcomeOf } from '../http/refusals.js'
import { aboutAccess } from './entry.js'
import { type FhirAnswer, type FhirAsked, withinTime } from './fhir-parts.js'
import { answerTransaction } from './fhir-transaction.js'
import type { ProxyParts } from './parts.js'

/** In characters of JSON: as much as one call may give. */
const MOST_GIVEN = 10 * 1024 * 1024

type Perform = (
  parts: ProxyParts,
  access: Access,
  asked: FhirAsked,
  mayWrite: () => Promise<void>,
) => Promise<FhirAnswer>

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

/** In the trail like a call that was refused by itself. */
async function refusedEntry(parts: ProxyParts, access: Access, at: number, refusal: Refusal) {
  await parts.trail.commit({
    record: [
      {
        what: 'access_refused',
        outcome: 'refused',
        ...aboutAccess(access),
        refusal: refusal.code,
        detail: { ...refusal.facts, entry: at, why: refusal.detail },
      },
    ],
  })
  const { status, outcome } = outcomeOf(refusal)
  return { response: { status: String(status), outcome } }
}

async function answerBatch(
  parts: ProxyParts,
  access: Access,
  { entry }: FhirBundle,
  perform: Perform,
  mayWrite: () => Promise<void>,
): Promise<readonly Json[]> {
  const answers: Json[] = []
  const requireTime = withinTime(parts)
  let [away, given]: [Refusal | undefined, number] = [undefined, 0]
  for (const [at, one] of entry.entries()) {
    try {
      if (away !== undefined) throw away
      requireTime()
      if (given > MOST_GIVEN) throw new Refusal('body_too_large', 'answers of a batch')
      const answer = entryOf(await perform(parts, access, readBundleEntry(one), mayWrite))
      given += JSON.stringify(answer).length
      answers.push(answer)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // A record that is away is not asked fifty times.
      if (error.code === 'record_unavailable') away = error
      answers.push(await refusedEntry(parts, access, at, error))
    }
  }
  return answers
}

/**
 * @param mayWrite whether writes still come from where the chart is: a batch's own calls ask for themselves
 * @throws Refusal body_unreadable, rate_limited; for a transaction all that one of its entries would
 */
export async function answerBundle(
  parts: ProxyParts,
  access: Access,
  body: unknown,
  perform: Perform,
  mayWrite: () => Promise<void>,
): Promise<FhirAnswer> {
  const bundle = readBundle(body)
  parts.again(access, bundle.entry.length - 1)
  if (bundle.type !== 'batch') await mayWrite()
  const entry =
    bundle.type === 'batch'
      ? await answerBatch(parts, access, bundle, perform, mayWrite)
      : await answerTransaction(parts, access, bundle.entry.map(readBundleEntry))
  return { status: 200, body: { resourceType: 'Bundle', type: `${bundle.type}-response`, entry } }
}
