/** A call that has been let in: whose token it carries and what that token stands for. */

import type { ServiceGrant } from './backend-service.js'
import type { KnownUser } from './context.js'
import type { Grant } from './grant.js'
import type { TokenId } from './ids.js'
import type { Scope } from './scope.js'

interface Let {
  readonly token: TokenId
  /** The token's scopes, read. */
  readonly scopes: readonly Scope[]
  /** The bases that the token is good for. */
  readonly audience: readonly string[]
  /** The rules in force are not known at the moment: it is judged by the last ones that were. */
  readonly stale?: boolean
}

/**
 * A proven access token with its grant alive: signature, time, audience, session and end markers have
 * been checked for this very call (access/bearer.ts makes it).
 */
export interface Access extends Let {
  readonly grant: Grant
  readonly user: KnownUser
  /** The back end that calls with an exchanged token, in the place of the grant's app (RFC 8693 §4.1). */
  readonly actor?: string
}

/** The same of a service, which calls for itself. Nothing of a patient is behind it. */
export interface ServiceAccess extends Let {
  readonly service: ServiceGrant
}
