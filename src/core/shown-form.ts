/** A form that was shown, as its one answer is held against it (http/forms.ts). */
import type { ProvenRedirect } from './authorization-request.js'

export interface ShownForm {
  /** Hash of the cookie of the browser to which it was shown. */
  readonly browser: string
  readonly asks: 'sign-out' | 'sessions'
  /** Where a sign-out goes on to. */
  readonly onward?: Onward
}

/** An address that an app registered for after a sign-out. @see OpenID Connect RP-Initiated Logout 1.0 §3 */
export interface Onward {
  readonly to: ProvenRedirect
  readonly state?: string
}
