/** What an editor of a section is given, and whom it tells. */
import type { Entry } from './composition.js'
import type { Section, Values } from './definition.js'
import type { ReadGpRecord } from './gp-reading.js'
import type { Saved } from './record.js'
import type { Adopted } from './sourced.js'
import type { Kept } from './superseded.js'
import type { Typed } from './typed.js'
import type { Returned } from './unsaved.js'

export interface EditorSetup {
  readonly section: Section
  readonly entry: Entry | undefined
  /** What was typed before, to go on with. */
  readonly returned?: Returned | undefined
  /** Keeps what stands in the form. @throws CallFailed */
  readonly keep: (typed: Typed, last: boolean) => Promise<Date>
  /** @throws CallFailed */
  readonly discard: () => Promise<void>
  /** Where the section's own view stands: the form takes its place. */
  readonly place: HTMLElement
  readonly view: (entry: Entry) => HTMLElement
  /** @throws CallFailed */
  readonly save: (
    base: Entry | undefined,
    values: Values,
    adopted: readonly Adopted[],
  ) => Promise<Saved>
  /** Reads what the launch brought of the GP record; absent where it brought nothing. */
  readonly gpRecord: ReadGpRecord | undefined
  /** The gateway's host. */
  readonly gateway: string
  /** What is to be known or asked before a save. @returns whether to go on */
  readonly ready: () => Promise<boolean>
  readonly saved: (entry: Entry) => void
  readonly cancelled: () => void
  /** Left while what was shown before may be old. `unsettled`: a write of ours may have been done. */
  readonly outdated: (unsettled: boolean) => void
  /** The chart has moved on, as was told when a draft was to be kept. */
  readonly left: () => void
  /** The chart has moved on: nothing more is saved here. */
  readonly superseded: (kept: Kept) => void
  /** The session is over, or the record answered with another patient. */
  readonly ended: (error: unknown) => void
}
