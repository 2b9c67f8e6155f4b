/** Facts as people read them. */
import type { Assurance, Duty } from '../core/roles.js'
import type { EpochMs } from '../core/values.js'

const LONDON = { timeZone: 'Europe/London', hourCycle: 'h23' } as const
const DAY = { day: 'numeric', month: 'long', year: 'numeric' } as const
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const

const moment = new Intl.DateTimeFormat('en-GB', { ...LONDON, ...DAY, ...TIME })

/** The day and the second, in the region's own time. */
export const inWords = (at: EpochMs): string => moment.format(at)

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
