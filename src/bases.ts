/** The two bases of the record as apps reach them: what stands behind each, and what the configuration lets be asked. */
import type { Config } from './config.js'
import { AD_HOC } from './core/openehr-calls.js'
import { PLAN } from './core/stored-query.js'
import { fhirProxy } from './proxy/fhir.js'
import type { HandoverParts } from './proxy/handover.js'
import { openehrProxy } from './proxy/openehr.js'
import { createOwners } from './proxy/openehr-owners.js'
import type { OpenEhrParts } from './proxy/openehr-parts.js'
import type { Served } from './proxy/parts.js'

/** Beside two calls to the record: what claim and trail may take while a section is begun. */
const HOLD_MARGIN_MS = 5_000

/** The plan's own query stands beside those of the configuration. */
const queriesOf = ({ upstreams }: Config) => [PLAN, ...upstreams.openehr.queries]

/** Queries that a scope can name. */
export const queriesNamed = (config: Config): readonly string[] => [
  ...queriesOf(config).map(({ name }) => name),
  ...(config.upstreams.openehr.ad_hoc_aql ? [AD_HOC] : []),
]

/** In milliseconds. */
const slowestOf = ({ upstreams: { openehr, tenants } }: Config): number =>
  Math.max(openehr.timeout_ms, ...tenants.map((tenant) => tenant.openehr.timeout_ms))

type Behind = Omit<Served<HandoverParts>, 'bearer' | 'base'> &
  Pick<OpenEhrParts, 'handovers' | 'unsaved' | 'store'>

/** @returns the handlers of both, given how calls are let in */
export const openBases = (config: Config, parts: Behind) => (bearer: OpenEhrParts['bearer']) => ({
  fhir: fhirProxy({ ...parts, bearer, base: `${config.issuer}/fhir` }),
  openehr: openehrProxy({
    ...parts,
    bearer,
    base: `${config.issuer}/openehr/v1`,
    plan: config.plan,
    queries: queriesOf(config),
    adHoc: config.upstreams.openehr.ad_hoc_aql,
    owners: createOwners(parts.clock),
    skew: config.limits.skew,
    holdMs: 2 * slowestOf(config) + HOLD_MARGIN_MS,
  }),
})
