/**
 * What is shown instead of a plan. Each page says what is known, what is not, and what to do; none of
 * them says "no plan" unless the record was read and had none.
 */
import { showMoment, showTime } from './dates.js'
import { bdi, button, type Child, h } from './dom.js'
import type { Content } from './finding.js'

const AGAIN = 'Open the care plan again from the patient record.'
const UNKNOWN = 'This does not mean that there is no plan.'

// biome-ignore format: a table
export const PAGES = {
  'not-launched':{ title: 'Open the care plan from the patient record', text: ['A care plan opens only from inside a patient record, for the patient who is open there.'] },
  over:          { title: 'Open the care plan again from the patient record', text: ['This view of the care plan is over. It cannot be reloaded or reopened, so that no patient information stays behind on this computer.'] },
  foreign:       { title: 'This launch was stopped', text: ['It did not come from a service that this app trusts. Nothing was sent to it.', AGAIN] },
  forgetful:     { title: 'This browser did not let the care plan open here', text: ['The app could not remember the launch while you were being signed in: the browser is set to refuse all storage to this page.', 'Ask your support team to allow storage for this app, or open the care plan in another browser.'] },
  denied:        { title: 'You cannot open this care plan', text: ['If you think that this is wrong, ask the people who look after access in your organisation.'] },
  unreachable:   { title: 'The care plan could not be loaded', text: [UNKNOWN, AGAIN] },
  ended:         { title: 'Your session has ended', text: ['The service that guards this record has ended your session. What was shown has been removed from the screen.', AGAIN] },
  idle:          { title: 'Your session has ended', text: ['Nobody used this care plan for a while. What was shown has been removed from the screen, to protect the patient.', AGAIN] },
  longest:       { title: 'Your session has ended', text: ['It had reached its longest time. What was shown has been removed from the screen.', AGAIN] },
  mismatch:      { title: 'The care plan was closed to keep patients apart', text: ['The record answered with a different patient from the one that you opened. Nothing of it is shown.', 'Check which patient is open, then open the care plan again from the patient record. If this happens again, report it.'] },
  broken:        { title: 'This app is not set up', text: ['Its settings could not be read.', UNKNOWN] },
} as const satisfies Record<string, { title: string; text: readonly string[] }>

export type PageName = keyof typeof PAGES

export const referenceView = (
  reference: string | undefined,
  label = 'Reference',
): HTMLElement | undefined =>
  reference
    ? h('p', { class: 'reference' }, `${label}: `, h('code', { 'data-reference': true }, reference))
    : undefined

const emergency = (text: string): HTMLElement | undefined =>
  text === ''
    ? undefined
    : h(
        'div',
        { class: 'nhsuk-inset-text emergency' },
        h('h2', { class: 'nhsuk-heading-s nhsuk-u-margin-bottom-2' }, 'If you cannot wait'),
        h('p', {}, text),
      )

const page = (kind: string, title: string, ...children: Child[]): HTMLElement =>
  h(
    'div',
    { class: 'page-message', 'data-page': kind },
    h('h1', { class: 'nhsuk-heading-l', tabindex: '-1' }, title),
    ...children,
  )

const paragraphs = (texts: readonly string[]): HTMLElement[] =>
  texts.map((text) => h('p', {}, text))

/** Unsaved changes that the gateway keeps. */
export interface Kept {
  readonly at: Date
  /** Whether they are all that was typed. */
  readonly whole: boolean
}

/** Changes to a section that are no longer on the screen, or will soon not be. */
export interface Lost {
  readonly title: string
  /** Whether it is known that they were not saved. */
  readonly known: boolean
  readonly kept?: Kept | undefined
}

interface Told {
  readonly emergencyText: string
  /** The gateway's own words. */
  readonly words?: string
  readonly reference?: string | undefined
  readonly retry?: () => void
  readonly lost?: Lost | undefined
}

export const lostLine = ({ title, known }: Lost): string =>
  known
    ? `Your changes to “${title}” were not saved.`
    : `It is not known whether your changes to “${title}” were saved.`

/** Only of what is kept: it is the one comfort of such a page, and must be true. */
export const keptLine = ({ at, whole }: Kept): string =>
  `What you typed was kept at ${showTime(at)}${whole ? '' : ', without your last changes'}. It will be offered when you next open this patient’s care plan, for 24 hours.`

const keptView = (lost: Lost | undefined): HTMLElement | undefined =>
  lost?.kept && h('p', { class: 'kept-line' }, keptLine(lost.kept))

const CHECK = 'Check the section when you open the care plan again.'

