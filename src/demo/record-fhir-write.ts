/** Writing to the demonstration's FHIR record: alone, and in transactions. */
import type { FhirResource } from './fhir-resources.js'
import { type FhirVersion, type FhirVersions, tagOf } from './fhir-versions.js'
import { found, SEARCHES } from './record-fhir-search.js'

/** What a FHIR server says no with. */
export class Fault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
  ) {
    super(text)
  }
}

export interface Wish {
  readonly method: string
  readonly type: string
  readonly id?: string | undefined
  readonly resource?: unknown
  readonly ifMatch?: string | undefined
  readonly ifNoneExist?: string | undefined
}

export interface Done {
  readonly status: 200 | 201 | 204
  readonly type: string
  readonly version?: FhirVersion
}

function resourceOf({ type, id, resource }: Wish): FhirResource {
  const sent = resource as Partial<FhirResource> | undefined
  if (sent?.resourceType !== type || (id !== undefined && sent.id !== id))
    throw new Fault(400, 'invalid', 'Another type or id than in the address')
  return sent as FhirResource
}

function create(versions: FhirVersions, wish: Wish): Done {
  const { type, ifNoneExist } = wish
  if (ifNoneExist !== undefined) {
    const matches = found(versions.current, type, new URLSearchParams(ifNoneExist))
    if (matches === undefined) throw new Fault(400, 'not-supported', 'Unknown search parameter')
    const [match, ...others] = matches
    if (others.length > 0) throw new Fault(412, 'multiple-matches', 'Several match')
    const version = match && versions.of(type, match.id).at(-1)
    if (version !== undefined) return { status: 200, type, version }
  }
  return { status: 201, type, version: versions.put(type, undefined, resourceOf(wish)) }
}

/** @throws Fault */
export function write(versions: FhirVersions, wish: Wish): Done {
  const { method, type, id, ifMatch } = wish
  if (SEARCHES[type] === undefined) throw new Fault(404, 'not-supported', 'Unknown type')
  if (method === 'POST' && id === undefined) return create(versions, wish)
  if (id === undefined || !['PUT', 'DELETE'].includes(method))
    throw new Fault(405, 'not-supported', 'Not offered')
  const current = versions.of(type, id).at(-1)
  if (current?.resource === undefined) throw new Fault(404, 'not-found', 'No such resource')
  if (ifMatch !== undefined && ifMatch !== tagOf(current))
    throw new Fault(412, 'conflict', 'Not the current version')
  if (method === 'PUT')
    return { status: 200, type, version: versions.put(type, id, resourceOf(wish)) }
  versions.drop(type, id)
  return { status: 204, type }
}

interface Entry {
  readonly fullUrl?: string
  readonly resource?: unknown
  readonly request?: {
    readonly method?: string
    readonly url?: string
    readonly ifMatch?: string
    readonly ifNoneExist?: string
  }
}

const wishOf = ({ request = {}, resource }: Entry): Wish => {
  const [type = '', id] = (request.url ?? '').split('/')
  const { method = '', ifMatch, ifNoneExist } = request
  return { method, type, id, resource, ifMatch, ifNoneExist }
}

/** References to what the transaction makes, as what they became. */
function resolved(value: unknown, places: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return places.get(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => resolved(each, places))
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, resolved(each, places)]),
  )
}

/** All of a transaction or nothing. What it makes comes first, so that the rest can refer to it. @throws Fault */
export function transact(versions: FhirVersions, entries: readonly Entry[]): readonly Done[] {
  return versions.atOnce(() => {
    const places = new Map<string, string>()
    const done = entries.map((entry): Done => {
      const one = write(versions, wishOf(entry))
      if (entry.fullUrl !== undefined && one.version?.resource !== undefined)
        places.set(entry.fullUrl, `${one.type}/${one.version.resource.id}`)
      return one
    })
    return done.map((one): Done => {
      const { resource } = one.version ?? {}
      if (resource === undefined || !JSON.stringify(resource).includes('"urn:uuid:')) return one
      const whole = resolved(resource, places) as FhirResource
      return { ...one, version: versions.put(one.type, resource.id, whole) }
    })
  })
}
