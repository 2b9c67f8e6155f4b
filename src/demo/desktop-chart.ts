/** The chart of a pretend GP system: what it shows of a patient, and under which number. All invented. */
import type { LaunchingUser } from './desktop-launches.js'
import type { DemoPatient } from './patients.js'

export interface Consultation {
  readonly date: string
  readonly kind: string
  readonly by: string
  readonly note: string
}

/** A patient as a GP system holds them: its own chart number, its own birth date. */
export interface Chart {
  /** The chart's number. NHS numbers never stand in an address, chart numbers may. */
  readonly chart: string
  readonly nhsNumber: string
  readonly title: string
  readonly given: string
  readonly family: string
  readonly birthDate: string
  readonly gender: string
  readonly address: string
  readonly phone: string
  readonly deceased?: string
  readonly problems: DemoPatient['problems']
  readonly allergies: DemoPatient['allergies']
  readonly medication: readonly string[]
  readonly consultations: readonly Consultation[]
  /** What a newcomer can try with this patient. */
  readonly toTry: string
}

/** @property planning only of those who have a plan */
// biome-ignore format: a table
const CONSULTATIONS: readonly (Consultation & { readonly planning?: true })[] = [
  { date: '2026-01-29', kind: 'Telephone call', by: 'Dr Amara Okafor', note: 'Wishes discussed with patient and family. Care plan to be kept up to date.', planning: true },
  { date: '2026-01-12', kind: 'Home visit',     by: 'Tom Brightwell',  note: 'Observations stable. Blood taken for renal function. Skin intact.' },
  { date: '2025-12-03', kind: 'Surgery',        by: 'Dr Amara Okafor', note: 'Medication review. No change today. Review in three months.' },
  { date: '2025-10-17', kind: 'Surgery',        by: 'Tom Brightwell',  note: 'Influenza and COVID-19 vaccines given. Left deltoid.' },
  { date: '2025-08-21', kind: 'Letter',         by: 'Hospital',        note: 'Out-patient clinic letter received and filed. No action for the practice.' },
  { date: '2025-06-05', kind: 'Telephone call', by: 'Dr Amara Okafor', note: 'Results given. Safety-netting advice. Patient content with the plan.' },
]

const FIRST_CHART = 40_101
const STEP = 7

function toTry(patient: DemoPatient): string {
  if (patient.supersededBy !== undefined) return 'Superseded number: opens the current record'
  if (patient.gpBirthDate !== undefined) return 'Date of birth differs from the shared record'
  if (patient.sensitive === true) return 'Sensitive record, has a plan'
  if (patient.deceased !== undefined) return 'Has died, has a plan'
  return patient.plan ? 'Has a plan' : 'No plan yet'
}

const consultationsOf = ({ plan, deceased = '9' }: DemoPatient, place: number) =>
  CONSULTATIONS.filter(
    ({ date, planning }, row) => (row + place) % 3 !== 0 && date <= deceased && (plan || !planning),
  ).map(({ date, kind, by, note }) => ({ date, kind, by, note }))

/** A patient's chart by their place among all; the same in each of the four systems. */
export const chartOf = (patient: DemoPatient, place: number): Chart => ({
  chart: String(FIRST_CHART + place * STEP),
  nhsNumber: patient.nhsNumber,
  ...{ title: patient.title, given: patient.given, family: patient.family },
  birthDate: patient.gpBirthDate ?? patient.birthDate,
  gender: patient.gender,
  address: `${patient.address.line}, ${patient.address.city}, ${patient.address.postcode}`,
  phone: patient.phone,
  ...(patient.deceased === undefined ? {} : { deceased: patient.deceased }),
  ...{ problems: patient.problems, allergies: patient.allergies, medication: patient.medication },
  consultations: consultationsOf(patient, place),
  toTry: toTry(patient),
})

/** Whose chart a number is; -1 for what is none. */
export const chartPlace = (chart: unknown): number =>
  typeof chart === 'string' && /^\d{5}$/.test(chart) && (Number(chart) - FIRST_CHART) % STEP === 0
    ? (Number(chart) - FIRST_CHART) / STEP
    : -1

// biome-ignore format: a table
const TITLES: Readonly<Record<string, string>> = {
  'gp':                 'General practitioner',
  'practice-nurse':     'Practice nurse',
  'district-nurse':     'District nurse',
  'hospice-consultant': 'Hospice consultant',
  'paramedic':          'Paramedic',
  'call-handler':       '111 call handler',
  'receptionist':       'Receptionist',
  'social-worker':      'Social worker',
  'no-role':            'No national role',
}

export const roleTitle = ({ id }: LaunchingUser): string => TITLES[id] ?? id
