/** Whom the gateway calls: the record, the OpenID provider, launch issuers, and addresses that apps registered. */
import { readFileSync } from 'node:fs'
import type { Config } from './config.js'
import type { Credentials } from './config-secrets.js'
import type { World } from './foundations.js'
import { assertionsBy } from './identity/client-assertion.js'
import { openClinicianProvider } from './identity/clinician.js'
import type { ProviderAddress } from './identity/discovery.js'
import { openLaunchIssuers } from './identity/launch-issuer.js'
import { openOutbound } from './keys/outbound.js'
import type { Keys } from './keys/signing.js'
import { openTenants } from './record/tenants.js'
import type { UpstreamSettings } from './record/upstream.js'

const CALL_TIMEOUT_SECONDS = 5

/** How we reach a server of the record, and prove who we are there. */
function upstreamOf(
  { base, timeout_ms, authenticate, tls = {} }: Config['upstreams']['fhir'],
  given: string | undefined,
  calls: Pick<ProviderAddress, 'authenticate' | 'allowHttp'>,
): UpstreamSettings {
  const fetched = authenticate && {
    tokenEndpoint: authenticate.token_endpoint,
    clientId: authenticate.client_id,
    scope: authenticate.scope,
    ...{ authenticate: calls.authenticate, allowHttp: calls.allowHttp },
  }
  const credential = fetched ?? given
  const certificates = Object.fromEntries(
    Object.entries(tls).map(([name, file]) => [name, readFileSync(String(file), 'utf8')]),
  )
  return {
    ...{ base, timeoutMs: timeout_ms, certificates },
    ...(credential === undefined ? {} : { credential }),
  }
}

/** A place's two servers. */
function recordOf(
  { fhir, openehr }: Pick<Config['upstreams']['tenants'][number], 'fhir' | 'openehr'>,
  given: Credentials,
  calls: Parameters<typeof upstreamOf>[2],
) {
  return {
    fhir: upstreamOf(fhir, given.fhir, calls),
    openehr: {
      ...upstreamOf(openehr, given.openehr, calls),
      subjectNamespace: openehr.subject_namespace,
      ifMatch: openehr.if_match,
    },
  }
}

/** @param regionOf the region of an organisation, by its ODS code */
export function openOutside(
  config: Config,
  { clock, allowHttp, log }: World,
  keys: Keys,
  regionOf: (organization: string) => string | undefined,
) {
  const { clinician } = config.identity
  const { fhirCredential, openehrCredential, tenantCredentials } = config.secrets
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
  const given = {
    ...(fhirCredential === undefined ? {} : { fhir: fhirCredential }),
    ...(openehrCredential === undefined ? {} : { openehr: openehrCredential }),
  }
  const heard = (tenant?: string) => ({
    clock,
    told: (upstream: string, resting: boolean) =>
      log.warn(
        { upstream, ...(tenant === undefined ? {} : { tenant }) },
        resting ? 'the record does not answer: it is left alone for a while' : 'it answers again',
      ),
  })
  return {
    outbound: openOutbound({ clock, allow: config.outbound.allow, allowHttp }),
    records: openTenants(
      { ...heard(), ...recordOf(config.upstreams, given, calls) },
      config.upstreams.tenants.map((tenant) => ({
        ...tenant,
        ...heard(tenant.name),
        ...recordOf(tenant, tenantCredentials[tenant.name] ?? {}, calls),
      })),
      regionOf,
      config.plan.map(({ template }) => template),
      (places) =>
        log.warn({ records: places }, 'one person has plans in several records: see the trail'),
    ),
    provider: openProvider('/sign-in/callback'),
    /** The same provider, which sends the security team back to the console. */
    team: openProvider('/console/callback'),
    issuers: openLaunchIssuers(
      { ...calls, redirectUri: `${config.issuer}/launch/smart/callback` },
      clock,
    ),
  }
}
