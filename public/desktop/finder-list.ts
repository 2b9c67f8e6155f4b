/** The list of the patient finder: what was found, and how much of it this is. */
import type { Found, Row } from './contents.js'
import { age, byId, day, fullName, h, nhsNumber } from './elements.js'

const COLUMNS = 5

const tags = ({ deceased, toTry }: Row) =>
  h(
    'td',
    {},
    deceased === undefined ? false : h('span', { class: 'tag' }, `Died ${day(deceased)}`),
    deceased === undefined ? toTry : ` ${toTry.replace('Has died, has', 'Has')}`,
  )

const line = (row: Row, open: (chart: string) => void) =>
  h(
    'tr',
    { 'data-chart': row.chart },
    h(
      'th',
      { scope: 'row' },
      h('button', { type: 'button', class: 'link', click: () => open(row.chart) }, fullName(row)),
    ),
    h(
      'td',
      { class: 'nowrap' },
      `${day(row.birthDate)} (${age(row.birthDate, new Date(row.deceased ?? Date.now()))})`,
    ),
    h('td', { class: 'nowrap' }, nhsNumber(row.nhsNumber)),
    h('td', { class: 'wide' }, together(row.address)),
    tags(row),
  )

/** A postcode is not torn apart at the end of a line. */
const together = (address: string): string => address.replace(/ (?=\d[A-Z]{2}$)/, '\u00a0')

const heading = (title: string) =>
  h(
    'tr',
    { class: 'patients__group' },
    h('th', { scope: 'rowgroup', colspan: String(COLUMNS) }, title),
  )

/** Those to begin with under their own heading, unless somebody was searched for. */
function bodies({ rows }: Found, words: string, open: (chart: string) => void): HTMLElement[] {
  const lines = (some: readonly Row[]) => some.map((row) => line(row, open))
  if (words.trim() !== '') return [h('tbody', {}, ...lines(rows))]
  const [first, rest] = [rows.filter((row) => row.first), rows.filter((row) => !row.first)]
  return [
    ...(first.length === 0 ? [] : [h('tbody', {}, heading('To begin with'), ...lines(first))]),
    ...(rest.length === 0
      ? []
      : [h('tbody', {}, heading('Registered patients, A to Z'), ...lines(rest))]),
  ]
}

function counted({ total, page, rows }: Found, size: number): string {
  if (total === 0) return 'No patient is found. Try part of the name, or the date of birth alone.'
  const from = (page - 1) * size + 1
  const many = total === 1 ? '1 patient' : `${total} patients`
  return rows.length === total ? many : `${from} to ${from + rows.length - 1} of ${many}`
}

/** @param size how many a whole page has. @param open what a chart's number is for */
export function showFound(
  found: Found,
  asked: { readonly words: string; readonly size: number; readonly open: (chart: string) => void },
): void {
  const table = byId('patients')
  byId('found').textContent = counted(found, asked.size)
  for (const body of table.querySelectorAll('tbody')) body.remove()
  table.append(...bodies(found, asked.words, asked.open))
  table.hidden = found.total === 0
  byId('pages').hidden = found.pages === 1
  byId('page').textContent = `Page ${found.page} of ${found.pages}`
  byId<HTMLButtonElement>('previous').disabled = found.page === 1
  byId<HTMLButtonElement>('next').disabled = found.page === found.pages
}
