/** How strongly a person signs in at the pretend provider, and what a relying party may ask for. */
import type { Assurance } from '../core/roles.js'

interface Method {
  readonly assurance: Assurance
  readonly name: string
  readonly hint: string
  readonly acr: string
  readonly amr: readonly string[]
}

// biome-ignore format: a table
export const METHODS: readonly Method[] = [
  { assurance: 3, name: 'Smartcard',         hint: 'Assurance level 3', acr: 'AAL3_ANY', amr: ['SMARTCARD'] },
  { assurance: 2, name: 'Authenticator app', hint: 'Assurance level 2', acr: 'AAL2_ANY', amr: ['TOTP'] },
]

/** The least assurance that each value of `acr_values` is content with. */
// biome-ignore format: a table
export const LEAST: Readonly<Record<string, Assurance>> = {
  AAL3_ANY:         3,
  AAL2_OR_AAL3_ANY: 2,
  AAL2_ANY:         2,
}

/** The least that a request asks for; a request that asks for nothing gets the platform's default, 3. */
export function leastOf(acrValues: unknown): Assurance {
  if (typeof acrValues !== 'string' || acrValues === '') return 3
  const asked = acrValues.split(' ').map((value) => LEAST[value] ?? 3)
  return Math.min(...asked) as Assurance
}

/** What a session's `acr` is worth: 0 when nobody has signed in. */
export const worthOf = (acr: string | undefined): number =>
  METHODS.find((method) => method.acr === acr)?.assurance ?? 0
