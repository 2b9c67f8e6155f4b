/** A file of the plan's definitions, as its author writes it: its shape, and in plain words what is wrong with it. */
import { z } from 'zod'
import { ADOPTABLE } from './adoptable.js'
import type { HandedType } from './handed-over.js'
import { FIELD_TYPES } from './plan.js'

const id = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/)
const title = z.string().trim().min(1).max(120)
const sentence = z.string().trim().min(1).max(400)
/** SNOMED CT: 6 to 18 digits. A number would lose the last of them. */
const snomed = z.string().regex(/^[1-9]\d{5,17}$/)
const node = z.string().regex(/^(at|id)\d{1,6}(\.\d{1,6}){0,8}$/)

const option = z.union([title, z.strictObject({ title, snomed: snomed.optional() })])
const options = z.record(id, option)

const row = z.strictObject({
  id,
  node,
  title,
  type: z.enum(FIELD_TYPES),
  hint: sentence.optional(),
  required: z.boolean().optional(),
  most: z.number().int().min(1).max(20_000).optional(),
  snomed: snomed.optional(),
  options: options.optional(),
  value_set: id.optional(),
  units: z.record(z.string().regex(/^[!-~]{1,30}$/), title).optional(),
  range: z.tuple([z.number(), z.number()]).optional(),
})
/** A group holds fields and no groups: a form that nests deeper is not filled in. */
const field = row.extend({ fields: z.array(row).min(1).max(20).optional() })

const HANDED = Object.keys(ADOPTABLE) as HandedType[]
const element = z.string().regex(/^[a-z][A-Za-z]{0,40}(\.[a-z][A-Za-z]{0,40}){0,3}$/)
const elements = z.union([element, z.array(element).min(1).max(6)])
const concepts = z.array(snomed).min(1).max(50)
const adoption = z.strictObject({
  of: z.enum(HANDED),
  into: id,
  as: z.union([elements, z.record(id, elements)]),
  codes: concepts.optional(),
  means: z.strictObject({ yes: concepts.optional(), no: concepts.optional() }).optional(),
})

const section = z.strictObject({
  id,
  title,
  hint: sentence.optional(),
  template: z.string().regex(/^care-plan::[a-z][a-z0-9_-]{0,80}\.v\d{1,3}$/),
  author: z.enum(['person', 'clinician']),
  fhir: z
    .array(z.string().regex(/^[A-Z][A-Za-z]{1,60}$/))
    .max(10)
    .optional(),
  adopt: z.array(adoption).min(1).max(20).optional(),
  review: z
    .strictObject({
      field: id.optional(),
      months: z.number().int().min(1).max(120).optional(),
      from: id.optional(),
    })
    .optional(),
  decision: z
    .strictObject({
      name: title,
      field: id,
      decided: id.optional(),
      by: id.optional(),
      looks: z.record(id, z.enum(['go', 'stop'])),
      none: sentence,
      hidden: sentence,
    })
    .optional(),
  fields: z.array(field).min(1).max(60),
})

const canonical = z.string().regex(/^(https?:\/\/|urn:)[!-~]{1,200}$/)
const listing = z.strictObject({
  title,
  description: sentence.optional(),
  category: z
    .array(
      z.strictObject({
        system: canonical,
        code: z.string().regex(/^[!-~]{1,60}$/),
        display: title,
      }),
    )
    .min(1)
    .max(10)
    .optional(),
  profile: z.array(canonical).min(1).max(10).optional(),
})

export const planFile = z.strictObject({
  pathway: z.strictObject({ id, title }),
  listing: listing.optional(),
  value_sets: z.record(id, options).optional(),
  sections: z.array(section).min(1).max(100),
})

export type FileAdoption = z.infer<typeof adoption>
export type FieldRow = z.infer<typeof row>
export type FileField = z.infer<typeof field>
export type FileSection = z.infer<typeof section>
export type PlanFile = z.infer<typeof planFile>

