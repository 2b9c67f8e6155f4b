/** The open care plan: reads, shows, edits, and takes everything off the screen when it must. */
import type { Entry } from './composition.js'
import { CallFailed, type Connection, grantedTo, launchOf } from './connection.js'
import { dayOf } from './dates.js'
import type { Definitions, Section, Settings } from './definition.js'
import { Editor } from './editor.js'
import { ForeignPatient } from './finding.js'
import { showFoot } from './foot.js'
import { gpRecordOf, type ReadGpRecord } from './gp-reading.js'
import { type Asked, readHistory } from './history.js'
import { type Around, failedInstead, noneInstead, stays, unknownInstead } from './instead.js'
import { doubtNotice, savedNotice, tell } from './notice.js'
import { closedPage, type Lost, loadingPage, type PageName } from './pages.js'
import { overviewOf, type PlanShown, planView, viewOf, withEntry } from './plan-view.js'
import { bannerFor, readPlan } from './reading.js'
import { save } from './record.js'
import { sectionId } from './section-view.js'
import { announce, blank, showBanner, showContent, showUser } from './shell.js'
import { type Kept, supersededPage } from './superseded.js'
import type { Returned } from './unsaved.js'
import { UnsavedOffer } from './unsaved-offer.js'
import { fetchUserName } from './user.js'

interface Setup {
  readonly connection: Connection
  readonly settings: Settings
  readonly definitions: Definitions
  /** Stops the session's timers. */
  readonly stop: () => void
}

