/** The plan as data: what `plan.json` (made of the definitions in config/plan/) and `config.json` hold. */
import type { Plan, PlanField, PlanSection } from '../../src/core/plan.js'

export type Field = PlanField
export type Section = PlanSection
export type { Listing } from '../../src/core/plan.js'
export type Definitions = Plan
export type { Values } from '../../src/core/plan-values.js'

export interface Settings {
  /** FHIR bases of the gateways that may launch this app. Nothing is sent to any other. */
  readonly issuers: readonly string[]
  readonly clientId: string
  /** What to do when the plan cannot be reached. */
  readonly emergencyText: string
}

const YES_NO: Readonly<Record<string, string>> = { yes: 'Yes', no: 'No' }

/** What a person reads for a value. A code that the definitions do not know is shown as it came. */
export const wordsFor = (field: Field, value: string): string =>
  (field.type === 'yes-no' ? YES_NO : field.options)?.[value] ?? value

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

export function readDefinitions(json: unknown): Definitions | undefined {
  const { listing, pathways, sections } = (json ?? {}) as Partial<Definitions>
  const whole = Array.isArray(sections) && sections.length > 0 && Array.isArray(pathways)
  return whole ? { ...(listing ? { listing } : {}), pathways, sections } : undefined
}
