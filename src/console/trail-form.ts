/** What is typed into the trail's search: by POST, because a patient's number must stand in no address. */

import type { TrailQuery } from '../audit/search.js'
import { EVENTS, type EventName, patientNamed } from '../core/audit.js'
import { readNhsNumber } from '../core/nhs-number.js'
import { after, type EpochMs, type Seconds } from '../core/values.js'
import { readLocalTime } from './in-words.js'
import type { Facts, Visit } from './page.js'
import { typed } from './typed.js'

const DAY: Seconds = 86_400

export const SPANS: Readonly<Record<string, Seconds>> = {
  '1': DAY,
  '7': 7 * DAY,
  '30': 30 * DAY,
  '365': 365 * DAY,
}

/** As typed, to stand in the form again. */
export interface TypedQuery {
  readonly patient: string
  readonly user: string
  readonly organization: string
  readonly launch: string
  readonly reference: string
  readonly what: string
  readonly from: string
  readonly to: string
  readonly days: string
}

export interface Asked {
  readonly fields: TypedQuery
  readonly query: Omit<TrailQuery, 'limit' | 'from' | 'to'>
  readonly from: EpochMs
  readonly to: EpochMs
  readonly problems: readonly string[]
  /** What of it goes to the trail. */
  readonly about: Facts
}

const NAMES = [
  'patient',
  'user',
  'organization',
  'launch',
  'reference',
  'what',
  'from',
  'to',
  'days',
] as const

const fieldsOf = (visit: Visit): TypedQuery =>
  Object.fromEntries(NAMES.map((name) => [name, typed(visit, name)])) as unknown as TypedQuery

/** As core/audit.ts names a patient within a record. */
const IN_RECORD = /^(?:([a-z][a-z0-9-]{0,39})?\/)?([A-Za-z0-9.-]{1,64})$/

/** An NHS number as people write it, or a FHIR id, with the tenant whose record it is of or without. */
function patientOf(text: string): { readonly patient?: string; readonly problem?: string } {
  if (text === '') return {}
  const number = readNhsNumber(text)
  if (number) return { patient: number }
  if (/^[\d\s-]{9,}$/.test(text))
    return { problem: 'That is no NHS number: its check digit does not fit.' }
  return IN_RECORD.test(text)
    ? { patient: text }
    : { problem: 'Give an NHS number or the id of a FHIR Patient.' }
}

export function aboutPatient(patient: string): Facts {
  if (readNhsNumber(patient)) return { patient: { nhsNumber: patient } }
  const [, tenant, fhirId = patient] = IN_RECORD.exec(patient) ?? []
  return { patient: patientNamed({ fhirId, tenant }) }
}

function timesOf({ from, to, days }: TypedQuery, now: EpochMs) {
  const [start, end] = [readLocalTime(from), readLocalTime(to)]
  const problems = [
    ...(from !== '' && start === undefined ? ['From: give a day and a time.'] : []),
    ...(to !== '' && end === undefined ? ['To: give a day and a time.'] : []),
  ]
  const span = SPANS[days] ?? DAY
  return { from: start ?? after(end ?? now, -span), to: end ?? now + 1, problems }
}

export function askedOf(visit: Visit): Asked {
  const fields = fieldsOf(visit)
  const { user, organization, launch, reference } = fields
  const { patient, problem } = patientOf(fields.patient)
  const what = EVENTS.find((name): name is EventName => name === fields.what)
  const { from, to, problems } = timesOf(fields, visit.now)
  const ids = {
    ...(user === '' ? {} : { user }),
    ...(organization === '' ? {} : { organization: organization.toUpperCase() }),
    ...(launch === '' ? {} : { launch }),
    ...(reference === '' ? {} : { reference }),
    ...(what === undefined ? {} : { what }),
  }
  return {
    fields,
    query: { ...ids, ...(patient === undefined ? {} : { patient }) },
    ...{ from, to, problems: [...(problem === undefined ? [] : [problem]), ...problems] },
    about: {
      ...(patient === undefined ? {} : aboutPatient(patient)),
      detail: Object.fromEntries(Object.entries(ids).map(([name, value]) => [`of.${name}`, value])),
    },
  }
}
