/** One section being edited: opened, saved, refused, in conflict, cancelled. */
import { Autosave } from './autosave.js'
import { type Entry, unclearFields, valuesOf } from './composition.js'
import { conflictForm } from './conflict.js'
import { DIFFERS, type Kind } from './conflict-words.js'
import { CallFailed } from './connection.js'
import type { Control } from './control.js'
import { controlFor, fixedControl } from './controls.js'
import { misattributed, WHO } from './decision-check.js'
import type { Section, Values } from './definition.js'
import { ask } from './dom.js'
import type { EditorSetup } from './editor-setup.js'
import { ForeignPatient } from './finding.js'
import { focusForm, type SectionForm, sectionForm } from './form.js'
import { explain, outdates } from './not-saved.js'
import { type Offers, offersFor, offersOfBefore } from './offers.js'
import { Changing } from './on-paper.js'
import type { Lost } from './pages.js'
import { announce } from './shell.js'
import type { Typed } from './typed.js'

/** What somebody started from. */
interface Ground {
  readonly version: string | undefined
  readonly values: Values
}

export class Editor {
  readonly section: Section
  readonly #setup: EditorSetup
  readonly #autosave: Autosave
  readonly #changing: Changing
  #form: SectionForm
  #base: Entry | undefined
  #ground: Ground
  #saving = false
  /** A write was sent, and nobody said what became of it. */
  #unsettled = false
  /** What the GP record offers in the form; kept through a conflict, for what was added is still in what was typed. */
  #offers: Offers | undefined
  /** The record may hold something else than the section's view showed. */
  #outdated = false

