/**
 * The record's CapabilityStatement cut down to what we let through, so that an app is told of nothing
 * that it would be refused, and of nothing behind us.
 *
 * @see FHIR R4, CapabilityStatement; SMART App Launch 2.2, "Conformance"
 */
import { z } from 'zod'
import { FHIR_INTERACTIONS } from './fhir.js'
import { type FhirType, isFhirType, rowOf, searchOf } from './fhir-types.js'
import { Refusal } from './refusal.js'

const code = z.object({ code: z.string() })
const statement = z.object({
  resourceType: z.literal('CapabilityStatement'),
  status: z.string().default('active'),
  date: z.string().default('2026-01-01'),
  fhirVersion: z.string(),
  rest: z
    .array(
      z.object({
        mode: z.string(),
        interaction: z.array(code).default([]),
        resource: z
          .array(
            z.object({
              type: z.string(),
              interaction: z.array(code).default([]),
              conditionalCreate: z.boolean().default(false),
              searchParam: z.array(z.object({ name: z.string(), type: z.string() })).default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
})
type Upstream = z.infer<typeof statement>['rest'][number]['resource'][number]

const SMART_SECURITY = {
  cors: true,
  service: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
          code: 'SMART-on-FHIR',
        },
      ],
    },
  ],
}

/** What the record must do for us to do it: a patch goes on as an update. */
const behind = (code: string): string => (code === 'patch' ? 'update' : code)

function interactionsOf(type: FhirType, { interaction }: Upstream) {
  const { writes } = rowOf(type)
  return FHIR_INTERACTIONS.flatMap(({ code, needs }) => {
    if (code === undefined || needs === undefined) return []
    const offered =
      needs === 'r' || (needs === 's' ? searchOf(type).length > 0 : writes.includes(needs))
    return offered && interaction.some((each) => each.code === behind(code)) ? [{ code }] : []
  })
}

function resourceOf(type: FhirType, upstream: Upstream) {
  const interaction = interactionsOf(type, upstream)
  const does = (code: string): boolean => interaction.some((each) => each.code === code)
  const search = searchOf(type)
  const includes = Object.keys(rowOf(type).includes)
  return {
    type,
    interaction,
    ...(does('update')
      ? {
          versioning: 'versioned-update',
          updateCreate: false,
          conditionalCreate: does('create') && upstream.conditionalCreate,
          conditionalUpdate: does('search-type'),
          conditionalDelete: does('delete') && does('search-type') ? 'single' : 'not-supported',
        }
      : {}),
    ...(includes.length > 0 ? { searchInclude: includes } : {}),
    searchParam: upstream.searchParam.filter(({ name }) => search.includes(name)),
  }
}

/** @throws Refusal upstream_invalid */
export function narrowCapabilities(body: unknown, base: string) {
  const read = statement.safeParse(body)
  if (!read.success) throw new Refusal('upstream_invalid', 'fhir: not a CapabilityStatement')
  const { status, date, fhirVersion, rest } = read.data
  const server = rest.find(({ mode }) => mode === 'server')
  const resource = (server?.resource ?? []).flatMap((each) =>
    isFhirType(each.type) ? [resourceOf(each.type, each)] : [],
  )
  const transaction = server?.interaction.some((each) => each.code === 'transaction') ?? false
  const interaction = [{ code: 'batch' }, ...(transaction ? [{ code: 'transaction' }] : [])]
  return {
    resourceType: 'CapabilityStatement',
    status,
    date,
    kind: 'instance',
    implementation: { description: 'The shared record, through its launch gateway', url: base },
    fhirVersion,
    format: ['json'],
    patchFormat: ['application/json-patch+json'],
    rest: [{ mode: 'server', security: SMART_SECURITY, resource, interaction }],
  }
}
