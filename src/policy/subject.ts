/** What a condition can look at beside role, action and resource: one name each, and what it may be. */
import { PURPOSES, type Purpose, RUNGS, type Rung } from '../core/context.js'
import type { Question } from '../core/decision.js'
import type { Assurance } from '../core/roles.js'
import type { Expr } from './cedar.js'
import { attributeOf, variable } from './expression.js'
import { UNKNOWN_TYPE } from './roles.js'

export type Setting = string | number | boolean | readonly string[]

interface Row {
  get(question: Question): Setting
  set(question: Question, value: Setting): Question
  /** Every value there is. Without it any text goes. */
  readonly all?: readonly Setting[]
}

const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

const ofUser = <K extends keyof Question['user']>(
  key: K,
  all?: readonly Question['user'][K][],
): Row => ({
  get: ({ user }) => user[key] as Setting,
  set: (question, value) => ({ ...question, user: { ...question.user, [key]: value } }),
  ...(all === undefined ? {} : { all: all as readonly Setting[] }),
})
const ofOrganization = (key: keyof Question['user']['organization']): Row => ({
  get: ({ user }) => user.organization[key],
  set: (question, value) => {
    const organization = { ...question.user.organization, [key]: value }
    return { ...question, user: { ...question.user, organization } }
  },
})
const ofLaunch = (key: keyof Question['launch'], all?: readonly Rung[]): Row => ({
  get: ({ launch }) => launch[key],
  set: (question, value) => ({ ...question, launch: { ...question.launch, [key]: value } }),
  ...(all === undefined ? {} : { all }),
})
const ofPatient = (key: keyof Question['patient']): Row => ({
  get: ({ patient }) => patient[key],
  set: (question, value) => ({ ...question, patient: { ...question.patient, [key]: value } }),
  all: [false, true],
})
const own = (
  key: 'purpose' | 'emergencyReason' | 'hour' | 'weekday',
  all?: readonly (Purpose | number)[],
): Row => ({
  get: (question) => question[key],
  set: (question, value) => ({ ...question, [key]: value }),
  ...(all === undefined ? {} : { all }),
})
const ASSURANCES: readonly Assurance[] = [1, 2, 3]

/** `principal` is the user's own id. The other names are those of the schema (test/policy/domain.test.ts). */
// biome-ignore format: a table
export const SUBJECTS = {
  'principal':                  ofUser('id'),
  'principal.activities':       ofUser('activities'),
  'principal.activitySource':   ofUser('activitySource', ['listed', 'baseline']),
  'principal.assurance':        ofUser('assurance', ASSURANCES),
  'principal.organization':     ofOrganization('odsCode'),
  'principal.organizationType': ofOrganization('type'),
  'principal.region':           ofOrganization('region'),
  'context.purpose':            own('purpose', PURPOSES),
  'context.rung':               ofLaunch('rung', RUNGS),
  'context.system':             ofLaunch('system'),
  'context.app':                ofLaunch('app'),
  'context.patientSensitive':   ofPatient('sensitive'),
  'context.patientDeceased':    ofPatient('deceased'),
  'context.emergencyReason':    own('emergencyReason'),
  'context.hour':               own('hour', upTo(0, 23)),
  'context.weekday':            own('weekday', upTo(1, 7)),
} satisfies Readonly<Record<string, Row>>
export type Subject = keyof typeof SUBJECTS
const ROWS: Readonly<Record<Subject, Row>> = SUBJECTS
const ALL = Object.keys(SUBJECTS) as Subject[]

/** Where it stands in a sentence: who, then for what, how and when. */
export const placeOf = (subject: Subject): number => ALL.indexOf(subject)

const isSubject = (name: string): name is Subject => Object.hasOwn(SUBJECTS, name)

/** @param organizationTypes those of `roles.yaml`; an organisation that is not known has one of its own */
export const valuesOf = (
  subject: Subject,
  organizationTypes: ReadonlySet<string>,
): readonly Setting[] | undefined =>
  subject === 'principal.organizationType'
    ? [...organizationTypes, UNKNOWN_TYPE]
    : ROWS[subject].all

export const settingOf = (question: Question, subject: Subject): Setting =>
  ROWS[subject].get(question)

export const withSetting = (question: Question, subject: Subject, value: Setting): Question =>
  ROWS[subject].set(question, value)

/** What an expression looks at; `undefined` among them for what has no name here. */
export function subjectsOf(value: unknown): ReadonlySet<Subject | undefined> {
  const found = new Set<Subject | undefined>()
  const walk = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return
    if (Array.isArray(node)) {
      for (const item of node) walk(item)
      return
    }
    const attribute = attributeOf(node as Expr)
    if (attribute !== undefined) {
      found.add(isSubject(attribute) ? attribute : undefined)
      return
    }
    const name = variable(node as Expr)
    if (name === 'principal') found.add('principal')
    // The context as a whole: all of it may count, and how is not known.
    if (name === 'context')
      for (const one of [...ALL.filter((each) => each.startsWith('context.')), undefined])
        found.add(one)
    if (name === undefined) walk(Object.values(node))
  }
  walk(value)
  return found
}
