/** Rows as files that people open elsewhere. */

/** What a spreadsheet takes for a formula, also after characters that it does not show. @see CWE-1236 */
const FORMULA = /^[\s\u200b\ufeff]*[=+\-@\t\r＝＋－＠]/

/** One cell of CSV. An apostrophe in front keeps a spreadsheet from calculating what came from outside. */
export function csvCell(value: string | number): string {
  const text = String(value)
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}

/** @see RFC 4180 §2: CRLF between lines, quotes doubled */
export const csv = (
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string => [heads, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')

/** One JSON value a line. */
export const ndjson = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('')
