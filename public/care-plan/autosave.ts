/** Keeps what is typed, a moment after it was typed and whenever the page may go, and says so once. */
import { CallFailed, type Why } from './connection.js'
import { showMoment, showTime } from './dates.js'
import { h } from './dom.js'
import type { Kept } from './pages.js'
import type { Typed } from './typed.js'

interface Setup {
  /** What stands in the form; `undefined` while none of it would be lost. */
  readonly read: () => Typed | undefined
  /** @throws CallFailed */
  readonly keep: (typed: Typed, last: boolean) => Promise<Date>
  /** @throws CallFailed */
  readonly discard: () => Promise<void>
  /** The session is over. */
  readonly ended: (error: CallFailed) => void
  /** The chart has moved on: what is typed now will not be saved from here. */
  readonly left: () => void
}

/** After the last key, in milliseconds. */
const PAUSE = 2_000
/** Somebody who never stops typing is not left without. */
const LONGEST = 15_000
const RETRY = 15_000

// biome-ignore format: a table
const NOT_KEPT: Readonly<Record<Exclude<Why, 'ended'>, string>> = {
  unreachable: 'the service could not be reached',
  refused:     'your role does not allow this change',
  absent:      'this section cannot be changed here',
  stale:       'other unsaved changes of yours to this section are kept, from another page',
  superseded:  'another care plan has been opened from the patient record since',
  unfit:       'the service could not take it',
  unlisted:    'the service could not take it',
  failed:      'the service could not take it',
}

export class Autosave {
  readonly element: HTMLElement
  readonly #setup: Setup
  readonly #shown = h('p', { class: 'kept', 'aria-hidden': 'true' })
  readonly #said = h('p', { class: 'nhsuk-u-visually-hidden', role: 'status' })
  /** Its words stick to the lower edge where nothing is kept: what is focused scrolls to above them (WCAG 2.2, 2.4.11). */
  readonly #height = new ResizeObserver(() =>
    document.documentElement.style.setProperty('--keeping', `${this.element.offsetHeight}px`),
  )
  #timer: number | undefined
  /** When the first key was typed that is not kept. */
  #since: number | undefined
  #underWay: Promise<void> | undefined
  #kept: { readonly text: string; readonly at: Date } | undefined
  /** The gateway holds something of this section. */
  #standing = false
  #stopped = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.element = h('div', { class: 'keeping' }, this.#shown, this.#said)
    this.#height.observe(this.element)
    window.addEventListener('blur', this.#now)
    window.addEventListener('pagehide', this.#last)
    document.addEventListener('visibilitychange', this.#last)
  }

  /** What the form holds was kept before, at this time. */
  begin(at: Date): void {
    this.#kept = { text: JSON.stringify(this.#setup.read()), at }
    this.#standing = true
    this.#show(`Draft kept ${showMoment(at)}`, false)
  }

  /** Something in the form may have changed. */
  touched(): void {
    if (this.#stopped) return
    const now = Date.now()
    this.#since ??= now
    window.clearTimeout(this.#timer)
    this.#wait(Math.min(PAUSE, Math.max(0, this.#since + LONGEST - now)))
  }

  /** What of the form is kept, if anything is. */
  kept(): Kept | undefined {
    const typed = this.#setup.read()
    return this.#kept && { at: this.#kept.at, whole: JSON.stringify(typed) === this.#kept.text }
  }

  /** Nothing more is kept; what is kept stays. */
  stop(): void {
    this.#stopped = true
    this.#height.disconnect()
    window.clearTimeout(this.#timer)
    window.removeEventListener('blur', this.#now)
    window.removeEventListener('pagehide', this.#last)
    document.removeEventListener('visibilitychange', this.#last)
  }

  /** It was saved, or is not wanted. What could not be discarded is offered once more, and goes after a day. */
  async discard(): Promise<void> {
    this.stop()
    await this.#underWay
    if (this.#standing) await this.#setup.discard().catch(() => undefined)
  }

  #wait(time: number): void {
    this.#timer = window.setTimeout(this.#now, time)
  }

  readonly #now = (): void => void this.#keep(false)

  readonly #last = (event: Event): void => {
    if (event.type === 'pagehide' || document.hidden) void this.#keep(true)
  }

  async #keep(last: boolean): Promise<void> {
    if (this.#stopped) return
    // One after the other: an earlier text must not arrive after a later one. A page that goes cannot wait.
    if (this.#underWay && !last) await this.#underWay
    const typed = this.#setup.read()
    const text = JSON.stringify(typed)
    if (this.#stopped || (typed ? text === this.#kept?.text : !this.#kept)) return
    window.clearTimeout(this.#timer)
    this.#since = undefined
    this.#underWay = (typed ? this.#send(typed, text, last) : this.#undo()).finally(() => {
      this.#underWay = undefined
    })
    await this.#underWay
  }

  async #send(typed: Typed, text: string, last: boolean): Promise<void> {
    try {
      const at = await this.#setup.keep(typed, last)
      const first = this.#kept === undefined
      this.#kept = { text, at }
      this.#standing = true
      this.#show(`Draft kept ${showTime(at)}`, first)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What was typed was taken back by hand: the form holds what the record holds. */
  async #undo(): Promise<void> {
    try {
      await this.#setup.discard()
      this.#kept = undefined
      this.#standing = false
      this.#show('', false)
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    const { why, words, unsettled } = error instanceof CallFailed ? error : new CallFailed('failed')
    if (why === 'ended') {
      this.#setup.ended(error as CallFailed)
      return
    }
    if (why === 'superseded') this.#setup.left()
    const more = why === 'failed' && words !== '' ? ` (${words.replace(/\.$/, '')})` : ''
    const text = `Not kept: ${NOT_KEPT[why]}${more}. Your text is still on this page.`
    this.#show(text, this.#shown.textContent !== text)
    this.#shown.classList.add('kept--not')
    // What was refused would be refused again.
    if (why === 'unreachable' || unsettled) this.#wait(RETRY)
  }

  /** @param aloud a time that moves on is not news */
  #show(text: string, aloud: boolean): void {
    const mended = this.#shown.classList.contains('kept--not')
    this.#shown.classList.remove('kept--not')
    this.#shown.textContent = text
    if (aloud || mended) this.#said.textContent = text
  }
}
