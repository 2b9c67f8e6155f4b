/** What must hold within and between the files of a plan, beyond the shape of each; and the plan that they make. */
import type { Listing, Pathway, Plan, PlanField, PlanSection } from './plan.js'
import { adoptionOf, checkAdopt } from './plan-adopt.js'
import {
  type Fault,
  type FileField,
  type FileSection,
  nearest,
  type PlanFile,
} from './plan-file.js'

/** Of one file: its name for problems, and what stands in it. */
export interface NamedFile {
  readonly name: string
  readonly file: PlanFile
}

export interface PlanFault extends Fault {
  readonly file: string
}

type Sets = ReadonlyMap<string, NonNullable<PlanFile['value_sets']>[string]>
type Say = (text: string, ...path: (string | number)[]) => void

const CHOOSES = ['choice', 'choices']

/** Members and the types of field that they belong to. */
// biome-ignore format: a table
const BELONGS: readonly (readonly [keyof FileField, readonly string[], boolean])[] = [
  ['units',  ['quantity'],                   true],
  ['range',  ['quantity'],                   false],
  ['fields', ['group'],                      true],
  ['most',   ['text', 'long-text', 'group'], false],
]

function checkMembers(field: FileField, say: Say): void {
  for (const [member, types, needed] of BELONGS) {
    const there = field[member] !== undefined
    if (there && !types.includes(field.type))
      say(
        `a ${field.type} has no ${member}: take it out, or make it a ${types.join(' or ')}`,
        member,
      )
    if (!there && needed && types.includes(field.type))
      say(`a ${field.type} needs ${member}`, 'type')
  }
  const { range, most } = field
  if (range && range[0] > range[1])
    say('the greatest stands before the least: turn them round', 'range')
  if (field.type === 'group' && (most ?? 1) > 100) say('a group has at most 100 rows', 'most')
}

function checkOptions(field: FileField, sets: Sets, say: Say): void {
  const { type, options, value_set: set } = field
  const chooses = CHOOSES.includes(type)
  if (!chooses && (options || set !== undefined))
    say(
      `a ${type} has no options: take them out, or make it a choice`,
      options ? 'options' : 'value_set',
    )
  if (chooses && options && set !== undefined)
    say('it has options and a value_set: take one of them out', 'value_set')
  if (chooses && !options && set === undefined)
    say('it has nothing to choose from: give it options, or a value_set', 'type')
  if (set !== undefined && !sets.has(set)) {
    const meant = nearest(set, [...sets.keys()])
    say(`there is no value set "${set}"${meant ? `: did you mean "${meant}"?` : ''}`, 'value_set')
  }
  if (options && Object.keys(options).length === 0) say('it has nothing to choose from', 'options')
}

/** What stands twice where each may stand once. */
function checkUnique(
  what: string,
  rows: readonly { readonly value: string; readonly path: readonly (string | number)[] }[],
  say: Say,
): void {
  const seen = new Set<string>()
  for (const { value, path } of rows) {
    if (seen.has(value)) say(`${what} "${value}" stands twice: give one of them another`, ...path)
    seen.add(value)
  }
}

function checkFields(section: FileSection, sets: Sets, say: Say): void {
  const nodes: { value: string; path: (string | number)[] }[] = []
  const look = (fields: readonly FileField[], at: readonly (string | number)[]) => {
    checkUnique(
      'the field',
      fields.map(({ id }, i) => ({ value: id, path: [...at, i, 'id'] })),
      say,
    )
    for (const [i, field] of fields.entries()) {
      const here: Say = (text, ...path) => say(text, ...at, i, ...path)
      nodes.push({ value: field.node, path: [...at, i, 'node'] })
      checkMembers(field, here)
      checkOptions(field, sets, here)
      if (at.length > 1 && field.type === 'group') here('a group cannot hold a group', 'type')
      look(field.fields ?? [], [...at, i, 'fields'])
    }
  }
  look(section.fields, ['fields'])
  // An at-code names one node of an archetype: two fields of one would read each other's values.
  checkUnique('the node', nodes, say)
}

