/**
 * The FHIR R4 types on offer: whose each resource is, what it may be found by, and what a scope's query may
 * narrow it by. A type that is no row is refused, in whatever place it stands.
 *
 * @see FHIR R4, CompartmentDefinition "patient"; "Search"; SMART App Launch 2.2, "Finer-grained resource constraints"
 */
import type { Letter } from './scope.js'

/** A member that a token search looks at: where it stands, and as what it is written. */
export interface TokenMember {
  readonly at: readonly string[]
  /** FHIR's `code`, `Coding` or `CodeableConcept`. */
  readonly is: 'code' | 'coding' | 'coded'
}

export interface FhirTypeRow {
  /**
   * The member by which a resource is about a patient; `self` is the patient; what is in a `directory` is
   * nobody's and is only read by its id.
   */
  readonly whose: 'self' | 'subject' | 'patient' | 'directory'
  /**
   * Further members by which the compartment counts it to a patient: who reported or did something. They
   * open nothing, for a mother's observation of her child is the child's. A write may name nobody else there.
   */
  readonly also: readonly string[]
  readonly tokens: Readonly<Record<string, TokenMember>>
  readonly dates: readonly string[]
  /** `Type:parameter`, as `_include` names it, and the types that it may bring. Any other include is refused. */
  readonly includes: Readonly<Record<string, readonly string[]>>
  /** Letters of the interactions that change one. */
  readonly writes: readonly Letter[]
}

const code = (...at: readonly string[]): TokenMember => ({ at, is: 'code' })
const coding = (...at: readonly string[]): TokenMember => ({ at, is: 'coding' })
const coded = (...at: readonly string[]): TokenMember => ({ at, is: 'coded' })
const status = code('status')
const category = coded('category')
const CLINICAL = {
  'clinical-status': coded('clinicalStatus'),
  'verification-status': coded('verificationStatus'),
}

const ALL: readonly Letter[] = ['c', 'u', 'd']
const DIRECTORY = {
  whose: 'directory',
  also: [],
  tokens: {},
  dates: [],
  includes: {},
  writes: [],
} as const
const none = {}

// biome-ignore format: a table
export const FHIR_TYPES = {
  // Who a patient is is not written here.
  Patient:             { whose: 'self',    also: ['link.other'],               tokens: {},                                                                          dates: [],                               includes: none, writes: [] },
  AllergyIntolerance:  { whose: 'patient', also: ['recorder', 'asserter'],     tokens: { ...CLINICAL, code: coded('code', 'reaction.substance'), category: code('category'), type: code('type'), criticality: code('criticality') }, dates: ['date'], includes: none, writes: ALL },
  CarePlan:            { whose: 'subject', also: ['activity.detail.performer'], tokens: { status, category, intent: code('intent') },                                dates: ['date'],                         includes: none, writes: ALL },
  CareTeam:            { whose: 'subject', also: ['participant.member'],       tokens: { status, category },                                                        dates: ['date'],                         includes: none, writes: ALL },
  Condition:           { whose: 'subject', also: ['asserter'],                 tokens: { ...CLINICAL, category, code: coded('code') },                              dates: ['onset-date', 'recorded-date'],  includes: none, writes: ALL },
  Consent:             { whose: 'patient', also: [],                           tokens: { status, category, scope: coded('scope') },                                 dates: ['date'],                         includes: none, writes: ALL },
  DocumentReference:   { whose: 'subject', also: ['author'],                   tokens: { status, category, type: coded('type') },                                   dates: ['date', 'period'],               includes: none, writes: ALL },
  Encounter:           { whose: 'subject', also: [],                           tokens: { status, class: coding('class'), type: coded('type') },                      dates: ['date'],                         includes: { 'Encounter:service-provider': ['Organization'] }, writes: ALL },
  Flag:                { whose: 'subject', also: [],                           tokens: {},                                                                          dates: ['date'],                         includes: none, writes: ALL },
  Goal:                { whose: 'subject', also: [],                           tokens: { 'lifecycle-status': code('lifecycleStatus'), category, 'achievement-status': coded('achievementStatus') }, dates: ['start-date', 'target-date'], includes: none, writes: ALL },
  Immunization:        { whose: 'patient', also: [],                           tokens: { status, 'vaccine-code': coded('vaccineCode') },                            dates: ['date'],                         includes: none, writes: ALL },
  MedicationRequest:   { whose: 'subject', also: [],                           tokens: { status, category, intent: code('intent'), code: coded('medicationCodeableConcept') }, dates: ['authoredon', 'date'], includes: { 'MedicationRequest:medication': ['Medication'], 'MedicationRequest:requester': ['Practitioner', 'PractitionerRole', 'Organization'] }, writes: ALL },
  MedicationStatement: { whose: 'subject', also: [],                           tokens: { status, category, code: coded('medicationCodeableConcept') },              dates: ['effective'],                    includes: { 'MedicationStatement:medication': ['Medication'] }, writes: ALL },
  Observation:         { whose: 'subject', also: ['performer'],                tokens: { status, category, code: coded('code') },                                   dates: ['date'],                         includes: none, writes: ALL },
  Procedure:           { whose: 'subject', also: ['performer.actor'],          tokens: { status, category, code: coded('code') },                                   dates: ['date'],                         includes: none, writes: ALL },
  RelatedPerson:       { whose: 'patient', also: [],                           tokens: { relationship: coded('relationship') },                                     dates: [],                               includes: none, writes: ALL },
  ServiceRequest:      { whose: 'subject', also: ['performer'],                tokens: { status, category, intent: code('intent'), code: coded('code') },           dates: ['authored'],                     includes: none, writes: ALL },
  Medication:          DIRECTORY,
  Organization:        DIRECTORY,
  Practitioner:        DIRECTORY,
  PractitionerRole:    DIRECTORY,
} as const satisfies Record<string, FhirTypeRow>
export type FhirType = keyof typeof FHIR_TYPES

export const isFhirType = (type: unknown): type is FhirType =>
  typeof type === 'string' && Object.hasOwn(FHIR_TYPES, type)

export const rowOf = (type: FhirType): FhirTypeRow => FHIR_TYPES[type]

const OF_EACH = ['patient', '_id', '_lastUpdated', '_sort', '_count', '_offset']

/** Names of the parameters by which a type may be searched; none for what is only read. */
export function searchOf(type: FhirType): readonly string[] {
  const { whose, tokens, dates, includes } = rowOf(type)
  if (whose === 'directory') return []
  if (whose === 'self') return ['_id']
  const include = Object.keys(includes).length > 0 ? ['_include'] : []
  return [...OF_EACH, ...Object.keys(tokens), ...dates, ...include]
}
