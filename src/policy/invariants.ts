/**
 * What must hold whatever the policies say, `policies/invariants.yaml`: rules over whole rows of the matrix, checked in
 * every circumstance that the policies can tell apart. Only a senior role may change them.
 *
 * A row is about users in one role alone. What two roles give together, a user in both has.
 */
import { boxesOf, boxWords } from './box.js'
import type { Limit } from './domain.js'
import { type Invariant, readInvariants } from './invariant-rows.js'
import { type AnyRole, actionWords, listed, resourceWords, roleWords } from './names.js'
import { type Part, partsOf } from './parts.js'
import { type Problem, Problems } from './problem.js'
import type { Pair } from './schema.js'
import type { Left } from './side.js'
import { INVARIANTS_FILE, type PolicyFiles } from './source.js'
import type { Setting, Subject } from './subject.js'
import { ANY_ROLES, type Survey } from './survey.js'
import { exampleAt } from './walk.js'

export interface Violation {
  /** It was not found to be broken, and could not be shown to hold. */
  readonly unproven?: true
  readonly invariant: Invariant
  readonly role: AnyRole
  readonly pair: Pair
  /** The circumstances, in words; empty: always. */
  readonly when: readonly string[]
  /** Policies that decide a counter-example. */
  readonly policies: readonly string[]
}

// biome-ignore format: a table
const SUBJECT_OF: Readonly<Record<Exclude<keyof Invariant['when'], 'activities' | 'emergency'>, Subject>> = {
  activity_source:   'principal.activitySource',
  assurance:         'principal.assurance',
  organization:      'principal.organization',
  organization_type: 'principal.organizationType',
  region:            'principal.region',
  purpose:           'context.purpose',
  rung:              'context.rung',
  system:            'context.system',
  app:               'context.app',
  sensitive:         'context.patientSensitive',
  deceased:          'context.patientDeceased',
  hour:              'context.hour',
  weekday:           'context.weekday',
}

const only = (values: readonly Setting[]): Limit => ({
  named: values,
  fits: (value) => values.includes(value),
})

function limitsOf({ when: { activities, emergency, ...others } }: Invariant) {
  const limits = new Map<Subject, Limit>()
  for (const [field, value] of Object.entries(others))
    limits.set(SUBJECT_OF[field as keyof typeof SUBJECT_OF], only([value].flat() as Setting[]))
  if (activities !== undefined)
    limits.set('principal.activities', {
      named: [activities],
      // Beside them the list may hold whatever else the policies name.
      settled: { has: activities, lacks: [] },
      fits: (list) => activities.every((code) => (list as readonly string[]).includes(code)),
    })
  if (emergency !== undefined)
    limits.set('context.emergencyReason', {
      named: [emergency ? 'a reason' : ''],
      fits: (reason) => (reason !== '') === emergency,
    })
  return limits
}

const isOn = ({ on }: Invariant, { resource: { type, id } }: Pair): boolean =>
  on === 'any' || on.includes(`${type}/${id}`) || on.includes(`${type}/*`)

const cellsOf = (one: Invariant, { pairs }: Survey) =>
  pairs.filter(
    (pair) => (one.actions === 'any' || one.actions.includes(pair.action)) && isOn(one, pair),
  )
const rolesOf = ({ roles }: Invariant): readonly AnyRole[] => (roles === 'any' ? ANY_ROLES : roles)

/** Of one row so many cells are named, and so many policies of one that could not be shown. */
const MOST_TOLD = 5

interface Breach {
  readonly when: readonly string[]
  readonly policies: readonly string[]
  /** Nothing was found, and not everything could be asked: what is not shown does not hold. */
  readonly unproven?: true
}

