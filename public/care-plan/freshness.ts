/**
 * When the record is read anew, and how old what is shown is. Each look follows a sign of the user and never the time
 * alone: the gateway takes every call for a user who is there, and would never end the session of one who is not. So
 * what stands on the screen unseen to is at most as old as a session without a user. All times in milliseconds.
 */
import { plural } from './text.js'

/** `back`: the page was looked at again. `there`: a key, a touch or a movement. */
export type Sign = 'back' | 'there'

const AGES: Readonly<Record<Sign, number>> = { back: 60_000, there: 180_000 }
/** Between two tries, whatever came of the first. */
const PAUSE = 60_000

/** @param tried when it was last begun to read it anew */
export const isDue = (sign: Sign, readAt: number, tried: number, now: number): boolean =>
  now - readAt >= AGES[sign] && now - tried >= PAUSE

const MINUTE = 60_000

/** `12 minutes ago`; '' for what was read just now. */
export function showReadAge(readAt: number, now: number): string {
  const minutes = Math.floor((now - readAt) / MINUTE)
  return minutes < 2 ? '' : `${plural(minutes, 'minute')} ago`
}
