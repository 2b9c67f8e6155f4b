/** The demonstration's plans and the form that they fill in, read from configuration. */
import { parse } from 'yaml'
import { z } from 'zod'
import type { EpochMs } from '../core/values.js'

const formFile = z.object({
  sections: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      template: z.string(),
      author: z.enum(['person', 'clinician']),
      fields: z.array(
        z.object({
          id: z.string(),
          node: z.string(),
          title: z.string(),
          type: z.enum(['text', 'long-text', 'date', 'choice']),
          options: z.record(z.string(), z.string()).optional(),
        }),
      ),
    }),
  ),
})

/** A section of the plan's form: one openEHR template. */
export type FormSection = z.infer<typeof formFile>['sections'][number]
export type FormField = FormSection['fields'][number]

/** A day, or days from the demonstration's first start. */
const day = z.union([z.number().int(), z.iso.date()])

const planFile = z.object({
  plans: z.array(
    z.strictObject({
      patient: z.string(),
      sections: z.record(
        z.string(),
        z.strictObject({
          by: z.string(),
          on: day,
          values: z.record(z.string(), z.union([z.string(), z.number().int()])),
        }),
      ),
    }),
  ),
})

export type DemoPlan = z.infer<typeof planFile>['plans'][number]
export type DemoEntry = DemoPlan['sections'][string]

/** `config/plan/sections.yaml`, fields included. */
export const readForm = (yaml: string): readonly FormSection[] =>
  formFile.parse(parse(yaml)).sections

/** `config/demo/plans.yaml`. */
export const readPlans = (yaml: string): readonly DemoPlan[] => planFile.parse(parse(yaml)).plans

/** The calendar day that a plan means by a day or by a number of days from `start`. */
export const dayOf = (value: string | number, start: EpochMs): string =>
  typeof value === 'string'
    ? value
    : new Date(start + value * 86_400_000).toISOString().slice(0, 10)
