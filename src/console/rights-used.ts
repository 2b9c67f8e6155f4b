/** Who used which right lately, by the trail: counted over a stretch of time, and bounded. */
import { walkBack } from '../audit/recent.js'
import type { TrailEntry } from '../core/audit.js'
import type { Action } from '../core/decision.js'
import type { EpochMs } from '../core/values.js'
import type { ConsoleParts } from './parts.js'

const MOST_READ = 300_000
const MOST_USERS = 2_000

/** One person in one place. */
export interface Use {
  readonly user: string
  readonly name: string
  readonly organization: string
  readonly roles: readonly string[]
  readonly times: number
  readonly last: EpochMs
}

export interface Used {
  /** Of the right that was asked for, the last first. */
  readonly uses: readonly Use[]
  /** Every right that was used at all: `role action type/id`. */
  readonly rights: ReadonlySet<string>
  readonly reached: EpochMs
  readonly whole: boolean
}

interface Right {
  readonly action: Action
  readonly resource: string
}

// biome-ignore format: a table
const INTERACTIONS: Readonly<Record<string, Action>> = {
  read:                       'read',
  search:                     'search',
  composition_read:           'read',
  composition_create:         'create',
  composition_update:         'update',
  composition_delete:         'delete',
  versioned_composition_read: 'read',
  revision_history:           'read',
  version_read:               'read',
}
/** The letters by which an entry names the changes of a contribution: `u care-plan::contacts.v1`. */
const LETTERS: Readonly<Record<string, Action>> = { c: 'create', u: 'update', d: 'delete' }

type Sections = ConsoleParts['offered']['sections']

function sectionOf(action: Action, template: unknown, sections: Sections): readonly Right[] {
  const section = sections.find((one) => one.template === template)
  return section ? [{ action, resource: `section/${section.id}` }] : []
}

function changeOf(change: string, sections: Sections): readonly Right[] {
  const [letter = '', template = ''] = change.split(' ')
  const action = LETTERS[letter]
  return action === undefined ? [] : sectionOf(action, template, sections)
}

function ofAccess({ detail = {} }: TrailEntry, sections: Sections): readonly Right[] {
  const { interaction, type, template, released, changes } = detail
  // A query shows of every section what its user may read: the entry does not say of which there was something.
  if (interaction === 'query')
    return sections.map(({ id }) => ({ action: 'read', resource: `section/${id}` }))
  if (Array.isArray(released)) return released.flatMap((one) => sectionOf('read', one, sections))
  if (Array.isArray(changes)) return changes.flatMap((one) => changeOf(one, sections))
  const action = INTERACTIONS[String(interaction)]
  if (action === undefined) return []
  if (typeof type === 'string') return [{ action, resource: `fhir/${type}` }]
  return sectionOf(action, template, sections)
}

/** Which rights an entry is a use of. */
export function rightsIn(entry: TrailEntry, sections: Sections): readonly Right[] {
  if (entry.outcome !== 'success') return []
  if (entry.what === 'access_allowed') return ofAccess(entry, sections)
  const app = `app/${entry.app ?? ''}`
  if (entry.what === 'session_opened') return [{ action: 'launch', resource: app }]
  return entry.what === 'glass_broken' ? [{ action: 'break-glass', resource: app }] : []
}

function add(known: Use | undefined, { user, at }: TrailEntry): Use {
  return {
    ...{ user: user?.id ?? '', organization: user?.organization ?? '' },
    name: known?.name || user?.name || '',
    roles: [...new Set([...(known?.roles ?? []), ...(user?.roles ?? [])])],
    times: (known?.times ?? 0) + 1,
    last: Math.max(known?.last ?? at, at),
  }
}

/** @param asked the right whose users are wanted; every right that was used is counted in any case */
export async function usedLately(
  { store, offered }: Pick<ConsoleParts, 'store' | 'offered'>,
  asked: Right,
  { from, to }: { readonly from: EpochMs; readonly to: EpochMs },
): Promise<Used> {
  const users = new Map<string, Use>()
  const rights = new Set<string>()
  let [reached, full] = [to, false]
  for await (const slice of walkBack(store, { from, to, most: MOST_READ })) {
    for (const entry of slice.entries) {
      const used = rightsIn(entry, offered.sections)
      for (const { action, resource } of used)
        for (const role of entry.user?.roles ?? []) rights.add(`${role} ${action} ${resource}`)
      if (!used.some((one) => one.action === asked.action && one.resource === asked.resource))
        continue
      const key = JSON.stringify([entry.user?.id, entry.user?.organization])
      const known = users.get(key)
      full ||= !known && users.size >= MOST_USERS
      if (known || !full) users.set(key, add(known, entry))
    }
    reached = slice.from
  }
  const uses = [...users.values()].sort((a, b) => b.last - a.last)
  return { uses, rights, reached, whole: reached <= from && !full }
}
