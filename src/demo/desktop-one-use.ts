import type { Clock, EpochMs, Random } from '../core/values.js'

export const ONE_USE_SECONDS = 60
/** Values that are kept at once; the oldest go first. */
const KEPT = 500

/** Values that work once and not for long, by their secret. */
export interface OneUse<T> {
  /** @param lifetime in seconds */
  keep(secret: string, value: T, lifetime?: number): void
  mint(value: T): string
  peek(secret: string): T | undefined
  spend(secret: string): T | undefined
}

export function oneUse<T>(clock: Clock, random: Random): OneUse<T> {
  const kept = new Map<string, { readonly value: T; readonly until: EpochMs }>()
  const keep = (secret: string, value: T, lifetime = ONE_USE_SECONDS): void => {
    kept.set(secret, { value, until: clock() + lifetime * 1000 })
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break
      kept.delete(oldest)
    }
  }
  return {
    keep,
    mint(value: T): string {
      const secret = Buffer.from(random(24)).toString('base64url')
      keep(secret, value)
      return secret
    },
    peek(secret: string): T | undefined {
      const found = kept.get(secret)
      return found && found.until > clock() ? found.value : undefined
    },
    spend(secret: string): T | undefined {
      const found = this.peek(secret)
      kept.delete(secret)
      return found
    },
  }
}
