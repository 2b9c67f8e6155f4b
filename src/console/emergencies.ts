/** Uses of emergency access that wait for their review: the queue, one case, and how it is closed. */
import { nameInRecord } from '../core/audit.js'
import { EMERGENCY_WORDS, type Emergency, FINDINGS, readFinding } from '../core/emergency.js'
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import { roleWords } from '../policy/names.js'
import type { Cell } from './entries.js'
import type { Tile } from './home.js'
import { inColumns, inWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const MOST_SHOWN = 200
const HOUR: EpochMs = 3_600_000
const HEADS = ['Case', 'Waits for', 'When', 'Organisation', 'User', 'Reason']

/** "3 days", "5 hours": how long somebody waits. */
export function ageOf(since: EpochMs, now: EpochMs): string {
  const hours = Math.floor((now - since) / HOUR)
  if (hours < 1) return 'less than an hour'
  if (hours < 48) return hours === 1 ? '1 hour' : `${hours} hours`
  return `${Math.floor(hours / 24)} days`
}

const hrefOf = ({ id }: Pick<Emergency, 'id'>): string => `/console/emergencies/${id}`

const userWords = ({ user }: Emergency): string => [user.name, user.uid].filter(Boolean).join(', ')

const rowOf =
  (now: EpochMs) =>
  // The link first: on a telephone the rest of a row is out of sight.
  (one: Emergency): readonly Cell[] => [
    { text: 'Review', href: hrefOf(one), hidden: `the case of ${inColumns(one.at)}` },
    ageOf(one.at, now),
    inColumns(one.at),
    one.user.organization,
    userWords(one),
    EMERGENCY_WORDS[one.reason],
  ]

/** How many wait, by organisation, the most first. */
function countsOf(open: readonly Emergency[]) {
  const counts = new Map<string, number>()
  for (const { user } of open)
    counts.set(user.organization, (counts.get(user.organization) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

/** GET /console/emergencies: the oldest first, of all organisations or of one. */
export function emergencies(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const all = await parts.emergencies.open()
    const counts = countsOf(all)
    const organization = counts.map(([code]) => code).find((code) => code === visit.sent.get('of'))
    const open = organization ? all.filter(({ user }) => user.organization === organization) : all
    return {
      ...{ view: 'emergencies', title: 'Emergency access to review' },
      about: { detail: { rows: open.length } },
      data: {
        ...{ heads: HEADS, rows: open.slice(0, MOST_SHOWN).map(rowOf(visit.now)) },
        ...{ organization: organization ?? '', more: open.length > MOST_SHOWN },
        organizations: [
          { value: '', text: `All (${all.length})` },
          ...counts.map(([code, count]) => ({ value: code, text: `${code} (${count})` })),
        ],
      },
    }
  }
}

const factsOf = (one: Emergency): readonly (readonly [string, string])[] => [
  ['When', inWords(one.at)],
  ['Until', inWords(one.until)],
  ['User', userWords(one)],
  [
    'Roles',
    one.user.roles
      .map((role) => roleWords(role as Parameters<typeof roleWords>[0]) ?? role)
      .join(', ') || 'none',
  ],
  ['Organisation', one.user.organization],
  ['Launch system', one.system],
  ['App', one.app],
  ['Patient', nameInRecord(one.patient) ?? ''],
  ['Reason', EMERGENCY_WORDS[one.reason]],
  ['What they wrote', one.text],
]

async function caseOf({ emergencies: kept }: ConsoleParts, { params }: Visit): Promise<Emergency> {
  const { emergency: id = '' } = params
  const found = /^emg_[\w-]{8,60}$/.test(id) ? await kept.read(id) : undefined
  if (!found) throw new Refusal('not_found', 'no such emergency')
  return found
}

interface Typed {
  readonly problem?: string
  readonly outcome?: string
  readonly text?: string
}

function shown(visit: Visit, one: Emergency, { problem, outcome = '', text = '' }: Typed): Shown {
  const { closed, launch, patient } = one
  const own = one.user.uid === visit.member.uid
  return {
    ...{ view: 'emergency', title: 'One use of emergency access' },
    crumbs: [{ text: 'Emergencies', href: '/console/emergencies' }],
    status: problem === undefined ? 200 : 400,
    about: { launch, patient, detail: { emergency: one.id } },
    data: {
      ...{ id: one.id, facts: factsOf(one), launch, own, problem, outcome, text },
      story: visit.may('console-view', 'launches'),
      closed: closed && {
        ...{ by: closed.by.name, at: inWords(closed.at) },
        ...closed.finding,
      },
      mayClose: !closed && !own && visit.may('console-review', 'emergencies'),
      findings: FINDINGS.map((value) => ({ value, checked: value === outcome })),
    },
  }
}

/** GET /console/emergencies/:emergency @throws Refusal not_found */
export const emergency =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> =>
    shown(visit, await caseOf(parts, visit), {})

const FAULTS = {
  outcome: 'Choose what you found.',
  text: 'Say in a sentence or two what you found: from 10 to 500 characters.',
} as const

/** POST /console/emergencies/:emergency @throws Refusal not_found, emergency_own, emergency_closed */
export function closeEmergency(parts: ConsoleParts): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const one = await caseOf(parts, visit)
    const [outcome, text] = [visit.sent.get('outcome') ?? '', visit.sent.get('text') ?? '']
    const finding = readFinding(outcome, text)
    if ('fault' in finding) {
      const kept = { outcome, text: text.slice(0, 1000) }
      return shown(visit, one, { problem: FAULTS[finding.fault], ...kept })
    }
    await parts.emergencies.close(one.id, visit.member, finding)
    const detail = { emergency: one.id, outcome: finding.outcome }
    return { to: '/console/emergencies', about: { launch: one.launch, detail } }
  }
}

/** On the first page, for whoever reviews. */
export const emergencyTile =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Tile | undefined> => {
    if (!visit.may('console-view', 'emergencies')) return undefined
    return {
      heading: 'Emergency access',
      facts: [['Waiting for a review', await parts.emergencies.waiting()]],
      link: { text: 'Review them', href: '/console/emergencies' },
    }
  }
