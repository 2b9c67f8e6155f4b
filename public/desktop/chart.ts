/** The chart of one patient: the banner in the NHS manner, the tabs, and the place of the care plan. */
import type { Chart } from './contents.js'
import { age, day, fullName, h, nhsNumber } from './elements.js'

const fact = (label: string, value: string, wide = false) =>
  h('div', { class: wide ? 'fact fact--wide' : 'fact' }, h('dt', {}, label), h('dd', {}, value))

function banner(patient: Chart): HTMLElement {
  const born = `${day(patient.birthDate)} (${age(patient.birthDate, new Date(patient.deceased ?? Date.now()))})`
  const sex = patient.gender === 'female' ? 'Female' : 'Male'
  const allergies = patient.allergies.map(({ text }) => text).join(', ')
  return h(
    'div',
    { class: patient.deceased ? 'banner banner--deceased' : 'banner' },
    h('h1', { class: 'banner__name' }, fullName(patient)),
    h(
      'dl',
      { class: 'facts' },
      fact('Born', born),
      ...(patient.deceased ? [fact('Died', day(patient.deceased))] : []),
      fact('Gender', sex),
      fact('NHS No.', nhsNumber(patient.nhsNumber)),
      fact('Address', patient.address, true),
      fact('Phone', patient.phone),
      fact('Allergies', allergies === '' ? 'None recorded' : allergies, true),
    ),
  )
}

const list = (items: readonly string[], none: string) =>
  items.length === 0
    ? h('p', { class: 'none' }, none)
    : h('ul', { class: 'entries' }, ...items.map((item) => h('li', {}, item)))

const problems = ({ problems: rows }: Chart) =>
  list(
    rows.map(({ text, since }) => `${text} (since ${since})`),
    'No active problems.',
  )
const medication = (patient: Chart) => list(patient.medication, 'No repeat medication.')
const allergies = ({ allergies: rows }: Chart) =>
  list(
    rows.map(({ text, reaction }) => `${text}: ${reaction}`),
    'No allergies recorded.',
  )

function consultations({ consultations: rows }: Chart, most: number): HTMLElement {
  const items = rows
    .slice(0, most)
    .map(({ date, kind, by, note }) =>
      h(
        'li',
        { class: 'consultation' },
        h('p', { class: 'consultation__head' }, h('strong', {}, day(date)), ` ${kind}, ${by}`),
        h('p', {}, note),
      ),
    )
  return h('ol', { class: 'consultations' }, ...items)
}

const card = (title: string, content: HTMLElement) =>
  h('section', { class: 'card' }, h('h2', {}, title), content)

const summary = (patient: Chart) =>
  h(
    'div',
    { class: 'cards' },
    h('div', { id: 'filed', class: 'cards__wide', role: 'status' }),
    card('Active problems', problems(patient)),
    card('Repeat medication', medication(patient)),
    card('Allergies', allergies(patient)),
    card('Recent consultations', consultations(patient, 2)),
  )

const TABS = [
  { id: 'summary', title: 'Summary', content: summary },
  { id: 'problems', title: 'Problems', content: problems },
  { id: 'medication', title: 'Medication', content: medication },
  {
    id: 'consultations',
    title: 'Consultations',
    content: (patient: Chart) => consultations(patient, 9),
  },
  { id: 'plan', title: 'Care plan', content: () => h('div', { class: 'plan', id: 'plan' }) },
] as const
export type TabId = (typeof TABS)[number]['id']

/** Shows one tab; the others' contents stay, so that an open care plan goes on. */
export function showTab(chart: HTMLElement, id: TabId, focus = false): void {
  for (const tab of chart.querySelectorAll<HTMLElement>('[role=tab]')) {
    const chosen = tab.id === `tab-${id}`
    tab.setAttribute('aria-selected', String(chosen))
    tab.tabIndex = chosen ? 0 : -1
    if (chosen && focus) tab.focus()
  }
  for (const panel of chart.querySelectorAll<HTMLElement>('[role=tabpanel]')) {
    panel.hidden = panel.id !== `panel-${id}`
  }
}

/** Arrow keys, Home and End. @see WAI-ARIA Authoring Practices, "Tabs" */
function moveTab(chart: HTMLElement, event: KeyboardEvent): void {
  const at = TABS.findIndex(({ id }) => `tab-${id}` === (event.target as HTMLElement).id)
  const moves: Readonly<Record<string, number>> = {
    ArrowRight: (at + 1) % TABS.length,
    ArrowDown: (at + 1) % TABS.length,
    ArrowLeft: (at + TABS.length - 1) % TABS.length,
    ArrowUp: (at + TABS.length - 1) % TABS.length,
    Home: 0,
    End: TABS.length - 1,
  }
  const next = TABS[moves[event.key] ?? -1]
  if (!next) return
  event.preventDefault()
  showTab(chart, next.id, true)
}

export interface ChartActions {
  readonly open: () => void
  readonly close: () => void
  readonly leave: () => void
}

/** Fills the chart for a patient. The care plan's buttons and place are in it, the plan is not. */
export function showChart(chart: HTMLElement, patient: Chart, actions: ChartActions): void {
  const tabs = TABS.map(({ id, title }) =>
    h(
      'button',
      {
        ...{ type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}` },
        click: () => showTab(chart, id),
        keydown: (event) => moveTab(chart, event as KeyboardEvent),
      },
      title,
    ),
  )
  const panels = TABS.map(({ id, content }) =>
    h(
      'div',
      { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}`, tabindex: '0' },
      content(patient),
    ),
  )
  chart.replaceChildren(
    banner(patient),
    h(
      'div',
      { class: 'toolbar' },
      h(
        'button',
        { type: 'button', class: 'action', id: 'open-plan', click: actions.open },
        'Open care plan',
      ),
      h(
        'button',
        { type: 'button', id: 'close-plan', hidden: true, click: actions.close },
        'Close care plan',
      ),
      h('button', { type: 'button', id: 'switch-patient', click: actions.leave }, 'Switch patient'),
    ),
    h(
      'div',
      { class: 'folder' },
      h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Chart' }, ...tabs),
      h('div', { class: 'panels' }, ...panels),
    ),
  )
  showTab(chart, 'summary')
}
