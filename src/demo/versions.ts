/**
 * The demonstration record's memory: every version of every composition, in order. With a directory,
 * each version is a line of `record.jsonl` and is on the disk before it is acknowledged.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Composition } from './composition.js'

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
  /** On the disk when it returns. */
  append(...versions: readonly Version[]): void
  readonly empty: boolean
}

/** Whole lines only: a last line that a crash cut short was never acknowledged and is dropped. */
function readLines(file: string): readonly Version[] {
  if (!existsSync(file)) return []
  const bytes = readFileSync(file)
  const whole = bytes.lastIndexOf(0x0a) + 1
  if (whole < bytes.length) truncateSync(file, whole)
  const lines = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Version)
}

export function openVersions(dataDir: string | undefined): Versions {
  const file = dataDir === undefined ? undefined : join(dataDir, 'record.jsonl')
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true })
  const byObject = new Map<string, Version[]>()
  const byEhr = new Map<string, Set<string>>()

  const keep = (version: Version) => {
    const key = `${version.ehrId}/${version.objectId}`
    byObject.set(key, [...(byObject.get(key) ?? []), version])
    byEhr.set(version.ehrId, (byEhr.get(version.ehrId) ?? new Set()).add(key))
  }
  if (file !== undefined) readLines(file).forEach(keep)

  return {
    of: (ehrId, objectId) => byObject.get(`${ehrId}/${objectId}`) ?? [],
    current: (ehrId) =>
      [...(byEhr.get(ehrId) ?? [])]
        .flatMap((key) => byObject.get(key)?.at(-1) ?? [])
        .filter(({ deleted }) => !deleted),
    all: (ehrId) => [...(byEhr.get(ehrId) ?? [])].flatMap((key) => byObject.get(key) ?? []),
    append(...versions) {
      const lines = versions.map((version) => `${JSON.stringify(version)}\n`).join('')
      if (file !== undefined) appendFileSync(file, lines, { flush: true })
      versions.forEach(keep)
    },
    get empty() {
      return byObject.size === 0
    },
  }
}
