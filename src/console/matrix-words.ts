/** Cells of the matrix as a page says them: a word and a shape, never a colour alone. */
import type { Cell, Matrix, Told } from '../policy/matrix.js'
import { actionWords, resourceWords, roleWords } from '../policy/names.js'

/** What a cell comes to. In ordinary circumstances first; conditions of its own after that. */
export type Verdict = 'yes' | 'yes-if' | 'no-unless' | 'no'

// biome-ignore format: a table
export const VERDICTS: Readonly<Record<Verdict, { readonly words: string; readonly mark: string; readonly means: string }>> = {
  'yes':       { words: 'Yes',        mark: '●', means: 'allowed; only the usual conditions hold' },
  'yes-if':    { words: 'Yes, if',    mark: '◕', means: 'ordinarily allowed, under conditions of its own' },
  'no-unless': { words: 'No, unless', mark: '◔', means: 'ordinarily denied, allowed under conditions' },
  'no':        { words: 'No',         mark: '○', means: 'denied in all circumstances' },
}

/** A condition of so many of all conditional cells is said once, above them. */
const USUAL = 0.8

/** Policies that forbid something in nearly every cell that allows anything. */
export function usualOf(cells: readonly Cell[]): ReadonlySet<string> {
  const conditional = cells.filter(({ answer }) => answer === 'conditional')
  const counts = new Map<string, number>()
  for (const { forbids } of conditional)
    for (const id of forbids) counts.set(id, (counts.get(id) ?? 0) + 1)
  const enough = conditional.length * USUAL
  return new Set([...counts].filter(([, count]) => count >= enough).map(([id]) => id))
}

export function verdictOf(cell: Cell, usual: ReadonlySet<string>): Verdict {
  if (cell.answer === 'deny') return 'no'
  if (cell.answer === 'allow') return 'yes'
  if (cell.nominal === 'deny') return 'no-unless'
  return cell.when.length > 0 || cell.forbids.some((id) => !usual.has(id)) ? 'yes-if' : 'yes'
}

export const cellKey = ({ role, action, resource }: Pick<Cell, 'role' | 'action' | 'resource'>) =>
  `${role} ${action} ${resource.type}/${resource.id}`

export const byKey = ({ cells }: Matrix): ReadonlyMap<string, Cell> =>
  new Map(cells.map((cell) => [cellKey(cell), cell]))

const sayingOf = ({ answer, nominal, when, unless, permits, forbids }: Cell): string =>
  JSON.stringify([answer, nominal, when, unless, permits, forbids])

/** Of matrices that somebody still holds: large ones take half a second to compare. */
const compared = new WeakMap<Matrix, WeakMap<Matrix, ReadonlySet<string>>>()

/** Cells that two matrices do not say alike; one that only one of them has counts as well. */
export function changedKeys(before: Matrix, after: Matrix): ReadonlySet<string> {
  const known = compared.get(after) ?? new WeakMap<Matrix, ReadonlySet<string>>()
  compared.set(after, known)
  const changed = known.get(before) ?? changesOf(before, after)
  known.set(before, changed)
  return changed
}

function changesOf(before: Matrix, after: Matrix): ReadonlySet<string> {
  const [then, now] = [byKey(before), byKey(after)]
  const keys = new Set([...then.keys(), ...now.keys()])
  const saying = (cell: Cell | undefined): string => (cell ? sayingOf(cell) : '')
  return new Set([...keys].filter((key) => saying(then.get(key)) !== saying(now.get(key))))
}

/** The layers, other than the central one, of the policies that make a cell so. */
export const layersIn = (cell: Cell, policies: ReadonlyMap<string, Told>): readonly string[] => [
  ...new Set(
    [...cell.permits, ...cell.forbids].flatMap((id) => {
      const layer = policies.get(id)?.layer
      return layer === undefined || layer === 'central' ? [] : [layer]
    }),
  ),
]

export type Titles = ReadonlyMap<string, string>

export const cellWords = ({ role, action, resource }: Cell, titles: Titles): string =>
  `${roleWords(role)}, ${actionWords(action)}, ${resourceWords(resource, titles)}`
