/**
 * What came of judging a token, remembered as long as everything that it was judged by is as it was. The store is asked
 * at each call all the same, in one trip, so an end holds at the next one: what is spared is reading the same records
 * out of the same texts, and drawing the same conclusions.
 */
import type { Client } from '../core/client.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { AccessClaims } from '../core/token.js'
import type { Clock, EpochMs } from '../core/values.js'
import type { Behind } from '../session/sessions.js'
import type { Ahead, Kept } from '../store/ahead.js'
import type { Ask } from '../store/store.js'
import type { Registry } from './registry.js'

/** A token that stood. */
interface Live {
  readonly client: Client
  readonly grant: { readonly until: EpochMs; readonly policyVersion: number }
  readonly behind: Behind
}

interface Judged<T> {
  readonly live: T
  readonly kept: Kept
  readonly system: LaunchSystem
  readonly version: number
  /** By the clock alone it could come out otherwise before the first, and from the second on. */
  readonly at: EpochMs
  readonly until: EpochMs
}

interface Parts {
  readonly registry: Pick<Registry, 'client' | 'system'>
  readonly policies: { version(): number }
  readonly clock: Clock
}

/** For how long it is remembered is its claims' to say: access-token.ts keeps some. */
export function rememberJudged<T extends Live>({ registry, policies, clock }: Parts) {
  const judged = new WeakMap<AccessClaims, Judged<T>>()
  return {
    /** What a token was judged by the last time. */
    asksOf: (claims: AccessClaims): readonly Ask[] => judged.get(claims)?.kept.asks ?? [],
    /** What came of it, if the same would come of it now. */
    async again(claims: AccessClaims, from: Ahead): Promise<T | undefined> {
      const before = judged.get(claims)
      if (!before?.kept || !from.isAs(before.kept)) return undefined
      const { live, system, version, at, until } = before
      const now = clock()
      if (now < at || now >= until || version !== policies.version()) return undefined
      // As they are registered now.
      if ((await registry.client(live.client.id)) !== live.client) return undefined
      return (await registry.system(system.id)) === system ? live : undefined
    },
    keep(claims: AccessClaims, from: Ahead, live: T, system: LaunchSystem): void {
      const { until: ofGrant, policyVersion: version } = live.grant
      const { until: ofSignOn = ofGrant, idleUntil = ofGrant } = live.behind.signOn ?? {}
      const kept = from.asked()
      const until = Math.min(ofGrant, ofSignOn, idleUntil, kept.until)
      judged.set(claims, { live, kept, system, version, at: clock(), until })
    },
  }
}
