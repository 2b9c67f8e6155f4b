/**
 * Questions that were really asked, as the store keeps them: which, how often, when last. Without patients, and with a
 * pseudonym for the user. They are a sample of fixed size that all nodes take alike, so it needs no bookkeeping between
 * them: each question has a rank, its hash under a secret of the store, and those with the lowest ranks are kept.
 */
import { z } from 'zod'
import { PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS, type Question } from '../core/decision.js'
import type { Records } from '../core/records.js'
import { ROLES } from '../core/roles.js'
import type { EpochMs, Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'

/** How many different questions are kept, over all. */
export const MOST_QUESTIONS = 10_000
export const PAGES = 64
const ON_A_PAGE = Math.floor(MOST_QUESTIONS / PAGES)

export interface AskedQuestion {
  readonly question: Question
  readonly count: number
  /** When it was last asked. */
  readonly at: EpochMs
  /** From 0 to 2⁴⁸: by it a question is known again, and kept or not. */
  readonly rank: number
}

const word = z.string().max(200)
/** As strict as can be: what is replayed decides what a security team believes. */
const row = z.strictObject({
  question: z.strictObject({
    user: z.strictObject({
      id: word,
      roles: z.array(z.enum(ROLES)).max(ROLES.length),
      activities: z.array(word).max(100),
      activitySource: z.enum(['listed', 'baseline']),
      assurance: z.union([z.literal(1), z.literal(2), z.literal(3)]),
      organization: z.strictObject({ odsCode: word, type: word, region: word }),
    }),
    patient: z.strictObject({ sensitive: z.boolean(), deceased: z.boolean() }),
    launch: z.strictObject({ rung: z.enum(RUNGS), system: word, app: word }),
    purpose: z.enum(PURPOSES),
    emergencyReason: word,
    hour: z.int().min(0).max(23),
    weekday: z.int().min(1).max(7),
    action: z.enum(ACTIONS),
    resource: z.strictObject({ type: z.enum(['app', 'section', 'fhir']), id: word }),
  }),
  count: z.int().min(1),
  at: z.int().min(0),
  rank: z.int().min(0),
})

/** What of a page can be believed; the rest, of an older version perhaps, is left out. */
function rowsOf(page: unknown): readonly AskedQuestion[] {
  const questions = (page as { questions?: unknown } | undefined)?.questions
  if (!Array.isArray(questions)) return []
  return questions.slice(0, ON_A_PAGE).flatMap((one) => {
    const read = row.safeParse(one)
    return read.success ? [read.data] : []
  })
}

/** A page with what was asked since: the lowest ranks of both, counts summed, what is too old left out. */
export function mergePage(
  page: Records['asked'] | undefined,
  asked: readonly AskedQuestion[],
  oldest: EpochMs,
): Records['asked'] {
  const byRank = new Map<number, AskedQuestion>()
  for (const one of [...rowsOf(page), ...asked]) {
    if (one.at < oldest) continue
    const before = byRank.get(one.rank)
    const count = (before?.count ?? 0) + one.count
    byRank.set(one.rank, { ...one, count, at: Math.max(one.at, before?.at ?? 0) })
  }
  const questions = [...byRank.values()].sort((a, b) => a.rank - b.rank).slice(0, ON_A_PAGE)
  return { generation: (page?.generation ?? 0) + 1, questions }
}

/** The rank from which on a page takes no question any more. */
export const ceilingOf = ({ questions }: Records['asked']): number =>
  questions.length < ON_A_PAGE ? Number.POSITIVE_INFINITY : (questions.at(-1)?.rank ?? 0)

/** Every question that is kept, none older than `keep`. */
export async function recentQuestions(
  store: Pick<Store, 'list'>,
  now: EpochMs,
  keep: Seconds,
): Promise<readonly AskedQuestion[]> {
  const pages = await store.list('asked')
  const oldest = now - keep * 1000
  return pages
    .slice(0, PAGES)
    .flatMap(({ value }) => rowsOf(value))
    .filter(({ at }) => at >= oldest)
}
