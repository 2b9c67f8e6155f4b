/** A FHIR write on its way, and what its answer proves. */
import type { Access } from '../core/access.js'
import { rewriteBase } from '../core/enforcement.js'
import type { FhirWriteCall } from '../core/fhir.js'
import { isOfPatient } from '../core/fhir-compartment.js'
import { judgeResource } from '../core/fhir-judge.js'
import { isId, versionOf } from '../core/fhir-own.js'
import { isUnchanged, versionIn } from '../core/fhir-write.js'
import { isObject, type Json } from '../core/json.js'
import { writeJson } from '../core/json-text.js'
import { Refusal } from '../core/refusal.js'
import type { UpstreamAnswer } from '../record/record.js'
import { recordAllowed } from './entry.js'
import type { FhirAnswer, FhirAsked } from './fhir-parts.js'
import { type FhirWrite, prepareWrite } from './fhir-write.js'
import type { ProxyParts } from './parts.js'
import { validatorsOf } from './request.js'
import { goesOn, maySee } from './standing.js'
import { ifSayable, requireDone, writeOnce } from './write.js'

const FHIR_JSON = 'application/fhir+json'
const invalid = (detail: string) => new Refusal('upstream_invalid', `fhir: ${detail}`)

/** What now stands. */
interface Written {
  readonly id: string
  readonly version: string
  readonly resource: Json
}

function send({ record }: ProxyParts, { method, type, id, resource, previous, unless }: FhirWrite) {
  return record.forward({
    ...{ upstream: 'fhir', method, path: id === undefined ? `/${type}` : `/${type}/${id}` },
    headers: {
      ...(resource === undefined
        ? {}
        : { 'content-type': FHIR_JSON, prefer: 'return=representation' }),
      ...(previous === undefined ? {} : { 'if-match': `W/"${previous}"` }),
      ...(unless === undefined ? {} : { 'if-none-exist': unless }),
    },
    ...(resource === undefined ? {} : { body: writeJson(resource) }),
  })
}

/** The record's plain no, and a condition that was met by then, or by what this caller may not see. */
function requireWritten({ method, unless }: FhirWrite, answer: UpstreamAnswer): void {
  // FHIR R4, "delete": what others refer to may have to stay. To read it again would change nothing.
  if (method === 'DELETE' && answer.status === 409)
    throw new Refusal('record_refused', 'the record answered 409')
  requireDone(answer)
  if (unless !== undefined && answer.status === 200)
    throw new Refusal('version_stale', 'the condition is met')
}

const PLACE = /\/([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/

/** Where an answer says that it was written. */
export function placeOfLocation(location: unknown, type: string): string | undefined {
  const [, said, id] = PLACE.exec(`/${typeof location === 'string' ? location : ''}`) ?? []
  return said === type ? id : undefined
}

/** A server may leave the body out, or remark on it: what it wrote is then read. */
async function representation(
  parts: ProxyParts,
  write: FhirWrite,
  { headers, body }: UpstreamAnswer,
) {
  if (isObject(body) && body.resourceType === write.type)
    return { resource: body, etag: headers.etag }
  const id = write.id ?? placeOfLocation(headers.location, write.type)
  if (id === undefined) throw invalid('a write without a place')
  const path = `/${write.type}/${id}`
  const read = await parts.record.forward({ upstream: 'fhir', method: 'GET', path })
  return { resource: read.body, etag: read.headers.etag }
}

/** The record's plain yes: it holds another version than before, unless nothing is new, of what was written, of this patient. */
async function proveWritten(
  parts: ProxyParts,
  write: FhirWrite,
  answer: UpstreamAnswer,
): Promise<Written> {
  const created = write.id === undefined
  if (answer.status !== (created ? 201 : 200)) throw invalid(`a write answered ${answer.status}`)
  const { resource, etag } = await representation(parts, write, answer)
  if (!isObject(resource) || resource.resourceType !== write.type || !isId(resource.id))
    throw invalid('not what was written')
  const version = versionIn(etag) ?? versionOf(resource)
  const other = write.id !== undefined && resource.id !== write.id
  const stayed = version === write.previous && !isUnchanged(write.resource, resource)
  if (other || version === '' || stayed) throw invalid('not what was written')
  if (!isOfPatient(resource, write.release.whose)) throw invalid('written to another patient')
  return { id: resource.id, version, resource }
}

function proveDeleted({ status }: UpstreamAnswer): undefined {
  if (status !== 200 && status !== 204) throw invalid(`a delete answered ${status}`)
  return undefined
}

/** What now stands, for who may read it. */
export function shownTo({ release }: FhirWrite, resource: Json): Json | undefined {
  if (judgeResource(release, resource, 'r').is !== 'given') return undefined
  return rewriteBase(resource, release.whose.upstream, release.base) as Json
}

export const detailOf = ({ interaction, type, id }: FhirWrite) => ({
  ...{ interaction, type },
  ...(id === undefined ? {} : { id }),
})

// biome-ignore format: a table
const DOES = { POST: 'create', PUT: 'update', DELETE: 'delete' } as const

/** What is about to be written, for the launch's outcome. */
export const writingOf = ({ method, type, id, previous }: FhirWrite) => ({
  ...{ does: DOES[method], what: { type, id }, previous },
})

/** @throws Refusal record_absent, version_stale, record_refused (not done), write_unknown */
async function commitWrite(
  parts: ProxyParts,
  access: Access,
  write: FhirWrite,
  asked: FhirAsked,
): Promise<FhirAnswer> {
  const { answer, proof } = await writeOnce({
    still: () => goesOn(asked),
    record: () => recordAllowed(parts.trail, access, write.decisions, detailOf(write)),
    begin: () => parts.outcomes.begin(access, [writingOf(write)]),
    send: () => send(parts, write),
    refused: (given) => requireWritten(write, given),
    prove: async (given) =>
      write.method === 'DELETE' ? proveDeleted(given) : proveWritten(parts, write, given),
    written: (done) =>
      done
        ? [{ id: done.id, version: done.version, content: shownTo(write, done.resource) }]
        : [{}],
  })
  if (proof === undefined) return { status: 204 }
  const { id, version, resource } = proof
  const { lastModified } = validatorsOf(answer)
  const shown = !asked.minimal && (await maySee(asked.stands))
  const body = shown ? ifSayable(() => shownTo(write, resource)) : undefined
  return {
    status: write.id === undefined ? 201 : 200,
    etag: `W/"${version}"`,
    location: `${parts.base}/${write.type}/${id}/_history/${version}`,
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(body === undefined ? {} : { body }),
  }
}

/** @throws Refusal of proxy/fhir-write.ts and {@link commitWrite} */
export async function answerWrite(
  parts: ProxyParts,
  access: Access,
  asked: FhirAsked<FhirWriteCall>,
): Promise<FhirAnswer> {
  const write = await prepareWrite(parts, access, asked)
  if ('found' in write) return write.found
  return commitWrite(parts, access, write, asked)
}
