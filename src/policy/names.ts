/** Roles, actions and kinds of data as a person says them. */
import type { Action, Resource } from '../core/decision.js'
import type { Role } from '../core/roles.js'

/** A user in no role at all. */
export type AnyRole = Role | 'none'

// biome-ignore format: a table
const ROLE_WORDS: Readonly<Record<AnyRole, string>> = {
  'gp':                    'GP',
  'practice-nurse':        'Practice nurse',
  'community-nurse':       'Community nurse',
  'hospice-clinician':     'Hospice clinician',
  'urgent-care-clinician': 'Urgent care clinician',
  'call-handler':          'Call handler',
  'hospital-clinician':    'Hospital clinician',
  'social-care':           'Social care',
  'care-home':             'Care home',
  'administrator':         'Administrator',
  'privacy-officer':       'Privacy officer',
  'service':               'Service',
  'viewer':                'Console viewer',
  'author':                'Policy author',
  'approver':              'Policy approver',
  'guardian':              'Policy guardian',
  'operator':              'Operator',
  'none':                  'Somebody without a role',
}
// biome-ignore format: a table
const ACTION_WORDS: Readonly<Record<Action, string>> = {
  'launch':             'launch',
  'create':             'create',
  'read':               'read',
  'update':             'update',
  'delete':             'delete',
  'search':             'search',
  'check-availability': 'availability check',
  'break-glass':        'emergency access',
  'console-view':       'view',
  'console-simulate':   'simulate',
  'console-author':     'write',
  'console-approve':    'approve',
  'console-guard':      'guard',
  'console-operate':    'operate',
  'console-review':     'review',
}
export const roleWords = (role: AnyRole): string => ROLE_WORDS[role]
export const actionWords = (action: Action): string => ACTION_WORDS[action]

/** @param titles of the plan's sections, by id */
export function resourceWords(
  { type, id }: Resource,
  titles: ReadonlyMap<string, string> = new Map(),
): string {
  if (type === 'section') return titles.get(id) ?? id
  return type === 'app' ? `the app ${id}` : id
}

/** `a, b or c` */
export const listed = (words: readonly string[], last: 'and' | 'or'): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
