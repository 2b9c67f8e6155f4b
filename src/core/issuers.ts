/** Whose keys are asked is told by the issuer alone: two systems of one could speak for each other. */
import type { LaunchSystem } from './launch-system.js'

/**
 * Launch systems that share an issuer, with each other or with the OpenID provider: a line each.
 *
 * @param provider the OpenID provider's
 */
export function sharedIssuers(
  systems: readonly LaunchSystem[],
  provider: string | undefined,
): readonly string[] {
  const byIssuer = new Map<string, string>()
  return systems.flatMap(({ id, issuer, relay }) => {
    const other = byIssuer.get(issuer)
    byIssuer.set(issuer, id)
    const providers = provider !== undefined && [issuer, relay?.issuer].includes(provider)
    return [
      ...(other === undefined
        ? []
        : [`launch system ${id}: has the issuer of ${other} (${issuer})`]),
      ...(providers ? [`launch system ${id}: has the OpenID provider’s issuer`] : []),
    ]
  })
}
