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

/** How many times one answer a bundle may read in all, told or not. */
const MOST_ANSWERS = 10

/** The same parts, of whose record a bundle tells no more than of one answer, and reads no more than of ten. */
export function withinReading<P extends Pick<ProxyParts, 'record'>>(
  parts: P,
): {
  readonly parts: P
  readonly requireRoom: () => void
  /**
   * After each entry. What was read for it counts as much as it tells: by how long another's is, or what was left out, it
   * would be told that there is any.
   *
   * @param told in bytes; absent for all that was read
   */
  readonly settle: (told?: number) => void
} {
  const { forward, mostBytes } = parts.record
  let [told, latest, all] = [0, 0, 0]
  const record: P['record'] = {
    ...parts.record,
    async forward(call) {
      const answer = await forward(call)
      latest += answer.bytes
      all += answer.bytes
      return answer
    },
  }
  return {
    parts: { ...parts, record },
    /** @throws Refusal body_too_large */
    requireRoom() {
      if (told + latest > mostBytes || all > MOST_ANSWERS * mostBytes)
        throw new Refusal('body_too_large', 'what a bundle reads')
    },
    settle(bytes = latest) {
      told += bytes
      latest = 0
    },
  }
}
