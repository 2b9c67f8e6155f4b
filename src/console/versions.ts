/** Every version that was ever in force: when, by whom, why; any two compared; and back to one of them. */
import { z } from 'zod'
import type { Records } from '../core/records.js'
import { REFUSALS, Refusal } from '../core/refusal.js'
import { parameter, readParameters } from '../http/parameters.js'
import { Unfit } from '../policy/draft-gates.js'
import { underToday } from '../policy/rollback.js'
import { hashOfFiles } from '../policy/source.js'
import { asText, inSentences, titlesOf } from './difference-words.js'
import { type FoundProblem, sentence, sideOf, waiting } from './draft-page.js'
import { inWords, originInWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { contentsOf, seenAbout, seenFiles } from './policies.js'
import { numberOf } from './version-chosen.js'

type About = Records['policy']

export const pathTo = (version: number, rest = ''): string => `/console/versions/${version}${rest}`

const factsOf = (about: About) => ({
  ...{ version: about.version, at: inWords(about.at), href: pathTo(about.version) },
  ...{ by: about.by?.name ?? 'nobody by name', origin: originInWords(about.origin) },
  ...{
    reason: about.reason ?? '',
    ticket: about.ticket ?? '',
    approver: about.approver?.name ?? '',
  },
  ...{ of: about.of, draft: about.draft, hash: about.hash },
})

const MOST_SHOWN = 200

/** GET /console/versions */
export const versionList =
  ({ drafts }: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const all = await drafts.history(MOST_SHOWN)
    return {
      ...{ view: 'versions', title: 'Versions of the policies' },
      data: { rows: all.map((about) => factsOf(seenAbout(visit, about))) },
    }
  }

const crumbs = [{ text: 'Versions', href: '/console/versions' }]

/** GET /console/versions/:version @throws Refusal policy_version_unknown */
export const versionPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const version = await parts.drafts.version(numberOf(visit))
    const [inForce] = await parts.drafts.history(1)
    const facts = factsOf(seenAbout(visit, version.about))
    return {
      ...{ view: 'version', title: `Version ${facts.version}`, crumbs },
      about: { policy: { version: facts.version } },
      data: {
        ...{ about: facts, inForce: inForce?.version, previous: version.about.previous ?? 0 },
        mayRollBack: visit.mightIn('console-approve', 'central'),
        ...contentsOf(parts, visit, version),
      },
    }
  }

const compared = z.object({ from: z.coerce.number().int().min(1).max(1_000_000_000) })

/** GET /console/versions/:version/difference */
export const versionDifference =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { from } = readParameters(compared, visit.sent)
    const [before, after] = await Promise.all([
      parts.drafts.version(from),
      parts.drafts.version(numberOf(visit)),
    ])
    // Who sees one layer is told of it and of what is everybody's.
    const [was, is] = [before, after].map(({ files, ...rest }) => {
      const seen = seenFiles(parts, visit, files)
      return sideOf({ ...rest, files: seen, about: { ...rest.about, hash: hashOfFiles(seen) } })
    })
    if (!was || !is) throw new Refusal('policy_version_unknown', 'two versions')
    const changes = parts.findings.changes(was, is)
    return {
      ...{ view: 'difference', title: 'What changed' },
      crumbs: [
        ...crumbs,
        { text: `Version ${after.about.version}`, href: pathTo(after.about.version) },
      ],
      about: { policy: { version: after.about.version }, detail: { from } },
      data: {
        ...waiting(changes),
        words: inSentences(changes, titlesOf(parts)),
        text: asText(was, is),
        versions: [`version ${from}`, `version ${after.about.version}`],
      },
    }
  }

interface Refused {
  readonly why?: string
  readonly code?: string
  readonly reason?: string
  readonly problems?: readonly FoundProblem[]
}

async function asking(
  parts: ConsoleParts,
  visit: Visit,
  status: number,
  refused: Refused = {},
): Promise<Shown> {
  const { drafts, findings } = parts
  const [older, today] = await Promise.all([drafts.version(numberOf(visit)), drafts.inForce()])
  const files = underToday(older.files, today.files)
  const [before, after] = [sideOf(today), { hash: hashOfFiles(files), files }]
  const changes = findings.changes(before, after)
  return {
    ...{ view: 'rollback', title: `Back to version ${older.about.version}`, status },
    crumbs: [
      ...crumbs,
      { text: `Version ${older.about.version}`, href: pathTo(older.about.version) },
    ],
    about: { policy: { version: older.about.version } },
    data: {
      ...waiting(...(status === 200 ? [changes] : [])),
      ...{ to: pathTo(older.about.version, '/rollback'), next: today.about.version + 1 },
      ...{ inForce: today.about.version, since: inWords(today.about.at) },
      ...{ words: inSentences(changes, titlesOf(parts)), text: asText(before, after) },
      ...{ version: older.about.version, ...refused },
    },
  }
}

/** GET /console/versions/:version/rollback */
export const rollbackPage =
  (parts: ConsoleParts) =>
  (visit: Visit): Promise<Shown> =>
    asking(parts, visit, 200)

const sent = z.object({
  reason: parameter(4_000),
  /** The version in force that the page showed. */
  inForce: z.coerce.number().int().min(1),
  revoke: z.literal('yes').optional(),
})

/** POST /console/versions/:version/rollback: a new version, held to today's invariants. */
export const rollBack =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { member: by, sent: given } = visit
    const { about: today } = await parts.drafts.inForce()
    try {
      const { reason, inForce, revoke } = readParameters(sent, given)
      if (inForce !== today.version) throw new Refusal('draft_outdated', `the page said ${inForce}`)
      const version = await parts.drafts.rollback({
        ...{ version: numberOf(visit), by, reason },
        revoke: revoke !== undefined,
      })
      const about = { policy: { version }, detail: { of: numberOf(visit) } }
      return { to: pathTo(version), about, recorded: true }
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === 'policy_version_unknown') throw error
      const problems = error instanceof Unfit ? error.problems : []
      const said = { why: sentence(error), code: error.code, reason: given.get('reason') ?? '' }
      return asking(parts, visit, REFUSALS[error.code].status, { ...said, problems })
    }
  }
