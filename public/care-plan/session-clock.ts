/**
 * When a session must be renewed, warned of and ended. Pure: the page calls {@link nextStep} once a second
 * with the time of day, so that a sleeping computer wakes to the truth. All times in milliseconds.
 */
import { plural } from './text.js'

export interface SessionClock {
  /** How long without a call until the gateway ends the session; absent when it did not say. */
  readonly idle?: number
  /** When it ends whatever the user does, by this computer's clock. */
  readonly ends?: number
  /** The last call that the gateway answered. */
  readonly called: number
  /** The last key, touch or movement of the user. */
  readonly active: number
}

export type Step =
  | { readonly do: 'nothing' }
  | { readonly do: 'renew' }
  /** `extendable`: a renewal would put the end off. */
  | { readonly do: 'warn'; readonly left: number; readonly extendable: boolean }
  | { readonly do: 'end'; readonly why: 'idle' | 'over' }

const WARNING = 120_000

/** A renewal tells the gateway that the user is there; four of them fit into its patience. */
const renewalDue = ({ idle, called, active }: SessionClock, now: number): boolean =>
  idle !== undefined && active > called && now - called >= idle / 4

export function nextStep(clock: SessionClock, now: number): Step {
  const quiet = clock.idle === undefined ? Number.POSITIVE_INFINITY : clock.called + clock.idle
  const over = clock.ends ?? Number.POSITIVE_INFINITY
  const end = Math.min(quiet, over)
  if (now >= end) return { do: 'end', why: over <= quiet ? 'over' : 'idle' }
  // A session shorter than the warning would be one long warning.
  const warning = Math.min(WARNING, (clock.idle ?? WARNING * 2) / 2)
  const left = end - now
  // Warned even of somebody who is there: renewals have not been getting through.
  if (left <= warning) return { do: 'warn', left, extendable: quiet < over }
  return renewalDue(clock, now) ? { do: 'renew' } : { do: 'nothing' }
}

interface TokenTimes {
  readonly idleSeconds?: unknown
  /** Seconds since the epoch, by the gateway's clock. */
  readonly endsAt?: unknown
  /** The gateway's clock when it answered, if it said. */
  readonly issuedAt?: unknown
  /** Seconds that the access token lives, when nothing can renew it. */
  readonly lastSeconds?: number | undefined
}

/** The clock that a token response starts. The gateway's times are moved onto this computer's clock. */
export function clockFrom(times: TokenTimes, now: number): SessionClock {
  const offset = typeof times.issuedAt === 'number' ? now - times.issuedAt * 1000 : 0
  const ends = [
    typeof times.endsAt === 'number' ? times.endsAt * 1000 + offset : Number.POSITIVE_INFINITY,
    times.lastSeconds === undefined ? Number.POSITIVE_INFINITY : now + times.lastSeconds * 1000,
  ]
  const end = Math.min(...ends)
  return {
    ...(typeof times.idleSeconds === 'number' && times.idleSeconds > 0
      ? { idle: times.idleSeconds * 1000 }
      : {}),
    ...(Number.isFinite(end) ? { ends: end } : {}),
    called: now,
    active: now,
  }
}

/** `1 minute 58 seconds` */
export function showLeft(left: number): string {
  const seconds = Math.max(0, Math.ceil(left / 1000))
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return [
    ...(minutes > 0 ? [plural(minutes, 'minute')] : []),
    ...(rest > 0 || minutes === 0 ? [plural(rest, 'second')] : []),
  ].join(' ')
}
