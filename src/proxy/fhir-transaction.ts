/** A transaction: all of its writes judged, then all or none of them done by the record. */
import type { Access } from '../core/access.js'
import type { FhirWriteCall } from '../core/fhir.js'
import { type BundleEntry, readResponses, requireWhole } from '../core/fhir-bundle.js'
import { isOfPatient } from '../core/fhir-compartment.js'
import { versionOf } from '../core/fhir-own.js'
import { isUnchanged, versionIn } from '../core/fhir-write.js'
import { isObject, type Json } from '../core/json.js'
import { writeJson } from '../core/json-text.js'
import type { Written } from '../core/outcome.js'
import { Refusal } from '../core/refusal.js'
import { withinReading, withinSize, withinTime } from './bounds.js'
import { recordAllowed } from './entry.js'
import { detailOf, placeOfLocation, shownTo, writingOf } from './fhir-commit.js'
import { type FhirAsked, READS } from './fhir-parts.js'
import { type FhirWrite, prepareWrite } from './fhir-write.js'
import type { ProxyParts } from './parts.js'
import { goesOn, type Meanwhile, maySee } from './standing.js'
import { requireDone, writeOnce } from './write.js'

interface Step {
  readonly write: FhirWrite
  readonly urn?: string
  /** What a conditional create has found, and must find again. */
  readonly found?: string
}

async function prepareStep(
  parts: ProxyParts,
  access: Access,
  entry: BundleEntry,
  meanwhile: Meanwhile,
): Promise<Step> {
  const { call, urn } = entry
  if (READS.has(call.interaction))
    throw new Refusal('interaction_refused', 'a read in a transaction')
  const asked = { ...entry, ...meanwhile } as FhirAsked<FhirWriteCall>
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

/** Where an entry says that it was written, as the judged write can only have been. */
function placeIn({ write, found }: Step, { status, location }: Json): string {
  const expected = write.id === undefined && found === undefined ? '201' : '200'
  if (String(status).slice(0, 3) !== expected) throw invalid(`a write answered ${status}`)
  const id = write.id ?? placeOfLocation(location, write.type)
  if (id === undefined || (found !== undefined && id !== found))
    throw invalid('not what was written')
  return id
}

/** What one entry of the record's answer proves: the same as the answer to a write by itself. */
async function proveStep(
  parts: ProxyParts,
  step: Step,
  { response, resource }: Json,
  readBack: (path: string) => Promise<unknown>,
): Promise<Json> {
  const { write, found } = step
  const said = isObject(response) ? response : {}
  if (write.method === 'DELETE') {
    if (!/^20[04]/.test(String(said.status))) throw invalid(`a delete answered ${said.status}`)
    return { response: { status: '204' } }
  }
  const id = placeIn(step, said)
  const { type, release, previous } = write
  const path = `/${type}/${id}`
  const body = isObject(resource) && resource.resourceType === type ? resource : undefined
  const stands = body ?? (await readBack(path))
  if (!isObject(stands) || stands.resourceType !== type || stands.id !== id)
    throw invalid('not what was written')
  if (!isOfPatient(stands, release.whose)) throw invalid('written to another patient')
  const version =
    versionIn(typeof said.etag === 'string' ? said.etag : undefined) ?? versionOf(stands)
  const stayed = version === previous && !isUnchanged(write.resource, stands)
  if (version === '' || stayed) throw invalid('no other version')
  const shown = shownTo(write, stands)
  return {
    ...(shown === undefined ? {} : { resource: shown }),
    response: {
      status: write.id === undefined && found === undefined ? '201' : '200',
      location: `${parts.base}${path}/_history/${version}`,
      etag: `W/"${version}"`,
    },
  }
}

/** The same, for the launch's outcome. */
function writtenBy({ response, resource }: Json): Written {
  const { location, etag } = isObject(response) ? response : {}
  const [, id] = /\/([^/]+)\/_history\/[^/]+$/.exec(String(location)) ?? []
  const version = typeof etag === 'string' ? versionIn(etag) : undefined
  return { id, version, content: resource }
}

/** All of its entries, each after the other: so are those read that a server's answer leaves out. @throws Refusal upstream_invalid, record_unavailable */
async function proveAll(parts: ProxyParts, steps: readonly Step[], body: unknown) {
  const [requireTime, requireSize] = [withinTime(parts), withinSize(parts)]
  async function readBack(path: string): Promise<unknown> {
    requireTime()
    const answer = await parts.record.forward({ upstream: 'fhir', method: 'GET', path })
    requireSize(answer)
    return answer.body
  }
  const proven: Json[] = []
  for (const [at, answer] of readResponses(body, steps.length).entries())
    proven.push(await proveStep(parts, steps[at] as Step, answer, readBack))
  return proven
}

/**
 * Together no more than one call may be given: a patch goes on as the whole resource that it makes, and fifty of them are
 * held until the last has been judged.
 */
async function prepareSteps(
  whole: ProxyParts,
  access: Access,
  entries: readonly BundleEntry[],
  meanwhile: Meanwhile,
): Promise<readonly Step[]> {
  const steps: Step[] = []
  const requireTime = withinTime(whole)
  const { parts, requireRoom } = withinReading(whole)
  let held = 0
  for (const entry of entries) {
    requireTime()
    requireRoom()
    await meanwhile.stands()
    const step = await prepareStep(parts, access, entry, meanwhile)
    held += Buffer.byteLength(JSON.stringify(step.write.resource ?? ''))
    if (held > parts.record.mostBytes)
      throw new Refusal('body_too_large', 'resources of a transaction')
    steps.push(step)
  }
  return steps
}

/** @throws Refusal of proxy/fhir-write.ts for any of the entries; those of {@link writeOnce} for all */
export async function answerTransaction(
  parts: ProxyParts,
  access: Access,
  entries: readonly BundleEntry[],
  meanwhile: Meanwhile,
): Promise<readonly Json[]> {
  const steps = await prepareSteps(parts, access, entries, meanwhile)
  requireWhole(
    steps.map(({ write, urn }) => ({
      ...(urn === undefined ? {} : { urn }),
      ...(write.id === undefined ? {} : { place: placeOf(write) }),
      ...(write.hides ? { hides: true } : {}),
      ...(write.resource === undefined ? {} : { resource: write.resource }),
    })),
  )
  const { record, trail } = parts
  const entry = steps.map((step) => entryFor(step, record.bases.fhir))
  const writes = steps.filter(({ found }) => found === undefined)
  const { proof } = await writeOnce({
    still: () => goesOn(meanwhile),
    begin: () =>
      parts.outcomes.begin(
        access,
        writes.map(({ write }) => writingOf(write)),
      ),
    async record() {
      await Promise.all(
        steps.map(({ write }) => recordAllowed(trail, access, write.decisions, detailOf(write))),
      )
    },
    send: () =>
      record.forward({
        ...{ upstream: 'fhir', method: 'POST', path: '/' },
        headers: { 'content-type': 'application/fhir+json', prefer: 'return=representation' },
        body: writeJson({ resourceType: 'Bundle', type: 'transaction', entry }),
      }),
    refused: requireDone,
    prove: ({ body }) => proveAll(parts, steps, body),
    written: (proven) =>
      proven.flatMap((each, at) => (steps[at]?.found === undefined ? [writtenBy(each)] : [])),
  })
  const shows = await maySee(meanwhile.stands)
  return shows ? proof : proof.map(({ resource: _, ...rest }) => rest)
}
