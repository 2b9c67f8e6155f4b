/** A value that only its maker can make: nothing else type-checks as one. */
declare const brand: unique symbol
export type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** Milliseconds since the epoch. Our own clock speaks these. */
export type EpochMs = number
/** Seconds since the epoch, as JWTs carry them (RFC 7519 §2, NumericDate). */
export type EpochSeconds = number
/** A duration in seconds. Every lifetime in the tables and in the configuration is one. */
export type Seconds = number

export type Clock = () => EpochMs

/** Bytes from the system's generator. Handed in, so that `core` stays pure and tests repeatable. */
export type Random = (bytes: number) => Uint8Array

export const seconds = (ms: EpochMs): EpochSeconds => Math.floor(ms / 1000)
export const after = (now: EpochMs, duration: Seconds): EpochMs => now + duration * 1000

/** Of our clock, in UTC: `2026-01-31`. */
export const dayOf = (time: EpochMs): string => new Date(time).toISOString().slice(0, 10)

/** Only the fields that have a value. */
export const named = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
