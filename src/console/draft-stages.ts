/** How far a draft has come, and what can be done with it now: as its page says it. */
import type { ConsoleAct, Member } from '../core/console.js'
import { type Act, type Draft, isAmong, type LiveDraft } from '../core/draft.js'
import type { EpochMs } from '../core/values.js'
import { inWords } from './in-words.js'
import type { Visit } from './page.js'

export const STAGE_WORDS: Readonly<Record<Draft['stage'], string>> = {
  open: 'Being written',
  proposed: 'Waits for approval',
  approved: 'Approved',
  published: 'Published',
  abandoned: 'Abandoned',
}

export interface Step {
  readonly name: string
  readonly state: 'done' | 'now' | 'to do'
  /** Who and when. */
  readonly by?: string
  readonly said?: string
}

const byAt = ({ by, at }: Pick<Act, 'by' | 'at'>): string => `${by.name}, ${inWords(at)}`
const done = (name: string, act: Pick<Act, 'by' | 'at'>, said?: string): Step => ({
  ...{ name, state: 'done', by: byAt(act) },
  ...(said ? { said } : {}),
})

function published(draft: Draft & { stage: 'published' }): Step[] {
  const { publication, approval } = draft
  const { emergency, review, version, reason } = publication
  const how = emergency ? 'Put into force as an emergency' : 'Put into force'
  return [
    ...(approval ? [done('Approved', approval)] : []),
    done(how, publication, `Version ${version}: ${reason}`),
    ...(review === 'open'
      ? [{ name: 'To be reviewed by another person', state: 'now' } as const]
      : []),
    ...(review && review !== 'open' ? [done('Reviewed', review, review.reason)] : []),
  ]
}

const TO_COME = ['Proposed', 'Approved', 'Put into force']
const toDo = (from: number): Step[] =>
  TO_COME.slice(from).map((name, i) => ({ name, state: i === 0 ? 'now' : 'to do' }))

/** The steps behind it and before it, in order. */
export function stepsOf(draft: Draft): readonly Step[] {
  const [first] = draft.authors
  const begun: Step[] = first ? [done('Begun', { by: first, at: draft.since })] : []
  const changed: Step[] =
    draft.hash === draft.base.hash
      ? []
      : [{ name: 'Written', state: 'done', by: draft.authors.map(({ name }) => name).join(', ') }]
  const proposed =
    'proposal' in draft ? [done('Proposed', draft.proposal, draft.proposal.reason)] : []
  if (draft.stage === 'abandoned')
    return [...begun, ...changed, done('Abandoned', draft.abandoned, draft.abandoned.reason)]
  if (draft.stage === 'published') return [...begun, ...changed, ...published(draft)]
  const approved =
    draft.stage === 'approved'
      ? [done('Approved', draft.approval, `Holds until ${inWords(draft.approval.until)}`)]
      : []
  return [
    ...begun,
    ...changed,
    ...proposed,
    ...approved,
    ...toDo(proposed.length + approved.length),
  ]
}

export const isLive = (draft: Draft): draft is LiveDraft =>
  draft.stage !== 'published' && draft.stage !== 'abandoned'

export interface Possible {
  readonly name: string
  readonly path: string
  /** Why not now; absent where it can be done. */
  readonly why?: string
  readonly kind: 'primary' | 'secondary' | 'warning'
}

interface Facts {
  readonly draft: Draft
  readonly inForce: number
  readonly now: EpochMs
  readonly member: Member
}
interface Row {
  readonly name: string
  readonly path: string
  readonly act: ConsoleAct
  readonly kind: Possible['kind']
  /** Whether it is a step of this stage at all: others are not even named. */
  readonly at: (facts: Facts) => boolean
  readonly not: (facts: Facts) => string | undefined
}

const unchanged = ({ draft }: Facts) =>
  draft.hash === draft.base.hash ? 'The draft changes nothing yet.' : undefined
const outdated = ({ draft, inForce }: Facts) =>
  draft.base.version === inForce
    ? undefined
    : `It is built on version ${draft.base.version}; in force is ${inForce}. Bring it up to date first.`
const own = ({ draft, member }: Facts) =>
  isAmong(draft.authors, member)
    ? 'You wrote or proposed it: another person has to look at it.'
    : undefined
const expired = ({ draft, now }: Facts) =>
  draft.stage === 'approved' && now >= draft.approval.until
    ? 'The approval has expired: have it approved again.'
    : undefined

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { name: 'Propose for approval', path: 'propose', act: 'console-author', kind: 'primary', at: ({ draft }) => draft.stage === 'open', not: unchanged },
  { name: 'Look at it and approve or decline', path: 'approve', act: 'console-approve', kind: 'primary', at: (facts) => facts.draft.stage === 'proposed' || expired(facts) !== undefined, not: own },
  { name: 'Put into force', path: 'publish', act: 'console-author', kind: 'primary', at: ({ draft }) => draft.stage === 'approved', not: (facts) => expired(facts) ?? outdated(facts) },
  { name: 'Bring up to date', path: 'rebase', act: 'console-author', kind: 'primary', at: (facts) => isLive(facts.draft) && outdated(facts) !== undefined, not: () => undefined },
  { name: 'Put into force as an emergency', path: 'emergency', act: 'console-author', kind: 'warning', at: ({ draft }) => isLive(draft), not: (facts) => unchanged(facts) ?? outdated(facts) },
  { name: 'Abandon', path: 'abandon', act: 'console-author', kind: 'secondary', at: ({ draft }) => isLive(draft), not: () => undefined },
]

const NOT_YOURS: Readonly<Partial<Record<ConsoleAct, string>>> = {
  'console-author': 'That is for authors of this layer.',
  'console-approve': 'That is for approvers of this layer.',
}

/** What comes next, with why not where it cannot be done by this member now. */
export function possibleOf(
  { mightIn, member, now }: Visit,
  draft: Draft,
  inForce: number,
): readonly Possible[] {
  const facts = { draft, inForce, now, member }
  return ROWS.filter((row) => row.at(facts)).map(({ name, path, act, kind, not }) => {
    const why = mightIn(act, draft.layer) ? not(facts) : NOT_YOURS[act]
    return { name, kind, path: `/console/drafts/${draft.id}/${path}`, ...(why ? { why } : {}) }
  })
}
