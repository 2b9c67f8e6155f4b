import type { Client } from '../core/client.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { Cell } from './entries.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** More than that stand in the command line's list. */
const MOST = 500

const endLink = (visit: Visit, kind: 'apps' | 'systems', id: string): Cell =>
  visit.may('console-operate', 'registrations')
    ? { text: 'End what is open', href: `/console/${kind}/${id}/end`, hidden: `of ${id}` }
    : ''

const appRow = (
  visit: Visit,
  { id, name, profile, type, grantTypes, redirectUris, scopes }: Client,
): readonly Cell[] => [
  ...[id, name, profile, type, grantTypes.join(', '), redirectUris.join(' '), scopes.join(' ')],
  endLink(visit, 'apps', id),
]

const systemRow = (
  visit: Visit,
  { id, name, issuer, rung, signOn, organizations }: LaunchSystem,
): readonly Cell[] => [
  ...[id, name, issuer, rung, signOn, organizations.join(' ')],
  endLink(visit, 'systems', id),
]

/** GET /console/registrations: public facts, never a secret's hash. Changed in the files or by command. */
export function registrations({ registry }: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const [apps, systems] = await Promise.all([registry.clients(), registry.systems()])
    return {
      view: 'registrations',
      title: 'Apps and launch systems',
      data: {
        apps: apps.slice(0, MOST).map((app) => appRow(visit, app)),
        systems: systems.slice(0, MOST).map((system) => systemRow(visit, system)),
        cut: Math.max(apps.length, systems.length) > MOST ? MOST : undefined,
      },
    }
  }
}
