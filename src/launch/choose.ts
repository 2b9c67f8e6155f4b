/** The patient, where a user names one: typed birth dates, and the choice that a standalone launch asks for. */
import type { BirthDate, KnownPatient, NhsNumber } from '../core/context.js'
import { hashOf } from '../core/ids.js'
import { isStandalone, type VerifiedLaunch } from '../core/launch.js'
import { readBirthDate } from '../core/nhs-number.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type RecentPatient, type SignOn } from '../core/session.js'
import type { Put } from '../store/store.js'
import type { LaunchParts } from './parts.js'

const MOST_RECENT = 5

const person = (signOn: SignOn): string => hashOf(personOf(signOn.user, signOn.issuer))

const FIELDS = ['nhs_number', 'day', 'month', 'year']

/** What was typed, as it was, for the page that asks again. */
export const typedFields = (sent: ReadonlyMap<string, string>): Readonly<Record<string, string>> =>
  Object.fromEntries(FIELDS.map((name) => [name, (sent.get(name) ?? '').slice(0, 20)]))

/** The date that three fields make. */
export function typedDate(sent: ReadonlyMap<string, string>): BirthDate | undefined {
  const [day = '', month = '', year = ''] = ['day', 'month', 'year'].map((name) =>
    (sent.get(name) ?? '').trim(),
  )
  return readBirthDate(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`)
}

/**
 * The patient whom number and date name, or `undefined` for whatever does not fit: an unknown number and a
 * wrong date look the same.
 *
 * @throws Refusal rate_limited, record_unavailable, upstream_invalid
 */
export async function patientNamed(
  parts: LaunchParts,
  launch: VerifiedLaunch,
  { user }: SignOn,
  number: NhsNumber,
  born: BirthDate,
): Promise<KnownPatient | undefined> {
  // Whoever signed on: a sealed launch names whomever its maker likes.
  const organization = isStandalone(launch) ? user.organization.odsCode : launch.organization
  const seeker = { system: launch.system, organization, user }
  return parts.findPatient(number, born, seeker).catch((error: unknown) => {
    if (error instanceof Refusal && ['patient_unknown', 'patient_mismatch'].includes(error.code))
      return undefined
    throw error
  })
}

/** Whom this person chose lately. */
export async function recentOf(
  parts: LaunchParts,
  signOn: SignOn,
): Promise<readonly RecentPatient[]> {
  const kept = await parts.store.get('recent', person(signOn))
  return kept?.patients ?? []
}

/** Remembers a choice, for as long as the sign-on. */
export function rememberPut(
  signOn: SignOn,
  chosen: RecentPatient,
  before: readonly RecentPatient[],
): Put {
  const others = before.filter(({ nhsNumber }) => nhsNumber !== chosen.nhsNumber)
  return {
    kind: 'recent',
    id: person(signOn),
    value: { patients: [chosen, ...others].slice(0, MOST_RECENT) },
    until: signOn.until,
  }
}
