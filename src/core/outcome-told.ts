/** How much of what was written in a launch its system is told, and in what order: thing by thing. */
import type { OutcomeRule } from './launch-system.js'
import type { Change, Changed, Withheld } from './outcome.js'

const without = (change: Change, withheld: Withheld): Change =>
  change.done?.held === undefined
    ? change
    : { ...change, done: { ...change.done, held: { withheld } } }

/**
 * As far as this launch system is told: its registration may say that texts are not for it. Of a patient who turned
 * out to be sensitive nothing is handed on, what was written before that among it.
 */
export function toldBy(rule: OutcomeRule, changes: readonly Change[]): readonly Change[] {
  if (changes.some(({ sensitive }) => sensitive))
    return changes.map((change) => without(change, 'patient'))
  return rule === 'text' ? changes : changes.map((change) => without(change, 'registration'))
}

const nameOf = (changed: Changed, i: number): string =>
  changed.kind === 'section'
    ? changed.template
    : changed.id === undefined
      ? `${changed.type} ${i}`
      : `${changed.type}/${changed.id}`

/** All that was done to one section or resource, in the order of time. */
export interface Thing {
  readonly changed: Changed
  readonly changes: readonly Change[]
  /** The last that is known to be done. */
  readonly last?: Change
  /** Whether something came after it, or there is nothing else, of which nobody knows. */
  readonly uncertain: boolean
}

/** What was written, thing by thing, in the order in which each was first touched. */
export function thingsOf(changes: readonly Change[]): readonly Thing[] {
  const things = new Map<string, Change[]>()
  const inTime = changes
    .map((change, i) => ({ change, i }))
    .sort((a, b) => a.change.at - b.change.at)
  for (const { change, i } of inTime) {
    const name = nameOf(change.changed, i)
    things.set(name, [...(things.get(name) ?? []), change])
  }
  return [...things.values()].map((all) => {
    const [first] = all as [Change]
    // By versions first: the clocks of two nodes may say otherwise.
    const followed = new Set(all.map(({ done, previous }) => (done ? previous : undefined)))
    const last = all.findLast(({ done }) => done && !followed.has(done.version ?? ''))
    const at = last === undefined ? -1 : all.indexOf(last)
    const after = ({ previous }: Change, i: number): boolean =>
      i > at || (previous !== undefined && previous === last?.done?.version)
    return {
      changed: (last ?? first).changed,
      changes: all,
      ...(last ? { last } : {}),
      uncertain: all.some((change, i) => !change.done && after(change, i)),
    }
  })
}
