/** The life of a change of the policies, and what is found out about it in threads of their own. */
import type { Trail } from './audit/trail.js'
import type { Config } from './config.js'
import type { World } from './foundations.js'
import { recentQuestions } from './policy/asked-pages.js'
import { createDrafts } from './policy/drafts.js'
import { createFindings } from './policy/findings.js'
import { lockedOut } from './policy/lockout.js'
import { createMatrices } from './policy/matrices.js'
import type { Soundness } from './policy/soundness.js'
import { createWalks } from './policy/walks.js'
import type { Sessions } from './session/sessions.js'
import type { Store } from './store/store.js'

/** How long a check of what is typed may take, in milliseconds. */
const LONGEST_TYPED = 10_000
/** And trying one question out. */
const LONGEST_TRIAL = 15_000

interface Parts {
  readonly store: Store
  readonly trail: Trail
  readonly sessions: Sessions
  readonly sound: Soundness
}

/** Queues of their own: who publishes waits neither behind a matrix, nor behind what somebody looks at, types or tries out. */
export function openChanges(
  config: Config,
  { clock, random }: World,
  { store, trail, sessions, sound }: Parts,
) {
  const sections = config.plan.map(({ id }) => id)
  const walks = createWalks()
  const checks = createWalks()
  const looks = createWalks()
  const typing = createWalks({ longest: LONGEST_TYPED })
  const trials = createWalks({ longest: LONGEST_TRIAL })
  const keep = config.questions.keep_days * 86_400
  const questions = () => recentQuestions(store, clock(), keep)
  const findings = createFindings({ walks, checks, looks, typing, sections, questions, clock })
  const drafts = createDrafts({
    ...{ store, trail, clock, random, sections, sound, check: findings.check },
    lockedOut: (files) => lockedOut(files, clock()),
    revoking: sessions.versionEnding,
  })
  const close = () => {
    for (const queue of [walks, checks, looks, typing, trials]) queue.close()
  }
  return { drafts, findings, matrices: createMatrices(walks), trials, close }
}
