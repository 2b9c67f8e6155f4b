/** What the banner shows, from a FHIR Patient. */
import { type Day, readDay, showAge, showDay } from './dates.js'
import { oneLine } from './text.js'

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const GENDERS: Readonly<Record<string, string>> = {
  female: 'Female',
  male: 'Male',
  other: 'Other',
  unknown: 'Not known',
}

interface Name {
  readonly use?: string
  readonly text?: string
  readonly family?: string
  readonly given?: readonly string[]
  readonly prefix?: readonly string[]
}
interface Address {
  readonly use?: string
  readonly line?: readonly string[]
  readonly city?: string
  readonly postalCode?: string
}

/** The members of FHIR R4 Patient that are looked at. Nothing in it is proven. */
export interface FhirPatient {
  readonly resourceType: 'Patient'
  readonly id: string
  readonly meta?: { readonly security?: readonly { readonly code?: string }[] }
  readonly identifier?: readonly {
    readonly system?: string
    readonly value?: string
    readonly use?: string
  }[]
  readonly name?: readonly Name[]
  readonly gender?: string
  readonly birthDate?: string
  readonly deceasedBoolean?: boolean
  readonly deceasedDateTime?: string
  readonly address?: readonly Address[]
}

export interface Banner {
  /** `SURNAME, Forename (Title)` */
  readonly name: string
  /** `12-Mar-1942 (84y)` */
  readonly born: string
  /** `03-Feb-2026 (83y)`; absent while the person lives. */
  readonly died?: string
  readonly gender: string
  /** `999 000 0018` */
  readonly nhsNumber: string
  /** The launch named an older one, which the chart may still show. */
  readonly replaced: boolean
  /** Left out when the record is sensitive. */
  readonly address?: string
  readonly sensitive: boolean
}

/** The resource, when it is the Patient that the launch was for: anything else must never be shown. */
export function readPatient(json: unknown, id: string): FhirPatient | undefined {
  const patient = json as Partial<FhirPatient> | null
  return patient?.resourceType === 'Patient' && patient.id === id
    ? (patient as FhirPatient)
    : undefined
}

const preferred = <T extends { use?: string }>(all: readonly T[] | undefined, uses: string[]) =>
  uses.map((use) => all?.find((one) => one.use === use)).find((one) => one !== undefined) ??
  all?.find((one) => one.use !== 'old')

export function showName(name: Name | undefined): string {
  // All of them: the chart beside it shows them too, and twins may share the first.
  const given = (name?.given ?? []).map(oneLine).filter(Boolean).join(' ')
  const [family, title] = [name?.family, name?.prefix?.[0]].map(oneLine)
  if (!family && !given) return oneLine(name?.text) || 'Name not available'
  const forename = [given, title ? `(${title})` : ''].filter(Boolean).join(' ')
  return [family?.toLocaleUpperCase('en-GB'), forename].filter(Boolean).join(', ')
}

/** Ten digits as 3-3-4, which is how they are read out. */
export function showNhsNumber(patient: FhirPatient): string {
  const own = patient.identifier?.filter((one) => one.system === NHS_NUMBER && one.use !== 'old')
  const digits = own?.[0]?.value?.replace(/\D/g, '') ?? ''
  return digits.length === 10
    ? `${digits.slice(0, 3)} ${digits.slice(3, 6)} ${digits.slice(6)}`
    : 'not available'
}

function showAddress(address: Address | undefined): string {
  const parts = [...(address?.line ?? []), address?.city, address?.postalCode]
  return parts.map(oneLine).filter(Boolean).join(', ')
}

const withAge = (date: string, age: string): string =>
  age === '' ? showDay(date) : `${showDay(date)} (${age})`

/**
 * @param marked the gateway's policies oblige us to mark the record, whatever the record itself says
 * @param replaced the launch named an NHS number that this patient's has replaced
 */
export function bannerOf(
  patient: FhirPatient,
  today: Day,
  marked = false,
  replaced = false,
): Banner {
  const birth = oneLine(patient.birthDate)
  const death = oneLine(patient.deceasedDateTime)
  const deceased = patient.deceasedBoolean === true || death !== ''
  const sensitive =
    marked || patient.meta?.security?.some(({ code }) => code === 'R' || code === 'V') === true
  const address = sensitive ? '' : showAddress(preferred(patient.address, ['home']))
  const died = death === '' ? 'date not recorded' : withAge(death, showAge(birth, readDay(death)))
  return {
    name: showName(preferred(patient.name, ['usual', 'official'])),
    // A dead person has no age today: theirs stands beside the day of death.
    born: birth === '' ? 'not available' : withAge(birth, deceased ? '' : showAge(birth, today)),
    ...(deceased ? { died } : {}),
    gender: GENDERS[patient.gender ?? 'unknown'] ?? 'Not known',
    nhsNumber: showNhsNumber(patient),
    replaced,
    ...(address === '' ? {} : { address }),
    sensitive,
  }
}
