/**
 * The shared care plan as data: sections and their fields, as `config/plan/` describes them. The gateway judges by
 * `id` and `template`, the record keeps by `template` and `node`, the app shows and asks by all of it.
 *
 * @see openEHR RM 1.1.0, "Data Structures"
 */
import type { HandedType } from './handed-over.js'

export const FIELD_TYPES = [
  'text',
  'long-text',
  'date',
  'choice',
  'choices',
  'yes-no',
  'quantity',
  'group',
] as const
export type FieldType = (typeof FIELD_TYPES)[number]

export interface PlanField {
  readonly id: string
  /** `archetype_node_id` of the ELEMENT that holds the value; of a group, of the CLUSTER around each of its rows. */
  readonly node: string
  readonly title: string
  readonly type: FieldType
  readonly hint?: string
  /** A section is not saved without it. */
  readonly required?: boolean
  /** The longest that a text may be, in characters; the most rows of a group. */
  readonly most?: number
  /** What the field asks about, by its SNOMED CT concept. */
  readonly snomed?: string
  /** Of a choice: our code → what a person reads. */
  readonly options?: Readonly<Record<string, string>>
  /** Of a choice: our code → SNOMED CT concept, for those that have one. */
  readonly codes?: Readonly<Record<string, string>>
  /** Of a quantity: UCUM unit → what a person reads. The first is offered. */
  readonly units?: Readonly<Record<string, string>>
  /** Of a quantity: the least and the greatest that can be. */
  readonly range?: readonly [number, number]
  /** Of a group: what stands in each row. */
  readonly fields?: readonly PlanField[]
}

/** When a section is to be looked at again. */
export interface Review {
  /** The field with the day of the next review. */
  readonly field?: string
  /** How many months an entry holds where it names no such day … */
  readonly months?: number
  /** … counted from this field's day, or from when the entry was written. */
  readonly from?: string
}

/** A section that says what to do at once: it is shown large, above everything. */
export interface Decision {
  /** What is decided, in a word or two: "CPR". */
  readonly name: string
  readonly field: string
  /** Fields with the day of the decision and with who made it. */
  readonly decided?: string
  readonly by?: string
  /** Option → how it looks. An option that is not here looks like a question. */
  readonly looks: Readonly<Record<string, 'go' | 'stop'>>
  /** Said where there is no decision. */
  readonly none: string
  /** Said to a role that may not see the section. */
  readonly hidden: string
}

/** What the GP system hands over with a launch, and where it may be taken over to. @see adoption.ts */
export interface Adoption {
  readonly of: HandedType
  /** The field that takes it. */
  readonly into: string
  /** By field (of a group: of its row): the elements of the resource whose words it takes, the first saying what it is. */
  readonly as: Readonly<Record<string, readonly string[]>>
  /** Only what has one of these SNOMED CT concepts. */
  readonly codes?: readonly string[]
  /** Into a yes-no: which SNOMED CT concepts say yes, and which no. */
  readonly means?: Readonly<Partial<Record<'yes' | 'no', readonly string[]>>>
}

export interface PlanSection {
  readonly id: string
  readonly title: string
  readonly hint?: string
  /** Template id of the section's COMPOSITION: scopes and rows speak of it. */
  readonly template: string
  /** Who writes it in the first place: the person (with those close to them), or a clinician. */
  readonly author: 'person' | 'clinician'
  readonly pathway: string
  /** FHIR types that say the same of a patient. */
  readonly fhir?: readonly string[]
  readonly adopt?: readonly Adoption[]
  readonly review?: Review
  readonly decision?: Decision
  readonly fields: readonly PlanField[]
}

export interface Pathway {
  readonly id: string
  readonly title: string
  /** Shown to everybody, empty or not. Other pathways are for those who need them. */
  readonly universal?: boolean
}

export interface ListingCode {
  readonly system: string
  readonly code: string
  readonly display: string
}

/** What is the same in each CarePlan by which a plan that is begun in the app is listed at the record. */
export interface Listing {
  readonly title: string
  readonly description?: string
  readonly category?: readonly ListingCode[]
  /** `meta.profile` */
  readonly profile?: readonly string[]
}

export interface Plan {
  /** Absent: no plan is begun in the app. */
  readonly listing?: Listing
  /** In the order in which they are shown. */
  readonly pathways: readonly Pathway[]
  readonly sections: readonly PlanSection[]
}

/** How many characters a field takes unless its definition says otherwise. */
export const LENGTHS = { text: 500, 'long-text': 10_000 } as const
/** How many rows a group takes unless its definition says otherwise. */
export const ROWS = 20

/** Every field of a section, those of its groups too, each after the one that holds it. */
export const fieldsIn = (fields: readonly PlanField[]): readonly PlanField[] =>
  fields.flatMap((field) => [field, ...fieldsIn(field.fields ?? [])])
