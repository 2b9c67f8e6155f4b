/** One section being edited: opened, saved, refused, in conflict, cancelled. */
import { type Entry, valuesOf } from './composition.js'
import { conflictForm } from './conflict.js'
import { CallFailed } from './connection.js'
import { controlFor } from './controls.js'
import type { Section, Values } from './definition.js'
import { focusForm, type SectionForm, sectionForm, type Unsaved } from './form.js'
import type { Saved } from './record.js'
import { announce } from './shell.js'

interface Setup {
  readonly section: Section
  readonly entry: Entry | undefined
  /** Where the section's own view stands: the form takes its place. */
  readonly place: HTMLElement
  /** @throws CallFailed */
  readonly save: (base: Entry | undefined, values: Values) => Promise<Saved>
  readonly saved: (entry: Entry) => void
  /** `entry`: the newest that was seen while editing. */
  readonly cancelled: (entry: Entry | undefined) => void
  /** The session is over. */
  readonly ended: (failure: CallFailed) => void
}

const KEPT = 'What you typed is still here.'

// biome-ignore format: a table
const UNSAVED: Readonly<Record<CallFailed['why'], string>> = {
  unreachable: `It is not known whether this was saved, because the service did not answer. ${KEPT} Save again: nothing is saved twice.`,
  refused:     `This was not saved: your role does not allow this change. ${KEPT}`,
  absent:      `This was not saved: the section is no longer there. ${KEPT}`,
  stale:       `This was not saved: somebody else changed the section, and their version could not be read. ${KEPT} Try again.`,
  failed:      `This was not saved: the record could not take it. ${KEPT} Try again.`,
  ended:       `This was not saved: your session has ended.`,
}

export const explain = ({ why, words, reference }: CallFailed): Unsaved => ({
  text: words === '' ? UNSAVED[why] : `${UNSAVED[why]} (${words})`,
  ...(reference === '' ? {} : { reference }),
})

export class Editor {
  readonly section: Section
  readonly #setup: Setup
  #form: SectionForm
  #base: Entry | undefined

  constructor(setup: Setup) {
    this.#setup = setup
    this.section = setup.section
    this.#base = setup.entry
    this.#form = this.#first()
    this.#put(setup.place)
  }

  dirty(): boolean {
    return this.#form.dirty()
  }

  get element(): HTMLElement {
    return this.#form.element
  }

  #first(): SectionForm {
    const { section, entry } = this.#setup
    const start = valuesOf(section, entry?.composition)
    return sectionForm({
      section,
      heading: `${entry ? 'Edit' : 'Add'}: ${section.title}`,
      controls: section.fields.map((field) =>
        controlFor(field, `edit-${section.id}-${field.id}`, start[field.id] ?? ''),
      ),
      start,
      saveLabel: 'Save',
      save: (values) => void this.#save(start, values),
      cancel: () => this.#setup.cancelled(this.#base),
    })
  }

  #put(place: HTMLElement): void {
    place.replaceWith(this.#form.element)
    focusForm(this.#form)
  }

  async #save(start: Values, values: Values): Promise<void> {
    this.#form.busy(true)
    try {
      const saved = await this.#setup.save(this.#base, values)
      if (saved.outcome === 'saved') this.#setup.saved(saved.entry)
      else this.#compare(start, saved.entry, values)
    } catch (error) {
      const failure = error instanceof CallFailed ? error : new CallFailed('failed')
      this.#form.busy(false)
      if (failure.why === 'ended') this.#setup.ended(failure)
      else this.#form.refuse(explain(failure))
    }
  }

  /** The next save is over their version; what you started from stays the common ground. */
  #compare(start: Values, theirs: Entry, yours: Values): void {
    const place = this.#form.element
    const { section } = this.#setup
    this.#base = theirs
    this.#form = conflictForm({
      section,
      base: start,
      theirs,
      yours,
      save: (values) => void this.#save(valuesOf(section, theirs.composition), values),
      cancel: () => this.#setup.cancelled(theirs),
    })
    this.#put(place)
    announce(`Not saved: somebody else changed ${section.title}. Compare the two versions.`)
  }
}
