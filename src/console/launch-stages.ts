/** The stages of one launch, as the table of docs/architecture.md names them, filled in from its entries. */
import type { TrailEntry } from '../core/audit.js'
import { LAUNCH_STAGES, type LaunchStage, launchStageOf } from '../core/launch-stages.js'

// biome-ignore format: a table
const TITLES: Readonly<Record<LaunchStage, string>> = {
  proof:         '1–2. Arrives and is proven',
  patient:       '3. Its patient is found',
  'sign-on':     '4. Its user is signed on',
  decision:      '5. The policies are asked',
  session:       '6. The session opens',
  authorization: '7. The app asks',
  grant:         '8. A grant is opened',
  tokens:        '9. Tokens are issued',
  record:        '10–11. The record is asked',
  end:           'It ends',
}

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
  const ownOf = (stage: LaunchStage) => entries.filter((entry) => launchStageOf(entry) === stage)
  const furthest = LAUNCH_STAGES.findLastIndex((stage) => ownOf(stage).length > 0)
  return LAUNCH_STAGES.map((stage, i) => {
    const own = ownOf(stage)
    const [first, last] = [own[0], own.at(-1)]
    const refusals = own.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]))
    return {
      ...{ title: TITLES[stage], entries: own.length, passed: own.length === 0 && i < furthest },
      refusals: [...new Set(refusals)],
      ...(first && last ? { outcome: last.outcome, first: first.at, last: last.at } : {}),
    }
  })
}
