/**
 * How often is too often, as rows. What is *asked* may be counted high: a hospital is one address, and a
 * care plan is opened in emergencies. What was *wrong* is counted low. A right answer is never turned away
 * for the wrong ones around it, but where a few tries would do to guess: birth dates.
 * @see docs/decisions/0011-limits-that-bite-on-guessing.md
 */
import { sha256 } from './ids.js'
import { REFUSALS, Refusal, type RefusalCode } from './refusal.js'
import type { EpochMs, Seconds } from './values.js'

/** What is known of who asks. System, organisation and user only once they are proven, but for `system`. */
export interface Caller {
  /** By {@link networkOf}. */
  readonly address: string
  readonly app?: string | undefined
  readonly system?: string | undefined
  readonly organization?: string | undefined
  readonly user?: string | undefined
  /** The number that a launch names, never the address of one. */
  readonly patient?: string | undefined
}

const words = (...parts: readonly (string | undefined)[]): string | undefined =>
  parts.includes(undefined) ? undefined : JSON.stringify(parts)

/** A token's user is known without the organisation: what is unknown stands as such. */
const userOf = ({ system = '', organization = '', user }: Caller) =>
  words(system, organization, user)

/**
 * On what a row counts. A name that anybody may claim never counts by itself: whoever claims it could use
 * up what its owner may do. `undefined`: this caller is not counted.
 */
// biome-ignore format: a table
const KEYS = {
  address: (caller: Caller) => caller.address,
  app:     ({ app }: Caller) => app,
  user:    userOf,
  /** The user if proven, and only else the address, which many may share. */
  caller:  (caller: Caller) => userOf(caller) ?? caller.address,
  /** The system as claimed, at its address. */
  system:  (caller: Caller) => words(caller.system, caller.address) ?? caller.address,
  patient: ({ system, organization, patient }: Caller) =>
    patient === undefined ? undefined : words(system, organization, sha256(patient)),
} as const

interface Limit {
  readonly by: keyof typeof KEYS
  readonly points: number
  readonly per: Seconds
  /** All of something, counted by each node for itself; or acts and refusals, counted by all nodes together. */
  readonly counts: 'asked' | 'done' | 'wrong' | readonly RefusalCode[]
}

