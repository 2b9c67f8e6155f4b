/** What must hold of a section's `adopt`: which of the GP record's items it takes over, and into which fields. */
import { ADOPTABLE } from './adoptable.js'
import { isChoice } from './adopted-option.js'
import { FILLS } from './adoption.js'
import type { Adoption, PlanField, PlanSection } from './plan.js'
import { type FileAdoption, type FileField, type FileSection, nearest } from './plan-file.js'

type Say = (text: string, ...path: (string | number)[]) => void
type As = Adoption['as']

const listOf = (said: string | readonly string[]): readonly string[] =>
  typeof said === 'string' ? [said] : said

const isByField = (as: FileAdoption['as']): as is Record<string, string | string[]> =>
  typeof as === 'object' && !Array.isArray(as)

const meaningsOf = ({ yes, no }: NonNullable<FileAdoption['means']>) => ({
  ...(yes ? { yes } : {}),
  ...(no ? { no } : {}),
})

/** By field, however its author wrote it. */
export const adoptionOf = ({ as, codes, means, ...rest }: FileAdoption): Adoption => ({
  ...rest,
  ...(codes ? { codes } : {}),
  ...(means ? { means: meaningsOf(means) } : {}),
  as: isByField(as)
    ? Object.fromEntries(Object.entries(as).map(([id, said]) => [id, listOf(said)]))
    : { [rest.into]: listOf(as) },
})

const meant = (word: string, words: readonly string[]): string => {
  const near = nearest(word, words)
  return near ? `: did you mean "${near}"?` : `: it has ${words.join(', ')}`
}

function checkElements(
  { of }: FileAdoption,
  field: FileField,
  paths: readonly string[],
  say: Say,
  ...at: string[]
): void {
  const kinds = FILLS[field.type]
  if (kinds === undefined) {
    say(`the field "${field.id}" is a ${field.type}: nothing can be taken over into one`, ...at)
    return
  }
  const { elements } = ADOPTABLE[of]
  for (const path of paths) {
    const kind = elements[path]
    if (kind === undefined)
      say(`a ${of} has no "${path}" to take over${meant(path, Object.keys(elements))}`, ...at)
    else if (!kinds.includes(kind))
      say(`"${path}" is no ${field.type}, as the field "${field.id}" is`, ...at)
  }
  const single = !LINES.includes(field.type)
  if (single && paths.length > 1) say(`a ${field.type} takes one element`, ...at)
}

const LINES = ['text', 'long-text']

/** An item must be exactly one option, told by its concept alone. */
function checkOptions(
  { means }: FileAdoption,
  { id, type, codes = {} }: PlanField,
  say: Say,
  ...at: string[]
): void {
  const concepts = Object.values(codes)
  const twice = concepts.find((one, i) => concepts.indexOf(one) !== i)
  if (type !== 'yes-no' && concepts.length === 0)
    say(
      `no option of "${id}" has a SNOMED CT concept (snomed), by which an item could be told`,
      ...at,
    )
  if (type !== 'yes-no' && twice !== undefined)
    say(`two options of "${id}" are ${twice}: an item could be either`, ...at)
  if (type !== 'yes-no') return
  const { yes = [], no = [] } = means ?? {}
  const both = yes.find((one) => no.includes(one))
  if (yes.length + no.length === 0)
    say(`"${id}" is a yes-no: say which concepts mean yes, and which no, in means`, ...at)
  if (both !== undefined) say(`${both} cannot mean yes and no`, 'means')
}

/** The fields that are filled, as the plan has them: of a group those of its row. */
function checkChoices(section: PlanSection, adoption: FileAdoption, say: Say): void {
  const into = section.fields.find(({ id }) => id === adoption.into)
  const group = into?.type === 'group'
  const fields = (group ? into.fields : into && [into]) ?? []
  const filled = fields.filter(({ id }) => !group || adoptionOf(adoption).as[id])
  const choices = filled.filter(isChoice)
  for (const field of choices)
    checkOptions(adoption, field, say, 'as', ...(group ? [field.id] : []))
  if (choices.length > 0 && adoption.of === 'Observation' && adoption.codes === undefined)
    say('what an Observation found says nothing without what it asked: name that in codes', 'of')
  if (adoption.means && !filled.some(({ type }) => type === 'yes-no'))
    say('only a yes-no needs means: take it out', 'means')
}

function checkRow(adoption: FileAdoption, group: FileField, as: As, say: Say): void {
  const fields = group.fields ?? []
  for (const [id, paths] of Object.entries(as)) {
    const field = fields.find((each) => each.id === id)
    const ids = fields.map((each) => each.id)
    if (!field) say(`a row of "${group.id}" has no field "${id}"${meant(id, ids)}`, 'as')
    else checkElements(adoption, field, paths, say, 'as', id)
  }
}

function checkOne(section: FileSection, adoption: FileAdoption, say: Say): void {
  const { of, into, as } = adoption
  if (!section.fhir?.includes(of))
    say(`${of} is none of the section’s FHIR types: add it to fhir`, 'of')
  const field = section.fields.find(({ id }) => id === into)
  if (!field) {
    const ids = section.fields.map(({ id }) => id)
    say(`this section has no field "${into}"${meant(into, ids)}`, 'into')
    return
  }
  const group = field.type === 'group'
  if (group !== isByField(as)) {
    say(
      group
        ? `"${into}" is a group: say for each field of its row what it takes`
        : `"${into}" is no group: list what it takes`,
      'as',
    )
    return
  }
  const { as: byField } = adoptionOf(adoption)
  if (group) checkRow(adoption, field, byField, say)
  else checkElements(adoption, field, byField[into] ?? [], say, 'as')
}

/** @param made the section as the plan has it, its options found */
export function checkAdopt(section: FileSection, made: PlanSection, say: Say): void {
  const seen = new Set<string>()
  for (const [i, adoption] of (section.adopt ?? []).entries()) {
    const here: Say = (text, ...path) => say(text, 'adopt', i, ...path)
    const { of, into, codes } = adoption
    const key = `${of} ${into} ${codes?.join() ?? ''}`
    if (seen.has(key)) here(`${of} into "${into}" stands twice: take one of them out`, 'into')
    seen.add(key)
    checkOne(section, adoption, here)
    checkChoices(made, adoption, here)
  }
}
