/**
 * The record's CapabilityStatement cut down to what we let through, so that an app is told of nothing
 * that it would be refused, and of nothing behind us.
 *
 * @see FHIR R4, CapabilityStatement; SMART App Launch 2.2, "Conformance"
 */
import { z } from 'zod'
import { FHIR_INTERACTIONS, FHIR_TYPES, type FhirType } from './fhir.js'
import { Refusal } from './refusal.js'

const statement = z.object({
  resourceType: z.literal('CapabilityStatement'),
  status: z.string().default('active'),
  date: z.string().default('2026-01-01'),
  fhirVersion: z.string(),
  rest: z
    .array(
      z.object({
        mode: z.string(),
        resource: z
          .array(
            z.object({
              type: z.string(),
              interaction: z.array(z.object({ code: z.string() })).default([]),
              searchParam: z.array(z.object({ name: z.string(), type: z.string() })).default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
})

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

/** FHIR's codes for the interactions of our table. */
const CODES = { capabilities: undefined, read: 'read', search: 'search-type' } as const

function interactionsOf(type: FhirType, upstream: readonly { readonly code: string }[]) {
  const searchable = FHIR_TYPES[type].search.length > 0
  return FHIR_INTERACTIONS.flatMap(({ name }) => {
    const code = CODES[name]
    const offered = code !== undefined && (name !== 'search' || searchable)
    return offered && upstream.some((each) => each.code === code) ? [{ code }] : []
  })
}

/** @throws Refusal upstream_invalid */
export function narrowCapabilities(body: unknown, base: string) {
  const read = statement.safeParse(body)
  if (!read.success) throw new Refusal('upstream_invalid', 'fhir: not a CapabilityStatement')
  const { status, date, fhirVersion, rest } = read.data
  const server = rest.find(({ mode }) => mode === 'server')
  const resource = (server?.resource ?? [])
    .filter(({ type }) => Object.hasOwn(FHIR_TYPES, type))
    .map(({ type, interaction, searchParam }) => {
      const offered: readonly string[] = FHIR_TYPES[type as FhirType].search
      return {
        type,
        interaction: interactionsOf(type as FhirType, interaction),
        searchParam: searchParam.filter(({ name }) => offered.includes(name)),
      }
    })
  return {
    resourceType: 'CapabilityStatement',
    status,
    date,
    kind: 'instance',
    implementation: { description: 'The shared record, through its launch gateway', url: base },
    fhirVersion,
    format: ['json'],
    rest: [{ mode: 'server', security: SMART_SECURITY, resource }],
  }
}
