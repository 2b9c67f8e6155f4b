/** One section at a time is edited: its form in the place of its view, and back, with what is known of the plan by then. */
import { isAuthor, isUnlisted, saveBegun } from './begin.js'
import type { Entry } from './composition.js'
import type { Connection } from './connection.js'
import { dayOf } from './dates.js'
import type { Definitions, Section, Values } from './definition.js'
import { Editor } from './editor.js'
import type { ReadGpRecord } from './gp-reading.js'
import { askListing, type Listed } from './listing.js'
import { putBack, savedNotice } from './notice.js'
import type { Lost } from './pages.js'
import {
  type Acts,
  type PlanShown,
  renewAround,
  renewSections,
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
  /** Whether it is about to be replaced: a form in it would go with it. */
  readonly loading: () => boolean
  readonly user: () => string | undefined
  readonly gpRecord: () => ReadGpRecord | undefined
  /** Told of the plan as it is now known to be. */
  readonly renewed: (plan: PlanShown) => void
  /** What was shown before may be old. `doubt`: a section of which it is not known whether it was saved. */
  readonly readAgain: (doubt: Section | undefined) => void
  readonly left: () => void
  readonly superseded: (kept: Kept) => void
  /** Whether an error was the end of the view. */
  readonly over: (error: unknown) => boolean
}

export class Editing {
  readonly #setup: Setup
  #editor: Editor | undefined
  /** What was answered about a plan with sections that is not listed: asked once. */
  #answer: Listed | undefined
  #listed = false

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** Whether a section is being edited. */
  get open(): boolean {
    return this.#editor !== undefined
  }

  /** Whether a save is under way. */
  get saving(): boolean {
    return this.#editor?.saving === true
  }

  /** The plan was read anew, and one of its sections is being changed. */
  current(plan: PlanShown): void {
    const editor = this.#editor
    editor?.recorded(viewOf(plan, editor.section, this.#setup.acts, dayOf(new Date())))
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
    const { connection, gpRecord, keeping, left, readAgain, superseded, over } = this.#setup
    const place = document.getElementById(sectionId(section))
    const plan = this.#setup.plan()
    if (!place || !plan || this.#editor || this.#setup.loading()) return
    const leave = (then: () => void) => {
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
      ready: () => this.#ready(plan),
      saved: (entry) => this.#done(section, entry),
      cancelled: () => this.#done(section),
      outdated: (unsettled) => leave(() => readAgain(unsettled ? section : undefined)),
      left,
      superseded: (kept) => leave(() => superseded(kept)),
      ended: (error) => {
        if (!over(error)) leave(() => readAgain(section))
      },
    })
    this.#set(editor)
  }

  /** Whoever may list a plan with sections that is not listed is asked, for nobody else knows why it is not. */
  async #ready(before: PlanShown): Promise<boolean> {
    const plan = this.#setup.plan() ?? before
    if (this.#answer || !isUnlisted(plan) || !isAuthor(plan, this.#setup.definitions)) return true
    this.#answer = await askListing()
    return this.#answer !== undefined
  }

  #save(
    section: Section,
    before: PlanShown,
    ...[base, values, adopted]: readonly [Entry | undefined, Values, readonly Adopted[]]
  ): Promise<Saved> {
    const { connection, definitions, acts, user } = this.#setup
    const author = { name: user() ?? 'Name not available', at: new Date() }
    const plan = this.#setup.plan() ?? before
    const again = this.#answer === 'listed'
    const listed = (next: PlanShown) => {
      this.#listed = again
      this.#renew(next)
      renewSections(next, next.sight.seen, acts)
    }
    return saveBegun({ connection, definitions, plan, again, listed }, () =>
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

  /** Puts the section's view back. @param saved what the record holds since, where it was saved */
  #done(section: Section, saved?: Entry): void {
    const form = this.#editor?.element
    this.#set(undefined)
    const before = this.#setup.plan()
    if (!before || !form) return
    const plan = saved ? withEntry(before, section, saved) : before
    if (plan !== before) this.#renew(plan)
    const view = viewOf(plan, section, this.#setup.acts, dayOf(new Date()))
    const listed = this.#listed && saved !== undefined
    putBack(form, view, saved && savedNotice(section.title, plan.joined, listed))
    if (listed) this.#listed = false
  }
}
