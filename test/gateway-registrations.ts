/** Apps and launch systems that the demonstration does not have, for tests from outside. */
import type { JWK } from 'jose'
import type { Client } from '../src/core/client.js'
import type { LaunchSystem } from '../src/core/launch-system.js'

const publicPart = ({ kty, crv, x, y, kid, alg, use }: JWK): Record<string, unknown> => ({
  ...{ kty, crv, x, y, kid, alg, use },
})

/** Where each app is launched and where it returns to. Nobody listens there. */
export const APP_ORIGINS: Readonly<Record<string, string>> = {
  'care-plan': 'http://app.localhost:9999',
  'key-app': 'http://key-app.localhost:9998',
  'v1-app': 'http://v1-app.localhost:9997',
}

const app = (
  id: string,
): Pick<
  Client,
  'id' | 'name' | 'profile' | 'grantTypes' | 'pushed' | 'redirectUris' | 'launchUrls' | 'origins'
> => {
  const origin = APP_ORIGINS[id] ?? ''
  return {
    ...{ id, name: id, redirectUris: [`${origin}/`, `${origin}/back?tab=1`] },
    ...{ launchUrls: [`${origin}/launch.html`], origins: [origin] },
    ...{ profile: 'smart', grantTypes: ['authorization_code', 'refresh_token'], pushed: false },
  }
}

/** `key-app` authenticates by private_key_jwt; `v1-app` speaks SMART v1's scopes. */
export const APPS = (keys: Readonly<Record<'key-app', JWK>>): readonly Client[] => [
  {
    ...app('key-app'),
    ...{ type: 'key', keys: { jwks: { keys: [publicPart(keys['key-app'])] } } },
    assertionAlgorithms: ['ES384', 'RS384', 'ES256'],
    scopes: ['launch', 'openid', 'fhirUser', 'online_access', 'patient/*.rs'],
    idTokenAlgorithm: 'ES256',
  },
  {
    ...app('v1-app'),
    ...{ type: 'public', assertionAlgorithms: [], idTokenAlgorithm: 'RS256' },
    scopes: ['launch', 'openid', 'fhirUser', 'patient/*.cruds'],
  },
]

/**
 * `gp-clinic` pushes and leaves the sign-on to the provider; `gp-ward` signs its users on by launch, as
 * `gp-post` does, but is another system.
 */
export function extraSystems(
  keys: Readonly<Record<'clinic' | 'ward', JWK>>,
  desktop: string,
): readonly LaunchSystem[] {
  const row = {
    ...{ algorithms: ['ES256'] as const, organizations: ['A83001', 'RYX01', '8HK21', 'T5A01'] },
    ...{ purposes: ['direct-care'] as const, defaultPurpose: 'direct-care' as const },
    ...{
      apps: [],
      claims: {},
      supersede: 'never' as const,
      outcome: 'text' as const,
      maxLifetime: 60,
    },
  }
  return [
    {
      ...{ ...row, id: 'gp-clinic', issuer: 'gp-clinic', name: 'Clinic', rung: 'pushed' },
      ...{ signOn: 'provider', keys: { jwks: { keys: [publicPart(keys.clinic)] } } },
      frameAncestors: [desktop],
    },
    {
      ...{ ...row, id: 'gp-ward', issuer: 'gp-ward', name: 'Ward', rung: 'signed' },
      ...{ signOn: 'launch', keys: { jwks: { keys: [publicPart(keys.ward)] } } },
      frameAncestors: ['https://ward.example'],
    },
  ]
}
