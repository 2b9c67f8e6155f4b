/** Whether a version would leave nobody who could change it again. */
import { consoleQuestion, dutiesOf } from '../core/console.js'
import type { Policies } from '../core/decision.js'
import type { EpochMs } from '../core/values.js'
import { createPolicies } from './engine.js'
import { readPosts } from './posts.js'
import type { PolicyFiles } from './source.js'

const HOUR: EpochMs = 3_600_000
/** Policies may look at the hour and the day of the week. */
const WEEK = 168

/**
 * Why nobody could work with this version in the console, at some hour of the week that begins now, or `undefined`. It
 * takes one who may write and another person who may approve, each however strongly they can sign on; and one who may
 * change duties.
 *
 * @throws Problems when the version cannot be read
 */
export function lockedOut(files: PolicyFiles, now: EpochMs): string | undefined {
  const posts = readPosts(files)
  const engine = createPolicies(files)
  const people = [...new Set(posts.map(({ uid }) => uid))].map((uid) => ({
    uid,
    duties: dutiesOf(posts, uid, 'central'),
  }))
  try {
    for (let hours = 0; hours < WEEK; hours++) {
      const why = shutOut(people, mayWith(engine, now + hours * HOUR))
      if (why !== undefined) return why
    }
    return undefined
  } finally {
    engine.close()
  }
}

interface Holder {
  readonly uid: string
  readonly duties: ReturnType<typeof dutiesOf>
}

/** Of those who may, the first will do: there are many hours, and may be many people. */
function shutOut(people: readonly Holder[], may: ReturnType<typeof mayWith>): string | undefined {
  const writer = people.find((person) => may(person, 'console-author'))
  const others = people.filter((person) => person !== writer)
  const pair =
    writer !== undefined &&
    (others.some((other) => may(other, 'console-approve')) ||
      (may(writer, 'console-approve') && others.some((other) => may(other, 'console-author'))))
  if (!pair) return 'there would not be an author and another person who may approve'
  if (!people.some((person) => may(person, 'console-guard')))
    return 'nobody would be left who may change duties and invariants'
  return undefined
}

const mayWith =
  (engine: Policies, now: EpochMs) =>
  ({ uid, duties }: Holder, act: 'console-author' | 'console-approve' | 'console-guard'): boolean =>
    engine.decide(consoleQuestion({ uid, assurance: 3 }, duties, act, 'policies', now)).effect ===
    'allow'
