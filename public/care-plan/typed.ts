/** What stands in a form, as it is kept while it is not saved. */
import type { Values } from './definition.js'

/** Something taken over from the GP record, in a form. */
export interface TakenOver {
  /** Ids of the field and of the item. */
  readonly field: string
  readonly item: string
  readonly text: string
}

/** What stands in a form. */
export interface Typed {
  /** The version that it was typed over; absent for a section that had none. */
  readonly base?: string | undefined
  readonly values: Values
  readonly adopted: readonly TakenOver[]
}
