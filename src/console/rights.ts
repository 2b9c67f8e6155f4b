/** A review of rights: who may do something, who did lately, and what is allowed that nobody used. */
import { ACTIONS, type Action } from '../core/decision.js'
import { csv } from '../core/export.js'
import { DUTIES } from '../core/roles.js'
import type { EpochMs } from '../core/values.js'
import { type Cell, conditionOf, type Matrix } from '../policy/matrix.js'
import { actionWords, resourceWords, roleWords } from '../policy/names.js'
import { inColumns } from './in-words.js'
import { titlesOf, waitingOf } from './matrix.js'
import { usualOf, VERDICTS, verdictOf } from './matrix-words.js'
import type { Answer, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { type Used, usedLately } from './rights-used.js'
import { appIds, chosen } from './version-chosen.js'

const DAY: EpochMs = 86_400_000
const SPANS = ['7', '30', '90']

type Row = readonly string[]
interface Sheet {
  readonly caption: string
  readonly heads: readonly string[]
  readonly rows: readonly Row[]
}

/** Availability is answered without a launch and is in no entry that names a role. */
const isUsable = ({ role, action, answer }: Cell): boolean =>
  answer !== 'deny' &&
  role !== 'none' &&
  role !== 'service' &&
  action !== 'check-availability' &&
  !action.startsWith('console-')

const nameOf = ({ type, id }: Cell['resource']): string => `${type}/${id}`

function maySheet(cells: readonly Cell[], matrix: Matrix): Sheet {
  const usual = usualOf(matrix.cells)
  return {
    ...{ caption: 'Who may', heads: ['Role', 'Answer', 'Condition', 'By'] },
    rows: cells
      .filter(({ answer }) => answer !== 'deny')
      .map((cell) => [
        ...[roleWords(cell.role), VERDICTS[verdictOf(cell, usual)].words],
        ...[conditionOf(cell), cell.permits.join(', ')],
      ]),
  }
}

/** People whose duties would let them in, for what is of the console. */
function peopleSheet({ policies }: ConsoleParts, cells: readonly Cell[]): Sheet {
  const roles = new Set<string>(
    cells.filter(({ answer }) => answer !== 'deny').map(({ role }) => role),
  )
  const counting = DUTIES.filter((duty) => roles.has(duty))
  return {
    ...{ caption: 'People with such a duty', heads: ['Person (uid)', 'Duties', 'Layer'] },
    rows: policies
      .posts()
      .map(({ uid, duties, layer }) => [
        ...[uid, duties.filter((duty) => counting.includes(duty)).join(', '), layer],
      ])
      .filter(([, duties]) => duties !== ''),
  }
}

const usedSheet = ({ uses }: Used): Sheet => ({
  caption: 'Who did',
  heads: ['User', 'Name', 'Organisation', 'Roles', 'Times', 'Last'],
  rows: uses.map(({ user, name, organization, roles, times, last }) => [
    ...[user || 'nobody known', name, organization, roles.join(' '), String(times)],
    inColumns(last),
  ]),
})

function unusedSheet(parts: ConsoleParts, { cells }: Matrix, { rights }: Used): Sheet {
  const titles = titlesOf(parts)
  const unused = cells.filter(
    (cell) => isUsable(cell) && !rights.has(`${cell.role} ${cell.action} ${nameOf(cell.resource)}`),
  )
  return {
    ...{ caption: 'Allowed, and used by nobody', heads: ['Role', 'Action', 'On', 'By'] },
    rows: unused.map((cell) => [
      ...[roleWords(cell.role), actionWords(cell.action)],
      ...[resourceWords(cell.resource, titles), cell.permits.join(', ')],
    ]),
  }
}

const SHEETS = ['may', 'people', 'did', 'unused'] as const
type Sheets = Readonly<Record<(typeof SHEETS)[number], Sheet>>

async function sheetsOf(
  parts: ConsoleParts,
  visit: Visit,
  matrix: Matrix,
  { action, resource, days }: Asked,
) {
  const range = { from: visit.now - Number(days) * DAY, to: visit.now + 1 }
  const used = await usedLately(parts, { action, resource }, range)
  const cells = matrix.cells.filter(
    (cell) => cell.action === action && nameOf(cell.resource) === resource,
  )
  const sheets: Sheets = {
    may: maySheet(cells, matrix),
    people: peopleSheet(parts, cells),
    did: usedSheet(used),
    unused: unusedSheet(parts, matrix, used),
  }
  return { sheets, used }
}

interface Asked {
  readonly action: Action
  readonly resource: string
  readonly days: string
}

/** Words of ours only: what is not known is as if it were left out. */
function askedOf({ sent }: Visit, resources: readonly string[]): Asked {
  return {
    action: ACTIONS.find((one) => one === sent.get('action')) ?? 'read',
    resource: resources.find((one) => one === sent.get('resource')) ?? resources[0] ?? '',
    days: SPANS.find((one) => one === sent.get('days')) ?? '30',
  }
}

function formOf(parts: ConsoleParts, matrix: Matrix | undefined) {
  const titles = titlesOf(parts)
  const resources = new Map(
    (matrix?.cells ?? []).map(({ resource }) => [nameOf(resource), resource]),
  )
  return {
    actions: ACTIONS.map((value) => ({ value, text: actionWords(value) })),
    resources: [...resources]
      .map(([value, one]) => ({ value, text: resourceWords(one, titles), type: one.type }))
      .sort((a, b) => Number(b.type === 'section') - Number(a.type === 'section')),
    spans: SPANS.map((value) => ({ value, text: `Last ${value} days` })),
  }
}

/** GET and POST /console/rights. With `sheet` the answer is a file. */
export function rights(parts: ConsoleParts): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { files, version } = await chosen(parts, visit, '')
    const standing = parts.matrices.of(files, await appIds(parts))
    const matrix = standing.state === 'known' ? standing.matrix : undefined
    const form = formOf(parts, matrix)
    const asked = askedOf(
      visit,
      form.resources.map(({ value }) => value),
    )
    const base = { view: 'rights', title: 'Review of rights' }
    const data = { ...form, asked, version, address: '/console/rights', ...waitingOf([standing]) }
    if (!visit.posted) return { ...base, data }
    // What was asked is not in the address: its page is not to be had again.
    if (!matrix) return { ...base, data: { ...data, refresh: false } }
    const { sheets, used } = await sheetsOf(parts, visit, matrix, asked)
    const about = { detail: { ...asked, version, rows: used.uses.length } }
    const name = SHEETS.find((one) => one === visit.sent.get('sheet'))
    if (name) {
      const file = `rights-${name}-${inColumns(visit.now).slice(0, 10)}.csv`
      const body = csv(sheets[name].heads, sheets[name].rows)
      const exported = { detail: { ...about.detail, exported: name } }
      return { file, type: 'text/csv; charset=utf-8', body, about: exported }
    }
    const shown = SHEETS.map((each) => ({ name: each, ...sheets[each] })).filter(
      (sheet) => sheet.name !== 'people' || asked.action.startsWith('console-'),
    )
    return {
      ...{ ...base, about },
      data: { ...data, sheets: shown, whole: used.whole, reached: inColumns(used.reached) },
    }
  }
}
