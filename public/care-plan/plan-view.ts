/** The plan: its sections in the order of the definitions, with what this role may not see named. */
import { allergiesOf } from './allergies.js'
import { notices } from './cautions.js'

import type { Entry } from './composition.js'
import type { Day } from './dates.js'
import { dayOf, showMoment } from './dates.js'
import type { Definitions, Section } from './definition.js'
import { button, h, keepingFocus } from './dom.js'
import { showReadAge } from './freshness.js'
import type { History } from './history.js'
import type { News } from './news.js'
import { overview } from './overview.js'
import { isPartial, type Reading } from './reading.js'
import { mayWriteAny, rightsOf, type Sight } from './rights.js'
import { sectionId, sectionView } from './section-view.js'
import { plural } from './text.js'

/** As it was read, with what was saved since. */
export type PlanShown = Omit<Reading, 'finding' | 'patient' | 'failure'> & {
  /** When somebody looked for changes, and the service did not answer. */
  readonly unchecked?: Date
  /** A plan that is begun in this view: as long as it is not listed, nothing is recorded. */
  readonly begun?: 'unlisted' | 'listed'
  /** Somebody else was found to have begun it too, when it was listed. */
  readonly joined?: boolean
  /** The chart has moved on: nothing is saved from this view any more. */
  readonly left?: 'typed' | 'nothing'
  /** What others have changed since it was shown. */
  readonly news?: News | undefined
}

export interface Acts {
  readonly edit: (section: Section) => void
  readonly history: (section: Section, entry: Entry, more: boolean) => Promise<History>
  readonly reload: () => void
  /** What is told of others' changes has been seen. */
  readonly seen: () => void
  /** Shows what was `typed` and can no longer be saved. */
  readonly typed: () => void
}

const GROUPS = [
  ['clinician', 'Recorded by clinicians'],
  ['person', 'Recorded by the person and those close to them'],
] as const

function sightLine({ seen, hidden }: Sight): HTMLElement {
  const all = plural(seen.length + hidden.length, 'section')
  if (hidden.length === 0) return h('p', { class: 'sight' }, `Your role shows all ${all}.`)
  const names = hidden.map(({ title }) => h('li', {}, title))
  return h(
    'details',
    { class: 'sight' },
    h('summary', {}, `Your role shows ${seen.length} of ${all}`),
    h('p', {}, 'Not shown to your role, whether or not anything is recorded there:'),
    h('ul', {}, ...names),
  )
}

const READ_ONLY = 'Your role may read this plan, not change it.'
const EMERGENCY = 'Emergency access is for reading only: nothing can be changed in this view.'

function readOnlyLine(plan: PlanShown): HTMLElement | undefined {
  const { seen } = plan.sight
  return seen.length === 0 || plan.left || seen.some((section) => mayEdit(plan, section))
    ? undefined
    : h('p', { class: 'sight readonly' }, plan.emergency ? EMERGENCY : READ_ONLY)
}

/** Whether this role may change a section as it stands: what exists, or what it would begin. */
export function mayEdit({ granted, entries, content, left }: PlanShown, section: Section): boolean {
  if (left) return false
  const { create, update } = rightsOf(granted, section.template)
  if (entries.several.has(section.template)) return false
  if (entries.newest.has(section.template)) return update
  return create && ['found', 'empty', 'hidden'].includes(content)
}

/** Sections that this role may begin or change, whether or not it may as they stand. */
export const writableIn = ({ granted, emergency, sight }: PlanShown): readonly Section[] =>
  sight.seen.filter((section) => !emergency && mayWriteAny(granted, [section]))

/** The plan with what is now known to be a section's newest entry. */
export function withEntry(plan: PlanShown, section: Section, entry: Entry): PlanShown {
  const newest = new Map(plan.entries.newest).set(section.template, entry)
  const content = plan.content === 'unread' ? 'unread' : 'found'
  return { ...plan, content, entries: { ...plan.entries, newest } }
}

export function viewOf(plan: PlanShown, section: Section, acts: Acts, today: Day): HTMLElement {
  return sectionView({
    section,
    entry: plan.entries.newest.get(section.template),
    several: plan.entries.several.has(section.template),
    unsure: isPartial(plan),
    edit: mayEdit(plan, section) ? () => acts.edit(section) : undefined,
    history: (entry, more) => acts.history(section, entry, more),
    today,
  })
}

interface Group {
  readonly title: string
  readonly sections: readonly Section[]
}

