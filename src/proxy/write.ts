/**
 * A write that has been judged, to either base: in the trail, then on its way, once. When it has left us only
 * the record knows whether it was done, so whatever is not its plain yes or no is told as unknown.
 */
import { Refusal } from '../core/refusal.js'
import type { UpstreamAnswer } from '../record/record.js'

export interface Write<T> {
  /** Durable when it resolves. */
  record(): Promise<void>
  send(): Promise<UpstreamAnswer>
  /** Throws what the record's plain no means. */
  refused(answer: UpstreamAnswer): void
  /** What the record's plain yes proves; whatever it throws is no plain yes. */
  prove(answer: UpstreamAnswer): Promise<T>
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

/** @throws Refusal record_absent, version_stale, record_refused (not done), write_unknown */
export async function writeOnce<T>({ record, send, refused, prove }: Write<T>) {
  // In the trail before it goes on. When it then fails, the refusal makes the second entry.
  await record()
  const answer = await send().catch(unknown)
  refused(answer)
  return { answer, proof: await prove(answer).catch(unknown) }
}
