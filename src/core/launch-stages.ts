/** The stages of a launch, as docs/architecture.md follows it: which entries of the trail belong to each. */
import type { EventName, TrailEntry } from './audit.js'

// biome-ignore format: a table
const STAGES = {
  proof:         ['launch_verified', 'launch_refused'],
  patient:       ['patient_confirmed'],
  'sign-on':     ['sign_on_asked', 'signed_on', 'sign_on_refused', 'person_linked'],
  /** But for what an app may have: that belongs to its grant. */
  decision:      ['decision_made'],
  session:       ['glass_broken', 'session_opened'],
  authorization: ['authorization_asked', 'authorization_refused'],
  grant:         ['grant_opened'],
  tokens:        ['token_issued', 'token_refused', 'token_revoked', 'introspected'],
  record:        ['access_allowed', 'access_refused'],
  end:           ['grant_ended', 'session_ended', 'sign_out_refused', 'app_notified', 'outcome_released', 'outcome_refused'],
} as const satisfies Readonly<Record<string, readonly EventName[]>>

export type LaunchStage = keyof typeof STAGES
/** In their order. */
export const LAUNCH_STAGES = Object.keys(STAGES) as readonly LaunchStage[]

/** `undefined`: the entry is of no stage. */
export function launchStageOf({
  what,
  detail,
}: Pick<TrailEntry, 'what' | 'detail'>): LaunchStage | undefined {
  if (what === 'decision_made' && detail?.action === 'grant') return 'grant'
  return LAUNCH_STAGES.find((stage) => (STAGES[stage] as readonly EventName[]).includes(what))
}
