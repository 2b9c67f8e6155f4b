/** What the server of modelled-fhir.ts keeps: resources with their versions, in memory, and what it finds among them. */
import { isDeepStrictEqual } from 'node:util'

export type Json = Record<string, unknown>

export class Fault extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export interface Version {
  readonly type: string
  readonly id: string
  readonly number: number
  readonly at: Date
  /** Absent from a version that says that it was deleted. */
  readonly resource?: Json
}

export interface Match {
  readonly resource: Json
  readonly mode: 'match' | 'include'
}

const codings = (concept: unknown) =>
  (concept as { coding?: { system?: string; code: string }[] } | undefined)?.coding ?? []
const isToken = (asked: string, system: unknown, value: unknown) =>
  [value, `${system}|${value}`].includes(asked)
const referenceIn = (member: unknown) =>
  String((member as { reference?: string } | undefined)?.reference)

/** What it can be searched by. */
const SEARCHED: Readonly<Record<string, (resource: Json, asked: string) => boolean>> = {
  _id: ({ id }, asked) => id === asked,
  identifier: ({ identifier = [] }, asked) =>
    (identifier as Json[]).some(({ system, value }) => isToken(asked, system, value)),
  patient: ({ subject }, asked) => referenceIn(subject) === `Patient/${asked.split('/').at(-1)}`,
  code: ({ code }, asked) => codings(code).some((each) => isToken(asked, each.system, each.code)),
  _count: () => true,
  _offset: () => true,
  _include: () => true,
}

const said = ({ meta: _, ...rest }: Json) => rest

export class ModelledResources {
  /** The oldest first. */
  #versions: Version[] = []
  #given = 1000

  allOf(type: string, id: string): readonly Version[] {
    return this.#versions.filter((one) => one.type === type && one.id === id)
  }

  /** @throws Fault 404; 410 where it was deleted */
  last(type: string, id: string): Version & { readonly resource: Json } {
    const { resource, ...found } = this.allOf(type, id).at(-1) ?? {}
    if (!('number' in found)) throw new Fault(404, `Resource ${type}/${id} is not known`)
    if (resource) return { ...(found as Version), resource }
    throw new Fault(410, `Resource ${type}/${id} was deleted, by version ${found.number}`)
  }

  #put(type: string, id: string, resource?: Json): Version {
    const [number, at] = [this.allOf(type, id).length + 1, new Date()]
    const meta = { ...(resource?.meta as Json | undefined), versionId: String(number) }
    const kept = { ...resource, id, meta: { ...meta, lastUpdated: at.toISOString(), source: '#x' } }
    const version = { type, id, number, at, ...(resource ? { resource: kept } : {}) }
    this.#versions.push(version)
    return version
  }

  create(type: string, resource: Json): Version {
    return this.#put(type, String(++this.#given), resource)
  }

  /** An update that changes nothing makes no version. @throws Fault 409 where another version was meant */
  update(type: string, id: string, resource: Json, ifMatch: string | undefined): Version {
    const last = this.allOf(type, id).at(-1)
    if (ifMatch !== undefined && ifMatch !== `W/"${last?.number}"`)
      throw new Fault(409, `Trying to update ${type}/${id}/_history/${ifMatch}: not current`)
    if (last?.resource && isDeepStrictEqual(said(last.resource), said({ ...resource, id })))
      return last
    return this.#put(type, id, resource)
  }

  /** Whatever version was meant. @throws Fault 404, 410; 409 where something refers to it */
  remove(type: string, id: string): Version {
    this.last(type, id)
    const referring = this.current().find((one) =>
      JSON.stringify(one).includes(`"reference":"${type}/${id}"`),
    )
    if (referring)
      throw new Fault(409, `Unable to delete ${type}/${id}: ${referring.resourceType} refers to it`)
    return this.#put(type, id)
  }

  /** All or nothing. */
  together<T>(work: () => T): T {
    const before = [...this.#versions]
    try {
      return work()
    } catch (error) {
      this.#versions = before
      throw error
    }
  }

  current(): readonly Json[] {
    return this.#versions.flatMap(({ type, id, number, resource }) =>
      resource && this.allOf(type, id).length === number ? [resource] : [],
    )
  }

  /** @throws Fault 400 for a parameter that it does not know: it leaves none aside */
  find(type: string, asked: URLSearchParams): readonly Json[] {
    const unknown = [...asked.keys()].find((name) => !Object.hasOwn(SEARCHED, name))
    if (unknown !== undefined)
      throw new Fault(400, `Unknown search parameter "${unknown}" for resource type "${type}"`)
    return this.current().filter(
      (one) =>
        one.resourceType === type &&
        [...asked].every(([name, value]) => SEARCHED[name]?.(one, value)),
    )
  }

  /** What is found, and what it brings along: of any `_include`, the medication. */
  withIncluded(found: readonly Json[], asked: URLSearchParams): readonly Match[] {
    const led = asked.has('_include')
      ? found.map((one) => referenceIn(one.medicationReference))
      : []
    const brought = this.current().filter((one) => led.includes(`${one.resourceType}/${one.id}`))
    return [
      ...found.map((resource) => ({ resource, mode: 'match' as const })),
      ...brought.map((resource) => ({ resource, mode: 'include' as const })),
    ]
  }
}
