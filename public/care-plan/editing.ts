/** One section at a time is edited: its form in the place of its view, and back, with what is known of the plan by then. */
import { saveBegun } from './begin.js'
import type { Entry } from './composition.js'
import type { Connection } from './connection.js'
import { dayOf } from './dates.js'
import type { Definitions, Section, Values } from './definition.js'
import { Editor } from './editor.js'
import type { ReadGpRecord } from './gp-reading.js'
import { putBack, savedNotice } from './notice.js'
import type { Lost } from './pages.js'
import {
  type Acts,
  type PlanShown,
  renewAround,
  renewOthers,
  viewOf,
  withEntry,
} from './plan-view.js'
import { type Saved, save } from './record.js'
import { sectionId } from './section-view.js'
import type { Adopted } from './sourced.js'
import type { Kept } from './superseded.js'
import type { Returned } from './unsaved.js'
import type { UnsavedOffer } from './unsaved-offer.js'

interface Setup {
  readonly connection: Connection
  readonly definitions: Definitions
  readonly acts: Acts
  readonly keeping: UnsavedOffer['keeping']
  /** On the screen; `undefined` where there is none. */
  readonly plan: () => PlanShown | undefined
  readonly user: () => string | undefined
  readonly gpRecord: () => ReadGpRecord | undefined
  /** Told of the plan as it is now known to be. */
  readonly renewed: (plan: PlanShown) => void
  /** What was shown before may be old. `doubt`: a section of which it is not known whether it was saved. */
  readonly readAgain: (doubt: Section | undefined) => void
  readonly superseded: (kept: Kept) => void
  /** Whether an error was the end of the view. */
  readonly over: (error: unknown) => boolean
}

export class Editing {
  readonly #setup: Setup
  #editor: Editor | undefined

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** Whether a section is being edited. */
  get open(): boolean {
    return this.#editor !== undefined
  }

  lost(): Lost | undefined {
    return this.#editor?.lost()
  }

  /** The form goes with the page; what is kept of it stays. */
  leave(): void {
    this.#editor?.leave()
    this.#editor = undefined
  }

  /** While one is edited, the others offer no button. */
  #set(editor: Editor | undefined): void {
    this.#editor = editor
    document.body.classList.toggle('editing', editor !== undefined)
  }

  edit(section: Section, returned?: Returned): void {
    const { connection, gpRecord, keeping, readAgain, superseded, over } = this.#setup
    const place = document.getElementById(sectionId(section))
    const plan = this.#setup.plan()
    if (!place || !plan || this.#editor) return
    const left = (then: () => void) => {
      this.#set(undefined)
      then()
    }
    const editor = new Editor({
      section,
      entry: plan.entries.newest.get(section.template),
      ...{ place, returned, ...keeping(section) },
      view: (entry) => this.#found(section, plan, entry),
      ...{ gpRecord: gpRecord(), gateway: new URL(connection.fhir).host },
      save: (...what) => this.#save(section, plan, ...what),
      saved: (entry) => this.#done(section, entry, true),
      cancelled: (entry) => this.#done(section, entry, false),
      outdated: (unsettled) => left(() => readAgain(unsettled ? section : undefined)),
      superseded: (kept) => left(() => superseded(kept)),
      ended: (error) => {
        if (!over(error)) left(() => readAgain(section))
      },
    })
    this.#set(editor)
  }

  #save(
    section: Section,
    before: PlanShown,
    ...[base, values, adopted]: readonly [Entry | undefined, Values, readonly Adopted[]]
  ): Promise<Saved> {
    const { connection, definitions, acts, user } = this.#setup
    const author = { name: user() ?? 'Name not available', at: new Date() }
    const plan = this.#setup.plan() ?? before
    const listed = (next: PlanShown) => {
      this.#renew(next)
      renewOthers(next, section, acts)
    }
    return saveBegun({ connection, definitions, plan, listed }, () =>
      save(connection, section, base, values, author, adopted),
    )
  }

  /** Somebody else's version of what is being changed: all that is said of the whole plan says so too. */
  #found(section: Section, before: PlanShown, entry: Entry): HTMLElement {
    const plan = withEntry(this.#setup.plan() ?? before, section, entry)
    this.#renew(plan)
    return viewOf(plan, section, this.#setup.acts, dayOf(new Date()))
  }

  #renew(plan: PlanShown): void {
    this.#setup.renewed(plan)
    renewAround(plan, this.#setup.definitions, this.#setup.acts)
  }

  /** Puts the section's view back, with what is now known to be its newest entry. */
  #done(section: Section, entry: Entry | undefined, saved: boolean): void {
    const form = this.#editor?.element
    this.#set(undefined)
    const before = this.#setup.plan()
    if (!before || !form) return
    const plan = entry ? withEntry(before, section, entry) : before
    if (plan !== before) this.#renew(plan)
    const view = viewOf(plan, section, this.#setup.acts, dayOf(new Date()))
    putBack(form, view, saved ? savedNotice(section.title, plan.joined) : undefined)
  }
}
