/**
 * Why a store could not do its work. `closed` it was closed · `overloaded` too much is waiting already ·
 * `too_large` a record or key past the bounds · `unavailable` it cannot be reached or refuses ·
 * `uncertain` a write whose fate is unknown, to be treated as not done.
 */
export type StoreFailureCode = 'closed' | 'overloaded' | 'too_large' | 'unavailable' | 'uncertain'

/** Carries no key, no value and no driver's error: those hold what may not be logged. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
  constructor(
    readonly code: StoreFailureCode,
    detail: string,
  ) {
    super(`${code}: ${detail}`)
  }
}
