/** What others have changed since a plan was shown: compared by version, and decisions by what they say. */
import { authorOf } from './composition.js'
import { showMoment } from './dates.js'
import { type Decided, decidedIn } from './decision.js'
import type { Section } from './definition.js'
import type { Content } from './finding.js'
import { isPartial, type Reading } from './reading.js'

type Known = Pick<Reading, 'content' | 'entries' | 'sight' | 'readAt'>

export interface Change {
  readonly section: Section
  readonly about: string
  /** A decision that says something else than it did. */
  readonly decision?: { readonly name: string; readonly was: string; readonly now: string }
  /** It was looked at since. */
  readonly shown?: boolean
}

export interface News {
  /** When what was shown had been read. */
  readonly since: Date
  readonly at: Date
  readonly changes: readonly Change[]
}

/** Contents of which all is known that this role may see: what else was not read is no change. */
const READ: readonly Content[] = ['found', 'empty', 'hidden']

const decidedBy = (plan: Known, section: Section): Decided | undefined =>
  section.decision &&
  decidedIn(
    {
      section,
      entry: plan.entries.newest.get(section.template),
      several: plan.entries.several.has(section.template),
      unsure: isPartial(plan),
    },
    section.decision,
  )

function aboutOf(section: Section, after: Known): string {
  const entry = after.entries.newest.get(section.template)
  if (!entry) return 'no entry is found any more'
  const { name, at } = authorOf(entry.composition)
  return `changed ${at === undefined ? 'at a time not recorded' : showMoment(at)} by ${name}`
}

function changeOf(section: Section, before: Known, after: Known): readonly Change[] {
  const [was, now] = [decidedBy(before, section), decidedBy(after, section)]
  const version = ({ entries }: Known) => entries.newest.get(section.template)?.version
  if (version(before) === version(after) && was?.words === now?.words) return []
  const decision =
    section.decision && was && now && was.words !== now.words
      ? { decision: { name: section.decision.name, was: was.words, now: now.words } }
      : {}
  return [{ section, about: aboutOf(section, after), ...decision }]
}

/** `undefined` where the two cannot be compared: that is not the same as no change. */
export function newsOf(before: Known, after: Known): News | undefined {
  if (![before, after].every(({ content }) => READ.includes(content))) return undefined
  const both = after.sight.seen.filter((section) => before.sight.seen.includes(section))
  const changes = both.flatMap((section) => changeOf(section, before, after))
  return { since: before.readAt, at: after.readAt, changes }
}

/** Nothing that was told is lost by what is told later: a decision that was changed twice is told from its first words. */
export function together(told: News | undefined, next: News): News {
  if (!told) return next
  const later = next.changes.map((change) => {
    const first = told.changes.find(({ section }) => section === change.section)?.decision
    const { decision: last = first, ...rest } = change
    if (!first || !last) return change
    // There and back: what was shown holds again.
    return first.was === last.now ? rest : { ...rest, decision: { ...last, was: first.was } }
  })
  const rest = told.changes.filter(
    ({ section }) => !later.some((change) => change.section === section),
  )
  return { since: told.since, at: next.at, changes: [...later, ...rest] }
}

const wordsOf = ({ section, about, decision }: Change): string =>
  decision
    ? `The ${decision.name} decision has changed. Now: ${decision.now}. Before: ${decision.was}.`
    : `${section.title}: ${about}.`

/** As it is said aloud: decisions first. */
export const newsAloud = ({ changes }: News): string =>
  [...changes.filter(({ decision }) => decision), ...changes.filter(({ decision }) => !decision)]
    .map(wordsOf)
    .join(' ')
