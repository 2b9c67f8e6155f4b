/** Who may frame a refusal that came before its launch system was proven. */
import type { Request } from 'express'
import { Refusal } from '../core/refusal.js'
import { peek } from '../keys/trusted.js'
import type { LaunchParts } from './parts.js'

type Parts = Pick<LaunchParts, 'registry'>

const LONGEST_TOKEN = 64 * 1024

/** The first of each parameter, wherever it stands: what is wrong with them is refused already. */
function claimedIn({ method, body, originalUrl }: Request): URLSearchParams {
  const at = originalUrl.indexOf('?')
  const query = at < 0 ? '' : originalUrl.slice(at + 1)
  return new URLSearchParams(method === 'POST' && typeof body === 'string' ? body : query)
}

/** `iss` of a token, whoever signed it. */
function issuerIn(token: string | null): string | undefined {
  if (token === null || token.length > LONGEST_TOKEN) return undefined
  try {
    const { iss } = peek(token, 'launch_malformed')
    return typeof iss === 'string' ? iss : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * Origins of the system that a request claims to come from; none where it claims nothing, or a system that is not
 * registered. Nothing of it is proven: the page shows no patient, and whom it names could frame it anyway.
 */
export function claimedAncestors({ registry }: Parts) {
  return async (req: Request): Promise<readonly string[]> => {
    const sent = claimedIn(req)
    const id = sent.get('system')
    const issuer = sent.get('iss')?.replace(/\/$/, '') ?? issuerIn(sent.get('launch_token'))
    const named = id === null ? undefined : await registry.system(id)
    const system =
      named ??
      (issuer === undefined || issuer.length > 200 ? undefined : await registry.systemOf(issuer))
    return system?.frameAncestors ?? []
  }
}
