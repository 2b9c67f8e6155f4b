/** What is open: launches that were opened lately, and what one person is signed on for. */
import { searchBack } from '../audit/recent.js'
import type { TrailEntry } from '../core/audit.js'
import { type LaunchId, launchTime } from '../core/ids.js'
import type { SignOn } from '../core/session.js'
import { after, type Seconds } from '../core/values.js'
import { type Cell, launchLink, userOf } from './entries.js'
import { inColumns } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { typed } from './typed.js'

const HOURS = ['1', '4', '12'] as const
const HOUR: Seconds = 3600
const MOST_READ = 100_000
const MOST_SHOWN = 50

const filters = { user: 'User', organization: 'Organisation', system: 'Launch system', app: 'App' }
type Filter = keyof typeof filters

/** Whether the launch stands now: what a token of it would be told. */
async function isOpen({ store, sessions }: ConsoleParts, launch: LaunchId): Promise<boolean> {
  const session = await store.get('session', launch)
  return session !== undefined && (await sessions.under(session)) !== undefined
}

const stateTag = (open: boolean): Cell =>
  open ? { tag: 'open', colour: 'green' } : { tag: 'over', colour: 'grey' }

async function rowOf(
  parts: ConsoleParts,
  visit: Visit,
  entry: TrailEntry,
): Promise<readonly Cell[]> {
  const { launch } = entry
  const open = launch !== undefined && (await isOpen(parts, launch))
  const mayEnd = open && visit.may('console-operate', 'launches')
  return [
    inColumns(entry.at),
    launchLink(launch),
    userOf(entry),
    entry.user?.organization ?? '',
    entry.system ?? '',
    entry.app ?? '',
    stateTag(open),
    mayEnd
      ? { text: 'End', href: `/console/launches/${launch}/end`, hidden: `launch ${launch}` }
      : '',
  ]
}

/** GET and POST /console/launches: what was opened in the last hours, filtered by what was typed. */
export function launches(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const hours = HOURS.find((each) => each === visit.sent.get('hours')) ?? '1'
    const asked = Object.fromEntries(
      (Object.keys(filters) as Filter[]).map((name) => [name, typed(visit, name)]),
    ) as Record<Filter, string>
    const { user, organization, system, app } = asked
    const query = {
      what: 'session_opened' as const,
      ...(user === '' ? {} : { user }),
      ...(organization === '' ? {} : { organization: organization.toUpperCase() }),
      ...(system === '' ? {} : { system }),
      ...(app === '' ? {} : { app }),
    }
    const from = after(visit.now, -Number(hours) * HOUR)
    const bounds = { from, to: visit.now + 1, most: MOST_READ, limit: MOST_SHOWN }
    const found = await searchBack(parts.store, query, bounds)
    const rows = await Promise.all(
      found.entries.slice(0, 2 * MOST_SHOWN).map((entry) => rowOf(parts, visit, entry)),
    )
    return {
      view: 'launches',
      title: 'Launches',
      about: { detail: { hours: Number(hours), ...query, rows: rows.length } },
      data: {
        rows,
        hours,
        asked,
        more: found.whole ? undefined : inColumns(found.reached),
        spans: HOURS.map((each) => ({
          value: each,
          text: each === '1' ? 'Last hour' : `Last ${each} hours`,
        })),
      },
    }
  }
}

const signOnRow = (visit: Visit, signOn: SignOn): readonly Cell[] => [
  inColumns(signOn.since),
  signOn.by === 'provider' ? 'the sign-in page' : signOn.issuer,
  signOn.user.name ?? signOn.user.localId,
  signOn.user.organization.name ?? signOn.user.organization.odsCode,
  signOn.user.roles.join(', '),
  `AAL${signOn.user.assurance}`,
  inColumns(signOn.idleUntil),
  visit.may('console-operate', 'launches')
    ? { text: 'End', href: `/console/sign-ons/${signOn.id}/end`, hidden: `sign-on ${signOn.id}` }
    : '',
]

/** GET and POST /console/sign-ons: what one person is signed on for, wherever they are. */
export function signOns(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const user = typed(visit, 'user')
    const live = user === '' ? [] : await parts.sessions.of(user)
    return {
      view: 'sign-ons',
      title: 'Sign-ons of a person',
      crumbs: [{ text: 'Launches', href: '/console/launches' }],
      about: user === '' ? {} : { detail: { of: user, rows: live.length } },
      data: { user, rows: live.map((signOn) => signOnRow(visit, signOn)) },
    }
  }
}

/** @returns the id, if it is one of ours */
export const launchIdOf = ({ params }: Pick<Visit, 'params'>): LaunchId | undefined => {
  const { launch = '' } = params
  return launchTime(launch) === undefined ? undefined : (launch as LaunchId)
}

export { isOpen }
