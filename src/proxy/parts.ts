/** What both proxies are made of. */
import type { Bearer } from '../access/bearer.js'
import type { Access } from '../core/access.js'
import type { Happening } from '../core/audit.js'
import type { Policies } from '../core/decision.js'
import type { Clock } from '../core/values.js'
import type { SharedRecord } from '../record/record.js'
import type { Outcomes } from '../session/outcomes.js'
import type { InContext } from './context.js'

export interface AccessTrail {
  /** Durable when it resolves with `true`. */
  commit(commit: { readonly record: readonly Happening[] }): Promise<boolean>
}

export interface ProxyParts {
  /** That of the call's patient. */
  readonly record: Pick<
    SharedRecord,
    'bases' | 'forward' | 'ifMatch' | 'mostBytes' | 'subjectNamespace'
  >
  /** Whose record that is; the region's where it is no tenant's. Ids of two records may be the same. */
  readonly tenant: string | undefined
  readonly policies: Policies
  readonly trail: AccessTrail
  readonly bearer: Bearer
  /** Counts what the record is asked for besides the call itself: a bundle's entries, what a write refers to. @throws Refusal rate_limited */
  readonly again: (access: Access, times: number) => void
  /** For each write, before it is judged further: see context.ts. */
  readonly inContext: InContext
  /** Keeps what is written for its launch system: see write.ts. */
  readonly outcomes: Pick<Outcomes, 'begin'>
  /** Our own base, which tokens name as their audience. */
  readonly base: string
  readonly clock: Clock
}

/** Before it is known whose call it is. */
export type Served<P extends ProxyParts> = Omit<P, 'record' | 'tenant'> & {
  readonly records: { of(tenant: string | undefined): P['record'] }
}

/** For one call: the same for all of a tenant. The function that is returned throws Refusal record_unavailable. */
export function partsPerTenant<P extends ProxyParts>(parts: Served<P>): (access: Access) => P {
  const known = new Map<string | undefined, P>()
  return ({ grant: { recordTenant: tenant } }) => {
    const before = known.get(tenant)
    if (before) return before
    const record = parts.records.of(tenant)
    // The compiler does not see that what two members were left out of is whole with them.
    const made = { ...parts, record, tenant } as unknown as P
    known.set(tenant, made)
    return made
  }
}
