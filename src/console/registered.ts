/** Ending what an app or a launch system has open, and taking out one that was added: as the command line does. */
import type { Happening } from '../core/audit.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import type { Put } from '../store/store.js'
import { type Asking, byHand, type Pair, Problem, pair } from './confirmed.js'
import type { Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

type Kind = 'app' | 'system'

const REGISTRATIONS = { text: 'Apps and launch systems', href: '/console/registrations' }
const WORDS = { app: 'app', system: 'launch system' } as const
const FILES = { app: 'apps.yaml', system: 'launch-systems.yaml' } as const

/** @throws Refusal not_found */
async function named({ registry }: ConsoleParts, kind: Kind, { params }: Visit) {
  const { id = '' } = params
  const found = await (kind === 'app' ? registry.client(id) : registry.system(id))
  if (!found) throw new Refusal('not_found', `no such ${kind}`)
  return { id, name: found.name }
}

/** All that began until now is over, as long as anything of it could live. */
function marker({ clock, lifetimes }: ConsoleParts, kind: Kind, id: string): Put {
  const at = clock()
  const until = after(at, Math.max(lifetimes.session, lifetimes.offline))
  return { kind: 'ended', id: endOf(kind, id), value: { at }, until }
}

const changed = (
  kind: Kind,
  id: string,
  by: string,
  what: 'ended' | 'removed',
  reason: string,
): Happening => ({
  ...{ what: 'configuration_changed', outcome: 'success', [kind]: id },
  detail: { [what]: kind, by, why: byHand(reason) },
})

/** It stays registered. */
export function endRegistered(parts: ConsoleParts, kind: Kind): Pair {
  const asking = async (visit: Visit): Promise<Asking> => {
    const { id, name } = await named(parts, kind, visit)
    return {
      title: `End what this ${WORDS[kind]} has open`,
      warning: `Launches, grants and tokens of ${name} that began until now are refused at the next request, on every node. It stays registered, and new launches go on. If a key of it was stolen, change its registration first.`,
      ...{ button: 'End what is open', action: `/console/${kind}s/${id}/end` },
      ...{ back: REGISTRATIONS, about: { [kind]: id, detail: { ended: kind } } },
    }
  }
  return pair(asking, async (visit, reason) => {
    const { id } = await named(parts, kind, visit)
    await parts.store.commit({ puts: [marker(parts, kind, id)] })
    await parts.trail.record(changed(kind, id, visit.member.uid, 'ended', reason))
  })
}

/** Only one that was added by command or by itself: the configuration's own rows are changed in their file. */
export function removeRegistered(parts: ConsoleParts, kind: Kind): Pair {
  const asking = async (visit: Visit): Promise<Asking> => {
    const { id, name } = await named(parts, kind, visit)
    return {
      title: `Take this ${WORDS[kind]} out`,
      warning: `${name} is registered no more, and what it has open is over at the next request, on every node.`,
      ...{ button: 'Take it out', action: `/console/${kind}s/${id}/remove` },
      ...{ back: REGISTRATIONS, about: { [kind]: id, detail: { removed: kind } } },
    }
  }
  return pair(asking, async (visit, reason) => {
    const { id } = await named(parts, kind, visit)
    if (!(await parts.store.get(kind, id)))
      throw new Problem(`It stands in ${FILES[kind]}: take it out there and restart every node.`)
    await parts.store.commit({
      puts: [marker(parts, kind, id)],
      // An app that registered itself has a second record: how it may change the first.
      drops: [kind, 'registration' as const].map((each) => ({ kind: each, id })),
    })
    await parts.trail.record(changed(kind, id, visit.member.uid, 'removed', reason))
  })
}
