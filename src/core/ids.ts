/**
 * Names and secrets. A name (`lch_…`, `grt_…`) may be logged; a secret (`lnk_…`, `cod_…`) may not,
 * and is stored only as its SHA-256.
 *
 * Everything that is spent together carries its launch's tag, so that a Redis Cluster keeps it in one
 * slot and one atomic step can judge it: the tag of `lch_T` is `T`, and a secret of that launch reads
 * `cod_T.<random>`. The tag begins with the time of the launch, so that a search of the trail knows
 * where to start.
 */
import { hash as digest, timingSafeEqual } from 'node:crypto'
import type { EpochMs, Random } from './values.js'

export type LaunchId = `lch_${string}`
export type SignOnId = `sgn_${string}`
export type GrantId = `grt_${string}`
export type TokenId = `tok_${string}`
export type EmergencyId = `emg_${string}`
export type Reference = `ref_${string}`

/** The secrets that belong to one launch, and what each opens. */
export const LAUNCH_SECRETS = {
  lnk: 'the pushed link: the first browser to open it owns the launch',
  pnd: 'a launch that waits for its user: sign-on, birth date, confirmation',
  hdl: 'the launch handle that the app is given',
  req: 'an authorize request that waits for its user',
  cod: 'the authorization code',
  rft: 'the refresh token',
} as const
export type LaunchSecretKind = keyof typeof LAUNCH_SECRETS
export type LaunchSecret<K extends LaunchSecretKind = LaunchSecretKind> = `${K}_${string}.${string}`

const SECRET_BYTES = 24

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** Time in base 36, always 9 characters until the year 5188: sorts as text in the order of time. */
const timeTag = (now: EpochMs): string => now.toString(36).padStart(9, '0')

export const newLaunchId = (now: EpochMs, random: Random): LaunchId =>
  `lch_${timeTag(now)}${Buffer.from(random(8)).toString('hex')}`

/** When the launch arrived, or `undefined` for a text that no {@link newLaunchId} made. */
export function launchTime(id: string): EpochMs | undefined {
  const match = /^lch_([0-9a-z]{9})[0-9a-f]{16}$/.exec(id)
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 36)
}

export const newId = <P extends string>(prefix: P, random: Random): `${P}_${string}` =>
  `${prefix}_${base64url(random(15))}`

/** What an app that registers itself is called: never a name that an operator chose, or will. */
export const newDynamicClientId = (random: Random): string =>
  `dynamic-${Buffer.from(random(12)).toString('hex')}`

export const isDynamicClientId = (id: string): boolean => /^dynamic-[0-9a-f]{24}$/.test(id)

/** A secret on its own, such as the browser's cookie. */
export const newSecret = <P extends string>(prefix: P, random: Random): `${P}_${string}` =>
  `${prefix}_${base64url(random(SECRET_BYTES))}`

export const newLaunchSecret = <K extends LaunchSecretKind>(
  kind: K,
  launch: LaunchId,
  random: Random,
): LaunchSecret<K> => `${kind}_${launch.slice(4)}.${base64url(random(SECRET_BYTES))}`

/**
 * A refresh token: its first half is the same in all of one grant's, so that one that was replaced is
 * still known for what it was, while a made-up one is nobody's. Either half is 96 bits.
 */
export const newRefreshToken = (launch: LaunchId, random: Random): LaunchSecret<'rft'> =>
  `rft_${launch.slice(4)}.${base64url(random(24))}`

/** The one that follows it. `mac`: base64url, of what nobody else can make. */
export const refreshTokenAfter = (refresh: string, mac: string): string =>
  `${familyOf(refresh)}${mac.slice(0, 16)}`

/** The half of a refresh token that its successors share. */
export const familyOf = (refresh: string): string => refresh.slice(0, -16)

/**
 * The launch that a secret claims to belong to. Says nothing about whether the secret is right: the
 * caller compares it with the stored hash by {@link isSecret}.
 */
export function launchOfSecret(kind: LaunchSecretKind, secret: string): LaunchId | undefined {
  const match = /^([a-z]{3})_([0-9a-z]{9}[0-9a-f]{16})\.[\w-]{32}$/.exec(secret)
  return match?.[1] === kind ? `lch_${match[2]}` : undefined
}

export const sha256 = (text: string): string => digest('sha256', text, 'base64url')

/** What the store holds instead of a secret. */
export const hashOf = (secret: string): string => sha256(secret)

/** Compares in constant time, so that an answer's delay tells nothing about the stored hash. */
export function isSecret(secret: string, hash: string): boolean {
  const [a, b] = [Buffer.from(hashOf(secret)), Buffer.from(hash)]
  return a.length === b.length && timingSafeEqual(a, b)
}
