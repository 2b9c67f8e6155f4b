/** What two versions of `roles.yaml` make differently of the same codes. Who has which duty is post-changes.ts. */

import { type AnyRole, listed, roleWords } from './names.js'
import { type RoleMap, UNKNOWN_TYPE } from './roles.js'

export interface RoleChange {
  readonly about: 'role' | 'baseline' | 'includes' | 'duty'
  readonly codes: readonly string[]
  readonly sentence: string
  /** Somebody may come out with more than before. */
  readonly widening: boolean
}

const plain = (type: string): string => type.replaceAll('-', ' ')

const roleIn = ({ rules }: RoleMap, code: string, type: string): AnyRole =>
  rules.get(code)?.find(({ organizationTypes }) => organizationTypes.has(type))?.role ?? 'none'

const words = (role: AnyRole): string => (role === 'none' ? 'no role' : roleWords(role))
const keysOf = (...maps: readonly ReadonlyMap<string, unknown>[]): readonly string[] =>
  [...new Set(maps.flatMap((map) => [...map.keys()]))].sort()

/** Codes under what happens to them. */
function gather(rows: readonly (readonly [code: string, what: string])[]) {
  const byWhat = new Map<string, string[]>()
  for (const [code, what] of rows) byWhat.set(what, [...(byWhat.get(what) ?? []), code])
  return [...byWhat].map(([what, codes]) => ({ what, codes }))
}

function roleRows(before: RoleMap, after: RoleMap): RoleChange[] {
  const types = [...new Set([...before.organizationTypes, ...after.organizationTypes])]
    .filter((type) => type !== UNKNOWN_TYPE)
    .sort()
  const rows = keysOf(before.rules, after.rules).flatMap((code) =>
    types.flatMap((type): [string, string][] => {
      const [from, to] = [roleIn(before, code, type), roleIn(after, code, type)]
      return from === to ? [] : [[code, JSON.stringify([type, from, to])]]
    }),
  )
  return gather(rows).map(({ what, codes }) => {
    const [type, from, to] = JSON.parse(what) as [string, AnyRole, AnyRole]
    const sentence = `${listed(codes, 'and')} in ${plain(type)} now ${codes.length === 1 ? 'gives' : 'give'} ${words(to)} instead of ${words(from)}`
    return { about: 'role', codes, sentence, widening: to !== 'none' }
  })
}

/** Codes that imply or carry others. */
function listRows(
  about: 'baseline' | 'includes',
  verb: string,
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): RoleChange[] {
  const said = (codes: readonly string[] | undefined): string =>
    codes === undefined || codes.length === 0 ? 'nothing' : listed([...codes].sort(), 'and')
  const more = (code: string): boolean =>
    (after.get(code) ?? []).some((one) => !(before.get(code) ?? []).includes(one))
  const rows = keysOf(before, after).flatMap((code): [string, string][] => {
    const [from, to] = [said(before.get(code)), said(after.get(code))]
    return from === to ? [] : [[code, `now ${verb} ${to} instead of ${from}`]]
  })
  return gather(rows).map(({ what, codes }) => ({
    about,
    codes,
    sentence: `${listed(codes, 'and')} ${what}`,
    widening: codes.some(more),
  }))
}

export const roleChanges = (before: RoleMap, after: RoleMap): readonly RoleChange[] => [
  ...roleRows(before, after),
  ...listRows('baseline', 'implies', before.baseline, after.baseline),
  ...listRows('includes', 'carries', before.includes, after.includes),
]