/** Members of a section that name a field of it: which type it must have. */
function checkNamed(section: FileSection, say: Say): void {
  const { review, decision, fields } = section
  const known = fields.map(({ id }) => id)
  const need = (id: string | undefined, types: readonly string[], ...path: string[]) => {
    if (id === undefined) return
    const field = fields.find((each) => each.id === id)
    const meant = nearest(id, known)
    if (!field)
      say(`this section has no field "${id}"${meant ? `: did you mean "${meant}"?` : ''}`, ...path)
    else if (!types.includes(field.type))
      say(`the field "${id}" is a ${field.type}: a ${types.join(' or ')} is needed`, ...path)
  }
  need(review?.field, ['date'], 'review', 'field')
  need(review?.from, ['date'], 'review', 'from')
  if (review && review.field === undefined && review.months === undefined)
    say('says nothing: give it the field with the day, or how many months an entry holds', 'review')
  need(decision?.field, ['choice'], 'decision', 'field')
  need(decision?.decided, ['date'], 'decision', 'decided')
  need(decision?.by, ['text'], 'decision', 'by')
}

function checkLooks({ decision }: FileSection, made: PlanSection, say: Say): void {
  const options = made.fields.find(({ id }) => id === decision?.field)?.options ?? {}
  for (const look of Object.keys(decision?.looks ?? {}))
    if (options[look] === undefined)
      say(`"${look}" is none of the options of ${decision?.field}`, 'decision', 'looks', look)
}

function fieldOf({ value_set: set, options: own, ...field }: FileField, sets: Sets): PlanField {
  const { fields, ...rest } = field
  const options = Object.entries(own ?? sets.get(set ?? '') ?? {})
  const titles = options.map(([code, said]) => [code, typeof said === 'string' ? said : said.title])
  const codes = options.flatMap(([code, said]) =>
    typeof said === 'string' || said.snomed === undefined ? [] : [[code, said.snomed]],
  )
  return {
    ...rest,
    ...(options.length > 0 ? { options: Object.fromEntries(titles) } : {}),
    ...(codes.length > 0 ? { codes: Object.fromEntries(codes) } : {}),
    ...(fields ? { fields: fields.map((each) => fieldOf(each, sets)) } : {}),
  } as PlanField
}

/** The value sets of all files: a pathway may use those of the plan. */
function setsOf(files: readonly NamedFile[], faults: PlanFault[]): Sets {
  const sets = new Map<string, NonNullable<PlanFile['value_sets']>[string]>()
  for (const { name, file } of files)
    for (const [id, set] of Object.entries(file.value_sets ?? {})) {
      const path = ['value_sets', id]
      if (sets.has(id))
        faults.push({ file: name, path, text: `the value set "${id}" stands in another file too` })
      sets.set(id, set)
    }
  return sets
}

/** A section as the plan has it, held against itself and those before it. */
function sectionOf(
  section: FileSection,
  pathway: string,
  sets: Sets,
  before: readonly PlanSection[],
  say: Say,
): PlanSection {
  const made = {
    ...section,
    pathway,
    fields: section.fields.map((field) => fieldOf(field, sets)),
    ...(section.adopt ? { adopt: section.adopt.map(adoptionOf) } : {}),
  } as PlanSection
  if (before.some(({ id }) => id === section.id))
    say(`the section "${section.id}" stands twice: policies could not tell them apart`, 'id')
  if (before.some(({ template }) => template === section.template))
    say(
      `the template "${section.template}" is another section’s too: give it one of its own`,
      'template',
    )
  checkFields(section, sets, say)
  checkNamed(section, say)
  checkLooks(section, made, say)
  checkAdopt(section, made, say)
  return made
}

/**
 * The plan that files of the right shape make together, and everything that does not hold.
 *
 * @param files the universal sections first
 */
export function planOf(files: readonly NamedFile[]): {
  readonly plan: Plan
  readonly faults: readonly PlanFault[]
} {
  const faults: PlanFault[] = []
  const sets = setsOf(files, faults)
  const pathways: Pathway[] = []
  const sections: PlanSection[] = []
  for (const [i, { name, file }] of files.entries()) {
    const say: Say = (text, ...path) => faults.push({ file: name, path, text })
    const { pathway } = file
    if (pathways.some(({ id }) => id === pathway.id))
      say(
        `the pathway "${pathway.id}" stands in another file too: give it another id`,
        'pathway',
        'id',
      )
    pathways.push(i === 0 ? { ...pathway, universal: true } : pathway)
    if (i > 0 && file.listing)
      say('a plan is listed once, whatever pathways it has: it belongs to the main file', 'listing')
    for (const [at, section] of file.sections.entries()) {
      const here: Say = (text, ...path) => say(text, 'sections', at, ...path)
      sections.push(sectionOf(section, pathway.id, sets, sections, here))
    }
  }
  if (sections.length > 200)
    faults.push({ file: files[0]?.name ?? '', path: [], text: 'a plan has at most 200 sections' })
  const listing = files[0]?.file.listing as Listing | undefined
  return { plan: { ...(listing ? { listing } : {}), pathways, sections }, faults }
}
