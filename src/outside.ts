/** Whom the gateway calls: the record, the OpenID provider, launch issuers, and addresses that apps registered. */
import type { Config } from './config.js'
import type { World } from './foundations.js'
import { assertionsBy } from './identity/client-assertion.js'
import { openClinicianProvider } from './identity/clinician.js'
import { openLaunchIssuers } from './identity/launch-issuer.js'
import { openOutbound } from './keys/outbound.js'
import type { Keys } from './keys/signing.js'
import { openRecord } from './record/record.js'

const CALL_TIMEOUT_SECONDS = 5

export function openOutside(config: Config, { clock, allowHttp }: World, keys: Keys) {
  const { fhir, openehr } = config.upstreams
  const { clinician } = config.identity
  const { fhirCredential, openehrCredential } = config.secrets
  const calls = {
    authenticate: assertionsBy((typ, claims) => keys.sign('ES256', typ, claims)),
    timeoutSeconds: CALL_TIMEOUT_SECONDS,
    allowHttp,
  }
  const { aal2, aal3 } = clinician.acr_values
  const openProvider = (path: string) =>
    openClinicianProvider(
      {
        ...calls,
        issuer: clinician.issuer,
        clientId: clinician.client_id,
        redirectUri: `${config.issuer}${path}`,
        scope: clinician.scope,
        acrValues: { 1: aal2, 2: aal2, 3: aal3 },
        maxAge: clinician.max_age,
      },
      clock,
    )
  return {
    outbound: openOutbound({ clock, allow: config.outbound.allow, allowHttp }),
    record: openRecord({
      fhir: {
        base: fhir.base,
        timeoutMs: fhir.timeout_ms,
        ...(fhirCredential === undefined ? {} : { credential: fhirCredential }),
      },
      openehr: {
        base: openehr.base,
        timeoutMs: openehr.timeout_ms,
        subjectNamespace: openehr.subject_namespace,
        ...(openehrCredential === undefined ? {} : { credential: openehrCredential }),
      },
    }),
    provider: openProvider('/sign-in/callback'),
    /** The same provider, which sends the security team back to the console. */
    team: openProvider('/console/callback'),
    issuers: openLaunchIssuers(
      { ...calls, redirectUri: `${config.issuer}/launch/smart/callback` },
      clock,
    ),
  }
}
