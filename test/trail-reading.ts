/** What the trail says of an answer, and what an answer may never say. */
import { expect } from '@jest/globals'
import { searchTrail, type TrailQuery } from '../src/audit/search.js'
import { verifyTrail } from '../src/audit/verify.js'
import type { TrailEntry } from '../src/core/audit.js'
import type { RefusalCode } from '../src/core/refusal.js'
import { PATIENTS } from '../src/demo/patients.js'
import type { TestGateway } from './gateway.js'
import type { Answer } from './user-agent.js'

export async function entriesOf(t: TestGateway, query: TrailQuery): Promise<readonly TrailEntry[]> {
  const entries: TrailEntry[] = []
  for await (const entry of searchTrail(t.running.store, query)) entries.push(entry)
  return entries
}

/** What happened in a launch, in order. */
export const stagesOf = async (t: TestGateway, launch: string): Promise<readonly string[]> =>
  (await entriesOf(t, { launch })).map(({ what }) => what)

/** The reference that an answer shows, wherever it shows it. */
export function referenceOf({ text, location, headers }: Answer): string {
  const shown =
    /data-reference="(ref_[\w-]+)"/.exec(text)?.[1] ??
    /ref_[\w-]+/.exec(text)?.[0] ??
    /ref_[\w-]+/.exec(location?.searchParams.get('error_description') ?? '')?.[0]
  if (shown === undefined) throw new Error(`no reference: ${text} ${location}`)
  if (headers['x-request-id'] !== shown) throw new Error('X-Request-Id is another reference')
  return shown
}

/** The one entry that a refusal made. */
export async function refusalEntry(t: TestGateway, answer: Answer): Promise<TrailEntry> {
  const entries = await entriesOf(t, { reference: referenceOf(answer) })
  const [entry] = entries
  if (!entry || entries.length > 1) throw new Error(`${entries.length} entries of one reference`)
  return entry
}

const months =
  'January February March April May June July August September October November December'
/** Everything by which a patient could be known, in the ways in which people write it. */
const PATIENT_DATA: readonly string[] = PATIENTS.flatMap((patient) => {
  const { nhsNumber, family, given, birthDate, gpBirthDate = birthDate, fhirId, address } = patient
  const dates = [birthDate, gpBirthDate].flatMap((date) => {
    const [year = '', month = '', day = ''] = date.split('-')
    const word = months.split(' ')[Number(month) - 1]
    return [date, `${day}/${month}/${year}`, `${Number(day)} ${word} ${year}`]
  })
  const spaced = nhsNumber.replace(/(...)(...)(....)/, '$1 $2 $3')
  return [nhsNumber, spaced, family, given, fhirId, address.line, address.postcode, ...dates]
})

/** Of an answer that refuses or asks: nothing in it tells who the patient is. */
export function expectNoPatient({ text, headers }: Answer): void {
  const whole = `${text} ${JSON.stringify(headers)}`
  expect(PATIENT_DATA.filter((word) => whole.includes(word))).toEqual([])
}

/** The refusal, as its answer shows it and as the trail holds it. */
export async function expectRefused(
  t: TestGateway,
  answer: Answer,
  code: RefusalCode | 'unexpected',
  status: number,
): Promise<TrailEntry> {
  const entry = await refusalEntry(t, answer)
  expect({ code: entry.refusal, status: answer.status }).toEqual({ code, status })
  expectNoPatient(answer)
  expect(answer.headers['cache-control']).toMatch(/no-store/)
  return entry
}

/** A refusal, or a fault of ours, that goes back to the app on its own redirect. @see RFC 6749 §4.1.2.1 */
export async function expectSentBack(
  t: TestGateway,
  answer: Answer,
  code: RefusalCode | 'unexpected',
  redirect: string,
): Promise<void> {
  expect(answer.location?.href.split('?')[0]).toBe(redirect.split('?')[0])
  expect(answer.location?.searchParams.get('code')).toBeNull()
  expect(answer.location?.searchParams.get('iss')).toBe(t.issuer)
  await expectRefused(t, answer, code, 303)
}

/** Nothing of the trail is missing, changed or unsigned. */
export async function expectWholeTrail(t: TestGateway): Promise<void> {
  await t.running.trail.checkpoint()
  const report = await verifyTrail(t.running.store, {
    verifyCheckpoint: t.running.keys.verifyCheckpoint,
  })
  expect(report.problems).toEqual([])
  expect(report.lastCheckpoint).toBeDefined()
}
