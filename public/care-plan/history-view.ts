/** The history of a section, under its heading: who, when, and what changed. */
import { showMoment } from './dates.js'
import type { Field, Section } from './definition.js'
import { bdi, button, h, hiddenText } from './dom.js'
import type { FieldChange, History, Version } from './history.js'
import { announce } from './shell.js'
import { sourcesView } from './sources-view.js'
import { plural } from './text.js'
import { valueView } from './values-view.js'

function side(title: string, field: Field, value: string, beside: string): HTMLElement {
  const body =
    value === '' ? h('p', { class: 'empty' }, 'Nothing recorded') : valueView(field, value, beside)
  return h('div', { class: 'version' }, h('h6', {}, title), body)
}

function changeView(change: FieldChange): HTMLElement {
  return h(
    'div',
    { class: 'change' },
    h('h5', { class: 'change__title' }, change.field.title),
    h(
      'div',
      { class: 'versions' },
      side('Before', change.field, change.before, change.after),
      side('After', change.field, change.after, change.before),
    ),
    ...sourcesView(change.sources, false),
  )
}

/** The first version changed nothing: what it said is told. */
const beginning = ({ field, after, sources }: FieldChange): HTMLElement =>
  h(
    'div',
    { class: 'change' },
    h('h5', { class: 'change__title' }, field.title),
    valueView(field, after),
    ...sourcesView(sources, false),
  )

function versionView(version: Version): HTMLElement {
  const { by, at, changes, first, beside } = version
  const when = at === undefined ? 'At a time not recorded' : showMoment(at)
  const what = first
    ? 'begun'
    : changes === undefined
      ? ''
      : `${plural(changes.length, 'field')} changed`
  const body = (changes ?? []).map(first ? beginning : changeView)
  const none =
    changes?.length === 0 && !beside ? 'Nothing that this form shows was changed.' : undefined
  return h(
    'li',
    { class: 'history__version' },
    h('h4', {}, when, ' by ', bdi(by), what === '' ? '' : `: ${what}`),
    changes === undefined
      ? h('p', { class: 'note' }, 'What this version changed could not be loaded.')
      : undefined,
    none === undefined ? undefined : h('p', { class: 'empty' }, none),
    beside
      ? h(
          'p',
          { class: 'note' },
          'Something that this form does not show was changed: check the full record.',
        )
      : undefined,
    ...body,
  )
}

function historyView({ versions, older }: History, more: () => void): readonly HTMLElement[] {
  return [
    h('ol', { class: 'history__list' }, ...versions.map(versionView)),
    ...(older > 0 ? [button(`Show older versions (${older} more)`, more, 'secondary')] : []),
  ]
}

/**
 * The button and what it opens.
 * @param read reads the history, each time more of it
 */
export function historyPanel(section: Section, read: (more: boolean) => Promise<History>) {
  const id = `history-${section.id}`
  const panel = h('div', { class: 'history', id, hidden: true })
  const show = async (more: boolean) => {
    panel.replaceChildren(h('p', { class: 'loading' }, 'Loading the history…'))
    try {
      const history = await read(more)
      panel.replaceChildren(...historyView(history, () => void show(true)))
      announce(`History of ${section.title}: ${plural(history.versions.length, 'version')}`)
    } catch {
      const again = button('Try again', () => void show(more), 'secondary')
      const words = 'The history could not be loaded. This does not mean that nothing was changed.'
      panel.replaceChildren(h('p', { class: 'note', role: 'alert' }, words), again)
    }
  }
  const toggle = button(
    ['History', hiddenText(` of ${section.title}`)],
    () => {
      const open = panel.hidden
      panel.hidden = !open
      toggle.setAttribute('aria-expanded', String(open))
      if (open) void show(false)
      else panel.replaceChildren()
    },
    'secondary',
  )
  toggle.classList.add('section__history')
  toggle.setAttribute('aria-expanded', 'false')
  toggle.setAttribute('aria-controls', id)
  return { button: toggle, panel }
}
