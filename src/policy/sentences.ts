/** Changes as a person would say them. */
import type { Change } from './compare.js'
import { actionWords, listed, resourceWords, roleWords } from './names.js'

/** What a change says besides what may be said of several at once. */
const keyOf = ({ role, from, to, when, whenIsAll, widening }: Change): string =>
  JSON.stringify([
    role,
    from.effect,
    to.effect,
    from.obligations,
    to.obligations,
    when,
    whenIsAll,
    widening,
  ])

function verbOf({ from, to, widening }: Change): string {
  if (from.effect !== to.effect) return widening ? 'gains' : 'loses'
  const [more, fewer] = [to.obligations, from.obligations].map((own, i) =>
    own.filter((one) => !(i === 0 ? from : to).obligations.includes(one)),
  )
  return (fewer ?? []).length > 0
    ? `is spared "${listed(fewer ?? [], 'and')}" on`
    : `is asked for "${listed(more ?? [], 'and')}" on`
}

/** Changes that differ only in one thing, under what they share. */
function gather<T>(items: readonly T[], shared: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(shared(item), [...(groups.get(shared(item)) ?? []), item])
  return [...groups.values()]
}

function whenOf({ when, whenIsAll }: Change): string {
  const alternatives = when.join(', or when ')
  const rest = whenIsAll ? '' : ', and in other circumstances'
  return alternatives === '' ? rest : ` when ${alternatives}${rest}`
}

const unique = (words: readonly string[]): string => listed([...new Set(words)], 'and')

/**
 * "Community nurse gains update on Resuscitation when the purpose is direct care": a sentence for all changes of a role
 * that say the same, of several actions or kinds of data. What forbids in both versions is not told again.
 *
 * @param titles of the plan's sections, by id
 */
export function sentencesOf(
  changes: readonly Change[],
  titles: Readonly<Record<string, string>> = {},
): readonly string[] {
  const names = new Map(Object.entries(titles))
  return gather(changes, keyOf).flatMap((same) => {
    const byResource = gather(same, ({ resource }) => `${resource.type}/${resource.id}`)
    const byActions = gather(byResource, (some) =>
      some
        .map(({ action }) => action)
        .sort()
        .join(),
    )
    return byActions.map((groups) => {
      const all = groups.flat()
      const first = all[0] as Change
      const actions = unique(all.map(({ action }) => actionWords(action)))
      const on = unique(all.map(({ resource }) => resourceWords(resource, names)))
      return `${roleWords(first.role)} ${verbOf(first)} ${actions} on ${on}${whenOf(first)}`
    })
  })
}
