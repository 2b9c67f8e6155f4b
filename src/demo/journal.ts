/**
 * What the demonstration's record keeps: with a directory, each write is a line of `record.jsonl`, with all of its
 * parts or not there at all, and on the disk before it is acknowledged.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, EpochMs } from '../core/values.js'

export interface Journal {
  /** When the record began: what it was filled with is told in days from then, at every later start as well. */
  readonly begun: EpochMs
  /** What was kept before this start, oldest first. */
  readonly parts: readonly object[]
  /** On the disk when it returns. */
  append(parts: readonly object[]): void
}

/** Whole lines only: a last line that a crash cut short was never acknowledged and is dropped. */
function readParts(file: string): readonly object[] {
  if (!existsSync(file)) return []
  const bytes = readFileSync(file)
  const whole = bytes.lastIndexOf(0x0a) + 1
  if (whole < bytes.length) truncateSync(file, whole)
  const lines = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1)
  // A line without a list is of a record that kept one part in each.
  return lines.flatMap((line) => JSON.parse(line) as object | readonly object[])
}

const beginning = (parts: readonly object[]): EpochMs | undefined =>
  parts.flatMap((part) => ('begun' in part ? [part.begun as EpochMs] : []))[0]

/** @param dataDir without it nothing outlasts the process */
export function openJournal(dataDir: string | undefined, clock: Clock): Journal {
  if (dataDir === undefined) return { begun: clock(), parts: [], append: () => undefined }
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'record.jsonl')
  const parts = readParts(file)
  const append = (more: readonly object[]) =>
    appendFileSync(file, `${JSON.stringify(more)}\n`, { flush: true })
  const known = beginning(parts)
  const begun = known ?? clock()
  if (known === undefined) append([{ begun }])
  return { begun, parts, append }
}
