/** Ending what apps and launch systems have open, and taking out registrations that were added. */
import { createRegistry } from '../access/registry.js'
import { openTrail } from '../audit/trail.js'
import type { Config } from '../config.js'
import { endOf } from '../core/records.js'
import { after, type Clock } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { type Command, need, type Outside, Refused, type Values } from './command.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

type Registered = 'app' | 'system'

interface Act {
  readonly kind: Registered
  /** Whether the row goes as well. */
  readonly removes: boolean
}

const FILES: Readonly<Record<Registered, string>> = {
  app: 'apps.yaml',
  system: 'launch-systems.yaml',
}

/** A row that stands, and for a removal one that was added. @throws Refused */
async function requireRow(
  store: Store,
  clock: Clock,
  { apps, systems }: Config,
  { kind, removes }: Act,
  id: string,
) {
  const registry = createRegistry({ store, clock, apps, systems })
  if (!(kind === 'app' ? await registry.client(id) : await registry.system(id)))
    throw new Refused(`${kind} ${id} is not registered`)
  if (removes && !(await store.get(kind, id)))
    throw new Refused(
      `${kind} ${id} stands in ${FILES[kind]}: take it out there and restart every node. ` +
        `\`${kind} end\` ends what it has open`,
    )
}

/** Everything of it that began before is over, as long as anything of that could live. */
function marker({ lifetimes }: Config, now: number, kind: Registered, id: string): Put {
  const until = after(now, Math.max(lifetimes.session, lifetimes.offline))
  return { kind: 'ended', id: endOf(kind, id), value: { at: now }, until }
}

/** A narrowing: done first, then recorded. */
const run = (act: Act) => (outside: Outside, values: Values) =>
  withStore(outside, values, async (store, config) => {
    const { kind, removes } = act
    const id = need(values, 'id')
    await requireRow(store, outside.clock, config, act, id)
    await store.commit({
      puts: [marker(config, outside.clock(), kind, id)],
      // An app that registered itself has a second record: how it may change the first.
      ...(removes
        ? { drops: [kind, 'registration' as const].map((each) => ({ kind: each, id })) }
        : {}),
    })
    const trail = await openTrail({ store, clock: outside.clock })
    const by = outside.env.USER ?? 'command line'
    await trail.record({
      ...{ what: 'configuration_changed', outcome: 'success', [kind]: id },
      detail: { [removes ? 'removed' : 'ended']: kind, by },
    })
    outside.say(
      removes
        ? `${kind} ${id} is removed, and what it had open is over.`
        : `What ${kind} ${id} had open is over; it stays registered.`,
    )
  })

const options = {
  id: { type: 'string', help: 'as it is registered' },
  ...STORE_OPTIONS,
} as const satisfies Command['options']

export const appEnd: Command = {
  name: 'app end',
  summary: 'end everything that an app has open',
  help: `
Launches, grants and tokens of the app that began before now are refused at the next request, on every node; offline
access too. The app stays registered, and new launches go on. For a secret or key of the app that was stolen: change
it in its registration first.

  launch-gateway app end --id my-app`,
  options,
  run: run({ kind: 'app', removes: false }),
}

export const appRemove: Command = {
  name: 'app remove',
  summary: 'take an added app out, and end what it has open',
  help: `
Takes out a registration that \`app add\` wrote. One of apps.yaml is taken out there, and the nodes restarted.

  launch-gateway app remove --id my-app`,
  options,
  run: run({ kind: 'app', removes: true }),
}

export const systemEnd: Command = {
  name: 'system end',
  summary: 'end everything that a launch system has open',
  help: `
Launches of the system that began before now are refused at the next request, on every node, with their grants and
tokens, and so is whoever was signed on by its word alone. The system stays registered, and new launches go on. For a
key of the system that was stolen: change it in its registration first.

  launch-gateway system end --id my-gp`,
  options,
  run: run({ kind: 'system', removes: false }),
}

export const systemRemove: Command = {
  name: 'system remove',
  summary: 'take an added launch system out, and end what it has open',
  help: `
Takes out a registration that \`system add\` wrote. One of launch-systems.yaml is taken out there, and the nodes
restarted.

  launch-gateway system remove --id my-gp`,
  options,
  run: run({ kind: 'system', removes: true }),
}
