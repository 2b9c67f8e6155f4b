/** What one launch meets at the pretend gateway: a test may change all of it while the app is open. */
import { compositionOf } from '../../src/demo/composition.js'
import { openPlan } from '../../src/policy/plan-files.js'

export type Json = Record<string, unknown>
type Values = Readonly<Record<string, string>>

export const PLAN = openPlan('config/plan/sections.yaml')
export const SECTIONS = PLAN.sections

export interface StoredSection {
  object: string
  version: number
  composition: Json
  /** What it was before, oldest first. */
  past?: Json[]
}

/** A call; with `-answer`, only its answer fails: what was asked for has been done. */
export type Failable =
  | 'Patient'
  | 'Bundle'
  | 'CarePlan'
  | 'listing'
  | 'listing-answer'
  | 'sections'
  | 'history'
  | 'unsaved'
  | 'save'
  | 'save-answer'
  | 'token'
  | 'token-answer'

export interface Scenario {
  patientId: string
  ehrId: string | undefined
  patient: Json
  /** The status of the CarePlan that is listed; `none`, or `foreign`: an active one of somebody else. */
  index: string
  /** By template; a second entry of one has something behind a `#`. */
  sections: Map<string, StoredSection>
  /** CarePlans that were created, as they were sent. */
  readonly listings: Json[]
  /** The record lists a plan of somebody else's in the moment before it would list this one. */
  overtaken?: boolean
  scope: string
  /** What authorize answers instead of a code. */
  denied?: { error: string; description: string }
  /** The `iss` of the answer, when it is to be a lie. */
  answersAs?: string
  /** Calls that fail, by name; `drop` closes the connection without an answer, `hang` gives none. */
  failing: Map<Failable, number | 'drop' | 'hang'>
  /** What the launch brought of the GP record. */
  gpRecord?: unknown
  /** What the record makes of the text of a composition that it takes. */
  keeps?: ((text: string) => string) | undefined
  /** The chart has moved on: nothing is saved from now on. */
  superseded?: boolean
  /** Every token is refused from now on. */
  ended: boolean
  idleSeconds: number
  endsInSeconds: number
  /** Opened by emergency access, which ends then. */
  emergency?: boolean
  /** The chart shows an older NHS number. */
  numberReplaced?: boolean
  userName: string | undefined
  /** What the gateway keeps that was not saved, by template; shared by launches of one person. */
  readonly unsaved: Map<string, { readonly body: Json; readonly kept: string; readonly by: string }>
  /** What happened, for the test to look at. */
  readonly log: string[]
  readonly cookies: string[]
}

const letters = (sections: readonly { template: string }[], given: string): string =>
  sections.map(({ template }) => `patient/composition-${template}.${given}`).join(' ')

export const scopeFor = (given: Readonly<Record<string, string>>): string =>
  [
    'launch openid fhirUser online_access patient/Patient.r patient/CarePlan.rs',
    'patient/aql-care-plan::sections.rs',
    ...SECTIONS.filter(({ id }) => given[id] ?? given['*']).map((section) =>
      letters([section], given[section.id] ?? given['*'] ?? ''),
    ),
  ].join(' ')

/** With the right to begin plans. */
export const beginning = (scope: string): string => scope.replace('CarePlan.rs', 'CarePlan.crs')

export function stored(id: string, values: Values, composer: string, at: string): StoredSection {
  const section = SECTIONS.find((one) => one.id === id)
  if (!section) throw new Error(id)
  return {
    object: `obj-${id}`,
    version: 1,
    composition: compositionOf(section, values, composer, at),
  }
}

export const versionOf = ({ object, version }: StoredSection) => `${object}::fake::${version}`
export const withUid = (one: StoredSection) => ({
  ...one.composition,
  uid: { _type: 'OBJECT_VERSION_ID', value: versionOf(one) },
})

/** Somebody else saves a section while the app is open. */
export function saveByOther(scenario: Scenario, id: string, values: Values, composer: string) {
  const template = SECTIONS.find((one) => one.id === id)?.template ?? ''
  const before = scenario.sections.get(template)
  const next = stored(id, values, composer, '2026-11-20T09:30:00Z')
  const past = [...(before?.past ?? []), ...(before ? [before.composition] : [])]
  scenario.sections.set(template, { ...next, version: (before?.version ?? 0) + 1, past })
}