/** Sections in their groups; a pathway that nobody has begun for this person stands last. */
function groupsOf(
  { sight: { seen }, entries }: PlanShown,
  { pathways }: Definitions,
): readonly Group[] {
  const universal = pathways.filter((pathway) => pathway.universal).map(({ id }) => id)
  const inUse = (section: Section) => entries.newest.has(section.template)
  const rest = seen.filter((one) => one.decision === undefined)
  const own = (author: string) =>
    rest.filter((one) => universal.includes(one.pathway) && one.author === author)
  const others = rest.filter((one) => !universal.includes(one.pathway))
  const used = pathways.map(({ id, title }) => ({
    title,
    sections: others.filter((one) => one.pathway === id && inUse(one)),
  }))
  const [clinicians, person] = GROUPS.map(([author, title]) => ({ title, sections: own(author) }))
  const unused = {
    title: 'Pathways without an entry',
    sections: others.filter((one) => !inUse(one)),
  }
  return [clinicians, ...used, person, unused].filter(
    (group) => group !== undefined && group.sections.length > 0,
  ) as readonly Group[]
}

const groupView = ({ title, sections }: Group, view: (section: Section) => HTMLElement) =>
  h(
    'section',
    { class: 'group', 'aria-label': title },
    h('h2', { class: 'nhsuk-heading-m' }, title),
    ...sections.map(view),
  )

/** What others act on in minutes: it stands first, whatever else there is. */
const decisionsOf = ({ sight }: PlanShown): readonly Section[] =>
  sight.seen.filter((section) => section.decision !== undefined)

function overviewOf(plan: PlanShown, definitions: Definitions): HTMLElement | undefined {
  const sections = groupsOf(plan, definitions).flatMap((group) => group.sections)
  const all = [...decisionsOf(plan), ...sections]
  return overview(all, plan.entries.newest, dayOf(plan.readAt), allergiesOf(plan), isPartial(plan))
}

/** Not while a section is being changed: what is typed would go. */
function reloadButton(act: () => void): HTMLElement {
  const made = button('Check for changes', act, 'secondary')
  made.classList.add('plan__reload')
  return made
}

/** What says the same stays: a button that is being pressed, a text that is being read. */
function put(place: string, next: HTMLElement): void {
  const stands = document.querySelector(place)
  if (!stands?.isEqualNode(next)) stands?.replaceWith(next)
}

/** When it was read, and how long ago that was by now. */
function readWhen(readAt: Date): HTMLElement {
  const age = showReadAge(readAt.getTime(), Date.now())
  return h(
    'span',
    { class: 'plan__when' },
    `Read from the record on ${showMoment(readAt)} `,
    age === '' ? undefined : h('strong', { class: 'plan__age' }, `(${age})`),
  )
}

/** Only the words: what has the focus keeps it. */
export const renewAge = ({ readAt }: PlanShown): void => put('.plan__when', readWhen(readAt))

const readLine = (plan: PlanShown, { reload }: Acts): HTMLElement =>
  h(
    'p',
    { class: 'plan__read' },
    readWhen(plan.readAt),
    reloadButton(reload),
    // Of what is not recorded there is nothing to print.
    plan.begun === 'unlisted' ? undefined : button('Print', () => window.print(), 'secondary'),
  )

/** Puts what is said of the whole plan as it now is in the place of what was said. */
export function renewAround(plan: PlanShown, definitions: Definitions, acts: Acts): void {
  keepingFocus(() => {
    renewAge(plan)
    put('.plan__read', readLine(plan, acts))
    put('.plan__notices', notices(plan, definitions, acts))
    const next = overviewOf(plan, definitions)
    if (next) put('.overview', next)
  })
}

/** Shows sections as they are now known to stand; not one that is being changed. */
export function renewSections(plan: PlanShown, sections: readonly Section[], acts: Acts): void {
  const today = dayOf(plan.readAt)
  keepingFocus(() => {
    for (const section of sections) {
      const place = document.getElementById(sectionId(section))
      if (!place?.classList.contains('on-paper'))
        place?.replaceWith(viewOf(plan, section, acts, today))
    }
  })
}

export function planView(plan: PlanShown, definitions: Definitions, acts: Acts): HTMLElement {
  const today = dayOf(plan.readAt)
  const view = (section: Section) => viewOf(plan, section, acts, today)
  const decisions = decisionsOf(plan)
  return h(
    'div',
    { class: 'plan', 'data-page': 'plan' },
    h(
      'div',
      { class: 'plan__head' },
      h('h1', { class: 'nhsuk-heading-l', tabindex: '-1' }, 'Care plan'),
      readLine(plan, acts),
    ),
    notices(plan, definitions, acts),
    decisions.length === 0
      ? undefined
      : h(
          'section',
          { 'aria-label': 'To act on at once' },
          h('h2', { class: 'nhsuk-u-visually-hidden' }, 'To act on at once'),
          ...decisions.map(view),
        ),
    sightLine(plan.sight),
    readOnlyLine(plan),
    overviewOf(plan, definitions),
    ...groupsOf(plan, definitions).map((group) => groupView(group, view)),
  )
}
