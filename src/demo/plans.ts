/** The demonstration's plans, read from configuration. */
import { parse } from 'yaml'
import { z } from 'zod'
import type { PlanField, PlanSection } from '../core/plan.js'
import { groupText, type Values } from '../core/plan-values.js'
import type { EpochMs } from '../core/values.js'
import type { DemoPatient } from './patient.js'

/** A day, or days from the demonstration's first start. */
const day = z.union([z.number().int(), z.iso.date()])

/** Of a field that is no group: a text, a number or day, or several choices. */
const value = z.union([z.string(), z.number(), z.array(z.string())])
const values = z.record(z.string(), z.union([value, z.array(z.record(z.string(), value))]))
const version = z.strictObject({ by: z.string(), on: day, values })
/** As it stands, and versions of before, oldest first. */
const entry = version.extend({ earlier: z.array(version).optional() })

const planFile = z.object({
  plans: z.array(z.strictObject({ patient: z.string(), sections: z.record(z.string(), entry) })),
})

export type DemoPlan = z.infer<typeof planFile>['plans'][number] & {
  /** When its first section was written, where that is known without making them all. */
  readonly created?: string | number
}
export type DemoEntry = DemoPlan['sections'][string]
export type DemoVersion = z.infer<typeof version>

/** `config/demo/plans.yaml`. */
export const readPlans = (yaml: string): readonly DemoPlan[] => planFile.parse(parse(yaml)).plans

/** The calendar day that a plan means by a day or by a number of days from `start`. */
export const dayOf = (value: string | number, start: EpochMs): string =>
  typeof value === 'string'
    ? value
    : new Date(start + value * 86_400_000).toISOString().slice(0, 10)

/** @throws Error when there is none */
export function sectionOf(form: readonly PlanSection[], id: string): PlanSection {
  const section = form.find((each) => each.id === id)
  if (section === undefined) throw new Error(`The form has no section ${id}`)
  return section
}

type Said = DemoVersion['values'][string]

/** What a plan says of a field, as the text that a form would hold. */
export function fieldText(field: PlanField, said: Said, start: EpochMs): string {
  if (field.type === 'date' && !Array.isArray(said)) return dayOf(said, start)
  if (!Array.isArray(said)) return String(said)
  const rows = said.filter((row) => typeof row === 'object')
  if (field.type !== 'group') return said.join('\n')
  return groupText(
    field,
    rows.map((row) => fieldTexts(field.fields ?? [], row, start)),
  )
}

/** @throws Error naming a value of no field */
export function fieldTexts(
  fields: readonly PlanField[],
  said: Readonly<Record<string, Said>>,
  start: EpochMs,
): Values {
  const texts = Object.entries(said).map(([id, one]) => {
    const field = fields.find((each) => each.id === id)
    if (!field) throw new Error(`There is no field ${id}`)
    return [id, fieldText(field, one, start)] as const
  })
  return Object.fromEntries(texts)
}

/** @throws Error naming a section or a field that the form does not have, or a patient without an EHR */
export function checkPlans(
  plans: readonly DemoPlan[],
  form: readonly PlanSection[],
  patients: readonly DemoPatient[],
): void {
  const owners = patients.filter(({ ehrId }) => ehrId !== undefined)
  const stray = plans.find((plan) => !owners.some(({ nhsNumber }) => nhsNumber === plan.patient))
  if (stray !== undefined) throw new Error('A plan belongs to a patient without an EHR')
  for (const [id, { earlier = [], ...newest }] of plans.flatMap((plan) =>
    Object.entries(plan.sections),
  )) {
    const { fields } = sectionOf(form, id)
    for (const { values } of [...earlier, newest]) fieldTexts(fields, values, 0)
  }
}
