/** The matrix as tables: one for each action, or one for a role. Pure. */
import { ACTIONS, type Action, type Resource } from '../core/decision.js'
import { DUTIES } from '../core/roles.js'
import type { Cell, Matrix, Told } from '../policy/matrix.js'
import { type AnyRole, actionWords, resourceWords, roleWords } from '../policy/names.js'
import { cellKey, cellWords, layersIn, type Titles, VERDICTS, verdictOf } from './matrix-words.js'

/** What of the matrix is looked at together. */
// biome-ignore format: a table
export const GROUPS = {
  sections: { words: 'Sections of the plan',                          type: 'section' },
  fhir:     { words: 'Kinds of FHIR data',                            type: 'fhir' },
  apps:     { words: 'Launch, availability and emergency access',     type: 'app' },
  console:  { words: 'The console',                                   type: 'console' },
} as const satisfies Readonly<Record<string, { words: string; type: Resource['type'] }>>
export type Group = keyof typeof GROUPS
export const isGroup = (text: string): text is Group => Object.hasOwn(GROUPS, text)

export interface Shape {
  readonly matrix: Matrix
  readonly usual: ReadonlySet<string>
  readonly changed: ReadonlySet<string>
  readonly titles: Titles
  /** Leads to a cell's own page. */
  readonly href: (cell: Cell) => string
}

export interface ShownCell {
  readonly verdict: string
  readonly words: string
  readonly mark: string
  readonly href: string
  readonly hidden: string
  readonly changed: boolean
  readonly layers: string
}

export interface MatrixTable {
  readonly id: string
  readonly caption: string
  readonly corner: string
  readonly heads: readonly string[]
  readonly rows: readonly { readonly head: string; readonly cells: readonly ShownCell[] }[]
  /** Instead of rows, where every cell is a no. */
  readonly nobody?: readonly string[]
}

export function shownCell(cell: Cell, shape: Shape, policies: ReadonlyMap<string, Told>) {
  const verdict = verdictOf(cell, shape.usual)
  const { words, mark } = VERDICTS[verdict]
  return {
    ...{ verdict, words, mark, href: shape.href(cell), hidden: cellWords(cell, shape.titles) },
    changed: shape.changed.has(cellKey(cell)),
    layers: layersIn(cell, policies).join(', '),
  }
}

const distinct = <T>(all: readonly T[], name: (one: T) => string): readonly T[] => [
  ...new Map(all.map((one) => [name(one), one])).values(),
]

const isDuty = (role: AnyRole): boolean =>
  role !== 'privacy-officer' && DUTIES.some((duty) => duty === role)

/** Rows in which anybody is let in: the team's duties in the console, the others elsewhere. */
const fits = (role: AnyRole, group: Group): boolean =>
  role === 'privacy-officer' || role === 'none' || isDuty(role) === (group === 'console')

const nameOf = ({ type, id }: Resource): string => `${type}/${id}`

/** The policies that say no in every cell, where all do; none: nothing permits it. */
function saidNo(cells: readonly Cell[]): readonly string[] | undefined {
  if (cells.some(({ answer }) => answer !== 'deny')) return undefined
  return [...new Set(cells.flatMap(({ forbids }) => forbids))]
}

interface Axis<T> {
  readonly values: readonly T[]
  readonly words: (value: T) => string
  readonly of: (cell: Cell) => string
  readonly name: (value: T) => string
}

function tableOf<R, C>(
  shape: Shape,
  cells: readonly Cell[],
  about: Pick<MatrixTable, 'id' | 'caption' | 'corner'>,
  [down, across]: readonly [Axis<R>, Axis<C>],
): MatrixTable {
  const nobody = saidNo(cells)
  if (nobody) return { ...about, heads: [], rows: [], nobody }
  const policies = new Map(shape.matrix.policies.map((policy) => [policy.id, policy]))
  const at = new Map(cells.map((cell) => [`${down.of(cell)}\n${across.of(cell)}`, cell]))
  return {
    ...about,
    heads: across.values.map(across.words),
    rows: down.values.map((value) => ({
      head: down.words(value),
      cells: across.values.flatMap((other) => {
        const cell = at.get(`${down.name(value)}\n${across.name(other)}`)
        return cell ? [shownCell(cell, shape, policies)] : [NOTHING]
      }),
    })),
  }
}

/** An action that does not go with a kind of data. */
const NOTHING: ShownCell = {
  ...{ verdict: '', words: '–', mark: '', href: '', hidden: '', changed: false, layers: '' },
}

const rolesAxis = (values: readonly AnyRole[]): Axis<AnyRole> => ({
  ...{ values, words: roleWords, of: ({ role }) => role, name: (role) => role },
})
const resourcesAxis = (values: readonly Resource[], titles: Titles): Axis<Resource> => ({
  ...{ values, name: nameOf, of: ({ resource }) => nameOf(resource) },
  words: (resource) => resourceWords(resource, titles),
})
const actionsAxis = (values: readonly Action[]): Axis<Action> => ({
  ...{ values, words: actionWords, of: ({ action }) => action, name: (action) => action },
})

/** More cells than these are not shown at once: then one action is. */
const MOST_CELLS = 3_000
/** What is looked at most comes first. */
const FIRST: readonly Action[] = ['read', 'search', 'launch']

export interface Part {
  readonly group: Group
  /** Only this one: then a single table, its kinds of data by actions. */
  readonly role: AnyRole | undefined
  /** Only this one. */
  readonly action: Action | undefined
}

export function actionsOf({ cells }: Matrix, group: Group): readonly Action[] {
  const found = new Set(
    cells.filter(({ resource }) => resource.type === GROUPS[group].type).map((one) => one.action),
  )
  const place = (action: Action): number =>
    FIRST.includes(action) ? FIRST.indexOf(action) : FIRST.length
  return ACTIONS.filter((action) => found.has(action)).sort((a, b) => place(a) - place(b))
}

export function tablesOf(shape: Shape, { group, role, action }: Part): readonly MatrixTable[] {
  const own = shape.matrix.cells.filter(({ resource }) => resource.type === GROUPS[group].type)
  const cells = own.filter((cell) => (role ? cell.role === role : fits(cell.role, group)))
  const resources = distinct(
    own.map(({ resource }) => resource),
    nameOf,
  )
  const actions = actionsOf(shape.matrix, group)
  const data = resourcesAxis(resources, shape.titles)
  if (role) {
    const caption = `${roleWords(role)}: ${GROUPS[group].words}`
    const about = { id: 'one-role', caption, corner: 'On' }
    return [tableOf(shape, cells, about, [data, actionsAxis(actions)])]
  }
  const roles = rolesAxis(distinct(cells, ({ role: each }) => each).map((cell) => cell.role))
  const wanted = action ?? (cells.length > MOST_CELLS ? actions[0] : undefined)
  return actions
    .filter((one) => wanted === undefined || one === wanted)
    .map((one) => {
      const about = { id: one, caption: `Who may ${actionWords(one)}`, corner: 'Role' }
      const ofAction = cells.filter((cell) => cell.action === one)
      return tableOf(shape, ofAction, about, [roles, data])
    })
}
