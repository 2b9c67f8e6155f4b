/**
 * The records behind us: the region's, and those of tenants that keep their own. A launch goes to the record of its
 * organisation. A patient whom that one does not know is looked for in all others before anybody hears that they are
 * not there, and so is one whom it knows without a plan: a plan must not seem absent because it lies elsewhere.
 */
import type { BirthDate, KnownPatient, NhsNumber, RecordedAs } from '../core/context.js'
import { anyOf, asOne, type PatientFlags } from '../core/patient-flags.js'
import { Refusal } from '../core/refusal.js'
import { isNobody } from './patient.js'
import { openRecord, type RecordSettings, type SharedRecord } from './record.js'

export interface TenantSettings extends RecordSettings {
  readonly name: string
  readonly organizations: readonly string[]
  readonly regions: readonly string[]
}

export interface Tenants {
  /**
   * The record in which a patient was found; the region's where no tenant is named.
   * @throws Refusal record_unavailable: that tenant is not configured any more
   */
  of(tenant: string | undefined): SharedRecord
  /**
   * With what any record that was asked and knows them says of sensitivity and death.
   *
   * @param organization ODS code of whoever looks
   * @throws Refusal as {@link SharedRecord.findPatient} and {@link SharedRecord.templatesIn} throw: record_unavailable
   *   also where they are not in the organisation's own record, or without a plan there, and another could not be asked;
   *   patient_in_several
   */
  findPatient(
    nhsNumber: NhsNumber,
    birthDate: BirthDate,
    organization: string,
  ): Promise<KnownPatient>
  /**
   * What any of these says now of one person. One that cannot be asked leaves standing what was said last.
   *
   * @throws Refusal patient_unknown, upstream_invalid as {@link SharedRecord.patientFlags} throws;
   *   record_unavailable where one of them is not configured any more
   */
  patientFlags(known: readonly RecordedAs[], last: PatientFlags): Promise<PatientFlags>
  close(): Promise<void>
}

interface Place {
  readonly name?: string
  readonly record: SharedRecord
}

/** The region's record in the trail. No tenant can be called so. */
export const REGION = 'the region'
const named = (patients: readonly KnownPatient[]) => patients.map(({ tenant }) => tenant ?? REGION)

/**
 * @param regionOf the region of an organisation, by its ODS code
 * @param plan templates of its sections: an EHR that holds none of them has no plan in it
 * @param told hears of one person's plans in several records, by the records' names
 */
export function openTenants(
  region: RecordSettings,
  tenants: readonly TenantSettings[],
  regionOf: (organization: string) => string | undefined,
  plan: readonly string[],
  told: (records: readonly string[]) => void = () => undefined,
): Tenants {
  const main: Place = { record: openRecord(region) }
  const own = tenants.map((settings) => ({
    ...settings,
    record: openRecord(settings),
  }))
  const places: readonly Place[] = [main, ...own]

  const homeOf = (organization: string): Place =>
    own.find(({ organizations }) => organizations.includes(organization)) ??
    own.find(({ regions }) => regions.includes(regionOf(organization) ?? '')) ??
    main

  async function findIn({ name, record }: Place, number: NhsNumber, born: BirthDate) {
    const found = await record.findPatient(number, born)
    return name === undefined ? found : { ...found, tenant: name }
  }

  /** Everybody who answers to one of the numbers in one of these records, once all have answered. */
  async function findAll(some: readonly Place[], numbers: readonly NhsNumber[], born: BirthDate) {
    const asked = some.flatMap((place) => numbers.map((number) => findIn(place, number, born)))
    const answers = await Promise.allSettled(asked)
    const failed = answers.flatMap((one) => (one.status === 'rejected' ? one.reason : []))
    const other = failed.find((error) => !isNobody(error))
    if (other !== undefined) throw other
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    return [...new Map(found.map((one) => [`${one.tenant ?? ''}/${one.fhirId}`, one])).values()]
  }

  const of = (tenant: string | undefined): SharedRecord => {
    const place = places.find(({ name }) => name === tenant)
    if (!place) throw new Refusal('record_unavailable', `no tenant ${tenant}`)
    return place.record
  }

  /** Whether the EHR of a patient holds anything of the plan, by the very query that shows it. */
  async function hasPlan({ ehrId, tenant }: KnownPatient): Promise<boolean> {
    if (ehrId === undefined) return false
    return (await of(tenant).templatesIn(ehrId)).some((template) => plan.includes(template))
  }

  /** Those of them who have a plan, once all have answered. */
  async function planned(some: readonly KnownPatient[]): Promise<readonly KnownPatient[]> {
    const has = await Promise.all(some.map(hasPlan))
    return some.filter((_, i) => has[i])
  }

  /** Of several records that know them, the one that has their plan. */
  async function findAmong(some: readonly Place[], number: NhsNumber, born: BirthDate) {
    const found = await findAll(some, [number], born)
    if (found.length === 0) throw new Refusal('patient_unknown', 'in no record')
    const [patient, ...more] = found.length === 1 ? found : await planned(found)
    if (patient !== undefined && more.length === 0) return asOne(patient, found)
    if (more.length > 0) told(named([...(patient ? [patient] : []), ...more]))
    throw new Refusal('patient_in_several', named(found).join(', '))
  }

  /**
   * Where the plan is of somebody who was found: under each number that is known of them. The record in which they were
   * found counts first, with a plan that was begun in it while the others were asked as well.
   */
  async function withPlan(found: KnownPatient, number: NhsNumber, born: BirthDate) {
    const home = places.filter(({ name }) => name === found.tenant)
    const others = places.filter(({ name }) => name !== found.tenant)
    if (others.length === 0 || (await hasPlan(found))) return found
    const all = await findAll(others, [...new Set([number, found.nhsNumber])], born)
    const elsewhere = await planned(all)
    const [patient, ...more] = elsewhere
    if (patient === undefined) return asOne(found, all)
    const again = await findAll(home, [number], born)
    const [own] = await planned(again)
    const known = [found, ...again, ...all]
    const records = named(own ? [own, ...elsewhere] : elsewhere)
    if (records.length > 1) told(records)
    if (own) return { ...asOne(own, known), alsoIn: named(elsewhere) }
    if (more.length > 0) throw new Refusal('patient_in_several', `plans: ${records.join(', ')}`)
    const superseded = patient.nhsNumber === number ? {} : { supersededNumber: number }
    return { ...asOne(patient, known), ...superseded, insteadOf: found.tenant ?? REGION }
  }

  return {
    of,
    async findPatient(number, born, organization) {
      const home = homeOf(organization)
      const others = places.filter((place) => place !== home)
      const found = await findIn(home, number, born).catch((error: unknown) => {
        if (!isNobody(error) || others.length === 0) throw error
        return findAmong(others, number, born)
      })
      return withPlan(found, number, born)
    },
    async patientFlags(known, last) {
      // Of all, before any is asked.
      const asked = known.map(({ fhirId, tenant }) => ({ fhirId, record: of(tenant) }))
      const said = asked.map(({ fhirId, record }) =>
        record.patientFlags(fhirId).catch((error: unknown) => {
          if (error instanceof Refusal && error.code === 'record_unavailable') return last
          throw error
        }),
      )
      return anyOf(await Promise.all(said))
    },
    async close() {
      await Promise.all(places.map(({ record }) => record.close()))
    },
  }
}
