/** A transaction: all of its writes judged, then all or none of them done by the record. */
import type { Access } from '../core/access.js'
import type { FhirWriteCall } from '../core/fhir.js'
import { type BundleEntry, readResponses, requireWhole } from '../core/fhir-bundle.js'
import { isOfPatient } from '../core/fhir-compartment.js'
import { versionOf } from '../core/fhir-release.js'
import { versionIn } from '../core/fhir-write.js'
import { isObject, type Json } from '../core/json.js'
import { Refusal } from '../core/refusal.js'
import { recordAllowed } from './entry.js'
import { detailOf, placeIn, shownTo } from './fhir-commit.js'
import type { FhirAsked } from './fhir-parts.js'
import { type FhirWrite, prepareWrite } from './fhir-write.js'
import type { ProxyParts } from './parts.js'
import { requireDone, writeOnce } from './write.js'

interface Step {
  readonly write: FhirWrite
  readonly urn?: string
  /** What a conditional create has found, and must find again. */
  readonly found?: string
}

async function prepareStep(parts: ProxyParts, access: Access, entry: BundleEntry): Promise<Step> {
  const { call, urn } = entry
  if (
    call.interaction === 'read' ||
    call.interaction === 'vread' ||
    call.interaction === 'history' ||
    call.interaction === 'search'
  )
    throw new Refusal('interaction_refused', 'a read in a transaction')
  const asked = { ...entry, call } as FhirAsked<FhirWriteCall>
  const prepared = await prepareWrite(parts, access, asked)
  const named = urn === undefined || call.interaction !== 'create' ? {} : { urn }
  return 'found' in prepared
    ? { write: prepared.write, found: prepared.id, ...named }
    : { write: prepared, ...named }
}

const placeOf = ({ type, id }: FhirWrite): string => (id === undefined ? type : `${type}/${id}`)

function entryFor({ write, urn }: Step, upstream: string): Json {
  const { method, resource, previous, unless, id } = write
  const fullUrl = id === undefined ? urn : `${upstream}/${placeOf(write)}`
  return {
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resource === undefined ? {} : { resource }),
    request: {
      ...{ method, url: placeOf(write) },
      ...(previous === undefined ? {} : { ifMatch: `W/"${previous}"` }),
      ...(unless === undefined ? {} : { ifNoneExist: unless }),
    },
  }
}

const invalid = (detail: string) => new Refusal('upstream_invalid', `fhir: ${detail}`)

/** What one entry of the record's answer proves: the same as the answer to a write by itself. */
function proveStep(
  { base }: ProxyParts,
  { write, found }: Step,
  { response, resource }: Json,
): Json {
  const said = isObject(response) ? response : {}
  const status = String(said.status).slice(0, 3)
  if (write.method === 'DELETE') {
    if (status !== '200' && status !== '204') throw invalid(`a delete answered ${status}`)
    return { response: { status: '204' } }
  }
  const expected = write.id === undefined && found === undefined ? '201' : '200'
  if (status !== expected) throw invalid(`a write answered ${status}`)
  const id = write.id ?? placeIn(said.location, write.type)
  if (id === undefined || (found !== undefined && id !== found))
    throw invalid('not what was written')
  const body = isObject(resource) && resource.resourceType === write.type ? resource : undefined
  if (body !== undefined && (body.id !== id || !isOfPatient(body, write.release.whose)))
    throw invalid('not what was written')
  const version =
    versionIn(typeof said.etag === 'string' ? said.etag : undefined) ?? versionOf(body ?? {})
  if (found === undefined && (version === '' || version === write.previous))
    throw invalid('no version')
  const shown = body && shownTo(write, body)
  return {
    ...(shown === undefined ? {} : { resource: shown }),
    response: {
      status,
      location: `${base}/${write.type}/${id}${version === '' ? '' : `/_history/${version}`}`,
      ...(version === '' ? {} : { etag: `W/"${version}"` }),
    },
  }
}

/** @throws Refusal of proxy/fhir-write.ts for any of the entries; those of {@link writeOnce} for all */
export async function answerTransaction(
  parts: ProxyParts,
  access: Access,
  entries: readonly BundleEntry[],
): Promise<readonly Json[]> {
  const steps: Step[] = []
  for (const entry of entries) steps.push(await prepareStep(parts, access, entry))
  requireWhole(
    steps.map(({ write, urn }) => ({
      ...(urn === undefined ? {} : { urn }),
      ...(write.id === undefined ? {} : { place: placeOf(write) }),
      ...(write.resource === undefined ? {} : { resource: write.resource }),
    })),
  )
  const { record, trail } = parts
  const entry = steps.map((step) => entryFor(step, record.bases.fhir))
  const { proof } = await writeOnce({
    async record() {
      await Promise.all(
        steps.map(({ write }) => recordAllowed(trail, access, write.decisions, detailOf(write))),
      )
    },
    send: () =>
      record.forward({
        ...{ upstream: 'fhir', method: 'POST', path: '/' },
        headers: { 'content-type': 'application/fhir+json', prefer: 'return=representation' },
        body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
      }),
    refused: requireDone,
    prove: async ({ body }) =>
      readResponses(body, steps.length).map((each, at) =>
        proveStep(parts, steps[at] as Step, each),
      ),
  })
  return proof
}
