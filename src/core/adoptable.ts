/**
 * What of a launch's data can be taken over into the plan: the elements of each type, and what they say in a person's
 * words. Gateway and app read alike, so that what one offers the other can check.
 *
 * @see FHIR R4, "Data types", "isModifier"
 */
import type { HandedType } from './handed-over.js'
import { isObject, type Json } from './json.js'
import { plainText } from './text.js'

/**
 * `concept`: a coded thing, in words or as its SNOMED CT concept. `day`: a date, maybe without day or month.
 * `measure`: a number with its unit, a concept, or words.
 */
export type Kind = 'concept' | 'words' | 'day' | 'measure'

interface TypeRow {
  /** What it is. */
  readonly name: string
  /** When: the first that is there. */
  readonly days: readonly string[]
  readonly elements: Readonly<Record<string, Kind>>
  /** By what codes the GP system itself says that it no longer holds, or never did. */
  readonly over: Readonly<Record<string, readonly string[]>>
  /** By what codes it says that it is not sure: said wherever it goes. */
  readonly doubt: Readonly<Record<string, readonly string[]>>
}

const CLINICAL = {
  over: {
    clinicalStatus: ['inactive', 'resolved', 'remission'],
    verificationStatus: ['refuted', 'entered-in-error'],
  },
  doubt: { verificationStatus: ['unconfirmed', 'provisional', 'differential'] },
} as const
const WRONG = ['entered-in-error', 'not-done', 'cancelled']

/** The code of an Observation is no concept here: it says what was asked, and not what was found. */
// biome-ignore format: a table
export const ADOPTABLE: Readonly<Record<HandedType, TypeRow>> = {
  AllergyIntolerance:  { name: 'code',        days: ['onset', 'recordedDate'],       elements: { code: 'concept', 'reaction.manifestation': 'concept', 'reaction.severity': 'words', criticality: 'words', onset: 'day', recordedDate: 'day' }, ...CLINICAL },
  Condition:           { name: 'code',        days: ['onset', 'recordedDate'],       elements: { code: 'concept', severity: 'concept', bodySite: 'concept', onset: 'day', recordedDate: 'day' }, ...CLINICAL },
  MedicationStatement: { name: 'medication',  days: ['effective', 'dateAsserted'],   elements: { medication: 'concept', 'dosage.text': 'words', effective: 'day', dateAsserted: 'day' }, over: { status: [...WRONG, 'completed', 'stopped', 'not-taken'] }, doubt: { status: ['on-hold', 'intended', 'unknown'] } },
  MedicationRequest:   { name: 'medication',  days: ['authoredOn'],                  elements: { medication: 'concept', 'dosageInstruction.text': 'words', authoredOn: 'day' }, over: { status: [...WRONG, 'completed', 'stopped', 'draft'], intent: ['proposal', 'option'] }, doubt: { status: ['on-hold', 'unknown'] } },
  Observation:         { name: 'code',        days: ['effective', 'issued'],         elements: { code: 'words', value: 'measure', interpretation: 'words', effective: 'day' }, over: { status: [...WRONG, 'registered', 'unknown'] }, doubt: { status: ['preliminary'] } },
  Procedure:           { name: 'code',        days: ['performed'],                   elements: { code: 'concept', bodySite: 'concept', outcome: 'concept', performed: 'day' }, over: { status: [...WRONG, 'preparation', 'stopped'] }, doubt: { status: ['on-hold', 'unknown', 'in-progress'] } },
  Immunization:        { name: 'vaccineCode', days: ['occurrence'],                  elements: { vaccineCode: 'concept', occurrence: 'day' }, over: { status: WRONG }, doubt: {} },
}

export const isAdoptable = (type: unknown): type is HandedType =>
  typeof type === 'string' && Object.hasOwn(ADOPTABLE, type)

/** More than this is no line of a form. What is longer is not cut: half a dose is another one. */
const LONGEST = 500

const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

/** What an element `name[x]` may be called. */
// biome-ignore format: one line
const CHOICES = ['', 'DateTime', 'Date', 'Period', 'String', 'CodeableConcept', 'Reference', 'Quantity']

