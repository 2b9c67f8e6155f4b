/**
 * Every version of every FHIR resource of the demonstration's record. What the record was filled with is made when it is
 * first asked, and kept beside the first version that is written over it.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/values.js'
import type { FhirResource } from './fhir-resources.js'
import type { Journal } from './journal.js'

export interface FhirVersion {
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly number: number
  readonly at: string
  /** Without one it was deleted. */
  readonly resource?: FhirResource
}

/** As a part of the journal. */
interface Kept extends FhirVersion {
  /** `Type/id` */
  readonly fhir: string
}

export interface FhirVersions {
  /** Oldest first; empty when there is none. */
  of(type: string, id: string): readonly FhirVersion[]
  /** Everything that stands. */
  readonly current: readonly FhirResource[]
  /** On the disk when it returns; within `atOnce`, when that returns. */
  put(type: string, id: string | undefined, resource: FhirResource): FhirVersion
  drop(type: string, id: string): void
  /** All that is done in it, or nothing when it throws. */
  atOnce<T>(work: () => T): T
}

export const tagOf = ({ number }: FhirVersion): string => `W/"${number}"`

const versioned = (resource: FhirResource, number: number, at: string): FhirResource => ({
  ...resource,
  meta: { ...(resource.meta as object), versionId: String(number), lastUpdated: at },
})

/** Filled with `seed`, then with what was written before this start: whole, wherever anything was. */
function openedWith(journal: Journal, seed: readonly FhirResource[]) {
  const at = new Date(journal.begun).toISOString()
  const all = new Map<string, readonly FhirVersion[]>()
  for (const resource of seed) {
    const first = { method: 'POST', number: 1, at, resource: versioned(resource, 1, at) } as const
    all.set(`${resource.resourceType}/${resource.id}`, [first])
  }
  const kept = new Map<string, readonly FhirVersion[]>()
  for (const part of journal.parts) {
    if (!('fhir' in part)) continue
    const { fhir, ...version } = part as Kept
    kept.set(fhir, [...(kept.get(fhir) ?? []), version])
  }
  for (const [fhir, versions] of kept) all.set(fhir, versions)
  return { all, kept: new Set(kept.keys()) }
}

/** @param seed what the record was filled with: the same at every start */
export function openFhirVersions(
  journal: Journal,
  seed: () => readonly FhirResource[],
  clock: Clock,
): FhirVersions {
  let opened: ReturnType<typeof openedWith> | undefined
  let current: readonly FhirResource[] | undefined
  /** What is done at once, until all of it is kept. */
  let waiting: Kept[] | undefined
  const record = () => {
    opened ??= openedWith(journal, seed())
    return opened
  }

  function keep(parts: readonly Kept[]) {
    journal.append(parts)
    for (const { fhir } of parts) record().kept.add(fhir)
  }

  function add(fhir: string, method: FhirVersion['method'], resource?: FhirResource): FhirVersion {
    const { all, kept } = record()
    const before = all.get(fhir) ?? []
    const [number, at] = [before.length + 1, new Date(clock()).toISOString()]
    const version = {
      ...{ method, number, at },
      ...(resource === undefined ? {} : { resource: versioned(resource, number, at) }),
    }
    const whole = kept.has(fhir) || waiting?.some((part) => part.fhir === fhir)
    const parts = [...(whole ? [] : before), version].map((each) => ({ fhir, ...each }))
    if (waiting === undefined) keep(parts)
    else waiting.push(...parts)
    all.set(fhir, [...before, version])
    current = undefined
    return version
  }

  return {
    of: (type, id) => record().all.get(`${type}/${id}`) ?? [],
    get current() {
      current ??= [...record().all.values()].flatMap((versions) => versions.at(-1)?.resource ?? [])
      return current
    },
    put(type, id, resource) {
      const own = id ?? randomUUID()
      const method = id === undefined ? 'POST' : 'PUT'
      return add(`${type}/${own}`, method, { ...resource, id: own })
    },
    drop: (type, id) => void add(`${type}/${id}`, 'DELETE'),
    atOnce(work) {
      const { all, kept } = record()
      const before = new Map(all)
      waiting = []
      try {
        const done = work()
        if (waiting.length > 0) keep(waiting)
        return done
      } catch (error) {
        opened = { all: before, kept }
        current = undefined
        throw error
      } finally {
        waiting = undefined
      }
    },
  }
}
