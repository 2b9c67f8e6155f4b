/** Whether a version would leave nobody who could change it again. */
import { consoleQuestion, dutiesOf } from '../core/console.js'
import type { Policies } from '../core/decision.js'
import type { EpochMs } from '../core/values.js'
import { createPolicies } from './engine.js'
import { readPosts } from './posts.js'
import type { PolicyFiles } from './source.js'

/**
 * Why nobody could work with this version in the console, or `undefined`. It takes one who may write and another
 * person who may approve, each however strongly they can sign on; and one who may change duties.
 *
 * @param now policies may look at the hour: it is asked at this one
 * @throws Problems when the version cannot be read
 */
export function lockedOut(files: PolicyFiles, now: EpochMs): string | undefined {
  const posts = readPosts(files)
  const engine = createPolicies(files)
  try {
    const may = mayWith(engine, now)
    const people = [...new Set(posts.map(({ uid }) => uid))].map((uid) => ({
      uid,
      duties: dutiesOf(posts, uid, 'central'),
    }))
    const writers = people.filter((person) => may(person, 'console-author'))
    const approvers = people.filter((person) => may(person, 'console-approve'))
    const pair = writers.some(({ uid }) => approvers.some((other) => other.uid !== uid))
    if (!pair) return 'there would not be an author and another person who may approve'
    if (!people.some((person) => may(person, 'console-guard')))
      return 'nobody would be left who may change duties and invariants'
    return undefined
  } finally {
    engine.close()
  }
}

const mayWith =
  (engine: Policies, now: EpochMs) =>
  (
    { uid, duties }: { uid: string; duties: ReturnType<typeof dutiesOf> },
    act: 'console-author' | 'console-approve' | 'console-guard',
  ): boolean =>
    engine.decide(consoleQuestion({ uid, assurance: 3 }, duties, act, 'policies', now)).effect ===
    'allow'
