/** The pretend GP desktop's page: who is signed in where, which patient is open, and the launch. */
import { showChart, showTab } from './chart.js'
import {
  type Chart,
  type Contents,
  type Launched,
  orderLaunch,
  readChart,
  readContents,
} from './contents.js'
import { byId, fullName, h } from './elements.js'
import { beginFinding, startFinder } from './finder.js'
import { closeFrame, openFrame } from './frame.js'
import { showFaults, showInspector, showOutcome, watch } from './inspector.js'
import { fileOutcome, showFiled } from './outcome.js'

interface Choice {
  readonly system: string
  readonly user: string
  readonly patient?: Chart
}

let contents: Contents
let choice: Choice
/** Moves on with every change of patient, user or system: an answer to an earlier order is dropped. */
let order = 0
/** The launch of the care plan that is open, and the chart that it was opened from. */
let opened: { readonly sent: string; readonly chart: string } | undefined

const chosenSystem = () => contents.systems.find(({ id }) => id === choice.system)

/** The address holds the chart's number, never the NHS number. */
function readAddress(): Choice & { readonly chart?: string } {
  const asked = new URLSearchParams(location.hash.slice(1))
  const system = contents.systems.find(({ id }) => id === asked.get('system'))
  const user = contents.users.find(({ id }) => id === asked.get('user'))
  const chart = asked.get('chart')
  return {
    system: system?.id ?? contents.systems[0]?.id ?? '',
    user: user?.id ?? contents.users[0]?.id ?? '',
    ...(chart === null ? {} : { chart }),
  }
}

function writeAddress(): void {
  const { system, user, patient } = choice
  const address = new URLSearchParams({
    system,
    user,
    ...(patient ? { chart: patient.chart } : {}),
  })
  history.replaceState(null, '', `#${address}`)
}

/** Whatever changes, an open care plan goes first: it belongs to what was chosen before. */
function choose(next: Choice): void {
  closePlan()
  choice = next
  writeAddress()
  show()
}

/** Nobody's chart is on the screen while the next one is fetched. */
async function openChart(chart: string | undefined, { system, user }: Choice): Promise<boolean> {
  choose({ system, user })
  if (chart === undefined) return true
  const mine = order
  const patient = await readChart(chart).catch(() => undefined)
  if (mine === order && patient) choose({ system, user, patient })
  return mine === order
}

const goTo = ({ chart, ...where }: ReturnType<typeof readAddress>) => openChart(chart, where)

function show(): void {
  const system = chosenSystem()
  document.body.dataset.system = choice.system
  document.title = `${system?.name ?? 'GP desktop'} (demonstration)`
  byId('system-name').textContent = system?.name ?? ''
  byId<HTMLSelectElement>('user').value = choice.user
  for (const input of document.querySelectorAll<HTMLInputElement>('[name=system]')) {
    input.checked = input.value === choice.system
  }
  if (system) showFaults(contents, system, (fault) => void openPlan(fault))
  const { patient } = choice
  byId('finder').hidden = patient !== undefined
  byId('chart').hidden = patient === undefined
  if (patient) showPatient(patient)
  else byId('chart').replaceChildren()
  byId('fault-hint').textContent = patient
    ? `Each button launches ${fullName(patient)} with something wrong.`
    : 'Open a patient first: each button launches that patient with something wrong.'
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-fault]')) {
    button.disabled = patient === undefined
  }
}

function showPatient(patient: Chart): void {
  showChart(byId('chart'), patient, { open: () => void openPlan(), close: putAway, leave })
  showFiled(byId('filed'), patient.chart)
}

/** Once the frame is gone: the GP system asks what was changed, and files it in the chart that it was opened from. */
async function fetchOutcome(): Promise<void> {
  const closed = opened
  opened = undefined
  if (!closed) return
  const outcome = await fileOutcome(closed.sent, closed.chart)
  showOutcome(closed.sent, outcome)
  if (choice.patient?.chart === closed.chart) showFiled(byId('filed'), closed.chart)
}

function leave(): void {
  const { system, user } = choice
  choose({ system, user })
  beginFinding()
}

function closePlan(): void {
  order += 1
  closeFrame()
  void fetchOutcome()
  document.getElementById('plan')?.replaceChildren()
  planIsOpen(false)
  if (choice?.patient) showTab(byId('chart'), 'summary')
}

function putAway(): void {
  closePlan()
  byId('open-plan').focus()
}

function planIsOpen(open: boolean): void {
  const button = document.getElementById('open-plan')
  const close = document.getElementById('close-plan')
  if (button) button.textContent = open ? 'Open care plan again' : 'Open care plan'
  if (close) close.hidden = !open
}

const notice = (title: string, ...lines: readonly (string | undefined)[]) =>
  h(
    'div',
    { class: 'notice', role: 'alert' },
    h('h2', {}, title),
    ...lines.filter((line) => line !== undefined).map((line) => h('p', {}, line)),
  )

const said = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function showLaunched(place: HTMLElement, launched: Launched, patient: Chart): void {
  if (launched.style !== 'refused') {
    openFrame(place, launched, `Care plan of ${fullName(patient)}`)
    return
  }
  const { error, error_description, reference } = launched.answer
  place.replaceChildren(
    notice(
      'The care plan was not opened',
      said(error_description) ?? `The gateway answered ${launched.status}.`,
      said(error) && `Error: ${said(error)}`,
      said(reference) && `Reference: ${said(reference)}`,
    ),
  )
}

async function openPlan(fault?: string): Promise<void> {
  const { patient, system, user } = choice
  if (!patient) return
  closePlan()
  const mine = order
  const place = byId('plan')
  showTab(byId('chart'), 'plan')
  planIsOpen(true)
  place.replaceChildren(h('p', { class: 'none', role: 'status' }, 'Opening …'))
  try {
    const asked = { system, user, patient: patient.chart, ...(fault ? { fault } : {}) }
    const launched = await orderLaunch(asked)
    if (mine !== order) return
    if (launched.style !== 'refused') opened = { sent: launched.sent, chart: patient.chart }
    showLaunched(place, launched, patient)
    watch(launched.sent, contents)
  } catch (cause) {
    if (mine !== order) return
    place.replaceChildren(notice('The care plan was not opened', (cause as Error).message))
  }
}

function listChoices(): void {
  byId('systems').replaceChildren(
    ...contents.systems.map(({ id, name }) =>
      h(
        'label',
        { class: 'systems__choice' },
        h('input', {
          type: 'radio',
          name: 'system',
          value: id,
          change: () => choose({ ...choice, system: id }),
        }),
        name,
      ),
    ),
  )
  const user = byId<HTMLSelectElement>('user')
  user.replaceChildren(
    ...contents.users.map(({ id, name, title, organization }) =>
      h('option', { value: id }, `${name}, ${title} (${organization})`),
    ),
  )
  user.addEventListener('change', () => choose({ ...choice, user: user.value }))
}

function toggleInspector(): void {
  const shut = document.body.classList.toggle('inspector-shut')
  byId('inspector').hidden = shut
  byId('inspector-toggle').setAttribute('aria-expanded', String(!shut))
}

contents = await readContents()
choice = readAddress()
listChoices()
showInspector(contents)
startFinder(contents.found, (chart) => {
  void openChart(chart, choice).then((opened) => opened && byId('work').focus())
})
byId('inspector-toggle').addEventListener('click', toggleInspector)
addEventListener('hashchange', () => void goTo(readAddress()))
void goTo(readAddress())
