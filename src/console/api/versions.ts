/** Versions by command: every one that was in force, any two compared, and back to one of them. */
import { z } from 'zod'
import { Refusal } from '../../core/refusal.js'
import { hashOfFiles } from '../../policy/source.js'
import { titlesOf } from '../difference-words.js'
import { sideOf } from '../draft-page.js'
import type { ConsoleParts } from '../parts.js'
import { seenAbout, seenFiles } from '../policies.js'
import { numberOf } from '../version-chosen.js'
import { type ApiAnswer, type ApiVisit, found } from './answering.js'
import { differenceIn, matrixIn } from './differences.js'

const MOST_LISTED = 500
const NUMBER = /^[1-9]\d{0,8}$/

/** @throws Refusal policy_version_unknown */
function numberIn(given: string | undefined): number {
  if (!NUMBER.test(given ?? '')) throw new Refusal('policy_version_unknown', 'no number')
  return Number(given)
}
const about = (version: number) => ({ policy: { version } })

/** GET /versions: the youngest first. */
export const listVersions =
  ({ drafts }: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const all = await drafts.history(MOST_LISTED)
    return { json: { versions: all.map((about) => seenAbout(visit, about)) } }
  }

/** GET /versions/:version @throws Refusal policy_version_unknown */
export const readVersion =
  ({ drafts }: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const version = await drafts.version(numberOf(visit))
    const seen = seenAbout(visit, version.about)
    return { json: { version: seen }, about: about(version.about.version) }
  }

/** GET /versions/:version/files: those that the member may see. */
export const versionFiles =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const version = await parts.drafts.version(numberOf(visit))
    const { version: number, hash } = version.about
    const files = seenFiles(parts, visit, version.files)
    return { json: { version: number, hash, files }, about: about(number) }
  }

const from = z.strictObject({ from: z.string().regex(NUMBER) })

/** Both as far as the member may see them. */
async function seenSides(parts: ConsoleParts, visit: ApiVisit, ...numbers: readonly number[]) {
  const versions = await Promise.all(numbers.map((number) => parts.drafts.version(number)))
  return versions.map((version) => {
    const files = seenFiles(parts, visit, version.files)
    return sideOf({ about: { ...version.about, hash: hashOfFiles(files) }, files })
  })
}

/** GET /versions/:version/diff?from=N */
export const diffVersions =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const older = numberIn(visit.read(from).from)
    const [before, after] = await seenSides(parts, visit, older, numberOf(visit))
    if (!before || !after) throw new Refusal('policy_version_unknown', 'two versions')
    return found(
      parts.findings.changes(before, after),
      differenceIn(titlesOf(parts), { before, after }),
      { ...about(numberOf(visit)), detail: { from: older } },
    )
  }

/** GET /versions/:version/matrix */
export const matrixOfVersion =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { about: of, files } = await parts.drafts.version(numberOf(visit))
    return matrixIn(parts, visit, files, about(of.version))
  }

const back = z.strictObject({
  reason: z.string().max(4_000),
  /** The version in force that the caller saw: another one since then is not gone past unseen. */
  inForce: z.int().min(1),
  revoke: z.boolean().default(false),
})

/** POST /versions/:version/rollback: a new version, held to today's invariants. @throws Refusal */
export const rollBack =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { reason, inForce, revoke } = visit.read(back)
    const { about: today } = await parts.drafts.inForce()
    if (inForce !== today.version) throw new Refusal('draft_outdated', `${inForce} was named`)
    const version = await parts.drafts.rollback({
      ...{ version: numberOf(visit), by: visit.member, reason, revoke },
    })
    const detail = { of: numberOf(visit) }
    return { json: { version }, status: 201, about: { ...about(version), detail }, recorded: true }
  }