/** What a member is for, said where it is missing or wrong. By its name. */
// biome-ignore format: a table
const MEMBERS: Readonly<Record<string, string>> = {
  id:        'an id of small letters, digits and hyphens that begins with a letter, such as crisis-plan',
  node:      'the at-code of its node in the archetype, such as at0002',
  title:     'what people call it, at most 120 characters',
  type:      `one of ${FIELD_TYPES.join(', ')}`,
  template:  'a template id such as care-plan::crisis-plan.v1: the app may ask for care-plan:: only',
  author:    'person or clinician: who writes it in the first place',
  snomed:    'a SNOMED CT concept id of 6 to 18 digits, in quotes',
  value_set: 'the id of one of this file’s or another file’s value_sets',
  options:   'codes and what people read, such as { yes: "Yes", no: "No" }',
  units:     'UCUM units and what people read, such as { "%": "per cent" }',
  range:     'the least and the greatest number, such as [0, 100]',
  most:      'a whole number from 1: characters of a text, rows of a group',
  months:    'a whole number of months from 1 to 120',
  hint:      'a sentence of at most 400 characters',
  fields:    'a list of at least one field',
  sections:  'a list of at least one section',
  pathway:   'whose sections these are, such as { id: frailty, title: Frailty }',
  fhir:      'FHIR types, such as [Consent, Flag]',
  adopt:     'a list such as [{ of: AllergyIntolerance, into: allergies, as: [code, reaction.manifestation] }]',
  of:        `a type that a launch may hand over: ${HANDED.join(', ')}`,
  into:      'the id of the field of this section that takes it',
  as:        'elements of the resource, such as [code, onset]; into a group, by field of its row, such as { medicine: medication }',
  codes:     'a list of SNOMED CT concept ids of 6 to 18 digits, in quotes',
  means:     'SNOMED CT concept ids, in quotes, that say yes and that say no, such as { yes: ["450476008"] }',
  listing:   'how a plan that is begun in the app is listed, such as { title: Shared care plan }',
  category:  'a list of codings, such as [{ system: http://snomed.info/sct, code: "2181441000000107", display: Personalised Care and Support Plan }]',
  profile:   'a list of canonical addresses, such as [https://fhir.example/StructureDefinition/plan]',
  system:    'the address of a code system, such as http://snomed.info/sct',
  code:      'a code without spaces, in quotes, such as "2181441000000107"',
  display:   'what the code means, at most 120 characters',
  description: 'a sentence of at most 400 characters',
  looks:     'options and how they look, such as { attempt: go, do-not-attempt: stop }',
}

const KNOWN = [
  ...Object.keys(MEMBERS),
  ...['required', 'review', 'decision', 'field', 'from', 'decided', 'by', 'name', 'none', 'hidden'],
]

/** How many letters must be changed to make one word of the other; at most 3. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(
        Math.min(
          (next[j] ?? 9) + 1,
          (before[j + 1] ?? 9) + 1,
          (before[j] ?? 9) + Number(letter !== other),
        ),
      )
    before = next
  }
  return before.at(-1) ?? 9
}

/** The word that was probably meant. */
export const nearest = (word: string, words: readonly string[]): string | undefined =>
  [...words]
    .map((each) => ({ each, far: distance(word.slice(0, 60), each) }))
    .filter(({ far }) => far <= Math.min(3, Math.floor(word.length / 2)))
    .sort((a, b) => a.far - b.far)[0]?.each

type Issue = z.core.$ZodRawIssue

function saidOf(issue: Issue): string {
  const name = String(issue.path?.findLast((part) => typeof part === 'string') ?? '')
  const wanted = MEMBERS[name]
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys as readonly string[]
    return unknown
      .map((key) => {
        const meant = nearest(key, KNOWN)
        return `"${key}" is not known here${meant === undefined ? ': take it out' : `: did you mean "${meant}"?`}`
      })
      .join('; ')
  }
  if (issue.input === undefined)
    return wanted === undefined ? 'is missing' : `is missing: ${wanted}`
  if (issue.code === 'invalid_key') return `this key cannot be one: ${MEMBERS.id}`
  return wanted === undefined ? '' : `expected ${wanted}`
}

export interface Fault {
  readonly path: readonly (string | number)[]
  readonly text: string
}

/** One file as its author wrote it, or everything that is wrong with its shape. */
export function readPlanFile(
  value: unknown,
): { readonly file: PlanFile } | { readonly faults: readonly Fault[] } {
  const read = planFile.safeParse(value, { error: (issue) => saidOf(issue) || undefined })
  if (read.success) return { file: read.data }
  return {
    faults: read.error.issues.map(({ path, message }) => ({
      path: path.map((part) => (typeof part === 'number' ? part : String(part))),
      text: message,
    })),
  }
}
