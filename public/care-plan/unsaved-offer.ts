/** Finds unsaved changes when a plan is opened, and offers them until they are gone on with or discarded. */
import { CallFailed, type Connection } from './connection.js'
import type { Section } from './definition.js'
import { mayEdit, type PlanShown, writableIn } from './plan-view.js'
import { mayWriteAny } from './rights.js'
import { announce } from './shell.js'
import type { Typed } from './typed.js'
import { type Returned, UnsavedChanges } from './unsaved.js'
import { askFirst, type Offered, uncheckedLine, unsavedPanel } from './unsaved-view.js'

interface Setup {
  readonly connection: Connection
  readonly sections: readonly Section[]
  /** On the screen; `undefined` where there is none that can be changed. */
  readonly plan: () => PlanShown | undefined
  readonly open: (section: Section, returned?: Returned) => void
  /** Whether an error was the end of the view. */
  readonly over: (error: unknown) => boolean
}

/** How long an edit button waits to hear of unsaved changes, in milliseconds. */
const PATIENCE = 1_500

const READ = 'They could not be opened: '
const DISCARDED = 'They could not be discarded: '
const troubleOf = (what: string, error: unknown): string =>
  `${what}${(error instanceof CallFailed && error.words) || 'the service did not answer.'} Try again.`

export class UnsavedOffer {
  readonly #setup: Setup
  readonly #unsaved: UnsavedChanges
  #asking: Promise<void> | undefined
  #loading: Promise<void> | undefined
  #unchecked = false
  #trouble: { readonly section: Section; readonly words: string } | undefined

  constructor(setup: Setup) {
    this.#setup = setup
    this.#unsaved = new UnsavedChanges(setup.connection)
  }

  /** Asks while the plan is still being read: what is offered above it then hardly ever moves what stands below. */
  ask(): void {
    const { connection, sections } = this.#setup
    const may = mayWriteAny(String(connection.token('scope') ?? ''), sections)
    this.#asking = may && connection.token('ehrId') ? this.#unsaved.load() : undefined
    this.#asking?.catch(() => undefined)
  }

  /** Shows what there is in the plan that is on the screen. */
  load(): void {
    if (this.#sections().length > 0) this.#loading = this.#load()
  }

  #sections(): readonly Section[] {
    const plan = this.#setup.plan()
    return plan ? writableIn(plan) : []
  }

  /** What an editor of a section needs. */
  keeping(section: Section) {
    return {
      keep: (typed: Typed, last: boolean) => this.#unsaved.keep(section, typed, last),
      discard: async () => {
        await this.#unsaved.discard(section)
        this.show()
      },
    }
  }

  async #load(): Promise<void> {
    try {
      await (this.#asking ?? this.#unsaved.load())
      this.#unchecked = false
      const titles = this.#offered().map(({ section }) => section.title)
      if (titles.length > 0) announce(`You have unsaved changes to ${titles.join(', ')}`)
    } catch (error) {
      if (this.#setup.over(error)) return
      this.#unchecked = true
    }
    this.#asking = undefined
    this.show()
  }

  #offered(): readonly Offered[] {
    const plan = this.#setup.plan()
    return this.#sections().flatMap((section) => {
      const mark = this.#unsaved.markOf(section)
      if (!mark || !plan) return []
      const trouble = this.#trouble?.section === section ? this.#trouble.words : undefined
      return [
        {
          ...{ section, kept: mark.kept, trouble },
          proceed: mayEdit(plan, section) ? () => void this.#proceed(section) : undefined,
          discard: () => void this.#discard(section),
        },
      ]
    })
  }

  /** Puts the offer above the plan, as it stands now, or under the words that there is none. */
  show(): void {
    document.querySelector('.unsaved')?.remove()
    const head = document.querySelector('.plan__head, [data-page=none] h1 + p')
    const panel = this.#unchecked ? uncheckedLine(() => this.load()) : unsavedPanel(this.#offered())
    if (head && panel) head.after(panel)
  }

  async #proceed(section: Section): Promise<void> {
    try {
      const returned = await this.#unsaved.read(section)
      this.#trouble = undefined
      this.#setup.open(section, returned)
    } catch (error) {
      this.#failed(section, READ, error)
    }
  }

  /** @returns whether they are gone */
  async #discard(section: Section): Promise<boolean> {
    try {
      await this.#unsaved.discard(section)
      this.#trouble = undefined
      announce(`Unsaved changes to ${section.title} discarded`)
      this.show()
      document.querySelector<HTMLElement>('.unsaved button, #main h1')?.focus()
      return true
    } catch (error) {
      this.#failed(section, DISCARDED, error)
      return false
    }
  }

  #failed(section: Section, what: string, error: unknown): void {
    if (this.#setup.over(error)) return
    this.#trouble = { section, words: troubleOf(what, error) }
    this.show()
  }

  /** Before a form opens: with what was typed before, if there is any and its user wants it. */
  async edit(section: Section): Promise<void> {
    const { open } = this.#setup
    const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE))
    await Promise.race([this.#loading, patience])
    const mark = this.#unsaved.markOf(section)
    const choice = mark ? await askFirst(section, mark.kept) : undefined
    if (choice === 'continue') await this.#proceed(section)
    else if (choice === undefined) open(section)
    else if (choice === 'discard' && (await this.#discard(section))) open(section)
  }
}
