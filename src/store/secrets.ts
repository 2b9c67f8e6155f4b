/** What all nodes must know alike and nobody else may: made once, by whichever node needs it first. */
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Store } from './store.js'

/** Longer than a commit can take. A node that dies in between keeps the others waiting no longer. */
const MAKING: Seconds = 60
const FOREVER: EpochMs = Date.UTC(9999, 0)

export interface SecretParts {
  readonly store: Pick<Store, 'get' | 'commit'>
  readonly clock: Clock
  readonly random: Random
}

/**
 * The stored secret of a name, or a new one: 256 bits, in base64url.
 *
 * @throws Error while another node is making it
 */
export async function storedSecret(
  { store, clock, random }: SecretParts,
  name: string,
): Promise<string> {
  const stored = await store.get('secret', name)
  if (stored) return stored.value
  const value = Buffer.from(random(32)).toString('base64url')
  await store.commit({
    claims: [{ what: `secret/${name}`, until: after(clock(), MAKING) }],
    puts: [{ kind: 'secret', id: name, value: { value }, until: FOREVER }],
  })
  const made = await store.get('secret', name)
  if (made) return made.value
  throw new Error(`another node is making the secret ${name}: try again in a moment`)
}
