/** Versions of the demonstration's FHIR resources, as long as the process. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/values.js'
import type { FhirResource } from './fhir-resources.js'

export interface FhirVersion {
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly number: number
  readonly at: string
  /** Without one it was deleted. */
  readonly resource?: FhirResource
}

export interface FhirVersions {
  /** Oldest first; empty when there is none. */
  of(type: string, id: string): readonly FhirVersion[]
  /** Everything that stands. */
  readonly current: readonly FhirResource[]
  put(type: string, id: string | undefined, resource: FhirResource): FhirVersion
  drop(type: string, id: string): void
  /** All that is done in it, or nothing when it throws. */
  atOnce<T>(work: () => T): T
}

export const tagOf = ({ number }: FhirVersion): string => `W/"${number}"`

export function openFhirVersions(seed: readonly FhirResource[], clock: Clock): FhirVersions {
  let kept = new Map<string, readonly FhirVersion[]>()
  const now = () => new Date(clock()).toISOString()

  function add(key: string, method: FhirVersion['method'], resource?: FhirResource): FhirVersion {
    const before = kept.get(key) ?? []
    const [number, at] = [before.length + 1, now()]
    const meta = { ...(resource?.meta as object), versionId: String(number), lastUpdated: at }
    const version = {
      ...{ method, number, at },
      ...(resource === undefined ? {} : { resource: { ...resource, meta } }),
    }
    kept.set(key, [...before, version])
    return version
  }
  for (const resource of seed) add(`${resource.resourceType}/${resource.id}`, 'POST', resource)

  return {
    of: (type, id) => kept.get(`${type}/${id}`) ?? [],
    get current() {
      return [...kept.values()].flatMap((versions) => versions.at(-1)?.resource ?? [])
    },
    put(type, id, resource) {
      const own = id ?? randomUUID()
      const method = id === undefined ? 'POST' : 'PUT'
      return add(`${type}/${own}`, method, { ...resource, id: own })
    },
    drop: (type, id) => void add(`${type}/${id}`, 'DELETE'),
    atOnce(work) {
      const before = new Map(kept)
      try {
        return work()
      } catch (error) {
        kept = before
        throw error
      }
    },
  }
}
