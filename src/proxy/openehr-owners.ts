/**
 * Which compositions the record has counted to which EHR, lately. An object stays in its EHR, so what its rows have
 * proven once need not be asked again with every read; what was never proven is always asked.
 */
import { objectOf } from '../core/openehr.js'
import type { PlanRow } from '../core/rows.js'
import type { Clock, EpochMs } from '../core/values.js'

/** Shorter than anybody merges two records in. */
const KEPT_MS: EpochMs = 60_000
const MOST = 20_000

export interface Owners {
  /** Rows of an EHR that have been proven. By its name among all records: see openehr-parts.ts. */
  learn(ehrId: string, rows: readonly PlanRow[]): void
  /** The template of an object of this EHR, if it was proven to be that a moment ago. */
  find(ehrId: string, uid: string): string | undefined
}

export function createOwners(clock: Clock): Owners {
  const known = new Map<string, { readonly template: string; readonly until: EpochMs }>()
  const nameOf = (ehrId: string, uid: string) => `${ehrId}/${objectOf(uid)}`
  return {
    learn(ehrId, rows) {
      const until = clock() + KEPT_MS
      for (const { uid, template } of rows) {
        const name = nameOf(ehrId, uid)
        // The last that was learned stands last: the first to go is the one that was longest not seen.
        known.delete(name)
        if (known.size >= MOST) known.delete(known.keys().next().value ?? '')
        known.set(name, { template, until })
      }
    },
    find(ehrId, uid) {
      const found = known.get(nameOf(ehrId, uid))
      return found !== undefined && found.until > clock() ? found.template : undefined
    },
  }
}
