/** A decision that was changed, and neither its day nor who made it: it would stand under those of the one before. */
import { showDay } from './dates.js'
import { type Section, type Values, wordsFor } from './definition.js'
import { changedFields } from './merge.js'

export const WHO = 'Who made this decision, and when?'

/**
 * What would be shown wrongly, for whoever saves it to confirm.
 * @param before what the record holds
 */
export function misattributed(section: Section, before: Values, now: Values): string | undefined {
  const { decision, fields } = section
  const field = fields.find(({ id }) => id === decision?.field)
  const made = now[decision?.field ?? ''] ?? ''
  if (!decision || !field || !before[field.id] || made === '') return undefined
  const changed = changedFields(section, before, now)
  const of = [decision.decided ?? '', decision.by ?? '']
  if (!changed.includes(field.id) || of.some((id) => changed.includes(id))) return undefined
  const [decided, by] = of.map((id) => now[id] ?? '')
  if (!decided && !by) return undefined
  const day = decided ? ` on ${showDay(decided)}` : ''
  const name = by ? ` by ${by}` : ''
  return `You changed it to “${wordsFor(field, made)}”, but not its date or who decided. It would be shown as decided${day}${name}.`
}
