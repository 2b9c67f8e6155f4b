/**
 * Every version of every composition of the demonstration's record. What an EHR was filled with is made when the EHR is
 * first asked for, and kept beside the first version that is written over it.
 */
import type { Composition } from './composition.js'
import type { Journal } from './journal.js'

export interface Version {
  readonly ehrId: string
  readonly objectId: string
  readonly number: number
  readonly template: string
  readonly composition: Composition
  readonly committer: string
  readonly at: string
  /** The change set that it belongs to; one of its own where it has none. */
  readonly contribution?: string
  /** That it says that the composition was deleted: what it holds is what there was. */
  readonly deleted?: true
}

export const SYSTEM_ID = 'record.northbank.example'

/** `<object uuid>::<system>::<number>`. @see openEHR Base, OBJECT_VERSION_ID */
export const versionUid = (version: Pick<Version, 'objectId' | 'number'>): string =>
  `${version.objectId}::${SYSTEM_ID}::${version.number}`

export interface Versions {
  /** All versions of an EHR's composition, oldest first; empty when there is none. */
  of(ehrId: string, objectId: string): readonly Version[]
  /** The newest version of each of an EHR's compositions that is not deleted. */
  current(ehrId: string): readonly Version[]
  /** All versions of an EHR, oldest first. */
  all(ehrId: string): readonly Version[]
  /** All or none, and on the disk when it returns. */
  append(...versions: readonly Version[]): void
}

/** The versions of an EHR by composition. */
type Ehr = Map<string, readonly Version[]>

const add = (ehr: Ehr, version: Version) =>
  ehr.set(version.objectId, [...(ehr.get(version.objectId) ?? []), version])

function writtenBefore(journal: Journal): ReadonlyMap<string, Ehr> {
  const ehrs = new Map<string, Ehr>()
  for (const part of journal.parts) {
    if (!('ehrId' in part)) continue
    const version = part as Version
    ehrs.set(version.ehrId, add(ehrs.get(version.ehrId) ?? new Map(), version))
  }
  return ehrs
}

/** @param seed what an EHR was filled with: the same at every start */
export function openVersions(
  journal: Journal,
  seed: (ehrId: string) => readonly Version[],
): Versions {
  const before = writtenBefore(journal)
  const ehrs = new Map<string, Ehr>()
  /** Compositions that are in the journal: with all of their versions. */
  const kept = new Set([...before.values()].flatMap((ehr) => [...ehr.keys()]))

  function ehrOf(ehrId: string): Ehr {
    const known = ehrs.get(ehrId)
    if (known !== undefined) return known
    const ehr: Ehr = new Map()
    for (const version of seed(ehrId)) add(ehr, version)
    for (const [objectId, versions] of before.get(ehrId) ?? []) ehr.set(objectId, versions)
    ehrs.set(ehrId, ehr)
    return ehr
  }

  return {
    of: (ehrId, objectId) => ehrOf(ehrId).get(objectId) ?? [],
    current: (ehrId) =>
      [...ehrOf(ehrId).values()]
        .flatMap((versions) => versions.at(-1) ?? [])
        .filter(({ deleted }) => !deleted),
    all: (ehrId) => [...ehrOf(ehrId).values()].flat(),
    append(...versions) {
      const fresh = versions.filter(({ objectId }) => !kept.has(objectId))
      const filled = fresh.flatMap(({ ehrId, objectId }) => ehrOf(ehrId).get(objectId) ?? [])
      journal.append([...new Set(filled), ...versions])
      for (const version of versions) {
        add(ehrOf(version.ehrId), version)
        kept.add(version.objectId)
      }
    },
  }
}
