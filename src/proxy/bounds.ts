/** How long one call may take, and how much of the record may be read for it: each of its parts has limits of its own. */
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import type { UpstreamAnswer } from '../record/record.js'
import type { ProxyParts } from './parts.js'

/** Each part may wait for the record as long as a call by itself. */
const LONGEST_MS: EpochMs = 30_000

/** Throws once a call has taken too long. @throws Refusal record_unavailable */
export function withinTime({ clock }: Pick<ProxyParts, 'clock'>): () => void {
  const until = clock() + LONGEST_MS
  return () => {
    if (clock() > until) throw new Refusal('record_unavailable', 'a call that takes too long')
  }
}

/**
 * Counts what is read and held for one answer of ours: together no more than one answer of the record may be.
 * @throws Refusal upstream_invalid, as for one that is too large by itself
 */
export function withinSize({
  record,
}: Pick<ProxyParts, 'record'>): (answer: Pick<UpstreamAnswer, 'bytes'>) => void {
  let read = 0
  return ({ bytes }) => {
    read += bytes
    if (read > record.mostBytes)
      throw new Refusal('upstream_invalid', 'more than can be judged at once')
  }
}

/** What an entry counts of which nothing is told: not how long it is either, nor whether there is any. */
const UNTOLD = 64 * 1024

/** The same parts, of whose record a bundle reads no more than of one answer. */
export function withinReading<P extends Pick<ProxyParts, 'record'>>(
  parts: P,
): {
  readonly parts: P
  readonly requireRoom: () => void
  /** After each entry. `untold`: it was answered as what is not there, whether or not it is. */
  readonly settle: (untold: boolean) => void
} {
  const { forward, mostBytes } = parts.record
  let [read, settled] = [0, 0]
  const record: P['record'] = {
    ...parts.record,
    async forward(call) {
      const answer = await forward(call)
      read += answer.bytes
      return answer
    },
  }
  return {
    parts: { ...parts, record },
    /** @throws Refusal body_too_large */
    requireRoom() {
      if (read > mostBytes) throw new Refusal('body_too_large', 'what a bundle reads')
    },
    settle(untold) {
      settled = untold ? settled + UNTOLD : read
      read = settled
    },
  }
}
