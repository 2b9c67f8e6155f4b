/** Facts as people read them. */
import type { Records } from '../core/records.js'
import type { Assurance, Duty } from '../core/roles.js'
import type { EpochMs } from '../core/values.js'

const LONDON = { timeZone: 'Europe/London', hourCycle: 'h23' } as const
const DAY = { day: 'numeric', month: 'long', year: 'numeric' } as const
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const

const moment = new Intl.DateTimeFormat('en-GB', { ...LONDON, ...DAY, ...TIME })

/** The day and the second, in the region's own time. */
export const inWords = (at: EpochMs): string => moment.format(at)

type Origin = NonNullable<Records['policy']['origin']>

const ORIGIN_WORDS: Readonly<Record<Origin, string>> = {
  seed: 'The files of a node that started',
  console: 'A draft that another person approved',
  rollback: 'A roll back',
  emergency: 'An emergency, without approval',
}

/** How a version came into force. @param origin absent of one whose files a node started with */
export const originInWords = (origin: Origin = 'seed'): string => ORIGIN_WORDS[origin]

export const DUTY_WORDS: Readonly<Record<Duty, string>> = {
  viewer: 'Viewer: sees policies, decisions and nodes',
  author: 'Author: drafts changes, and publishes what another person has approved',
  approver: 'Approver: approves what another person wrote',
  guardian: 'Guardian: changes invariants and who has which duty',
  operator: 'Operator: sessions, launches, apps, launch systems and keys',
  'privacy-officer': 'Privacy officer: the trail, and each use of emergency access',
}

export const ASSURANCE_WORDS: Readonly<Record<Assurance, string>> = {
  1: 'a weak sign-in (AAL1)',
  2: 'two factors (AAL2)',
  3: 'a smartcard or another strong method (AAL3)',
}

const stamp = new Intl.DateTimeFormat('sv-SE', {
  ...LONDON,
  ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
  ...TIME,
})

/** In columns: as it sorts. */
export const inColumns = (at: EpochMs): string => stamp.format(at)

/** A local time such as `2026-11-26T09:30` in the region; `undefined` for anything else. */
export function readLocalTime(text: string): EpochMs | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)) return undefined
  const asIfUtc = Date.parse(`${text}:00Z`)
  if (Number.isNaN(asIfUtc)) return undefined
  const shown = Date.parse(`${inColumns(asIfUtc).replace(' ', 'T')}Z`)
  return asIfUtc - (shown - asIfUtc)
}