/** All values of an element, wherever lists stand on the way to it. */
function valuesAt(resource: Json, path: string): readonly unknown[] {
  const steps = path.split('.')
  return steps.reduce<readonly unknown[]>(
    (values, step, at) =>
      values.filter(isObject).flatMap((value) => {
        const names = at === steps.length - 1 ? CHOICES.map((kind) => `${step}${kind}`) : [step]
        return names.flatMap((name) => (Object.hasOwn(value, name) ? asList(value[name]) : []))
      }),
    [resource],
  )
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? plainText(value, LONGEST + 1) || undefined : undefined

/** A concept in its own words, else in those of its first code that has some. */
const conceptWords = ({ text: own, coding }: Json): string | undefined =>
  text(own) ??
  asList(coding)
    .filter(isObject)
    .map(({ display }) => text(display))
    .find((words) => words !== undefined)

/** A medicine that is named by reference stands within the resource itself, or has its name beside. */
function referredWords(resource: Json, { reference, display }: Json): string | undefined {
  const inside = asList(resource.contained)
    .filter(isObject)
    .find(({ id }) => typeof id === 'string' && reference === `#${id}`)
  return (isObject(inside?.code) ? conceptWords(inside.code) : undefined) ?? text(display)
}

export interface Measure {
  readonly number: number
  /** UCUM. */
  readonly unit: string
}

const UCUM = 'http://unitsofmeasure.org'

/** A plain number with a UCUM unit: one with a comparator says "less than", which no number says. */
export function measureOf(resource: Json, path: string): Measure | undefined {
  const [quantity, ...more] = valuesAt(resource, path).filter(isObject)
  if (quantity === undefined || more.length > 0 || quantity.comparator !== undefined)
    return undefined
  const { value, code, system } = quantity
  return typeof value === 'number' && typeof code === 'string' && system === UCUM
    ? { number: value, unit: code }
    : undefined
}

const quantityWords = ({ value, unit, code, comparator }: Json): string | undefined =>
  typeof value === 'number'
    ? text(`${text(comparator) ?? ''}${value} ${text(unit) ?? text(code) ?? ''}`)
    : undefined

function valueWords(resource: Json, value: unknown): string | undefined {
  if (!isObject(value)) return text(value)
  if (value.coding !== undefined || value.text !== undefined) return conceptWords(value)
  if (value.reference !== undefined || value.display !== undefined)
    return referredWords(resource, value)
  return quantityWords(value)
}

/** The day that an element says, as ISO: of a period its beginning; `2019` and `2019-04` as they are. */
export function dayAt(resource: Json, path: string): string | undefined {
  const [first] = valuesAt(resource, path)
  const said = text(isObject(first) ? first.start : first)
  return /^\d{4}(?:-\d{2}(?:-\d{2}(?=$|T))?)?/.exec(said ?? '')?.[0]
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** @see NHS digital service manual, "Dates" in clinical systems: 04-Nov-2026 */
const dayWords = (day: string): string => {
  const [year = '', month, date] = day.split('-')
  const named = month === undefined ? undefined : MONTHS[Number(month) - 1]
  return [date, named, year].filter((part) => part !== undefined).join('-')
}

/** What an element says, as one line; `undefined` where it says nothing, or nothing that can be read. */
export function wordsAt(resource: Json, path: string, kind: Kind): string | undefined {
  if (kind === 'day') {
    const day = dayAt(resource, path)
    return day === undefined ? undefined : dayWords(day)
  }
  const all = valuesAt(resource, path).map((value) => valueWords(resource, value))
  // Of several, a part that cannot be read could be the one that matters.
  if (all.some((words) => words === undefined)) return undefined
  const said = [...new Set(all)].join(', ')
  return said === '' || said.length > LONGEST ? undefined : said
}

const codesAt = (resource: Json, path: string): readonly string[] =>
  valuesAt(resource, path).flatMap((value) =>
    isObject(value)
      ? asList(value.coding).flatMap((each) =>
          isObject(each) && typeof each.code === 'string' ? [each.code] : [],
        )
      : typeof value === 'string'
        ? [value]
        : [],
  )

const isAmong = (resource: Json, rows: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(rows).flatMap(([path, codes]) =>
    codesAt(resource, path).filter((code) => codes.includes(code)),
  )

/** Of what it says of itself: that it is over; why it is in doubt, in a word. */
export function standingOf(type: HandedType, resource: Json): 'over' | readonly string[] {
  const { over, doubt } = ADOPTABLE[type]
  if (resource.doNotPerform === true || isAmong(resource, over).length > 0) return 'over'
  return isAmong(resource, doubt).map((code) => code.replace(/-/g, ' '))
}

const MODIFIERS = ['modifierExtension', 'implicitRules']

/** Whether something in it could turn round what the rest says: then nobody who does not know it may read it. */
export const isTurned = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (MODIFIERS.some((name) => Object.hasOwn(value, name)) || Object.values(value).some(isTurned))

const SNOMED = 'http://snomed.info/sct'

/** The SNOMED CT concept of an element that says one thing in one code: of several, each could mean another. */
export function conceptAt(resource: Json, path: string): string | undefined {
  const [value, ...more] = valuesAt(resource, path)
  if (!isObject(value) || more.length > 0) return undefined
  const coding = asList(value.coding).filter(isObject)
  const [code, ...others] = new Set(
    coding.filter(({ system }) => system === SNOMED).map((each) => each.code),
  )
  return typeof code === 'string' && others.length === 0 ? code : undefined
}

/** The SNOMED CT concept of what it is. */
export function conceptOf(type: HandedType, resource: Json): string | undefined {
  const [concept] = valuesAt(resource, ADOPTABLE[type].name).filter(isObject)
  const coding = asList(concept?.coding).filter(isObject)
  const code = coding.find(({ system }) => system === SNOMED)?.code
  return typeof code === 'string' && /^[1-9]\d{5,17}$/.test(code) ? code : undefined
}
