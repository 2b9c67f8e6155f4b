/** What must hold among registrations, beyond what each says of itself. */
import type { Client } from './client.js'
import { isDynamicClientId } from './ids.js'
import type { LaunchSystem } from './launch-system.js'

/** Apps that a launch system may launch and that nobody registered, a line each. Those that register themselves are in the store. */
export const unregistered = (
  apps: readonly Client[],
  systems: readonly LaunchSystem[],
): readonly string[] =>
  systems.flatMap((system) =>
    system.apps
      .filter((app) => !isDynamicClientId(app) && !apps.some(({ id }) => id === app))
      .map((app) => `launch system ${system.id}: app ${app} is not registered`),
  )

/**
 * Launch systems that share an issuer, with each other or with the OpenID provider: a line each. The issuer alone
 * tells whose keys are asked, so that two systems of one could speak for each other.
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
