/** The open care plan: reads, shows, edits, and takes everything off the screen when it must. */
import { begunFrom } from './begin.js'
import { CallFailed, type Connection, grantedTo, launchOf } from './connection.js'
import type { Definitions, Section, Settings } from './definition.js'
import { Editing } from './editing.js'
import { ForeignPatient } from './finding.js'
import { showFoot } from './foot.js'
import { gpRecordOf, type ReadGpRecord } from './gp-reading.js'
import { type Asked, readHistory } from './history.js'
import { type Around, failedInstead, insteadOf, stays } from './instead.js'
import { doubtNotice, tell } from './notice.js'
import { closedPage, type Lost, loadingPage, type PageName } from './pages.js'
import { type PlanShown, planView } from './plan-view.js'
import { bannerFor, readPlan } from './reading.js'
import { sectionId } from './section-view.js'
import { announce, blank, showBanner, showContent, showUser } from './shell.js'
import { type Kept, supersededPage } from './superseded.js'
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
  readonly #editing: Editing
  /** Reads what the launch brought of the GP record. */
  #gpRecord: ReadGpRecord | undefined
  #plan: PlanShown | undefined
  /** What could be begun, where the page says that there is no plan. */
  #unbegun: PlanShown | undefined
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
      plan: () => (this.#kept ? undefined : (this.#plan ?? this.#unbegun)),
      open: (section, returned) => {
        if (this.#unbegun) this.#show(this.#unbegun, true)
        this.#editing.edit(section, returned)
      },
      over: (error) => this.#closed || this.#over(error),
    })
    this.#editing = new Editing({
      ...{ connection: setup.connection, definitions: setup.definitions, acts: this.#acts },
      keeping: (section) => this.#offer.keeping(section),
      plan: () => this.#plan,
      user: () => this.#user,
      gpRecord: () => this.#gpRecord,
      renewed: (plan) => this.#renewed(plan),
      readAgain: (doubt) => this.#readAgain(doubt),
      superseded: (kept) => {
        this.#kept = kept
        this.#superseded(kept)
      },
      over: (error) => this.#over(error),
    })
    window.addEventListener('beforeunload', (event) => {
      if (this.#editing.lost() || this.#kept) event.preventDefault()
    })
    window.addEventListener('beforeprint', () => this.#foot())
  }

  /** The changes that would be lost with the page. */
  lost(): Lost | undefined {
    if (this.#editing.open) return this.#editing.lost()
    if (this.#kept) return { title: this.#kept.section.title, known: true, kept: this.#kept.draft }
    return this.#doubt && { title: this.#doubt.title, known: false }
  }

  /**
   * @param asked whether the user asked: only then may the focus move
   * @param before what stays on the screen where the service does not answer
   */
  async load(asked = false, before?: PlanShown): Promise<void> {
    const { connection, definitions } = this.#setup
    showContent(loadingPage(), false)
    announce('Loading the care plan')
    this.#unbegun = undefined
    this.#offer.ask()
    try {
      const reading = await readPlan(connection, definitions.sections)
      if (this.#closed) return
      showBanner(bannerFor(connection, reading))
      const begun = begunFrom(reading, definitions)
      // Who has begun one goes on with it; what was kept of it is found again from there.
      if (begun && (this.#plan?.begun || this.#kept)) return this.#show(begun, asked)
      const page = insteadOf(reading, this.#around(begun))
      if (page) this.#instead(page, asked, begun)
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
    const shown = this.#plan ?? this.#unbegun
    if (shown && !this.#editing.open && grantedTo(this.#setup.connection) !== shown.granted)
      void this.load()
  }

  /** Nothing of the patient stays: not on the screen, not in memory that a page can reach. */
  close(page: PageName, failure?: CallFailed): void {
    if (this.#closed) return
    this.#closed = true
    const reference = failure?.reference || launchOf(this.#setup.connection)
    const lost = this.lost()
    this.#editing.leave()
    this.#setup.stop()
    this.#setup.connection.close()
    this.#plan = undefined
    this.#unbegun = undefined
    this.#doubt = undefined
    this.#kept = undefined
    this.#gpRecord = undefined
    blank()
    const { emergencyText } = this.#setup.settings
    // The gateway's words for it are about a token: the page has its own.
    showContent(closedPage(page, { emergencyText, reference, lost }), true)
  }

  #around(begun?: PlanShown): Around {
    const { settings, definitions } = this.#setup
    return {
      ...{ emergencyText: settings.emergencyText, definitions },
      begin: begun && (() => this.#show(begun, true)),
      ...{ launch: launchOf(this.#setup.connection), lost: this.lost(), opened: this.#opened },
      retry: () => void this.load(true),
    }
  }

  #instead(page: HTMLElement, asked: boolean, begun?: PlanShown): void {
    if (this.#closed) return
    this.#plan = undefined
    this.#unbegun = begun
    showContent(page, asked)
    if (begun) this.#offer.load()
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
    this.#unbegun = undefined
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
      if (!this.#editing.open) void this.load(true, this.#plan)
    },
  }

  /** @param doubt a section of which it is not known whether it was saved */
  #readAgain(doubt: Section | undefined): void {
    this.#doubt = doubt
    void this.load(true)
  }

  /** The plan on the screen is put anew already. */
  #renewed(plan: PlanShown): void {
    if (this.#closed) return
    this.#plan = plan
    this.#foot()
  }

  #foot(): void {
    if (this.#closed) return
    const readAt = this.#plan?.readAt
    showFoot({ readAt, user: this.#user, launch: launchOf(this.#setup.connection) })
  }
}