/** What of a walk is not as expected. */
function breachIn(walk: Part, expect: Invariant['expect'], survey: Survey): Breach | undefined {
  const wrong = walk.kinds.map(
    ({ answers }) => (answers[0]?.effect === 'allow') === (expect === 'never'),
  )
  const all = [...walk.kindOf.keys()]
  const bad = (i: number): boolean => wrong[walk.kindOf[i] ?? 0] ?? true
  const inside = all.filter(bad)
  const [first] = inside
  if (first === undefined) return undefined
  const { boxes } = boxesOf(
    walk,
    inside,
    all.filter((i) => !bad(i)),
    () => false,
  )
  const fixed = walk.fixed.map(({ at }) => new Set([at]))
  const dimensions = [...walk.fixed.map(({ dimension }) => dimension), ...walk.dimensions]
  const said = boxes.map((box) => boxWords([...fixed, ...box], dimensions))
  const { policies } = survey.side.decide(exampleAt(walk, first))
  return { when: said.includes('') ? [] : said, policies }
}

/** Whether it holds in every circumstance of a cell, asked in as many parts as it takes. */
function breachOf(
  parts: Iterable<Part>,
  left: readonly Left[],
  expect: Invariant['expect'],
  survey: Survey,
): Breach | undefined {
  for (const walk of parts) {
    const breach = breachIn(walk, expect, survey)
    if (breach) return breach
    if (walk.exhaustive) continue
    const policies = left.map(({ policy }) => policy.id).slice(0, MOST_TOLD)
    return { when: [], policies, unproven: true }
  }
  return undefined
}

/** Checks every row over all its cells, in all circumstances that fit it. */
export function* violationsOf(
  invariants: readonly Invariant[],
  survey: Survey,
): Generator<Violation | undefined> {
  for (const invariant of invariants) {
    const limits = limitsOf(invariant)
    const known = new Map<string, Breach | undefined>()
    for (const role of rolesOf(invariant)) {
      for (const pair of cellsOf(invariant, survey)) {
        const question = survey.question(role, pair)
        const left = survey.side.leftIn(question)
        const group = left.map(({ policy, key }) => `${policy.id} ${key}`).join('\n')
        if (!known.has(group)) {
          const given = { ...survey.given(question), limits }
          const parts = partsOf({ sides: [survey.side], lefts: [left], question, given })
          known.set(group, breachOf(parts, left, invariant.expect, survey))
        }
        const breach = known.get(group)
        yield breach && { invariant, role, pair, ...breach }
      }
    }
  }
}

function wordsOf({ role, pair, when: said, policies, invariant, unproven }: Violation): string {
  const cell = `${actionWords(pair.action)} ${resourceWords(pair.resource)}`
  if (unproven)
    return `it could not be shown for ${roleWords(role)}, ${cell}: there are too many circumstances, or conditions that are not understood (${listed(policies, 'and')}); a forbid that always applies there makes it certain`
  const may = invariant.expect === 'never' ? 'may' : 'may not'
  const circumstances = said.length > 0 ? ` when ${said.join(', or when ')}` : ''
  const by = policies.length > 0 ? `by ${listed(policies, 'and')}` : 'because nothing permits it'
  return `${roleWords(role)} ${may} ${cell}${circumstances} (${by})`
}

/** What is wrong with a version by its own invariants; also where a row is about nothing. */
export function invariantProblems(files: PolicyFiles, survey: Survey): readonly Problem[] {
  const invariants = readInvariants(files)
  const found = [...violationsOf(invariants, survey)].flatMap((one) => one ?? [])
  return invariants.flatMap((invariant): Problem[] => {
    const place = { file: INVARIANTS_FILE, line: invariant.line }
    const { name } = invariant
    const own = found.filter((violation) => violation.invariant === invariant)
    const told = own
      .slice(0, MOST_TOLD)
      .map((one) => ({ ...place, text: `${name}: ${wordsOf(one)}` }))
    if (own.length > MOST_TOLD)
      told.push({ ...place, text: `${name}: and ${own.length - MOST_TOLD} more` })
    const empty = cellsOf(invariant, survey).length === 0
    return empty ? [{ ...place, text: `${name}: no such action on such data` }] : told
  })
}

/** The same for a file that may not be readable, as a list of problems. */
export function checkInvariants(files: PolicyFiles, survey: () => Survey): readonly Problem[] {
  try {
    if (readInvariants(files).length === 0) return []
    const opened = survey()
    try {
      return invariantProblems(files, opened)
    } finally {
      opened.close()
    }
  } catch (error) {
    if (!(error instanceof Problems)) throw error
    return error.problems
  }
}
