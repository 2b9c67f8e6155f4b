/** What comes back from a care plan that was closed: filed in the chart that it was opened from, and in no other. */
import { type Closed, closeLaunch } from './contents.js'
import { day, h } from './elements.js'

/** By chart number: an answer that comes late finds its own chart, whichever is open by then. */
const filed = new Map<string, Closed>()

const time = (at: string): string => `${day(at.slice(0, 10))} ${at.slice(11, 16)} UTC`

const change = ({ title, flag, at, by, text }: Closed['filed'][number]) =>
  h(
    'li',
    {},
    h('p', {}, h('strong', {}, `${title}: ${flag.toLowerCase()}`), ` ${time(at)}, ${by}`),
    text.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, 'What it says now'),
        ...text.map((line) => h('p', {}, line)),
      ),
  )

function card({ state, text, filed: changes, notes }: Closed): HTMLElement {
  return h(
    'section',
    { class: 'card filed', 'data-outcome': state },
    h('h2', {}, 'From the shared care plan'),
    h('p', {}, text),
    changes.length > 0 && h('ul', { class: 'entries' }, ...changes.map(change)),
    ...notes.map((note) => h('p', {}, note)),
  )
}

/** Shows in a chart what was filed there last. */
export function showFiled(place: HTMLElement, chart: string): void {
  const known = filed.get(chart)
  place.replaceChildren(...(known ? [card(known)] : []))
}

/** Closes a launch at the gateway, and files what comes back. */
export async function fileOutcome(sent: string, chart: string): Promise<Closed> {
  const closed = await closeLaunch(sent).catch(
    (cause: Error): Closed => ({ state: 'untold', text: cause.message, filed: [], notes: [] }),
  )
  filed.set(chart, closed)
  return closed
}
