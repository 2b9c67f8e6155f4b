/** Two people changed one section: what each did, field by field. Nothing is merged in silence. */
import { sameText } from '../../src/core/plan-values.js'
import type { Field, Section, Values } from './definition.js'

export interface FieldMerge {
  readonly field: Field
  readonly base: string
  readonly theirs: string
  readonly yours: string
  /** Who changed it since `base`: `both` needs a person to choose, `same` needs nobody. */
  readonly changed: 'same' | 'theirs' | 'yours' | 'both'
}

function whoChanged(
  field: Field,
  base: string,
  theirs: string,
  yours: string,
): FieldMerge['changed'] {
  const same = (a: string, b: string) => sameText(field, a, b)
  if (same(theirs, yours)) return 'same'
  if (same(yours, base)) return 'theirs'
  return same(theirs, base) ? 'yours' : 'both'
}

export const mergeOf = (
  section: Section,
  base: Values,
  theirs: Values,
  yours: Values,
): readonly FieldMerge[] =>
  section.fields.map((field) => {
    const [was, their, your] = [base, theirs, yours].map((values) => values[field.id] ?? '')
    const [b, t, y] = [was ?? '', their ?? '', your ?? '']
    return { field, base: b, theirs: t, yours: y, changed: whoChanged(field, b, t, y) }
  })

/** Ids of the fields whose values differ. */
export const changedFields = (section: Section, from: Values, to: Values): readonly string[] =>
  section.fields
    .filter((field) => !sameText(field, from[field.id] ?? '', to[field.id] ?? ''))
    .map(({ id }) => id)
