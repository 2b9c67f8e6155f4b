/** What a print-out shows of a section that is being changed: what is recorded of it, never what is typed. */
import { h } from './dom.js'

const CHANGING =
  'This section was being changed when this was printed. Those changes are not shown.'

function onPaper(view: HTMLElement): HTMLElement {
  view.classList.add('on-paper')
  view.append(h('p', { class: 'note' }, h('strong', {}, CHANGING)))
  return view
}

/** Takes the place of a section's own view, for a form: the view goes on to be printed. */
export class Changing {
  readonly element = h('div', {})
  /** Where the form is put. */
  readonly place = h('div', {})
  #paper: HTMLElement

  constructor(view: HTMLElement) {
    view.replaceWith(this.element)
    this.#paper = onPaper(view)
    this.element.append(this.place, this.#paper)
  }

  /** @param view of what is recorded now */
  recorded(view: HTMLElement): void {
    const paper = onPaper(view)
    this.#paper.replaceWith(paper)
    this.#paper = paper
  }
}
