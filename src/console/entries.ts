/** Entries of the trail as rows of a table. */
import { nameInRecord, type TrailEntry } from '../core/audit.js'
import { inColumns } from './in-words.js'

/** What stands in a cell: text, a link or a tag. The view escapes all of it. */
export type Cell =
  | string
  | { readonly text: string; readonly href: string; readonly hidden?: string }
  | { readonly tag: string; readonly colour?: string }

const COLOURS: Readonly<Record<TrailEntry['outcome'], string>> = {
  success: 'green',
  refused: 'red',
  failure: 'orange',
}

export const outcomeTag = (outcome: TrailEntry['outcome']): Cell => ({
  tag: outcome,
  colour: COLOURS[outcome],
})

export const launchLink = (launch: string | undefined): Cell =>
  launch === undefined
    ? ''
    : { text: launch, href: `/console/launches/${encodeURIComponent(launch)}` }

const patientOf = ({ patient = {} }: TrailEntry): string =>
  [patient.nhsNumber, nameInRecord(patient)].filter(Boolean).join(' / ')

export const userOf = ({ user }: TrailEntry): string =>
  user === undefined ? '' : [user.name, user.id].filter(Boolean).join(', ')

const listOf = (value: unknown): string => (Array.isArray(value) ? value.join(' ') : String(value))

/** What else an entry says, in one line. */
export function factsOf({ policy, refusal, reference, detail = {} }: TrailEntry): string {
  const rules =
    policy && `policies ${policy.version}: ${policy.policies?.join(', ') || policy.effect || ''}`
  const details = Object.entries(detail)
    .filter(([name]) => !['clock', 'jws', 'heads'].includes(name))
    .map(([name, value]) => `${name} ${listOf(value)}`)
  return [refusal, reference, rules, ...details].filter(Boolean).join(' · ').slice(0, 600)
}

export const ENTRY_HEADS = [
  'When',
  'What',
  'Outcome',
  'User',
  'Organisation',
  'Patient',
  'App',
  'Launch',
  'More',
]

export const entryRow = (entry: TrailEntry): readonly Cell[] => [
  inColumns(entry.at),
  entry.what,
  outcomeTag(entry.outcome),
  userOf(entry),
  entry.user?.organization ?? '',
  patientOf(entry),
  entry.app ?? '',
  launchLink(entry.launch),
  factsOf(entry),
]