// biome-ignore format: a table
export const LIMITS = {
  // Asked
  flood:    { by: 'address', points: 60_000, per: 60,   counts: 'asked' },
  apps:     { by: 'app',     points: 30_000, per: 60,   counts: 'asked' },
  calls:    { by: 'user',    points: 3_000,  per: 60,   counts: 'asked' },
  launches: { by: 'user',    points: 600,    per: 60,   counts: 'asked' },
  registrations:{ by: 'address', points: 60, per: 3600,      counts: 'asked' },
  commands: { by: 'address', points: 60,     per: 600,  counts: 'asked' },
  // Done: the next one is turned away
  emergencies:{ by: 'user',  points: 20,     per: 3600, counts: 'done' },
  devices:  { by: 'user',    points: 20,     per: 600,  counts: 'done' },
  // Tried: the next try is turned away unread
  patients: { by: 'patient', points: 20,     per: 3600, counts: 'wrong' },
  people:   { by: 'user',    points: 60,     per: 600,  counts: 'wrong' },
  // Refused: the next refusal is answered by this one
  clients:  { by: 'caller',  points: 100,    per: 60,   counts: ['client_unproven', 'assertion_replayed', 'registration_unproven'] },
  proofs:   { by: 'system',  points: 300,    per: 60,   counts: ['launch_malformed', 'system_unknown', 'signature_invalid', 'seal_invalid', 'launch_misaddressed', 'launch_future', 'launch_too_long', 'rung_unregistered', 'logout_token_invalid'] },
  secrets:  { by: 'caller',  points: 600,    per: 60,   counts: ['link_invalid', 'handle_invalid', 'handle_other_app', 'handle_other_browser', 'sign_on_state_invalid', 'form_invalid', 'code_invalid', 'code_other_client', 'redirect_mismatch', 'verifier_mismatch', 'refresh_invalid', 'subject_token_invalid', 'subject_token_refused', 'device_expired', 'device_spent'] },
  tokens:   { by: 'caller',  points: 600,    per: 60,   counts: ['token_invalid', 'token_other_audience', 'command_signed_out'] },
  strays:   { by: 'caller',  points: 1_200,  per: 60,   counts: ['not_found', 'outcome_absent', 'parameter_missing', 'parameter_repeated', 'parameter_invalid', 'body_too_large', 'body_unreadable', 'launch_clear_text', 'client_unknown', 'redirect_unregistered', 'grant_type_unsupported', 'token_missing', 'console_signed_out', 'console_form_refused'] },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS
/** Rows that each node counts for itself. */
export type OwnLimitName = {
  [N in LimitName]: (typeof LIMITS)[N]['counts'] extends 'asked' ? N : never
}[LimitName]
export type SharedLimitName = Exclude<LimitName, OwnLimitName>
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[]

/** Points of each row, or `off`: an operator's. */
export type Rates = Readonly<Record<LimitName, number | 'off'>>

const BY_REFUSAL: ReadonlyMap<string, LimitName> = new Map(
  LIMIT_NAMES.flatMap((name) => {
    const { counts }: Limit = LIMITS[name]
    return typeof counts === 'string' ? [] : counts.map((code) => [code, name] as const)
  }),
)

/** The row that counts a refusal. None for what honest callers meet every day: an expired token is no guess. */
export const limitOf = (code: RefusalCode): LimitName | undefined => BY_REFUSAL.get(code)

export const keyOf = (name: LimitName, caller: Caller): string | undefined =>
  KEYS[LIMITS[name].by](caller)

/** When the window that `now` lies in is over. Windows are the clock's own, alike on all nodes. */
export const windowEnd = (now: EpochMs, length: EpochMs): EpochMs =>
  (Math.floor(now / length) + 1) * length

/** IPv6 in eight groups of 16 bits; `undefined` for anything else. */
function groupsOf(text: string): readonly string[] | undefined {
  if (!/^[0-9a-f:]{2,39}$/i.test(text)) return undefined
  const [left = '', right, ...more] = text.split('::')
  const [head, tail] = [left, right ?? ''].map((half) => (half === '' ? [] : half.split(':')))
  if (!head || !tail || more.length > 0) return undefined
  const missing = 8 - head.length - tail.length
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail]
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups : undefined
}

/**
 * Who an address stands for: all of IPv4, the first 64 bits of IPv6, because whoever has one such address
 * has all that share them (RFC 4291 §2.5.4). What is no address counts as one.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/s, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(plain)) return plain
  const groups = groupsOf(plain)
  if (!groups) return 'unknown'
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}

/** The time that a limit counts in. One for all whom it turns away before `until`, on one node. */
export interface Window {
  readonly until: EpochMs
  count: number
  /** Of the first refusal in it: the one that the trail holds, and that all others name. */
  reference?: `ref_${string}`
}

const inWords = (wait: Seconds): string =>
  wait < 120 ? `${wait} second${wait === 1 ? '' : 's'}` : `${Math.ceil(wait / 60)} minutes`

/** What is turned away, and why. */
export interface Excess {
  readonly limit: LimitName
  /** Whom it was counted on, by {@link keyOf}. */
  readonly key: string
  readonly window: Window
  /** What the answer would have been. */
  readonly instead?: RefusalCode
}

/** A request that came once too often. @see RFC 6585 §4; RFC 9110 §10.2.3 (Retry-After) */
export class TooMany extends Refusal {
  readonly window: Window
  readonly wait: Seconds
  readonly text: string
  constructor({ limit, key, window, instead }: Excess, now: EpochMs) {
    // The hash of a patient's number is as good as the number.
    const whom = LIMITS[limit].by === 'patient' ? '' : ` of ${key}`
    super('rate_limited', `${limit}${whom}${instead === undefined ? '' : `: ${instead}`}`)
    this.window = window
    this.wait = Math.max(1, Math.ceil((window.until - now) / 1000))
    this.text = `${REFUSALS.rate_limited.text} Try again in ${inWords(this.wait)}.`
  }
}
