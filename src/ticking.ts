/** What happens by the clock. */
import type { Logger } from 'pino'
import type { Trail } from './audit/trail.js'
import type { Keys } from './keys/signing.js'
import type { Asked } from './policy/asked.js'
import type { Beat } from './policy/fleet.js'
import type { Shadow } from './policy/shadow.js'
import type { OpenPolicies } from './policy/versions.js'
import type { Store } from './store/store.js'

type Turn = () => Promise<unknown>

export interface TickingParts {
  readonly telling: {
    readonly notices: { readonly turn: Turn }
    readonly alerts: { readonly turn: Turn }
  }
  readonly policies: Pick<OpenPolicies, 'refresh'>
  readonly fleet: Pick<Beat, 'beat'>
  readonly shadow: Pick<Shadow, 'refresh'>
  readonly asked: Pick<Asked, 'flush'>
  readonly keys: Pick<Keys, 'refresh' | 'turn'>
  readonly store: Pick<Store, 'sweep'>
  readonly trail: Pick<Trail, 'checkpoint'>
  readonly log: Logger
}

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Each by itself: what fails is said in the log, and done at its next turn. Policies are "live on all nodes within two seconds". */
// biome-ignore format: a table
const rows = ({ telling, policies, fleet, shadow, asked, keys, store, trail }: TickingParts): readonly [number, string, Turn][] => [
  [SECOND,      'apps could not be told of sign-outs',            telling.notices.turn],
  [SECOND,      'privacy officers could not be told',             telling.alerts.turn],
  [SECOND,      'the policy version could not be followed',       policies.refresh],
  [SECOND,      'this node could not say that it runs',           fleet.beat],
  [SECOND,      'our own keys could not be followed',             keys.refresh],
  [5 * SECOND,  'a draft in shadow could not be followed',        shadow.refresh],
  [10 * SECOND, 'questions could not be kept',                    asked.flush],
  [MINUTE,      'our own keys could not be rotated',              keys.turn],
  [MINUTE,      'the store could not be swept',                   store.sweep],
  [MINUTE,      'no checkpoint of the trail could be signed',     trail.checkpoint],
]

/** Returns what stops it. */
export function startTicking(parts: TickingParts): () => void {
  const { asked, trail, log } = parts
  const act = (what: string, turn: Turn): void => {
    turn().catch((error: unknown) => log.error({ err: error }, what))
  }
  const timers = rows(parts).map(([milliseconds, what, turn]) =>
    setInterval(() => act(what, turn), milliseconds),
  )
  act('nothing is heard yet', asked.flush)
  // One at once: a trail without any cannot be told from one that was taken away.
  act('no checkpoint', trail.checkpoint)
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
