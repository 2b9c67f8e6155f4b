/** One section being edited: opened, saved, refused, in conflict, cancelled. */
import { type Entry, unclearFields, valuesOf } from './composition.js'
import { conflictForm } from './conflict.js'
import { CallFailed, type Why } from './connection.js'
import type { Control } from './control.js'
import { controlFor, fixedControl } from './controls.js'
import type { Section, Values } from './definition.js'
import { ForeignPatient } from './finding.js'
import { focusForm, type SectionForm, sectionForm, type Unsaved } from './form.js'
import type { ReadGpRecord } from './gp-reading.js'
import { type Offers, offersFor } from './offers.js'
import type { Lost } from './pages.js'
import type { Saved } from './record.js'
import { announce } from './shell.js'
import type { Adopted } from './sourced.js'
import type { Kept } from './superseded.js'

interface Setup {
  readonly section: Section
  readonly entry: Entry | undefined
  /** Where the section's own view stands: the form takes its place. */
  readonly place: HTMLElement
  /** @throws CallFailed */
  readonly save: (
    base: Entry | undefined,
    values: Values,
    adopted: readonly Adopted[],
  ) => Promise<Saved>
  /** Reads what the launch brought of the GP record; absent where it brought nothing. */
  readonly gpRecord: ReadGpRecord | undefined
  readonly saved: (entry: Entry) => void
  /** `entry`: the newest that was seen while editing. */
  readonly cancelled: (entry: Entry | undefined) => void
  /** Left while what was shown before may be old. `unsettled`: a write of ours may have been done. */
  readonly outdated: (unsettled: boolean) => void
  /** The chart has moved on: nothing more is saved here. */
  readonly superseded: (kept: Kept) => void
  /** The session is over, or the record answered with another patient. */
  readonly ended: (error: unknown) => void
}

const KEPT = 'What you typed is still here.'

// biome-ignore format: a table
const UNSAVED: Readonly<Record<Exclude<Why, 'ended' | 'superseded'>, string>> = {
  unreachable: `This was not saved: the service could not be reached. ${KEPT} Try again.`,
  refused:     `This was not saved: your role does not allow this change. ${KEPT}`,
  absent:      `This was not saved: the section is no longer there. ${KEPT}`,
  stale:       `This was not saved: somebody else changed the section, and their version could not be read. ${KEPT} Try again.`,
  unfit:       `This was not saved: this app cannot put all of it into the entry as the record holds it. ${KEPT} Copy it, and make the change in the full record.`,
  failed:      `This was not saved: the record could not take it. ${KEPT} Try again.`,
}
const UNKNOWN = `It is not known whether this was saved: the service did not say. ${KEPT} Save again: nothing is saved twice. If you cancel, the section is read again.`
const REFUSED_SINCE = ' The last attempt was refused: your role does not allow this change.'

/** @param unsettled a write may have been done, now or before: only a look at the record could say more */
function explain(
  { words, reference }: CallFailed,
  why: Exclude<Why, 'ended' | 'superseded'>,
  unsettled: boolean,
): Unsaved {
  const said = unsettled && why !== 'refused' ? '' : words
  const own = unsettled ? `${UNKNOWN}${why === 'refused' ? REFUSED_SINCE : ''}` : UNSAVED[why]
  return {
    text: said === '' ? own : `${own} (${said})`,
    ...(reference === '' ? {} : { reference }),
  }
}

type Differing = Saved & { readonly outcome: 'stale' | 'altered' }

const DIFFERS: Readonly<Record<Differing['outcome'], string>> = {
  stale: 'Not saved: somebody else changed',
  altered: 'The record does not hold what you typed:',
}

export class Editor {
  readonly section: Section
  readonly #setup: Setup
  #form: SectionForm
  #base: Entry | undefined
  #saving = false
  /** A write was sent, and nobody said what became of it. */
  #unsettled = false
  /** What the GP record offers in the form; kept through a conflict, for what was added is still in what was typed. */
  #offers: Offers | undefined
  /** The record may hold something else than the section's view showed. */
  #outdated = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.section = setup.section
    this.#base = setup.entry
    this.#form = this.#first()
    this.#put(setup.place)
  }

  /** What would be lost with the form. */
  lost(): Lost | undefined {
    const { title } = this.section
    if (this.#saving || this.#unsettled) return { title, known: false }
    return this.#form.dirty() ? { title, known: true } : undefined
  }

  get element(): HTMLElement {
    return this.#form.element
  }

  #first(): SectionForm {
    const { section, entry } = this.#setup
    const start = valuesOf(section, entry?.composition)
    const unclear = unclearFields(section, entry?.composition)
    const controls = section.fields.map((field) => {
      const id = `edit-${section.id}-${field.id}`
      const fixed = unclear.has(field.id)
      return fixed ? fixedControl(field, id) : controlFor(field, id, start[field.id] ?? '')
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
      save: (values) => void this.#save(start, values),
      cancel: () => this.#cancel(),
    })
  }

  #offersFor(controls: readonly Control[]): Offers | undefined {
    const { section, gpRecord: read } = this.#setup
    if (!read || !section.adopt) return undefined
    const over = (error: unknown) => {
      const ended =
        error instanceof ForeignPatient || (error instanceof CallFailed && error.why === 'ended')
      if (ended) this.#setup.ended(error)
      return ended
    }
    return offersFor({ section, controls, read, over })
  }

  #put(place: HTMLElement): void {
    place.replaceWith(this.#form.element)
    focusForm(this.#form)
  }

  #cancel(): void {
    if (this.#outdated) this.#setup.outdated(this.#unsettled)
    else this.#setup.cancelled(this.#base)
  }

  async #save(start: Values, values: Values): Promise<void> {
    this.#form.busy(true)
    this.#saving = true
    try {
      const saved = await this.#setup.save(this.#base, values, this.#offers?.adopted() ?? [])
      this.#saving = false
      this.#unsettled = false
      this.#outdated = false
      if (saved.outcome === 'saved') this.#setup.saved(saved.entry)
      else this.#compare(start, saved, values)
    } catch (error) {
      if (error instanceof CallFailed && error.why === 'superseded')
        this.#setup.superseded({ section: this.section, values, start, failure: error })
      else this.#refused(error)
    }
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
    this.#outdated ||= this.#unsettled || why === 'stale' || why === 'absent'
    this.#form.refuse(explain(error, why, this.#unsettled))
  }

  /** The next save is over their version; what you started from stays the common ground. */
  #compare(start: Values, { outcome, entry: theirs }: Differing, yours: Values): void {
    const place = this.#form.element
    const { section } = this.#setup
    // Not wholly saved, nor known to be lost: whoever leaves is shown what the record holds.
    this.#unsettled = outcome === 'altered'
    this.#outdated = this.#unsettled
    this.#base = theirs
    this.#form = conflictForm({
      section,
      kind: outcome,
      base: start,
      theirs,
      yours,
      save: (values) => void this.#save(valuesOf(section, theirs.composition), values),
      unsettled: () => this.#unsettled,
      cancel: () => this.#cancel(),
    })
    this.#put(place)
    announce(`${DIFFERS[outcome]} ${section.title}. Compare the two versions.`)
  }
}
