/** Which option of a choice an item of the GP record is: told by its SNOMED CT concept alone, and never guessed. */
import { conceptAt } from './adoptable.js'
import type { Json } from './json.js'
import type { Adoption, PlanField } from './plan.js'

const CHOOSES: readonly string[] = ['choice', 'choices', 'yes-no']

export const isChoice = ({ type }: Pick<PlanField, 'type'>): boolean => CHOOSES.includes(type)

/** Which option is exactly this concept: never one that is like it, and none where two are. */
function optionOf({ type, codes = {} }: PlanField, { means = {} }: Adoption, concept: string) {
  const found =
    type === 'yes-no'
      ? Object.entries(means).filter(([, concepts]) => concepts.includes(concept))
      : Object.entries(codes).filter(([, own]) => own === concept)
  return found.length === 1 ? found[0]?.[0] : undefined
}

/** The option that an item is; `undefined` where it is none of them. */
export function optionIn(field: PlanField, adoption: Adoption, resource: Json): string | undefined {
  const concept = conceptAt(resource, adoption.as[field.id]?.[0] ?? '')
  return concept === undefined ? undefined : optionOf(field, adoption, concept)
}
