/** Who is signed in, as far as the gateway tells. For the screen and the author line; proves nothing. */
import type { Connection } from './connection.js'
import { oneLine } from './text.js'

interface Claims {
  readonly fhirUser?: unknown
  readonly name?: unknown
  readonly iat?: unknown
}

/**
 * The claims of the id_token, which came straight from the token endpoint (OIDC Core §3.1.3.7, rule 6),
 * decoded as UTF-8: fhirclient's own decoding breaks on names with accents.
 */
export function claimsOf(idToken: unknown): Claims {
  try {
    const body = String(idToken).split('.')[1] ?? ''
    const binary = atob(body.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}

interface Practitioner {
  readonly resourceType?: string
  readonly name?: readonly {
    readonly text?: string
    readonly prefix?: readonly string[]
    readonly given?: readonly string[]
    readonly family?: string
  }[]
}

function nameOf(json: unknown): string {
  const name = (json as Practitioner | null)?.name?.[0]
  const parts = [name?.prefix?.[0], name?.given?.[0], name?.family]
  return oneLine(name?.text) || parts.map(oneLine).filter(Boolean).join(' ')
}

/** The name to show, or undefined: not being able to tell it stops nothing. */
export async function fetchUserName(connection: Connection): Promise<string | undefined> {
  const claims = claimsOf(connection.token('id_token'))
  const claimed = oneLine(claims.name) || undefined
  const [, resource] = /(Practitioner(?:Role)?\/[\w.-]{1,64})$/.exec(String(claims.fhirUser)) ?? []
  if (!resource) return claimed
  try {
    const { json } = await connection.call(`${connection.fhir}/${resource}`)
    return nameOf(json) || claimed
  } catch {
    return claimed
  }
}
