/** Telling apps that a sign-on is over: what is kept until each was told, when it is tried, and what it says. */
import type { SignOnId } from './ids.js'
import { LOGOUT_EVENT } from './logout-token.js'
import { after, type EpochMs, type Seconds, seconds } from './values.js'

/** What is told by a call that may fail: how often it was tried, and when it is tried next. */
export interface Tried {
  readonly tries: number
  readonly due: EpochMs
}

/** One sign-on that ended. Its apps are told together; who was told is not told again. */
export interface Notice extends Tried {
  readonly signOn: SignOnId
  readonly at: EpochMs
  /** Apps that have heard it. */
  readonly told: readonly string[]
}

/** How long a notice is kept when nobody can deliver it, and so what is known of a sign-on's apps after its end. */
export const NOTICE_LIFE: Seconds = 3_600
/** How long after each try the next one comes; after the last, the notice is given up. */
const DELAYS: readonly Seconds[] = [1, 10, 60, 300]
/** For a node that dies while it calls: longer than a call may take. */
const UNDER_WAY: Seconds = 15
const LOGOUT_TOKEN_LIFE: Seconds = 120

export const newNotice = (signOn: SignOnId, now: EpochMs): Notice => ({
  ...{ signOn, at: now, tries: 0, due: now, told: [] },
})

/** Whether it was tried as often as it is worth. */
export const isGivenUp = ({ tries }: Tried): boolean => tries > DELAYS.length

const delayAfter = ({ tries }: Tried): Seconds => DELAYS[tries - 1] ?? 0

/** It while the calls are made: another node takes it up when this one does not come back. */
export function tried<N extends Tried>(notice: N, now: EpochMs): N {
  const next = { ...notice, tries: notice.tries + 1 }
  return { ...next, due: after(now, UNDER_WAY + delayAfter(next)) }
}

/** It once a call was made without success. */
export const later = <N extends Tried>(notice: N, now: EpochMs): N => ({
  ...notice,
  due: after(now, delayAfter(notice)),
})

/** The notice once its apps were called, some of them without success. */
export const putOff = (notice: Notice, told: readonly string[], now: EpochMs): Notice => ({
  ...{ ...later(notice, now), told: [...notice.told, ...told] },
})

/** Those who have waited shortest first: an app that never answers must not keep others from being told. */
export const inTurn = (a: Tried, b: Tried): number => a.tries - b.tries || a.due - b.due

/**
 * A logout token for one app. It has no nonce, so that nobody takes it for an id_token.
 * @see OpenID Connect Back-Channel Logout 1.0 §2.4
 */
export const logoutClaims = (
  about: { readonly signOn: SignOnId; readonly subject: string; readonly app: string },
  by: { readonly issuer: string; readonly jti: string; readonly now: EpochMs },
) => ({
  iss: by.issuer,
  aud: about.app,
  sub: about.subject,
  sid: about.signOn,
  iat: seconds(by.now),
  exp: seconds(by.now) + LOGOUT_TOKEN_LIFE,
  jti: by.jti,
  events: { [LOGOUT_EVENT]: {} },
})
