/** The open care plan: reads, shows, edits, and takes everything off the screen when it must. */
import { CallFailed, type Connection, grantedTo, launchOf } from './connection.js'
import type { Definitions, Section, Settings } from './definition.js'
import { Editing } from './editing.js'
import { ForeignPatient } from './finding.js'
import { showFoot } from './foot.js'
import type { Sign } from './freshness.js'
import { gpRecordOf, type ReadGpRecord } from './gp-reading.js'
import { type Asked, readHistory } from './history.js'
import { type Around, failedInstead, insteadOf } from './instead.js'
import { doubtNotice, tell } from './notice.js'
import { closedPage, type Lost, type PageName, renewNone } from './pages.js'
import { type PlanShown, planView } from './plan-view.js'
import { Reader } from './reader.js'
import type { Reading } from './reading.js'
import { sectionId } from './section-view.js'
import { blank, showContent, showTurned, showUser } from './shell.js'
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
  readonly #reader: Reader
  /** Reads what the launch brought of the GP record. */
  #gpRecord: ReadGpRecord | undefined
  #plan: PlanShown | undefined
  /** Where the page says that there is no plan: when that was read, if it is to be read anew, and what could be begun. */
  #none: { readonly at: Date | undefined; readonly begun: PlanShown | undefined } | undefined
  /** A save of this section may have been done: the next reading is to be looked at for it. */
  #doubt: Section | undefined
  #user: string | undefined
  /** Changes that were refused because the chart has moved on: from then on the plan is only read here. */
  #kept: Kept | undefined
  #left = false
  #closed = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.#gpRecord = gpRecordOf(setup.connection)
    this.#offer = new UnsavedOffer({
      ...{ connection: setup.connection, sections: setup.definitions.sections },
      plan: () => (this.#left ? undefined : (this.#plan ?? this.#none?.begun)),
      open: (section, returned) => {
        if (this.#none?.begun) this.#show(this.#none.begun, true)
        this.#editing.edit(section, returned)
      },
      over: (error) => this.#closed || this.#over(error),
    })
    this.#editing = new Editing({
      ...{ connection: setup.connection, definitions: setup.definitions, acts: this.#acts },
      keeping: (section) => this.#offer.keeping(section),
      plan: () => this.#plan,
      loading: () => this.#reader.loading,
      user: () => this.#user,
      gpRecord: () => this.#gpRecord,
      renewed: (plan) => this.#reader.saved(plan),
      readAgain: (doubt) => {
        this.#doubt = doubt
        void this.load(true)
      },
      left: () => this.#leave(),
      superseded: (kept) => this.#superseded(kept),
      over: (error) => this.#over(error),
    })
    this.#reader = new Reader({
      ...{ connection: setup.connection, definitions: setup.definitions, acts: this.#acts },
      emergencyText: setup.settings.emergencyText,
      editing: () => this.#editing,
      plan: () => this.#plan,
      noneAt: () => this.#none?.at,
      begins: () => this.#plan?.begun !== undefined || this.#left,
      renewed: (plan) => this.#renewed(plan),
      loading: () => {
        this.#none = undefined
        this.#offer.ask()
      },
      show: (plan, asked) => this.#show(plan, asked),
      instead: (...what) => this.#unplanned(...what),
      failed: (failure, asked) => this.#instead(failedInstead(failure, this.#around()), asked),
      over: (error) => this.#closed || this.#over(error),
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

  load(asked = false, before?: PlanShown): Promise<void> {
    return this.#reader.load(asked, before)
  }

  /** A sign that the user is there. */
  seen(sign: Sign): void {
    this.#reader.looking.seen(sign)
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
    const shown = this.#plan ?? this.#none?.begun
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
    this.#reader.stop()
    this.#setup.connection.close()
    this.#plan = undefined
    this.#none = undefined
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

  #instead(page: HTMLElement, asked: boolean): void {
    if (this.#closed) return
    this.#plan = undefined
    this.#none = undefined
    showTurned(undefined)
    showContent(page, asked)
    this.#foot()
  }

  /** Shows what stands in the place of a plan, where something does. @throws CallFailed */
  #unplanned(reading: Reading, asked: boolean, begun: PlanShown | undefined): boolean {
    const page = insteadOf(reading, this.#around(begun))
    if (!page) return false
    const before = this.#none
    // Where it is said already, nothing moves.
    const stands = before?.at && !before.begun === !begun && renewNone(page)
    if (!stands) this.#instead(page, asked)
    // Only another launch looks for a health record again.
    this.#none = { at: reading.content === 'no-ehr' ? undefined : reading.readAt, begun }
    if (begun && !stands) this.#offer.load()
    return true
  }

  /** The chart has moved on while something is typed: it stays, and it is said that it cannot be saved from here. */
  #leave(): void {
    const before = this.#plan
    this.#left = true
    if (before) this.#reader.renew(before, { ...before, left: 'nothing' })
  }

  #superseded(kept: Kept): void {
    this.#left = true
    this.#kept = kept
    const { launch, retry } = this.#around()
    this.#instead(supersededPage(kept, launch, retry), true)
  }

  #show(reading: PlanShown, asked: boolean): void {
    const before = this.#plan
    const left = this.#kept ? 'typed' : 'nothing'
    const plan: PlanShown = this.#left ? { ...reading, left } : reading
    this.#plan = plan
    this.#none = undefined
    showContent(planView(plan, this.#setup.definitions, this.#acts), asked)
    this.#reader.tell(before, plan)
    this.#offer.load()
    this.#foot()
    const place = this.#doubt && document.getElementById(sectionId(this.#doubt))
    if (place) tell(place, doubtNotice(this.#doubt?.title ?? '', reading.readAt))
    this.#doubt = undefined
  }

  readonly #acts = {
    edit: (section: Section) => void this.#edit(section),
    history: (...asked: Asked) =>
      readHistory(this.#setup.connection, asked, (error) => void this.#over(error)),
    reload: () => {
      if (!this.#editing.open) void this.load(true, this.#plan)
    },
    seen: () => this.#reader.seen(),
    typed: () => this.#kept && this.#superseded(this.#kept),
  }

  /** Whoever changes something begins from what the record holds now. */
  async #edit(section: Section): Promise<void> {
    await this.#reader.looking.before()
    if (this.#plan && !this.#editing.open) await this.#offer.edit(section)
  }

  /** The plan on the screen is put anew already. */
  #renewed(plan: PlanShown): void {
    if (this.#closed) return
    this.#plan = plan
    this.#foot()
  }

  #foot(): void {
    if (this.#closed) return
    const launch = launchOf(this.#setup.connection)
    showFoot({ readAt: this.#plan?.readAt, user: this.#user, launch })
  }
}
