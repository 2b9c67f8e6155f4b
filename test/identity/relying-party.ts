/** What the tests of the relying party share: a journey's secrets, a configuration, the code of a refusal. */
import { randomBytes } from 'node:crypto'
import { type CryptoKey, PrivateKeyJwt } from 'openid-client'
import { Refusal } from '../../src/core/refusal.js'
import type { ClinicianProviderConfig, JourneySecrets } from '../../src/identity/clinician.js'

export const newSecrets = (): JourneySecrets => ({
  state: randomBytes(24).toString('base64url'),
  nonce: randomBytes(24).toString('base64url'),
  verifier: randomBytes(32).toString('base64url'),
})

export const configFor = (
  provider: Pick<ClinicianProviderConfig, 'issuer' | 'redirectUri'> & {
    readonly key: { readonly key: CryptoKey; readonly kid: string }
  },
): ClinicianProviderConfig => ({
  issuer: provider.issuer,
  redirectUri: provider.redirectUri,
  authenticate: PrivateKeyJwt(provider.key),
  clientId: 'launch-gateway',
  scope: 'openid profile nationalrbacaccess selectedrole associatedorgs',
  acrValues: { 1: 'AAL2_OR_AAL3_ANY', 2: 'AAL2_OR_AAL3_ANY', 3: 'AAL3_ANY' },
  timeoutSeconds: 5,
  allowHttp: true,
})

/** The code with which a promise was refused; anything else that happened, in words. */
export const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'not refused',
    (error: unknown) => (error instanceof Refusal ? error.code : `no refusal: ${error}`),
  )
