/** `policies/invariants.yaml` as it is written: its rows, and their reader. */
import { z } from 'zod'
import { PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import { oneOrMore } from './fields.js'
import { INVARIANTS_FILE, type PolicyFiles } from './source.js'
import { readYamlFile } from './yaml-file.js'

const text = oneOrMore(z.string().max(200))
/** What the row is about beside role, action and resource. What is left out may be anything. */
const when = z.strictObject({
  /** Holds at least these. */
  activities: z.array(z.string().regex(/^B\d{4}$/)).max(20),
  activity_source: oneOrMore(z.enum(['listed', 'baseline'])),
  assurance: oneOrMore(z.union([z.literal(1), z.literal(2), z.literal(3)])),
  organization: text,
  organization_type: text,
  region: text,
  purpose: oneOrMore(z.enum(PURPOSES)),
  rung: oneOrMore(z.enum(RUNGS)),
  system: text,
  app: text,
  sensitive: z.boolean(),
  deceased: z.boolean(),
  /** Whether a reason is given. */
  emergency: z.boolean(),
  hour: oneOrMore(z.int().min(0).max(23)),
  weekday: oneOrMore(z.int().min(1).max(7)),
})
const anyOr = <T extends z.ZodType>(item: T) => z.union([z.literal('any'), oneOrMore(item)])

const row = z.strictObject({
  name: z.string().min(3).max(300),
  roles: anyOr(z.enum([...ROLES, 'none'])),
  actions: anyOr(z.enum(ACTIONS)),
  on: anyOr(
    z
      .string()
      .max(200)
      .regex(
        /^(app|section|fhir)\/\S+$/,
        'expected section/…, fhir/… or app/…, or section/* for all',
      ),
  ),
  when: when.partial().default({}),
  expect: z.enum(['never', 'always']),
})
export const invariantsFile = z.strictObject({ invariants: z.array(row).max(200) })

export type Invariant = z.output<typeof row> & { readonly line: number }

/** @throws Problems what is wrong with the file */
export function readInvariants(files: PolicyFiles): readonly Invariant[] {
  const source = files[INVARIANTS_FILE]
  if (source === undefined) return []
  const { value, lineOf } = readYamlFile(INVARIANTS_FILE, source, invariantsFile)
  return value.invariants.map((one, i) => ({ ...one, line: lineOf(['invariants', i]) }))
}
