/** Certificates, keys and servers of the record as the configuration names them: at their absolute places, each there. */
import { existsSync } from 'node:fs'
import type { Credentials } from './config-secrets.js'
import type { GatewayFile } from './core/settings.js'

export type Place = (name: string) => string
type Pair = GatewayFile['tls']
type Upstreams = GatewayFile['upstreams']

/** A certificate and its key at their absolute places. */
export function pairAt(pair: Pair, where: string, place: Place, problems: string[]): Pair {
  const found = pair && { cert: place(pair.cert), key: place(pair.key) }
  for (const [name, file] of Object.entries(found ?? {})) {
    if (!existsSync(file)) problems.push(`${where}.${name}: there is no file ${file}`)
  }
  return found
}

/** How clients are known by certificate, with every place absolute, and what of it does not go together. */
export function mutualTlsOf(
  gateway: GatewayFile,
  place: Place,
  problems: string[],
): GatewayFile['mtls'] {
  const { mtls, trust_proxy } = gateway
  if (!mtls) return undefined
  if (mtls.listen && !mtls.tls && !gateway.tls)
    problems.push('mtls.tls or tls: missing; mtls.listen needs a certificate of our own')
  if (mtls.header && trust_proxy.length === 0)
    problems.push('trust_proxy: missing; mtls.header is believed from those addresses only')
  const tls = pairAt(mtls.tls, 'mtls.tls', place, problems)
  const ca = mtls.ca === undefined ? undefined : place(mtls.ca)
  if (ca !== undefined && !existsSync(ca)) problems.push(`mtls.ca: there is no file ${ca}`)
  return { ...mtls, ...(tls ? { tls } : {}), ...(ca === undefined ? {} : { ca }) }
}

/** One server of the record, with every place absolute. */
function upstreamAt<T extends Upstreams['fhir']>(
  upstream: T,
  [where, given]: readonly [string, string | undefined],
  place: Place,
  problems: string[],
): T {
  const { tls, authenticate } = upstream
  if (authenticate && given !== undefined)
    problems.push(`${where}.authenticate: there is a credential in the environment as well`)
  const files = Object.entries(tls ?? {}).map(
    ([name, file]) => [name, place(String(file))] as const,
  )
  for (const [name, file] of files) {
    if (!existsSync(file)) problems.push(`${where}.tls.${name}: there is no file ${file}`)
  }
  return tls ? { ...upstream, tls: Object.fromEntries(files) } : upstream
}

interface Given {
  readonly fhirCredential?: string
  readonly openehrCredential?: string
  readonly tenantCredentials: Readonly<Record<string, Credentials>>
}

/** The servers of the region, and those of tenants with a record of their own. */
export function upstreamsAt(
  { fhir, openehr, tenants }: Upstreams,
  { fhirCredential, openehrCredential, tenantCredentials }: Given,
  place: Place,
  problems: string[],
): Upstreams {
  const at = <T extends Upstreams['fhir']>(one: T, where: string, given: string | undefined): T =>
    upstreamAt(one, [`upstreams.${where}`, given], place, problems)
  return {
    fhir: at(fhir, 'fhir', fhirCredential),
    openehr: at(openehr, 'openehr', openehrCredential),
    tenants: tenants.map((tenant, i) => {
      const given = tenantCredentials[tenant.name]
      return {
        ...tenant,
        fhir: at(tenant.fhir, `tenants.${i}.fhir`, given?.fhir),
        openehr: at(tenant.openehr, `tenants.${i}.openehr`, given?.openehr),
      }
    }),
  }
}
