/** The open care plan: reads, shows, edits, and takes everything off the screen when it must. */
import type { Entry } from './composition.js'
import { CallFailed, type Connection } from './connection.js'
import { dayOf, showMoment } from './dates.js'
import type { Section, Settings } from './definition.js'
import { bdi, button, h } from './dom.js'
import { Editor } from './editor.js'
import { ForeignPatient } from './finding.js'
import {
  closedPage,
  failedPage,
  loadingPage,
  nonePage,
  type PageName,
  referenceView,
  UNASKED,
} from './pages.js'
import { bannerOf } from './patient.js'
import { type PlanShown, planView, viewOf } from './plan-view.js'
import { type Reading, readPlan } from './reading.js'
import { save } from './record.js'
import { sectionId } from './section-view.js'
import { announce, blank, showBanner, showContent, showSupport, showUser } from './shell.js'
import { fetchUserName } from './user.js'

interface Setup {
  readonly connection: Connection
  readonly settings: Settings
  readonly sections: readonly Section[]
  /** Stops the session's timers. */
  readonly stop: () => void
}

interface Retry {
  readonly retry: () => void
}

export class App {
  readonly #setup: Setup
  readonly #opened = new Date()
  #plan: PlanShown | undefined
  #editor: Editor | undefined
  #user: string | undefined
  #closed = false

