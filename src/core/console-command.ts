/** A command that acts in the name of somebody of the security team: signed in through their browser. @see RFC 8628 */
import type { ConsoleSession } from './console.js'
import type { SignOnId, TokenId } from './ids.js'
import type { EpochMs, Random, Seconds } from './values.js'

/** How long a code waits for its member. */
export const DEVICE_FOR: Seconds = 600
/** How often a command may ask whether it was let in. */
export const POLL_EVERY: Seconds = 5
/** How long a command that does nothing stays signed in. */
export const COMMAND_IDLE: Seconds = 900

/** The member's session in the console, on which everything of the command hangs: by the hash of its cookie. */
export interface Vouching {
  readonly key: string
  readonly signOn: SignOnId
}

/** A command that waits, and what a member said to it. @see RFC 8628 §3.2 */
export interface DeviceRequest {
  /** What it calls itself: shown, and believed by nobody. */
  readonly client: string
  /** Where it asked from, as far as we see. */
  readonly address: string
  readonly since: EpochMs
  readonly until: EpochMs
  readonly answer: 'waiting' | 'denied' | Vouching
}

/** A command that was let in. Never for longer than its member's own session. */
export interface CommandAccess {
  readonly id: TokenId
  readonly by: Vouching
  readonly client: string
  readonly since: EpochMs
  readonly until: EpochMs
  readonly idleUntil: EpochMs
}

/** A command that is signed in, with the session in whose name. */
export interface LiveCommand {
  readonly access: CommandAccess
  readonly session: ConsoleSession
}

/** No vowels, so that no words come of it, and nothing that is taken for something else. @see RFC 8628 §6.1 */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8

/** Eight letters of twenty, about 34 bits, as `BCDF-GHJK`. */
export function newUserCode(random: Random): string {
  let code = ''
  while (code.length < LENGTH) {
    // Of a byte's 256 values 240 give each letter the same chance; the others are drawn again.
    for (const byte of random(LENGTH))
      if (byte < 240 && code.length < LENGTH) code += LETTERS[byte % LETTERS.length]
  }
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** What somebody typed, as we write codes; `undefined` for what none is. */
export function readUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s-]/g, '')
  if (letters.length !== LENGTH || ![...letters].every((one) => LETTERS.includes(one)))
    return undefined
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}
