/** Changes as a person would say them. */
import type { Role } from '../core/roles.js'
import type { Change } from './compare.js'
import { type AnyRole, actionWords, listed, resourceWords, roleWords } from './names.js'

/** What a change says besides what may be said of several at once. */
const keyOf = ({ role, also, from, to, when, whenIsAll, widening }: Change): string =>
  JSON.stringify([
    role,
    also,
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

/** A sentence: who, what more they are, and the rest of it. */
interface Sentence {
  readonly who: AnyRole
  readonly also: readonly Role[]
  readonly rest: string
}

/** "GP", "Administrator who is GP or practice nurse as well", "GP who is author and viewer as well". */
function whoWords(same: readonly Sentence[]): string {
  const [{ who, also }] = same as readonly [Sentence]
  const words = same.map((one) => listed(one.also.map(inSentence), 'and'))
  return also.length === 0
    ? roleWords(who)
    : `${roleWords(who)} who is ${listed(words, 'or')} as well`
}

/** As within a sentence: "practice nurse", and "GP". */
const inSentence = (role: Role): string =>
  roleWords(role).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())

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
  const all = gather(changes, keyOf).flatMap((same) => {
    const byResource = gather(same, ({ resource }) => `${resource.type}/${resource.id}`)
    const byActions = gather(byResource, (some) =>
      some
        .map(({ action }) => action)
        .sort()
        .join(),
    )
    return byActions.map((groups): Sentence => {
      const all = groups.flat()
      const first = all[0] as Change
      const actions = unique(all.map(({ action }) => actionWords(action)))
      const on = unique(all.map(({ resource }) => resourceWords(resource, names)))
      const rest = `${verbOf(first)} ${actions} on ${on}${whenOf(first)}`
      return { who: first.role, also: first.also ?? [], rest }
    })
  })
  const same = gather(all, ({ who, also, rest }) => `${who} ${also.length} ${rest}`)
  return same.map((some) => `${whoWords(some)} ${some[0]?.rest}`)
}
