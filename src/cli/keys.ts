import { openTrail } from '../audit/trail.js'
import type { Config } from '../config.js'
import { type Ring, type RingKey, ringTimes, stateOf } from '../core/key-ring.js'
import type { EpochMs } from '../core/values.js'
import { encryptionOf, ringPartsOf } from '../foundations.js'
import { ENCRYPTION_VARIABLE } from '../keys/encryption.js'
import { believe, type RingParts, rewrap, rotate } from '../keys/ring.js'
import type { Store } from '../store/store.js'
import { type Command, type Outside, Refused, texts, Usage, type Values } from './command.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

/**
 * Our own keys as the store holds them, public parts and all. Without the encryption key nobody can tell whether
 * they are ours: then the caller is told so.
 *
 * @throws Refused when there are none; KeyFault when they are not ours
 */
export async function keptRing(outside: Outside, store: Store, { secrets }: Config): Promise<Ring> {
  const stored = await store.get('keys', 'current')
  if (!stored) throw new Refused('There are no keys in the store yet: the first start makes them.')
  if (!('seal' in stored)) {
    throw new Refused(
      'The keys in the store are those of an older version: start the gateway once, and it takes them over.',
    )
  }
  if (secrets.keyEncryption) return believe(stored, encryptionOf(secrets)).ring
  outside.complain(
    `${ENCRYPTION_VARIABLE} is not set: our keys in the store were taken as they are, not checked.`,
  )
  return { revision: stored.revision, keys: stored.keys }
}

export const keptKeys = async (
  outside: Outside,
  store: Store,
  config: Config,
): Promise<readonly RingKey[]> => (await keptRing(outside, store, config)).keys

const when = (at: EpochMs): string => new Date(at).toISOString().replace('T', ' ').slice(0, 16)

/** A line for each key, those that sign now or will at the top. */
function tell(outside: Outside, ring: Ring, { keys, lifetimes }: Config): void {
  const [now, times] = [outside.clock(), ringTimes(keys, lifetimes)]
  const rows = [...ring.keys].sort((a, b) => b.from - a.from)
  for (const key of rows) {
    const state = stateOf(ring, key, now, times)
    const since = `${state === 'next' ? 'will be used' : 'used'} from ${when(key.from)}`
    const ended = key.compromised === undefined ? '' : `, compromised ${when(key.compromised)}`
    outside.say(`${key.kid}  ${key.alg.padEnd(7)}  ${state.padEnd(11)}  ${since}${ended}`)
  }
}

export const keysList: Command = {
  name: 'keys list',
  summary: 'list the gateway’s own keys and what each is used for',
  help: `
active     signs tokens, or is sealed to by launch systems
next       published, and not used until its time
retiring   not used any more; what it signed or what was sealed to it is still accepted
retired    its private part is gone; the public part checks old checkpoints of the trail
compromised  nothing that it signed is believed, but for checkpoints of the trail

  launch-gateway keys list`,
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withStore(outside, values, async (store, config) => {
      tell(outside, await keptRing(outside, store, config), config)
    }),
}

/** Changes the ring by command; who did is in the trail. */
async function withRing(
  outside: Outside,
  values: Values,
  work: (parts: RingParts, by: string, config: Config) => Promise<void>,
): Promise<void> {
  await withStore(outside, values, async (store, config) => {
    // Before the trail is opened: a command that cannot work leaves no entry.
    encryptionOf(config.secrets)
    await keptRing(outside, store, config)
    const { clock, env } = outside
    const trail = await openTrail({ store, clock })
    const parts = ringPartsOf(config, { store, clock, commit: trail.commit })
    await work(parts, env.USER ?? 'command line', config)
  })
}

export const keysRotate: Command = {
  name: 'keys rotate',
  summary: 'make new keys, publish them, and use them when everybody has had time to see them',
  help: `
The gateway does this by itself every keys.rotate_days. New keys are published at once and used after
keys.publish_ahead_hours; the old ones are accepted until the last token that they signed is dead. Every node
follows within a second or two; none is restarted.

With --now the new keys are used at once: an app that keeps our published keys for long refuses id_tokens until
it asks again. With --compromised nothing that the named key signed is accepted any more, access tokens and
id_tokens alike, and users start again from their GP system; all other keys are replaced as well. After a theft of the
store and of the encryption key, name them all.

  launch-gateway keys rotate
  launch-gateway keys rotate --now
  launch-gateway keys rotate --compromised all`,
  options: {
    now: { type: 'boolean', help: 'use the new keys at once, and the old ones only to check' },
    compromised: {
      type: 'string',
      multiple: true,
      value: 'KID',
      help: 'a key that nothing is believed of any more, repeatable, or all; goes with --now',
    },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const named = texts(values, 'compromised')
    if (named.includes('')) throw new Usage('--compromised: expected a key’s id, or all')
    const compromised = named.includes('all') ? 'all' : named
    const order = { atOnce: values.now === true || named.length > 0, compromised } as const
    await withRing(outside, values, async (parts, by, config) => {
      const { ring } = await rotate(parts, order, by)
      tell(outside, ring, config)
    })
  },
}

export const keysRewrap: Command = {
  name: 'keys rewrap',
  summary: 'write the gateway’s own keys anew, under the current encryption key',
  help: `
To change the encryption key: give every node the new one as ${ENCRYPTION_VARIABLE} and the old one
as ${ENCRYPTION_VARIABLE}_PREVIOUS, restart them one after the other, run this once, then take the
old one away. After a theft of the old one, rotate as well.

  launch-gateway keys rewrap`,
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withRing(outside, values, async (parts, by) => {
      const ring = await rewrap(parts, by)
      outside.say(`${ring.keys.length} keys are kept under the current encryption key.`)
    }),
}