  constructor(setup: EditorSetup) {
    this.#setup = setup
    this.section = setup.section
    const { section, entry, returned } = setup
    this.#base = entry
    this.#ground = { version: entry?.version, values: valuesOf(section, entry?.composition) }
    this.#autosave = new Autosave({
      ...{ keep: setup.keep, discard: setup.discard },
      read: () => this.#typed(),
      ended: (error) => setup.ended(error),
      left: () => setup.left(),
    })
    this.#form = this.#first()
    this.#changing = new Changing(setup.place)
    this.#put(this.#changing.place)
    if (returned && entry && returned.base !== entry.version) {
      this.#ground = { version: returned.base, values: returned.before }
      this.#compare('returned', entry, returned.values, returned.kept)
    }
    if (returned) this.#autosave.begin(returned.kept)
  }

  /** What would be lost with the page. */
  #typed(): Typed | undefined {
    if (!this.#form.dirty()) return undefined
    const { version: base } = this.#ground
    const adopted = this.#offers?.taken() ?? []
    return { ...(base === undefined ? {} : { base }), values: this.#form.values(), adopted }
  }

  /** What would be lost with the form. */
  lost(): Lost | undefined {
    const { title } = this.section
    const kept = this.#autosave.kept()
    if (this.#saving || this.#unsettled) return { title, known: false, kept }
    return this.#form.dirty() ? { title, known: true, kept } : undefined
  }

  /** The form goes; what is kept of it stays. */
  leave(): void {
    this.#autosave.stop()
  }

  get element(): HTMLElement {
    return this.#changing.element
  }

  /** A save is under way. */
  get saving(): boolean {
    return this.#saving
  }

  /** @param view of what the record holds by now */
  recorded(view: HTMLElement): void {
    this.#changing.recorded(view)
  }

  #first(): SectionForm {
    const { section, entry, returned } = this.#setup
    const start = this.#ground.values
    const unclear = unclearFields(section, entry?.composition)
    const controls = section.fields.map((field) => {
      const id = `edit-${section.id}-${field.id}`
      const fixed = unclear.has(field.id)
      return fixed
        ? fixedControl(field, id)
        : controlFor(field, id, (returned?.values ?? start)[field.id] ?? '')
    })
    this.#offers = this.#offersFor(controls)
    return sectionForm({
      section,
      heading: `${entry ? 'Edit' : 'Add'}: ${section.title}`,
      controls,
      offers: this.#offers,
      start,
      saveLabel: 'Save',
      unsettled: () => this.#unsettled,
      save: (values) => void this.#save(values),
      cancel: () => this.#cancel(),
    })
  }

  #offersFor(controls: readonly Control[]): Offers | undefined {
    const { section, gpRecord: read, gateway, returned } = this.#setup
    const { adopted = [], witnessed = [] } = returned ?? {}
    const before = { adopted, witnessed, gateway }
    if (!read || !section.adopt) return offersOfBefore(section, before)
    const over = (error: unknown) => {
      const ended =
        error instanceof ForeignPatient || (error instanceof CallFailed && error.why === 'ended')
      if (ended) this.#setup.ended(error)
      return ended
    }
    return offersFor({ section, controls, read, before, over })
  }

  #put(place: HTMLElement): void {
    const { element } = this.#form
    const touched = () => this.#autosave.touched()
    for (const event of ['input', 'change', 'click']) element.addEventListener(event, touched)
    element.append(this.#autosave.element)
    place.replaceWith(element)
    focusForm(this.#form)
  }

  #cancel(): void {
    void this.#autosave.discard()
    if (this.#outdated) this.#setup.outdated(this.#unsettled)
    else this.#setup.cancelled()
  }

  async #save(values: Values): Promise<void> {
    const recorded = valuesOf(this.section, this.#base?.composition)
    const wrong = misattributed(this.section, recorded, values)
    if (wrong && !(await ask(WHO, wrong, 'Save as it is', 'Go back'))) return
    if (!(await this.#setup.ready())) return
    this.#form.busy(true)
    this.#saving = true
    try {
      const saved = await this.#setup.save(this.#base, values, this.#offers?.adopted() ?? [])
      this.#saving = false
      this.#unsettled = false
      this.#outdated = false
      if (saved.outcome !== 'saved') return this.#compare(saved.outcome, saved.entry, values)
      void this.#autosave.discard()
      this.#setup.saved(saved.entry)
    } catch (error) {
      if (error instanceof CallFailed && error.why === 'superseded') this.#left(values, error)
      else this.#refused(error)
    }
  }

  #left(values: Values, failure: CallFailed): void {
    this.#saving = false
    const { section } = this
    const draft = this.#autosave.kept()
    this.#autosave.stop()
    this.#setup.superseded({ section, values, start: this.#ground.values, failure, draft })
  }

  #refused(error: unknown): void {
    this.#form.busy(false)
    this.#saving = false
    const why = error instanceof CallFailed ? error.why : 'ended'
    if (!(error instanceof CallFailed) || why === 'ended' || why === 'superseded') {
      this.#unsettled ||= !(error instanceof CallFailed) || error.unsettled
      this.#setup.ended(error)
      return
    }
    this.#unsettled ||= error.unsettled
    this.#outdated ||= this.#unsettled || outdates(why)
    this.#form.refuse(explain(error, why, this.#unsettled))
  }

  /** The next save is over their version; what you started from stays the common ground. */
  #compare(kind: Kind, theirs: Entry, yours: Values, kept?: Date): void {
    const place = this.#form.element
    const { section } = this.#setup
    // Not wholly saved, nor known to be lost: whoever leaves is shown what the record holds.
    this.#unsettled = kind === 'altered'
    this.#outdated = this.#unsettled
    this.#base = theirs
    this.#changing.recorded(this.#setup.view(theirs))
    this.#form = conflictForm({
      section,
      kind,
      base: this.#ground.values,
      theirs,
      yours,
      kept,
      save: (values) => {
        this.#ground = { version: theirs.version, values: valuesOf(section, theirs.composition) }
        void this.#save(values)
      },
      unsettled: () => this.#unsettled,
      cancel: () => this.#cancel(),
    })
    this.#put(place)
    announce(`${DIFFERS[kind]} ${section.title}. Compare the two versions.`)
  }
}
