/**
 * A FHIR R4 server that others wrote: Medplum's router and repository in memory (`@medplum/fhir-router`), which read the
 * addresses, search, keep versions, hold `If-Match`, carry out bundles and word the errors. Ours is only what Medplum's own
 * server does around them: bytes to JSON and back, and ETag, Last-Modified and Location as its `sendFhirResponse` sets them.
 *
 * Its package of all HL7 definitions (93 MB, which neither of the two loads) is left out of the installation
 * (`overrides` in package.json); what it must know to search stands below, as FHIR R4 has it.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  getStatus,
  indexSearchParameter,
  indexStructureDefinitionBundle,
  isCreated,
} from '@medplum/core'
import { type FhirRequest, FhirRouter, MemoryRepository } from '@medplum/fhir-router'

type Definitions = Parameters<typeof indexStructureDefinitionBundle>[0]
type Parameter = Parameters<typeof indexSearchParameter>[0]

/** Elements that are searched by. */
// biome-ignore format: a table
const ELEMENTS: Readonly<Record<string, Readonly<Record<string, readonly [max: string, ...types: string[]]>>>> = {
  Patient:     { identifier: ['*', 'Identifier'], birthDate: ['1', 'date'] },
  Condition:   { clinicalStatus: ['1', 'CodeableConcept'], category: ['*', 'CodeableConcept'], code: ['1', 'CodeableConcept'], subject: ['1', 'Reference'], recordedDate: ['1', 'dateTime'] },
  Observation: { status: ['1', 'code'], category: ['*', 'CodeableConcept'], code: ['1', 'CodeableConcept'], subject: ['1', 'Reference'], 'effective[x]': ['1', 'dateTime', 'Period', 'Timing', 'instant'] },
}

/** @see FHIR R4, "Search Parameter Registry" */
// biome-ignore format: a table
const PARAMETERS: readonly (readonly [type: string, code: string, kind: string, expression: string])[] = [
  ['Patient',     'identifier',      'token',     'Patient.identifier'],
  ['Patient',     'birthdate',       'date',      'Patient.birthDate'],
  ['Condition',   'patient',         'reference', 'Condition.subject.where(resolve() is Patient)'],
  ['Condition',   'clinical-status', 'token',     'Condition.clinicalStatus'],
  ['Condition',   'category',        'token',     'Condition.category'],
  ['Condition',   'code',            'token',     'Condition.code'],
  ['Condition',   'recorded-date',   'date',      'Condition.recordedDate'],
  ['Observation', 'patient',         'reference', 'Observation.subject.where(resolve() is Patient)'],
  ['Observation', 'status',          'token',     'Observation.status'],
  ['Observation', 'category',        'token',     'Observation.category'],
  ['Observation', 'code',            'token',     'Observation.code'],
  ['Observation', 'date',            'date',      'Observation.effective'],
]

function define(): void {
  const structures = Object.entries(ELEMENTS).map(([type, elements]) => ({
    ...{ resourceType: 'StructureDefinition', status: 'active', kind: 'resource', abstract: false },
    ...{ name: type, type, url: `http://hl7.org/fhir/StructureDefinition/${type}` },
    snapshot: {
      element: [
        { path: type, min: 0, max: '*' },
        ...Object.entries(elements).map(([name, [max, ...types]]) => ({
          ...{ path: `${type}.${name}`, min: 0, max },
          type: types.map((code) => ({ code })),
        })),
      ],
    },
  }))
  indexStructureDefinitionBundle(structures as unknown as Definitions)
  for (const [base, code, type, expression] of PARAMETERS) {
    const parameter = { resourceType: 'SearchParameter', base: [base], code, type, expression }
    indexSearchParameter(parameter as unknown as Parameter)
  }
}

export interface OthersFhir {
  readonly repository: MemoryRepository
  readonly listener: RequestListener
  /** What it was asked, in order: method and address under its base. */
  readonly asked: string[]
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const sent = await text(req)
  if (sent === '') return undefined
  const isForm = req.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return isForm ? Object.fromEntries(new URLSearchParams(sent)) : JSON.parse(sent)
}

/** @param base the path under which it answers */
export function createOthersFhir(base: string): OthersFhir {
  define()
  const repository = new MemoryRepository()
  const router = new FhirRouter()
  const asked: string[] = []

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = (req.url ?? '').slice(base.length)
    asked.push(`${req.method} ${url}`)
    const { searchParams } = new URL(url, 'http://record')
    const asks = {
      ...{ method: req.method, url, headers: req.headers, params: {} },
      ...{ query: Object.fromEntries(searchParams), body: await bodyOf(req) },
    }
    // It takes the path from `url`, and no longer from the member that its type still wants.
    const [outcome, resource] = await router.handleRequest(asks as FhirRequest, repository)
    const { versionId, lastUpdated } = resource?.meta ?? {}
    res.setHeader('Content-Type', 'application/fhir+json; charset=utf-8')
    if (versionId !== undefined) res.setHeader('ETag', `W/"${versionId}"`)
    if (lastUpdated !== undefined)
      res.setHeader('Last-Modified', new Date(lastUpdated).toUTCString())
    if (resource && isCreated(outcome))
      res.setHeader(
        'Location',
        `http://${req.headers.host}${base}/${resource.resourceType}/${resource.id}`,
      )
    res.writeHead(getStatus(outcome)).end(JSON.stringify(resource ?? outcome))
  }
  return { repository, asked, listener: (req, res) => void answer(req, res) }
}
