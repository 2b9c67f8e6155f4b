/** What a gateway stands on: its store, its keys, its trail. Opened first, let go last. */
import type { Logger } from 'pino'
import { openTrail } from './audit/trail.js'
import { type Config, ConfigError, ENCRYPTION_MISSING } from './config.js'
import { ringTimes } from './core/key-ring.js'
import type { Clock, Random } from './core/values.js'
import { CHECKPOINT_TYPE } from './keys/checkpoints.js'
import { encryptionKey } from './keys/encryption.js'
import { KeyFault } from './keys/fault.js'
import type { RingParts } from './keys/ring.js'
import { type Keys, openKeys } from './keys/signing.js'
import type { Store } from './store/store.js'

export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Plain http to loopback addresses: the demonstration only. */
  readonly allowHttp: boolean
}

/** Loads the back end that is configured, and no other: commands start with it. */
export async function openStore(config: Config, { clock, random, log }: World): Promise<Store> {
  if (config.store.kind === 'embedded') {
    const { openEmbedded } = await import('./store/embedded.js')
    return openEmbedded({ dir: config.dataDir, clock, random })
  }
  const { openRedis } = await import('./store/redis.js')
  const url = config.secrets.redisUrl ?? config.store.url ?? ''
  return openRedis({
    url,
    clock,
    random,
    replicas: config.store.replicas,
    warn: (text) => log.warn(text),
  })
}

/**
 * The demonstration and real patients never share a store: its keys are anybody's, and its gateway signs on whom
 * it likes. So it leaves a mark before it makes anything.
 *
 * @throws ConfigError
 */
async function keepApart(store: Store, { clock, allowHttp: demonstration }: World): Promise<void> {
  const [mark, keys] = await store.getAll([
    { kind: 'demonstration', id: 'current' },
    { kind: 'keys', id: 'current' },
  ])
  if (mark && !demonstration)
    throw new ConfigError(['store: the demonstration has run on it; take an empty one'])
  if (!demonstration || mark) return
  if (keys && store.kind === 'redis')
    throw new ConfigError([
      'store: it is another gateway’s; the demonstration needs one of its own',
    ])
  const value = { since: clock() }
  await store.commit({ puts: [{ kind: 'demonstration', id: 'current', value, until: FOR_GOOD }] })
}

const FOR_GOOD = Date.UTC(9999, 0)

/** @throws ConfigError, KeyFault, StoreFailure */
export async function openFoundations(config: Config, world: World) {
  const store = await openStore(config, world)
  try {
    await keepApart(store, world)
    const { createMetrics } = await import('./metrics.js')
    const metrics = createMetrics()
    let keys: Keys | undefined
    // The trail is signed with our keys, and what becomes of them is in the trail, from the first on.
    const sign = async (payload: object) => {
      if (!keys) throw new KeyFault('there are no keys yet')
      return keys.sign('ES256', CHECKPOINT_TYPE, { ...payload, iss: config.issuer })
    }
    const trail = metrics.counting(await openTrail({ store, clock: world.clock, sign }))
    const { clock } = world
    keys = await openKeys({
      ...ringPartsOf(config, { store, commit: trail.commit, clock }),
      issuer: config.issuer,
    })
    return { store, keys, trail, metrics }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** @throws ConfigError without an encryption key */
export const encryptionOf = ({ keyEncryption, previousKeyEncryption }: Config['secrets']) => {
  if (!keyEncryption) throw new ConfigError([ENCRYPTION_MISSING])
  return {
    current: encryptionKey(keyEncryption),
    ...(previousKeyEncryption ? { previous: encryptionKey(previousKeyEncryption) } : {}),
  }
}

/** What our own keys are kept by. @throws ConfigError without an encryption key */
export const ringPartsOf = (
  { keys, lifetimes, secrets }: Config,
  parts: Pick<RingParts, 'store' | 'commit' | 'clock'>,
): RingParts => ({
  ...parts,
  times: ringTimes(keys, lifetimes),
  encryption: encryptionOf(secrets),
})
