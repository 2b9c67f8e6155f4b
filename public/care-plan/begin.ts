/**
 * Beginning a plan where the record was read and has none: it is listed in the record's index before its first section
 * is saved, so that what is recorded is never shown elsewhere as absent.
 */
import { CallFailed, type Connection } from './connection.js'
import { dayOf, writeDay } from './dates.js'
import type { Definitions, Listing } from './definition.js'
import { isNone, requireOwn } from './finding.js'
import type { PlanShown } from './plan-view.js'
import type { Reading } from './reading.js'
import { fetchEntries, fetchIndex, type Saved } from './record.js'
import { mayBegin } from './rights.js'

/** Whether this user begins plans, whatever was found of this one. */
export const isAuthor = (
  { granted, emergency }: Pick<Reading, 'granted' | 'emergency'>,
  { listing, sections }: Definitions,
): boolean => listing !== undefined && !emergency && mayBegin(granted, sections)

/** The plan as this user may begin it. */
export const begunFrom = (reading: Reading, definitions: Definitions): PlanShown | undefined =>
  isNone(reading.index, reading.content) && isAuthor(reading, definitions)
    ? { ...reading, begun: 'unlisted' }
    : undefined

/** Whether it has sections although the record was read and lists none: where only the index is asked, there is no plan. */
export const isUnlisted = ({ index, content, begun }: PlanShown): boolean =>
  begun === undefined && index === 'none' && (content === 'found' || content === 'hidden')

/** What lists a plan. @see FHIR R4, "CarePlan" */
const carePlan = ({ profile, category, title, description }: Listing, patient: string) => ({
  resourceType: 'CarePlan',
  ...(profile ? { meta: { profile } } : {}),
  ...{ status: 'active', intent: 'plan' },
  ...(category ? { category: category.map((coding) => ({ coding: [coding] })) } : {}),
  title,
  ...(description === undefined ? {} : { description }),
  subject: { reference: `Patient/${patient}` },
  created: writeDay(dayOf(new Date())),
})

/** Whatever went wrong, no section was sent: that much is known. */
function notListed({ why, words, reference }: CallFailed): CallFailed {
  const own = why === 'ended' || why === 'superseded' || why === 'refused'
  return new CallFailed(own ? why : 'unlisted', words, reference)
}

/**
 * Lists the plan, unless one is listed already: so it may be tried again, and by two people at once.
 * @throws CallFailed, ForeignPatient
 * @see FHIR R4, "Conditional create"
 */
async function list(connection: Connection, listing: Listing): Promise<void> {
  const { patient, fhir } = connection
  try {
    const { json } = await connection.call(`${fhir}/CarePlan`, {
      method: 'POST',
      headers: {
        'content-type': 'application/fhir+json',
        'if-none-exist': `${new URLSearchParams({ patient, status: 'active' })}`,
      },
      body: JSON.stringify(carePlan(listing, patient)),
    })
    requireOwn(json, patient)
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    // Somebody was quicker by a moment, or several are listed: only a look at the record says whether there is one.
    const { value } = error.why === 'stale' ? await fetchIndex(connection) : { value: 'none' }
    if (value !== 'active') throw notListed(error)
  }
}

/** The plan, once it is listed: with what others have begun of it since it was read. */
async function listedBy(connection: Connection, plan: PlanShown): Promise<PlanShown> {
  const { unchecked: _, ...rest } = plan
  const listed = { ...rest, index: 'active', begun: 'listed' } as const
  const { value, entries } = await fetchEntries(connection)
  if (value === 'unread') return { ...listed, content: value }
  const joined = value === 'found' || value === 'hidden' ? { joined: true } : {}
  return { ...listed, ...joined, content: value, entries, readAt: new Date() }
}

const NO_SECTION =
  'The new plan itself is listed in the record by now: until a section is saved, others find a plan without sections.'

const LISTED_AGAIN = 'The plan itself is listed as active in the record by now.'

interface Beginning {
  readonly connection: Connection
  readonly definitions: Pick<Definitions, 'listing'>
  /** On the screen. */
  readonly plan: PlanShown
  /** Whether its user has it listed again, where it has sections and is not listed. */
  readonly again?: boolean
  /** Told of the plan as it is once it is listed, whatever becomes of the section. */
  readonly listed: (plan: PlanShown) => void
}

/** What else there is to know of a section that was not saved. */
const saying = (also: string) => (error: unknown) => {
  if (!(error instanceof CallFailed)) throw error
  const { why, words, reference, unsettled } = error
  throw new CallFailed(why, words, reference, unsettled, also)
}

/**
 * Saves a section; of a plan that is begun here, or is to be listed again, lists the plan before.
 * @throws CallFailed as `save` does; `unlisted` when nothing of the section was sent
 * @throws ForeignPatient
 */
export async function saveBegun(
  { connection, definitions: { listing }, plan, again = false, listed }: Beginning,
  save: () => Promise<Saved>,
): Promise<Saved> {
  if (listing && again && isUnlisted(plan)) {
    await list(connection, listing)
    listed({ ...plan, index: 'active' })
    return save().catch(saying(LISTED_AGAIN))
  }
  if (plan.begun === undefined || !listing) return save()
  if (plan.begun === 'unlisted') await list(connection, listing)
  const known = plan.begun === 'listed' && plan.content !== 'unread'
  const now = known ? plan : await listedBy(connection, plan)
  if (now !== plan) listed(now)
  return now.content === 'empty' ? save().catch(saying(NO_SECTION)) : save()
}
