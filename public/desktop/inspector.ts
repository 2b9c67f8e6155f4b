/** The launch inspector: the stages of the launch that is going on, and the faults to try. */
import type { Closed, Contents, Exchange, Fault, Inspection, Stage, System } from './contents.js'
import { readInspection } from './contents.js'
import { byId, h } from './elements.js'

const POLL_MS = 1_000
/** A launch that waits for its user is watched this long. */
const WATCH_MS = 10 * 60_000
/** Looks taken after the first read, since an app reads more than once. */
const LOOKS_AFTER = 4

const STATES: Readonly<Record<Stage['state'], { readonly sign: string; readonly word: string }>> = {
  done: { sign: '✓', word: 'Done' },
  refused: { sign: '✕', word: 'Refused' },
  waiting: { sign: '…', word: 'Waiting' },
  passed: { sign: '–', word: 'Passed by' },
  unreached: { sign: '–', word: 'Not reached' },
}

const UNFRAMED =
  'Stays empty: nothing proves whose frame it is, so the gateway lets nobody frame its page.'

const open = new Set<string>()

/** Details that stay open while the list is drawn anew. */
function details(key: string, title: string, ...content: readonly (Node | string)[]): HTMLElement {
  const element = h('details', { open: open.has(key) }, h('summary', {}, title), ...content)
  element.addEventListener('toggle', () => (element.open ? open.add(key) : open.delete(key)))
  return element
}

const time = (at: number): string => new Date(at).toISOString().slice(11, 23)
const json = (value: unknown, label: string): HTMLElement =>
  h('pre', { tabindex: '0', role: 'region', 'aria-label': label }, JSON.stringify(value, null, 2))

const without = (row: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))

const empty = (value: object): boolean => Object.keys(value).length === 0

function exchange(row: Exchange, key: string): HTMLElement {
  const title = `${row.method} ${row.path} → ${row.status}`
  if (empty(row.sent) && empty(row.answered)) return h('p', { class: 'exchange' }, title)
  return details(
    key,
    title,
    ...(empty(row.sent) ? [] : [h('h4', {}, 'Sent'), json(row.sent, `Sent: ${title}`)]),
    ...(empty(row.answered)
      ? []
      : [h('h4', {}, 'Answered'), json(row.answered, `Answered: ${title}`)]),
  )
}

function refusal(stage: Stage, fault: Fault | undefined, rung: string): HTMLElement | undefined {
  if (!stage.refusal) return undefined
  const { code, reference } = stage.refusal
  const expected = fault?.expected[rung]
  return h(
    'dl',
    { class: 'refusal' },
    h('dt', {}, 'Refusal'),
    h('dd', {}, h('code', {}, code), code === expected && ' (as it must be)'),
    ...(reference ? [h('dt', {}, 'Reference'), h('dd', {}, h('code', {}, reference))] : []),
    ...(stage.refusal.unframed ? [h('dt', {}, 'Frame'), h('dd', {}, UNFRAMED)] : []),
  )
}

function evidence(stage: Stage, launch: Inspection): readonly HTMLElement[] {
  const claims = stage.name === 'sent' ? launch : {}
  const parts = [
    ...('header' in claims && claims.header
      ? [h('h4', {}, 'Header'), json(claims.header, 'Header')]
      : []),
    ...('claims' in claims && claims.claims
      ? [h('h4', {}, 'Claims'), json(claims.claims, 'Claims')]
      : []),
    ...(stage.facts.length === 0
      ? []
      : [
          h(
            'dl',
            { class: 'stage__facts' },
            ...stage.facts.flatMap(({ label, value }) => [h('dt', {}, label), h('dd', {}, value)]),
          ),
        ]),
    ...stage.entries.map((entry) =>
      details(
        `${stage.name}/${entry.writer}/${entry.seq}`,
        `Trail: ${entry.what}, ${entry.outcome}, ${time(entry.at)}`,
        json(without(entry, ['prev']), `Trail entry ${entry.seq}`),
      ),
    ),
    ...stage.traffic.map((row, i) => exchange(row, `${stage.name}/http/${i}`)),
  ]
  return parts.length === 0 ? [] : [details(stage.name, 'Show what is behind this', ...parts)]
}

function stageRow(stage: Stage, launch: Inspection, fault: Fault | undefined, rung: string) {
  const { sign, word } = STATES[stage.state]
  return h(
    'li',
    { class: `stage stage--${stage.state}` },
    h('span', { class: 'stage__sign', 'aria-hidden': 'true' }, sign),
    h(
      'div',
      { class: 'stage__body' },
      h('h3', {}, stage.title, h('span', { class: 'stage__state' }, word)),
      h('p', {}, stage.text),
      refusal(stage, fault, rung),
      ...evidence(stage, launch),
    ),
  )
}

