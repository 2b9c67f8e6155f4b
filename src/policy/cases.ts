/**
 * The policies' own tests, `policies/tests/*.yaml` and `policies/local/<name>/tests/*.yaml`: questions, and what is
 * expected of the answer.
 */
import { z } from 'zod'
import { ACTIONS, type Policies, type Question, type Resource } from '../core/decision.js'
import { type Fields, fields, ORDINARY, oneOrMore, questionOf } from './fields.js'
import { underLayer } from './layers.js'
import { type Problem, Problems } from './problem.js'
import type { PolicyFiles } from './source.js'
import { readYamlFile } from './yaml-file.js'

const some = fields.partial()

const resource = z
  .string()
  .regex(
    /^(app|section|fhir|console)\/\S+$/,
    'expected app/…, section/…, fhir/… or console/…, or section/* for all',
  )

export const testFile = z.strictObject({
  people: z.record(z.string(), some).default({}),
  tests: z
    .array(
      some.extend({
        name: z.string().min(3),
        who: oneOrMore(z.string()).optional(),
        action: oneOrMore(z.enum(ACTIONS)),
        on: oneOrMore(resource),
        expect: z.enum(['allow', 'deny']),
        by: oneOrMore(z.string()).or(z.array(z.string()).length(0)).optional(),
        obligations: z.array(z.string()).optional(),
      }),
    )
    .max(2000),
})

/** Of all tests of a version together: what they ask is made ready at once, and asked in turn. */
const MOST_QUESTIONS = 100_000

/** One question of one test. */
export interface Case {
  readonly file: string
  readonly line: number
  /** The test's name, and which of its people, actions and resources this is. */
  readonly name: string
  readonly question: Question
  readonly expect: 'allow' | 'deny'
  /** Policies that must be among those that decided; an empty list: none decided. */
  readonly by?: readonly string[]
  readonly obligations?: readonly string[]
}

type TestFile = z.output<typeof testFile>
type Test = TestFile['tests'][number]

/** How many questions one test asks, before any is made: a line of it can multiply to millions. */
const countOf = ({ who = [''], action, on }: Test, sections: readonly string[]): number =>
  who.length *
  action.length *
  on.reduce((sum, text) => sum + (text === 'section/*' ? sections.length : 1), 0)

/** People of the tests, by name. */
type People = ReadonlyMap<string, Partial<Fields>>

/** Every question of one test: its people times its actions times its resources. */
function* spread(
  test: Test,
  place: { readonly file: string; readonly line: number },
  { people, ordinary }: { readonly people: People; readonly ordinary: Fields },
  sections: readonly string[],
): Generator<Case> {
  const { name, who, action, on, expect, by, obligations, ...own } = test
  const resources = on.flatMap((text): Resource[] => {
    const slash = text.indexOf('/')
    const [type, id] = [text.slice(0, slash) as Resource['type'], text.slice(slash + 1)]
    return text === 'section/*'
      ? sections.map((section) => ({ type: 'section', id: section }))
      : [{ type, id }]
  })
  for (const person of who ?? ['']) {
    const whole = { ...ordinary, ...people.get(person), ...own } as Fields
    for (const verb of action) {
      for (const what of resources) {
        yield {
          ...place,
          name: `${name} (${[person, verb, `${what.type}/${what.id}`].filter(Boolean).join(' ')})`,
          question: questionOf(whole, verb, what),
          expect,
          ...(by === undefined ? {} : { by }),
          ...(obligations === undefined ? {} : { obligations }),
        }
      }
    }
  }
}

const TESTS = /^policies\/(?:local\/(?<layer>[^/]+)\/)?tests\//

/** Every test file, with the local layer that it stands in; the central ones first. */
function readFiles(files: PolicyFiles, problems: Problem[]) {
  return Object.entries(files)
    .flatMap(([file, text]) => {
      const place = TESTS.exec(file)
      if (!place) return []
      try {
        return [{ file, layer: place.groups?.layer ?? '', ...readYamlFile(file, text, testFile) }]
      } catch (error) {
        if (!(error instanceof Problems)) throw error
        problems.push(...error.problems)
        return []
      }
    })
    .sort((a, b) => Number(a.layer !== '') - Number(b.layer !== ''))
}

/**
 * Reads every test file. People named in a central one may be used in all, people of a local layer in that layer's
 * only. Tests of a local layer are about its own users, where they do not say otherwise.
 *
 * @param most questions that they may ask together; the test with which there are more is a problem, and asks none
 */
export function readCases(
  files: PolicyFiles,
  sections: readonly string[],
  most = MOST_QUESTIONS,
): { readonly cases: readonly Case[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const read = readFiles(files, problems)
  const central = new Map<string, Partial<Fields>>()
  const byLayer = new Map([['', central]])
  for (const { file, layer, value, lineOf } of read) {
    const people = byLayer.get(layer) ?? new Map<string, Partial<Fields>>()
    byLayer.set(layer, people)
    for (const [name, person] of Object.entries(value.people)) {
      if (people.has(name) || central.has(name))
        problems.push({ file, line: lineOf(['people', name]), text: `${name} stands twice` })
      people.set(name, person as Partial<Fields>)
    }
  }
  let asked = 0
  const cases = read.flatMap(({ file, layer, value, lineOf }) => {
    const people = new Map([...central, ...(byLayer.get(layer) ?? [])])
    const ordinary = { ...ORDINARY, ...(layer === '' ? {} : underLayer(layer)) }
    return value.tests.flatMap((test, i) => {
      const line = lineOf(['tests', i])
      const stranger = test.who?.find((person) => !people.has(person))
      if (stranger !== undefined)
        problems.push({ file, line, text: `there is no "${stranger}" among the people` })
      asked += countOf(test, sections)
      if (asked > most) {
        problems.push({ file, line, text: `asks too much: ${most} questions may be asked at most` })
        asked -= countOf(test, sections)
        return []
      }
      return [...spread(test, { file, line }, { people, ordinary }, sections)]
    })
  })
  return { cases, problems }
}

const list = (words: readonly string[], none = 'no policy'): string =>
  words.length === 0 ? none : words.join(', ')

/** What is wrong with an answer, if anything is. */
function fault(
  { question, expect, by, obligations }: Case,
  policies: Policies,
): string | undefined {
  const answer = policies.decide(question)
  const decided = `decided by ${list(answer.policies)}`
  if (answer.errors.length > 0) return `a policy failed: ${answer.errors.join('; ')}`
  if (answer.effect !== expect) return `expected ${expect}, is ${answer.effect} (${decided})`
  const fits =
    by?.length === 0
      ? answer.policies.length === 0
      : by?.every((id) => answer.policies.includes(id))
  if (by && !fits)
    return `expected it ${expect === 'allow' ? 'allowed' : 'denied'} by ${list(by)}, is ${decided}`
  if (obligations && [...obligations].sort().join() !== [...answer.obligations].sort().join())
    return `expected obligations ${list(obligations, 'none')}, are ${list(answer.obligations, 'none')}`
  return undefined
}

/** Asks every question and says which answers are not as expected. */
export const runCases = (cases: readonly Case[], policies: Policies): Problem[] =>
  cases.flatMap((one) => {
    const text = fault(one, policies)
    if (text === undefined) return []
    const layer = TESTS.exec(one.file)?.groups?.layer
    const of = layer === undefined ? {} : ({ of: `local/${layer}` } as const)
    return [{ file: one.file, line: one.line, text: `${one.name}: ${text}`, ...of }]
  })
