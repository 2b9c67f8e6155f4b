/** The stages of a launch as the inspector tells them: which trail entries and which traffic belong to each. */
import type { EventName, TrailEntry } from '../core/audit.js'
import { type LaunchStage, launchStageOf } from '../core/launch-stages.js'
import type { TapKind } from './desktop-tap.js'

export interface StageRow {
  readonly name: string
  readonly title: string
  /** Stages of the trail that it tells as one (core/launch-stages.ts). */
  readonly of: readonly LaunchStage[]
  /** Entries that finish the stage, and those that set it waiting (again) for the user. */
  readonly done: readonly EventName[]
  readonly asks: readonly EventName[]
  readonly traffic: readonly TapKind[]
  readonly waiting: string
  /** Said when the launch went past the stage without an entry of it. */
  readonly passed: string
  readonly text: string
}

const NO_ENTRY = 'This stage left no entry of its own.'

/** The table of docs/architecture.md, "A launch, followed as data". */
// biome-ignore format: a table
export const STAGES: readonly StageRow[] = [
  { name: 'proof',         title: 'The launch is proven',   of: ['proof'],            done: ['launch_verified'],     asks: [],                traffic: ['launch'],    passed: 'The app was opened past the gateway: no launch arrived here.',   waiting: 'Not seen at the gateway yet.',                                             text: 'The gateway knows the system, its proof holds, it is in time and used for the first time.' },
  { name: 'sign-on',       title: 'The user is signed on',  of: ['sign-on'],          done: ['signed_on'], asks: ['sign_on_asked'], traffic: ['sign-on'],   passed: 'The user was signed on before, in this browser: nothing was asked.', waiting: 'The user is asked to sign in, or to say who they are.',               text: 'The gateway knows who the user is, in which role and for which organisation.' },
  { name: 'decision',      title: 'The policies are asked', of: ['decision'],         done: ['decision_made'],       asks: [],                traffic: [],            passed: NO_ENTRY,                                                         waiting: 'Not decided yet.',                                                         text: 'The policies allow this user to open this plan. The entry names the policies that decided.' },
  { name: 'session',       title: 'A launch session opens', of: ['patient', 'session'], done: ['session_opened'],      asks: [],                traffic: [],            passed: NO_ENTRY,                                                         waiting: 'Not open yet. After a mere hint the user types the date of birth first.',  text: 'The app gets a handle that works once, for a minute, in this browser only. Patient and user stay at the gateway.' },
  { name: 'authorization', title: 'The app asks',           of: ['authorization'],    done: ['authorization_asked'], asks: [],                traffic: ['authorize'], passed: NO_ENTRY,                                                         waiting: 'The app has not asked yet.',                                               text: 'The app, its return address, its audience and its PKCE challenge are right. The handle is spent.' },
  { name: 'grant',         title: 'A grant and its code',   of: ['grant'],            done: ['grant_opened'],        asks: [],                traffic: [],            passed: NO_ENTRY,                                                         waiting: 'Nothing granted yet.',                                                     text: 'What was asked is narrowed to what the role allows. The code works once, for a minute.' },
  { name: 'tokens',        title: 'Tokens are issued',      of: ['tokens'],           done: ['token_issued'],        asks: [],                traffic: ['token'],     passed: NO_ENTRY,                                                         waiting: 'No tokens yet.',                                                           text: 'The app proved that the code is its own. It holds an access token for this one patient, for minutes.' },
  { name: 'reads',         title: 'The record is read',     of: ['record'],           done: ['access_allowed'],      asks: [],                traffic: ['record'],    passed: NO_ENTRY,                                                         waiting: 'The record has not been read yet.',                                        text: 'Each call is judged by token, patient and today’s policies before it reaches the record.' },
]

/** Where a launch that was proven was refused later: every such refusal is recorded as `launch_refused`. */
const REFUSED_LATER: Readonly<Record<string, string>> = {
  person_mismatch: 'sign-on',
  role_unselected: 'sign-on',
  sign_on_failed: 'sign-on',
  sign_on_cancelled: 'sign-on',
  sign_on_unavailable: 'sign-on',
  sign_on_state_invalid: 'sign-on',
  handle_other_browser: 'sign-on',
  launch_denied: 'decision',
  policy_stale: 'decision',
  birth_date_exhausted: 'session',
  link_invalid: 'session',
  launch_replayed: 'session',
}

/** The name of the stage that an entry belongs to. @param proven whether the launch was verified */
export function stageOfEntry(entry: TrailEntry, proven: boolean): string | undefined {
  const later = REFUSED_LATER[entry.refusal ?? '']
  if (entry.what === 'launch_refused' && proven && later !== undefined) return later
  const stage = launchStageOf(entry)
  return STAGES.find(({ of }) => of.some((one) => one === stage))?.name
}

/** A date of birth that did not match may be typed again, and one refused read or question does not end a launch. */
const GOES_ON: readonly EventName[] = ['patient_confirmed', 'access_refused', 'introspected']

export type Standing =
  | { readonly state: 'done' | 'waiting' }
  | { readonly state: 'refused'; readonly by: TrailEntry }

/**
 * How a stage stands by its own entries: the last that counts decides. A policy's no that is followed by
 * the question for a stronger sign-on is no refusal yet.
 */
export function standingOf(
  row: StageRow,
  entries: readonly TrailEntry[],
  trail: readonly TrailEntry[],
): Standing {
  const refuses = (entry: TrailEntry) =>
    entry.outcome !== 'success' && !GOES_ON.includes(entry.what)
  const last = entries.findLast(
    (entry) => refuses(entry) || row.done.includes(entry.what) || row.asks.includes(entry.what),
  )
  if (last === undefined || row.asks.includes(last.what)) return { state: 'waiting' }
  if (!refuses(last)) return { state: 'done' }
  const askedAgain = trail
    .slice(trail.indexOf(last))
    .some(({ what, outcome }) => what === 'sign_on_asked' && outcome === 'success')
  return askedAgain ? { state: 'waiting' } : { state: 'refused', by: last }
}