export class App {
  readonly #setup: Setup
  readonly #opened = new Date()
  readonly #offer: UnsavedOffer
  /** Reads what the launch brought of the GP record. */
  #gpRecord: ReadGpRecord | undefined
  #plan: PlanShown | undefined
  #editor: Editor | undefined
  /** A save of this section may have been done: the next reading is to be looked at for it. */
  #doubt: Section | undefined
  #user: string | undefined
  /** Changes that were refused because the chart has moved on: from then on the plan is only read here. */
  #kept: Kept | undefined
  #closed = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.#gpRecord = gpRecordOf(setup.connection)
    this.#offer = new UnsavedOffer({
      ...{ connection: setup.connection, sections: setup.definitions.sections },
      plan: () => (this.#kept ? undefined : this.#plan),
      open: (section, returned) => this.#edit(section, returned),
      over: (error) => this.#closed || this.#over(error),
    })
    window.addEventListener('beforeunload', (event) => {
      if (this.#editor?.lost() || this.#kept) event.preventDefault()
    })
    window.addEventListener('beforeprint', () => this.#foot())
  }

  /** The changes that would be lost with the page. */
  lost(): Lost | undefined {
    if (this.#editor) return this.#editor.lost()
    if (this.#kept) return { title: this.#kept.section.title, known: true, kept: this.#kept.draft }
    return this.#doubt && { title: this.#doubt.title, known: false }
  }

  /**
   * @param asked whether the user asked: only then may the focus move
   * @param before what stays on the screen where the service does not answer
   */
  async load(asked = false, before?: PlanShown): Promise<void> {
    const { connection } = this.#setup
    showContent(loadingPage(), false)
    announce('Loading the care plan')
    this.#offer.ask()
    try {
      const reading = await readPlan(connection, this.#setup.definitions.sections)
      if (this.#closed) return
      showBanner(bannerFor(connection, reading))
      if (reading.finding === 'unknown' && reading.failure) throw reading.failure
      if (reading.finding === 'unknown')
        this.#instead(unknownInstead(reading, this.#around()), asked)
      else if (reading.finding === 'none')
        this.#instead(noneInstead(reading, this.#around()), asked)
      else this.#show(reading, asked)
    } catch (error) {
      if (this.#closed || this.#over(error)) return
      const failure = error instanceof CallFailed ? error : undefined
      if (stays(connection, before, failure))
        this.#show({ ...before, unchecked: new Date() }, asked)
      else this.#instead(failedInstead(failure, this.#around()), asked)
    }
  }

  /** Closes the view for an error after which nothing of it may stay. */
  #over(error: unknown): boolean {
    if (error instanceof ForeignPatient) this.close('mismatch')
    else if (error instanceof CallFailed && error.why === 'ended') this.close('ended', error)
    else return false
    return true
  }

  async loadUser(): Promise<void> {
    this.#user = await fetchUserName(this.#setup.connection)
    if (this.#closed) return
    showUser(this.#user)
    this.#foot()
  }

  /** A renewal may have narrowed what this role sees: then the plan is read anew. */
  renewed(): void {
    if (this.#plan && !this.#editor && grantedTo(this.#setup.connection) !== this.#plan.granted)
      void this.load()
  }

  /** Nothing of the patient stays: not on the screen, not in memory that a page can reach. */
  close(page: PageName, failure?: CallFailed): void {
    if (this.#closed) return
    this.#closed = true
    const reference = failure?.reference || launchOf(this.#setup.connection)
    const lost = this.lost()
    this.#editor?.leave()
    this.#setup.stop()
    this.#setup.connection.close()
    this.#plan = undefined
    this.#editor = undefined
    this.#doubt = undefined
    this.#kept = undefined
    this.#gpRecord = undefined
    blank()
    const { emergencyText } = this.#setup.settings
    // The gateway's words for it are about a token: the page has its own.
    showContent(closedPage(page, { emergencyText, reference, lost }), true)
  }

  #around(): Around {
    return {
      emergencyText: this.#setup.settings.emergencyText,
      ...{ launch: launchOf(this.#setup.connection), lost: this.lost(), opened: this.#opened },
      retry: () => void this.load(true),
    }
  }

  #instead(page: HTMLElement, asked: boolean): void {
    if (this.#closed) return
    this.#plan = undefined
    showContent(page, asked)
    this.#foot()
  }

  #superseded(kept: Kept): void {
    this.#instead(
      supersededPage(kept, launchOf(this.#setup.connection), () => void this.load(true)),
      true,
    )
  }

  #show(reading: PlanShown, asked: boolean): void {
    this.#plan = reading
    showContent(planView(reading, this.#setup.definitions, this.#acts), asked)
    this.#offer.load()
    this.#foot()
    const place = this.#doubt && document.getElementById(sectionId(this.#doubt))
    if (place) tell(place, doubtNotice(this.#doubt?.title ?? '', reading.readAt))
    this.#doubt = undefined
  }

  readonly #acts = {
    edit: (section: Section) => {
      if (this.#kept) this.#superseded(this.#kept)
      else void this.#offer.edit(section)
    },
    history: (...asked: Asked) =>
      readHistory(this.#setup.connection, asked, (error) => void this.#over(error)),
    reload: () => {
      if (!this.#editor) void this.load(true, this.#plan)
    },
  }

  /** One section at a time: while one is edited, the others offer no button. */
  #editing(editor: Editor | undefined): void {
    this.#editor = editor
    document.body.classList.toggle('editing', editor !== undefined)
  }

  #edit(section: Section, returned?: Returned): void {
    const place = document.getElementById(sectionId(section))
    const plan = this.#plan
    if (!place || !plan || this.#editor) return
    const { connection } = this.#setup
    const editor = new Editor({
      section,
      entry: plan.entries.newest.get(section.template),
      ...{ place, returned, ...this.#offer.keeping(section) },
      view: (entry) =>
        viewOf(withEntry(plan, section, entry), section, this.#acts, dayOf(new Date())),
      ...{ gpRecord: this.#gpRecord, gateway: new URL(connection.fhir).host },
      save: (base, values, adopted) => {
        const author = { name: this.#user ?? 'Name not available', at: new Date() }
        return save(connection, section, base, values, author, adopted)
      },
      saved: (entry) => this.#done(section, entry, true),
      cancelled: (entry) => this.#done(section, entry, false),
      outdated: (unsettled) => this.#readAgain(unsettled ? section : undefined),
      superseded: (kept) => {
        this.#editing(undefined)
        this.#kept = kept
        this.#superseded(kept)
      },
      ended: (error) => {
        if (!this.#over(error)) this.#readAgain(section)
      },
    })
    this.#editing(editor)
  }

  /** @param doubt a section of which it is not known whether it was saved */
  #readAgain(doubt: Section | undefined): void {
    this.#editing(undefined)
    this.#doubt = doubt
    void this.load(true)
  }

  /** Puts the section's view back, with what is now known to be its newest entry. */
  #done(section: Section, entry: Entry | undefined, saved: boolean): void {
    const form = this.#editor?.element
    this.#editing(undefined)
    if (!this.#plan || !form || this.#closed) return
    if (entry) this.#plan = withEntry(this.#plan, section, entry)
    const view = viewOf(this.#plan, section, this.#acts, dayOf(new Date()))
    form.replaceWith(view)
    const overview = overviewOf(this.#plan, this.#setup.definitions)
    if (overview) document.querySelector('.overview')?.replaceWith(overview)
    if (saved) tell(view, savedNotice(section.title))
    else view.querySelector<HTMLElement>('.section__edit')?.focus()
  }

  #foot(): void {
    if (this.#closed) return
    showFoot({
      readAt: this.#plan?.readAt,
      user: this.#user,
      launch: launchOf(this.#setup.connection),
    })
  }
}
