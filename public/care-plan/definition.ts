/** The plan as data: what `plan.json` (made from config/plan/sections.yaml) and `config.json` hold. */

export interface Field {
  readonly id: string
  /** `archetype_node_id` of the ELEMENT that holds the value. */
  readonly node: string
  readonly title: string
  readonly type: 'text' | 'long-text' | 'date' | 'choice'
  /** For a choice: code → what a person reads. */
  readonly options?: Readonly<Record<string, string>>
}

export interface Section {
  readonly id: string
  readonly title: string
  /** Template id of the section's COMPOSITION: scopes and rows speak of it. */
  readonly template: string
  readonly author: 'person' | 'clinician'
  readonly fields: readonly Field[]
}

export interface Settings {
  /** FHIR bases of the gateways that may launch this app. Nothing is sent to any other. */
  readonly issuers: readonly string[]
  readonly clientId: string
  /** What to do when the plan cannot be reached. */
  readonly emergencyText: string
}

/** A section's values by field id: text as typed, a date as `YYYY-MM-DD`, a choice as its code; '' for none. */
export type Values = Readonly<Record<string, string>>

/** How many characters a field takes. */
export const LENGTHS = { text: 500, 'long-text': 10_000 } as const

/** What a person reads for a value. A code that the definitions do not know is shown as it came. */
export const wordsFor = (field: Field, value: string): string => field.options?.[value] ?? value

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')

/** `undefined` when the file is not what it must be: without its issuers the app opens nothing. */
export function readSettings(json: unknown): Settings | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { issuers, clientId, emergencyText } = json as Record<string, unknown>
  if (!isTextList(issuers) || typeof clientId !== 'string' || clientId === '') return undefined
  return {
    issuers,
    clientId,
    emergencyText: typeof emergencyText === 'string' ? emergencyText : '',
  }
}

export function readDefinitions(json: unknown): readonly Section[] | undefined {
  const sections = (json as { sections?: unknown } | null)?.sections
  return Array.isArray(sections) && sections.length > 0 ? (sections as Section[]) : undefined
}
