/** A registered app: an OAuth client. @see RFC 7591 §2; SMART App Launch 2.2, "Register App with EHR" */
import type { KeySource } from './launch-system.js'

export interface Client {
  readonly id: string
  readonly name: string
  /** `public`: no authentication; `key`: private_key_jwt. */
  readonly type: 'public' | 'key'
  readonly keys?: KeySource
  readonly assertionAlgorithms: readonly string[]
  /** Complete addresses, compared character by character. */
  readonly redirectUris: readonly string[]
  /** Complete addresses at which the app is launched; the first is the default. */
  readonly launchUrls: readonly string[]
  /** The most that the app may ever be granted. */
  readonly scopes: readonly string[]
  readonly idTokenAlgorithm: 'RS256' | 'ES256'
  /** Origins that may call the token endpoint and the record from a browser. */
  readonly origins: readonly string[]
}