  constructor(setup: Setup) {
    this.#setup = setup
    window.addEventListener('beforeunload', (event) => {
      if (this.#editor?.dirty()) event.preventDefault()
    })
    window.addEventListener('beforeprint', () => this.#support())
  }

  /** Title of the section whose changes would be lost. */
  unsaved(): string | undefined {
    return this.#editor?.dirty() ? this.#editor.section.title : undefined
  }

  /** @param asked whether the user asked: only then may the focus move */
  async load(asked = false): Promise<void> {
    const { connection } = this.#setup
    showContent(loadingPage(), false)
    announce('Loading the care plan')
    try {
      const reading = await readPlan(connection, this.#setup.sections)
      if (this.#closed) return
      showBanner(bannerOf(reading.patient, dayOf(reading.readAt), this.#mustMark()))
      if (reading.finding === 'unknown') this.#unknown(reading, asked)
      else if (reading.finding === 'none') this.#none(reading, asked)
      else this.#show(reading, asked)
    } catch (error) {
      if (error instanceof ForeignPatient) this.close('mismatch')
      else if (error instanceof CallFailed && error.why === 'ended') this.close('ended', error)
      else this.#failed(error instanceof CallFailed ? error : undefined, asked)
    }
  }

  async loadUser(): Promise<void> {
    this.#user = await fetchUserName(this.#setup.connection)
    if (this.#closed) return
    showUser(this.#user)
    this.#support()
  }

  /** A renewal may have narrowed what this role sees: then the plan is read anew. */
  renewed(): void {
    const granted = String(this.#setup.connection.token('scope') ?? '')
    if (this.#plan && !this.#editor && granted !== this.#plan.granted) void this.load()
  }

  /** Nothing of the patient stays: not on the screen, not in memory that a page can reach. */
  close(page: PageName, failure?: CallFailed): void {
    if (this.#closed) return
    this.#closed = true
    const reference = failure?.reference || this.#launch()
    this.#setup.stop()
    this.#setup.connection.close()
    this.#plan = undefined
    this.#editor = undefined
    blank()
    const { emergencyText } = this.#setup.settings
    showContent(closedPage(page, { emergencyText, words: failure?.words ?? '', reference }), true)
  }

  #launch(): string | undefined {
    const launch = this.#setup.connection.token('__launch')
    return typeof launch === 'string' ? launch : undefined
  }

  #mustMark(): boolean {
    const obligations = this.#setup.connection.token('__obligations')
    return Array.isArray(obligations) && obligations.includes('mark-sensitive')
  }

  #retry(): Retry {
    return { retry: () => void this.load(true) }
  }

  #instead(page: HTMLElement, asked: boolean): void {
    if (this.#closed) return
    this.#plan = undefined
    showContent(page, asked)
    this.#support()
  }

  #failed(failure: CallFailed | undefined, asked: boolean): void {
    this.#fail(failure?.words, failure?.reference, this.#retry(), asked)
  }

  #fail(
    words: string | undefined,
    reference: string | undefined,
    retry: Partial<Retry>,
    asked: boolean,
  ): void {
    const { emergencyText } = this.#setup.settings
    const told = { emergencyText, words: words ?? '', reference: reference || this.#launch() }
    this.#instead(failedPage({ ...told, ...retry }), asked)
  }

  #unknown({ failure, content }: Reading, asked: boolean): void {
    const words = failure ? undefined : UNASKED[content]
    if (words === undefined) this.#failed(failure, asked)
    else this.#fail(words, undefined, {}, asked)
  }

  #none({ content, readAt }: Reading, asked: boolean): void {
    const { emergencyText } = this.#setup.settings
    const unread = content === 'no-ehr'
    const told = { emergencyText, ...(unread ? {} : this.#retry()) }
    this.#instead(nonePage(unread ? this.#opened : readAt, told), asked)
  }

  #show(reading: Reading, asked: boolean): void {
    this.#plan = reading
    showContent(planView(reading, this.#acts), asked)
    this.#support()
  }

  readonly #acts = {
    edit: (section: Section) => void this.#edit(section),
    reload: () => {
      if (!this.#editor) void this.load(true)
    },
  }

  /** One section at a time: while one is edited, the others offer no button. */
  #editing(on: boolean): void {
    document.body.classList.toggle('editing', on)
  }

  #edit(section: Section): void {
    const place = document.getElementById(sectionId(section))
    if (!place || !this.#plan || this.#editor) return
    const { connection } = this.#setup
    this.#editing(true)
    this.#editor = new Editor({
      section,
      entry: this.#plan.entries.newest.get(section.template),
      place,
      save: (base, values) => {
        const author = { name: this.#user ?? 'Name not available', at: new Date() }
        return save(connection, section, base, values, author)
      },
      saved: (entry) => this.#done(section, entry, true),
      cancelled: (entry) => this.#done(section, entry, false),
      ended: (failure) => this.close('ended', failure),
    })
  }

  /** Puts the section's view back, with what is now known to be its newest entry. */
  #done(section: Section, entry: Entry | undefined, saved: boolean): void {
    const form = this.#editor?.element
    this.#editor = undefined
    this.#editing(false)
    if (!this.#plan || !form || this.#closed) return
    const newest = new Map(this.#plan.entries.newest)
    if (entry) newest.set(section.template, entry)
    const content = entry ? 'found' : this.#plan.content
    this.#plan = { ...this.#plan, content, entries: { ...this.#plan.entries, newest } }
    const view = viewOf(this.#plan, section, this.#acts, dayOf(new Date()))
    form.replaceWith(view)
    if (!saved) {
      view.querySelector('button')?.focus()
      return
    }
    const notice = h(
      'p',
      { class: 'saved', role: 'status', tabindex: '-1' },
      h('strong', {}, 'Saved. '),
      `${section.title} is up to date in the shared record.`,
    )
    view.prepend(notice)
    notice.focus()
  }

  /** The foot of the page, and of the print-out. */
  #support(): void {
    if (this.#closed) return
    const printed = h(
      'p',
      { class: 'print-only' },
      `Printed on ${showMoment(new Date())} by `,
      bdi(this.#user ?? 'a signed-in user'),
      '. The record may have changed since.',
    )
    const print = button('Print', () => window.print(), 'secondary')
    const reference = referenceView(this.#launch(), 'Launch reference') ?? ''
    showSupport(...(this.#plan ? [print, reference, printed] : [reference]))
  }
}
