/** Taking an item over into a field of the form, and taking it back. What was typed is never replaced. */
import { holds, names, type Offer } from '../../src/core/adoption.js'
import type { Witness } from '../../src/core/feeder-audit.js'
import { feederAudit } from '../../src/core/feeder-audit.js'
import { LENGTHS, ROWS } from '../../src/core/plan.js'
import { groupText, rowsOf } from '../../src/core/plan-values.js'
import { dayOf, showDay, writeDay } from './dates.js'
import type { Field, Section, Values } from './definition.js'
import type { Adopted } from './sourced.js'
import { oneLine, plural } from './text.js'
import type { TakenOver } from './typed.js'

export type Taken = { readonly value: string } | { readonly why: string }

/** The field's text with the item in it, or why it cannot be. */
export function taken({ field, text }: Pick<Offer, 'field' | 'text'>, current: string): Taken {
  if (field.type === 'group') {
    const rows = rowsOf(current)
    return rows.length < (field.most ?? ROWS)
      ? { value: groupText(field, [...rows, ...rowsOf(text)]) }
      : { why: `There is no room for another row in “${field.title}”.` }
  }
  const lines = field.type === 'long-text' || field.type === 'choices'
  if (!lines && current.trim() !== '')
    return { why: `“${field.title}” is filled in already. Empty it first to add this.` }
  const most = field.most ?? LENGTHS[lines ? 'long-text' : 'text']
  const value = current.trim() === '' ? text : `${current.trimEnd()}\n${text}`
  return value.length <= most ? { value } : { why: `“${field.title}” has no room for this.` }
}

/** The field's text without it: what stands beside it stays as it is. */
export function withdrawn({ field, text }: Pick<Offer, 'field' | 'text'>, current: string): string {
  if (field.type === 'group') {
    const rows = rowsOf(current)
    const at = rows.findIndex((row) => holds({ field, text }, groupText(field, [row])))
    return groupText(
      field,
      rows.filter((_, i) => i !== at),
    )
  }
  const lines = current.split('\n')
  const at = lines.findLastIndex((line) => line.trim() === text)
  return lines.filter((_, i) => i !== at).join('\n')
}

/** How an offer stands: `there`: in the plan or the form already, in the words of the field `in`. */
export type Standing =
  | { readonly is: 'offered' | 'named' | 'added' }
  | { readonly is: 'there'; readonly in: Field }

/**
 * @param values what stands in the form now
 * @param added whether it was added in this form
 * @param all the section's offers: one item may be offered to several fields
 */
export function standingOf(
  offer: Offer,
  values: Values,
  added: boolean,
  all: readonly Offer[],
): Standing {
  const at = (one: Offer) => values[one.field.id] ?? ''
  if (holds(offer, at(offer))) return added ? { is: 'added' } : { is: 'there', in: offer.field }
  const other = all.find(
    (one) => one !== offer && one.item.id === offer.item.id && holds(one, at(one)),
  )
  if (other) return { is: 'there', in: other.field }
  return { is: names(offer, at(offer)) ? 'named' : 'offered' }
}

/** As a later form of the section is told of it. */
export const takenOf = ({ field, item, text }: Offer): TakenOver => ({
  ...{ field: field.id, item: item.id, text },
})

export const wasTaken = (offer: Offer, before: readonly TakenOver[]): boolean => {
  const { field, item, text } = takenOf(offer)
  return before.some((was) => was.field === field && was.item === item && was.text === text)
}

/** Of what was added before, what none of these is. */
export const notAmong = (
  before: readonly TakenOver[],
  found: readonly TakenOver[],
): readonly TakenOver[] =>
  before.filter(
    (was) =>
      !found.some(
        ({ field, item, text }) => field === was.field && item === was.item && text === was.text,
      ),
  )

/** Its source is shown where this launch brought it too, or the gateway saw it when it was added. */
export const notBrought = (count: number): string =>
  count > 0
    ? `${plural(count, 'item')} that you had added from the GP record did not come with this launch, and cannot be confirmed any more: what you added will be saved as typed.`
    : ''

/** Added in an earlier launch, which the gateway still knows of. */
export function broughtBefore(witnessed: readonly Witness[]): string {
  const byDay = new Map<string, number>()
  for (const { from } of witnessed) {
    const said = `${oneLine(from.name)} on ${showDay(writeDay(dayOf(new Date(from.at))))}`
    byDay.set(said, (byDay.get(said) ?? 0) + 1)
  }
  return [...byDay]
    .map(
      ([said, count]) =>
        `${plural(count, 'item')} of your draft came from the GP record, sent by ${said}, and will be saved with that source.`,
    )
    .join(' ')
}

/** What the record is told of it: as the launch that brought it would have been. */
export const adoptedBefore = (
  { fields }: Section,
  witnessed: readonly Witness[],
  gateway: string,
): readonly Adopted[] =>
  witnessed.flatMap(({ field: id, elements, ...brought }) => {
    const field = fields.find((one) => one.id === id)
    return field ? [{ field, elements, audit: feederAudit({ ...brought, gateway }) }] : []
  })
