/** The demonstration's plans, read from configuration. */
import { parse } from 'yaml'
import { z } from 'zod'
import type { EpochMs } from '../core/values.js'

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

/** `config/demo/plans.yaml`. */
export const readPlans = (yaml: string): readonly DemoPlan[] => planFile.parse(parse(yaml)).plans

/** The calendar day that a plan means by a day or by a number of days from `start`. */
export const dayOf = (value: string | number, start: EpochMs): string =>
  typeof value === 'string'
    ? value
    : new Date(start + value * 86_400_000).toISOString().slice(0, 10)
