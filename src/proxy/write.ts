/**
 * A write that has been judged, to either base: in the trail, then on its way, once. When it has left us only
 * the record knows whether it was done, so whatever is not its plain yes or no is told as unknown: to the app, and in
 * the launch's outcome.
 */
import type { Written } from '../core/outcome.js'
import { Refusal } from '../core/refusal.js'
import type { UpstreamAnswer } from '../record/record.js'
import type { UnderWay } from '../session/changes.js'

export interface Write<T> {
  /** Throws where it may not go on any more, all of it having been judged. */
  still(): Promise<void>
  /** Durable when it resolves. */
  record(): Promise<void>
  /** The same: that it is about to be written. @throws Refusal context_closed */
  begin(): Promise<UnderWay>
  send(): Promise<UpstreamAnswer>
  /** Throws what the record's plain no means. */
  refused(answer: UpstreamAnswer): void
  /** What the record's plain yes proves; whatever it throws is no plain yes. */
  prove(answer: UpstreamAnswer): Promise<T>
  /** What that is, for the launch's outcome. */
  written(proof: T, answer: UpstreamAnswer): readonly Written[]
}

function unknown(error: unknown): never {
  const by = error instanceof Refusal ? error.message : String((error as Error | null)?.name)
  throw new Refusal('write_unknown', by, { cause: error })
}

/** @param stale called before somebody else's change is told */
export function requireDone({ status }: UpstreamAnswer, stale: () => void = () => undefined): void {
  if (status === 404 || status === 410) throw new Refusal('record_absent', 'gone since it was read')
  if (status === 412 || status === 409) {
    stale()
    throw new Refusal('version_stale', `the record answered ${status}`)
  }
  if (status >= 300) throw new Refusal('record_refused', `the record answered ${status}`)
}

/** Both durable, at the cost of one. @throws what either throws, and then nothing is under way */
async function before<T>({ record, begin }: Write<T>): Promise<UnderWay> {
  const [begun, recorded] = await Promise.allSettled([begin(), record()])
  if (begun.status === 'rejected') throw begun.reason
  if (recorded.status === 'fulfilled') return begun.value
  await begun.value.undone()
  throw recorded.reason
}

/** Of a write that is done, what of it can be said: it is told as done whatever becomes of that. */
export function ifSayable<T>(say: () => T): T | undefined {
  try {
    return say()
  } catch {
    return undefined
  }
}

/** @throws Refusal context_closed, record_absent, version_stale, record_refused (not done), write_unknown */
export async function writeOnce<T>(write: Write<T>) {
  await write.still()
  // In the trail before it goes on. When it then fails, the refusal makes the second entry.
  const underWay = await before(write)
  // That may have taken its time.
  await write.still().catch(async (no: unknown) => {
    await underWay.undone()
    throw no
  })
  const answer = await write.send().catch(unknown)
  try {
    write.refused(answer)
  } catch (no) {
    await underWay.undone()
    throw no
  }
  const proof = await write.prove(answer).catch(unknown)
  // What nobody can say stays uncertain in the outcome: the record has said yes, and that is the app's answer.
  const written = ifSayable(() => write.written(proof, answer))
  if (written) await underWay.done(written)
  return { answer, proof }
}
