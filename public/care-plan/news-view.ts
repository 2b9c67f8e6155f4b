/** What others have changed, above the plan; and a decision that is another now, where it is in sight wherever one reads. */
import { showTime } from './dates.js'
import { bdi, button, type Child, h, icon } from './dom.js'
import type { Change, News } from './news.js'
import { linkTo } from './section-view.js'

const decisionWords = ({ decision }: Change): readonly Child[] =>
  decision ? [' Now: ', h('strong', {}, decision.now), `. Before: ${decision.was}.`] : []

const rowOf = (change: Change): HTMLElement =>
  h('li', {}, linkTo(change.section), ': ', bdi(`${change.about}.`), ...decisionWords(change))

/** @param news absent where there is nothing to tell */
export function newsView(news: News | undefined, close: () => void): HTMLElement | undefined {
  if (!news) return undefined
  const since = showTime(news.since)
  if (news.changes.length === 0)
    return h('p', { class: 'news news--none' }, `No change was found since ${since}.`)
  return h(
    'section',
    { class: 'news', 'aria-label': 'Changed by others' },
    h('p', {}, h('strong', {}, `Changed since this plan was read at ${since}:`)),
    h('ul', {}, ...news.changes.map(rowOf)),
    button('I have seen this', close, 'secondary'),
  )
}

/** Below the patient, until somebody has looked: `undefined` where no decision says anything else. */
export function decisionStrip(
  news: News | undefined,
  show: (change: Change) => void,
): HTMLElement | undefined {
  const change = news?.changes.find(({ decision, shown }) => decision && !shown)
  if (!news || !change?.decision) return undefined
  const { name, was, now } = change.decision
  return h(
    'section',
    { class: 'turned', 'aria-label': `The ${name} decision has changed` },
    h(
      'p',
      { class: 'turned__text' },
      icon('warning'),
      h(
        'span',
        {},
        h('strong', {}, `The ${name} decision has changed. Now: ${now}.`),
        ` Before: ${was}. Read at ${showTime(news.at)}.`,
      ),
    ),
    button('Show it', () => show(change), 'secondary'),
  )
}