/** The launch came to nothing, or the view is over: no patient on the page. */
export function closedPage(name: PageName, told: Told): HTMLElement {
  const { title, text } = PAGES[name]
  const { lost } = told
  return page(
    name,
    title,
    lost ? h('p', {}, h('strong', {}, lostLine(lost)), lost.known ? '' : ` ${CHECK}`) : undefined,
    keptView(lost),
    told.words ? h('p', {}, bdi(told.words)) : undefined,
    ...paragraphs(text),
    referenceView(told.reference),
    told.retry ? button('Try again', told.retry) : undefined,
    emergency(told.emergencyText),
  )
}

/** Why it is not known what the plan says although nothing failed: asking again would bring the same. */
// biome-ignore format: a table
export const UNASKED: Readonly<Partial<Record<Content, string>>> = {
  withheld: 'This app was not allowed to ask for the sections of the plan. Tell your support team, with the reference below.',
  'no-ehr': `The record lists a plan, but the patient’s health record was not found when this view was opened. ${AGAIN}`,
}

/** A read failed. The patient may be known; whether there is a plan is not. */
export function failedPage(told: Told): HTMLElement {
  return page(
    'failed',
    'The care plan could not be loaded',
    h('p', {}, h('strong', {}, UNKNOWN)),
    told.lost ? h('p', {}, h('strong', {}, lostLine(told.lost))) : undefined,
    keptView(told.lost),
    told.words ? h('p', {}, bdi(told.words)) : undefined,
    referenceView(told.reference),
    told.retry ? button('Try again', told.retry) : undefined,
    emergency(told.emergencyText),
  )
}

// biome-ignore format: sentences
const NONE_TO_DO = [
  'Check that the name, date of birth and NHS number above are those of your patient.',
  'Look for decisions recorded elsewhere, such as a paper form kept with the patient.',
  'If you expected a plan, ask the team that wrote it.',
]

/** For who may begin plans: how, or why not here. */
function beginView(begin: (() => void) | 'no-ehr' | undefined): HTMLElement | undefined {
  if (begin === undefined) return undefined
  return h(
    'div',
    { class: 'begin' },
    h('h2', { class: 'nhsuk-heading-s nhsuk-u-margin-bottom-2' }, 'If this patient needs a plan'),
    ...(begin === 'no-ehr'
      ? [h('p', {}, NO_EHR)]
      : [h('p', {}, BEGIN), button('Begin a care plan', begin)]),
  )
}
const BEGIN =
  'If this is the right patient and no plan exists elsewhere, you can begin one. Nothing is recorded until you save its first section.'
const NO_EHR =
  'A plan cannot be begun here yet: the shared record has no health record for this patient to keep it in. Tell your support team.'

/**
 * The record was read, and has none.
 * @param at when it was read; without `retry`, when the launch looked for the patient's health record: there was
 * none to read, and only another launch looks again
 */
export function nonePage(
  at: Date,
  told: Told & { readonly begin?: (() => void) | 'no-ehr' | undefined },
): HTMLElement {
  const when = showMoment(at)
  const [read, toDo] = told.retry
    ? [`The shared record was read on ${when} and holds no care plan.`, NONE_TO_DO]
    : [
        `The shared record was searched when this view was opened, on ${when}, and held no care plan.`,
        [
          ...NONE_TO_DO,
          `A plan that was begun since then is not seen here. To check again, open the care plan again from the patient record.`,
        ],
      ]
  return page(
    'none',
    'No shared care plan was found for this patient',
    h('p', { class: 'none__read' }, read),
    h('h2', { class: 'nhsuk-heading-s nhsuk-u-margin-bottom-2' }, 'What to do'),
    h('ul', {}, ...toDo.map((text) => h('li', {}, text))),
    told.retry ? button('Check again', told.retry, 'secondary') : undefined,
    beginView(told.begin),
    emergency(told.emergencyText),
  )
}

/** Where it is read anew that there is none: when that was. @returns whether there was such a page */
export function renewNone(page: HTMLElement): boolean {
  const [stands, next] = [document, page].map((one) => one.querySelector('.none__read'))
  if (!stands || !next) return false
  stands.replaceWith(next)
  return true
}

/** What is said after some seconds. */
const slow = (words: string, ...more: Child[]): HTMLElement =>
  h(
    'div',
    { class: 'slow', role: 'status' },
    h('p', {}, `This is taking longer than usual. ${words}`),
    ...more,
  )

/** While the record is read. */
export const loadingPage = (emergencyText: string): HTMLElement =>
  h(
    'div',
    { 'data-page': 'loading' },
    h('p', { class: 'loading' }, 'Loading the care plan…'),
    slow('It does not mean that there is no plan.', emergency(emergencyText)),
  )

/** While it is read anew, above the plan as it was read before. */
export const checkingView = (readAt: Date): HTMLElement =>
  h(
    'div',
    { class: 'checking' },
    h('p', { class: 'loading' }, 'Checking for changes…'),
    slow(`Below is the plan as it was read on ${showMoment(readAt)}: it may have changed since.`),
  )