function outcome({ stages, complete }: Inspection): string {
  if (stages.some(({ state }) => state === 'refused')) return 'Refused.'
  return complete ? 'Complete: the plan is on the screen.' : 'Under way …'
}

let watched:
  | { readonly sent: string; readonly since: number; drawn: string; left: number }
  | undefined

function draw(launch: Inspection, contents: Contents): void {
  const drawn = JSON.stringify(launch)
  if (!watched || drawn === watched.drawn) return
  watched.drawn = drawn
  const system = contents.systems.find(({ id }) => id === launch.system)
  const fault = contents.faults.find(({ name }) => name === launch.fault)
  const status = [fault ? `Fault: ${fault.title}.` : '', outcome(launch)].join(' ').trim()
  if (byId('watch-status').textContent !== status) byId('watch-status').textContent = status
  byId('watch-launch').textContent = launch.launch ?? 'no launch id yet'
  const rows = launch.stages.map((stage) => stageRow(stage, launch, fault, system?.rung ?? ''))
  byId('stages').replaceChildren(...rows)
}

let timer: ReturnType<typeof setTimeout> | undefined

/** One look, and the next one a second later while there is more to come and somebody to see it. */
async function look(contents: Contents): Promise<void> {
  clearTimeout(timer)
  const now = watched
  if (!now || document.hidden) return
  const launch = await readInspection(now.sent)
  if (watched !== now) return
  draw(launch, contents)
  if (launch.complete) now.left -= 1
  const over = now.left <= 0 || Date.now() - now.since > WATCH_MS
  if (!over) timer = setTimeout(() => void look(contents).catch(stopWatching), POLL_MS)
  byId('look-again').hidden = !over
}

const stopWatching = (): void => {
  byId('watch-status').textContent = 'The desktop does not answer.'
}

/** Follows a launch from now on, instead of the one before. */
export function watch(sent: string, contents: Contents): void {
  watched = { sent, since: Date.now(), drawn: '', left: LOOKS_AFTER }
  open.clear()
  byId('watch').hidden = false
  byId('watch-none').hidden = true
  byId('outcome').replaceChildren()
  void look(contents).catch(stopWatching)
}

/** What came back from the launch that is watched, when its plan was closed. */
export function showOutcome(sent: string, { text, bundle }: Closed): void {
  if (watched?.sent !== sent) return
  byId('outcome').replaceChildren(
    h('h3', {}, `Closed. ${text}`),
    h(
      'p',
      {},
      'The GP system ended the launch and asked the gateway, from server to server, what was written in it.',
    ),
    ...(bundle === undefined
      ? []
      : [details('outcome', 'Show what came back', json(bundle, 'What came back'))]),
  )
}

function faultRow(fault: Fault, rung: string, attempt: (fault: string) => void): HTMLElement {
  const expected = fault.expected[rung] ?? ''
  // The list folds away, so that the stages of what now happens are in sight.
  const go = () => {
    byId<HTMLDetailsElement>('fault-list').open = false
    attempt(fault.name)
  }
  return h(
    'li',
    {},
    h('button', { type: 'button', 'data-fault': fault.name, click: go }, fault.title),
    h('p', {}, fault.does),
    h('p', { class: 'expected' }, 'Must be: ', h('code', {}, expected)),
  )
}

/** The faults that this system can be made to commit, as buttons. */
export function showFaults(
  contents: Contents,
  system: System,
  attempt: (fault: string) => void,
): void {
  const rows = contents.faults
    .filter(({ name }) => system.faults.includes(name))
    .map((fault) => faultRow(fault, system.rung, attempt))
  byId('faults').replaceChildren(...rows)
  byId('system-how').textContent = system.how
}

/** Draws the empty inspector. */
export function showInspector(contents: Contents): void {
  const again = () => {
    if (watched) watched.left = 1
    void look(contents).catch(stopWatching)
  }
  byId('inspector').replaceChildren(
    h('h2', {}, 'Launch inspector'),
    h('p', { id: 'system-how', class: 'inspector__how' }),
    h(
      'details',
      { class: 'faults', id: 'fault-list' },
      h('summary', {}, 'Try a fault'),
      h('p', { id: 'fault-hint' }, 'Each button launches the open patient with something wrong.'),
      h('ul', { id: 'faults' }),
    ),
    h(
      'p',
      { id: 'watch-none', class: 'none' },
      'Open a patient, then their care plan: each stage of the launch appears here.',
    ),
    h(
      'div',
      { id: 'watch', hidden: true },
      h('p', {}, h('code', { id: 'watch-launch' })),
      h('p', { id: 'watch-status', class: 'inspector__status', role: 'status' }),
      h('div', { id: 'outcome', class: 'outcome' }),
      h('ol', { id: 'stages', class: 'stages' }),
      h('button', { type: 'button', id: 'look-again', hidden: true, click: again }, 'Look again'),
    ),
  )
  document.addEventListener('visibilitychange', () => void look(contents).catch(stopWatching))
}
