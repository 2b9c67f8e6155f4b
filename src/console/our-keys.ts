import type { KeyState } from '../core/key-ring.js'
import type { OwnKey } from '../keys/by-hand.js'
import { KeyFault } from '../keys/fault.js'
import { type Asking, asks, does, Problem } from './confirmed.js'
import type { Cell } from './entries.js'
import { inColumns } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const COLOURS: Readonly<Record<KeyState, string>> = {
  active: 'green',
  next: 'blue',
  retiring: 'yellow',
  retired: 'grey',
  compromised: 'red',
}

const rowOf = ({ kid, alg, use, state, made, from }: OwnKey): readonly Cell[] => [
  { tag: state, colour: COLOURS[state] },
  ...[alg, use === 'sig' ? 'signs' : 'is sealed to', inColumns(made), inColumns(from), kid],
]

/** GET /console/keys: our own keys, public facts only. */
export function ourKeys({ ownKeys }: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => ({
    view: 'keys',
    title: 'Our keys',
    data: {
      rows: (await ownKeys.list()).map(rowOf),
      mayRotate: visit.may('console-operate', 'keys'),
    },
  })
}

const asking = async (): Promise<Asking> => ({
  title: 'Rotate our keys',
  warning:
    'New keys are made and published now, and used when everybody has had time to see them. The old ones are accepted until what they signed is dead. Nobody is signed out. After a theft, use the command `keys rotate --compromised` instead.',
  ...{ button: 'Make new keys', action: '/console/keys/rotate' },
  ...{ back: { text: 'Our keys', href: '/console/keys' }, about: { detail: { keys: 'rotated' } } },
})

/** The act is in the trail twice: `keys_rotated` before new keys are used, and the member's act after. */
export const rotateKeys = ({ ownKeys, keys }: ConsoleParts) => ({
  ask: asks(asking),
  act: does(asking, async ({ member }, reason) => {
    try {
      await ownKeys.rotate({ atOnce: false, compromised: [] }, `${member.uid}: ${reason}`)
    } catch (error) {
      if (error instanceof KeyFault) throw new Problem(`Not done: ${error.message}.`)
      throw error
    }
    await keys.refresh()
  }),
})
