/** The stages of one launch, as the table of docs/architecture.md names them, filled in from its entries. */
import type { EventName, TrailEntry } from '../core/audit.js'

interface Stage {
  readonly title: string
  readonly events: readonly EventName[]
  /** Of several kinds of decision, which belong here. */
  readonly only?: (entry: TrailEntry) => boolean
}

const isGrant = ({ what, detail }: TrailEntry): boolean =>
  what === 'decision_made' && detail?.action === 'grant'

// biome-ignore format: a table
const STAGES: readonly Stage[] = [
  { title: '1–2. Arrives and is proven',     events: ['launch_verified', 'launch_refused'] },
  { title: '3. Its patient is found',        events: ['patient_confirmed'] },
  { title: '4. Its user is signed on',       events: ['sign_on_asked', 'signed_on', 'sign_on_refused', 'person_linked'] },
  { title: '5. The policies are asked',      events: ['decision_made'], only: (entry) => !isGrant(entry) },
  { title: '6. The session opens',           events: ['session_opened'] },
  { title: '7. The app asks',                events: ['authorization_asked', 'authorization_refused'] },
  { title: '8. A grant is opened',           events: ['decision_made', 'grant_opened'], only: (entry) => entry.what === 'grant_opened' || isGrant(entry) },
  { title: '9. Tokens are issued',           events: ['token_issued', 'token_refused', 'token_revoked', 'introspected'] },
  { title: '10–11. The record is asked',     events: ['access_allowed', 'access_refused'] },
  { title: 'It ends',                        events: ['grant_ended', 'session_ended', 'sign_out_refused', 'app_notified'] },
]

export interface StageRow {
  readonly title: string
  /** The last outcome; absent while nothing of the stage is on record. */
  readonly outcome?: TrailEntry['outcome']
  /** Nothing of it is on record, but something of a later stage: it left no entry of its own. */
  readonly passed: boolean
  readonly first?: number
  readonly last?: number
  readonly entries: number
  readonly refusals: readonly string[]
}

export function stagesOf(entries: readonly TrailEntry[]): readonly StageRow[] {
  const ownOf = ({ events, only = () => true }: Stage) =>
    entries.filter((entry) => events.includes(entry.what) && only(entry))
  const furthest = STAGES.findLastIndex((stage) => ownOf(stage).length > 0)
  return STAGES.map((stage, i) => {
    const own = ownOf(stage)
    const [first, last] = [own[0], own.at(-1)]
    const refusals = own.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]))
    return {
      ...{ title: stage.title, entries: own.length, passed: own.length === 0 && i < furthest },
      refusals: [...new Set(refusals)],
      ...(first && last ? { outcome: last.outcome, first: first.at, last: last.at } : {}),
    }
  })
}
