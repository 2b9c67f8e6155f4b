import type { RateLimits } from '../access/rates.js'
import type { Registry } from '../access/registry.js'
import type { Trail } from '../audit/trail.js'
import type { Offered } from '../core/authorization.js'
import type { Post } from '../core/console.js'
import type { Policies } from '../core/decision.js'
import type { Clock, Random, Seconds } from '../core/values.js'
import type { Pages } from '../http/pages.js'
import type { ClinicianProvider } from '../identity/clinician.js'
import type { OwnKeys } from '../keys/by-hand.js'
import type { Keys } from '../keys/signing.js'
import type { Drafts } from '../policy/drafts.js'
import type { Findings } from '../policy/findings.js'
import type { Matrices } from '../policy/matrices.js'
import type { Directory } from '../policy/roles.js'
import type { Walks } from '../policy/walks.js'
import type { Emergencies } from '../session/emergencies.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'

/** What the console's pages are made of. */
export interface ConsoleParts {
  readonly issuer: string
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  /** The life of a change of the policies. */
  readonly drafts: Drafts
  readonly findings: Findings
  readonly policies: Policies & { mayRead(): boolean; posts(): readonly Post[] }
  /** Policies looked at as a whole, and tried out, in threads of their own. */
  readonly matrices: Matrices
  readonly trials: Pick<Walks, 'tryOut'>
  /** Organisations that are known, and what there is in a plan. */
  readonly directory: Directory
  readonly offered: Omit<Offered, 'sections'> & {
    readonly sections: readonly {
      readonly id: string
      readonly title: string
      readonly template: string
    }[]
  }
  readonly emergencies: Pick<Emergencies, 'open' | 'read' | 'close' | 'waiting'>
  /** The OpenID provider, which sends people back to `/console/callback`. */
  readonly team: ClinicianProvider
  readonly pages: Pages
  readonly sessions: Sessions
  readonly registry: Registry
  readonly keys: Keys
  readonly ownKeys: OwnKeys
  readonly limits: Pick<RateLimits, 'devices' | 'commands'>
  readonly lifetimes: {
    readonly pending: Seconds
    readonly session: Seconds
    readonly session_idle: Seconds
    readonly offline: Seconds
    readonly access_token: Seconds
  }
}
