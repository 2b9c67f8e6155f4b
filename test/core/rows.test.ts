/** Rows of which a server shows only the first. */
import { describe, expect, it } from '@jest/globals'
import { requireAllRows } from '../../src/core/rows.js'

const answer = (rows: number, meta?: unknown) => ({
  ...{ columns: [], rows: Array.from({ length: rows }, () => []) },
  ...(meta === undefined ? {} : { meta }),
})

describe('a query that nobody limited', () => {
  // biome-ignore format: a table
  it.each<[string, object, boolean]>([
    ['says nothing of a limit',             answer(3),                              true],
    ['says other things',                   answer(3, { _executed_aql: 'SELECT' }), true],
    ['was limited to more than there are',  answer(3, { _fetch: 4 }),               true],
    ['was limited to what there is',        answer(3, { _fetch: 3 }),               false],
    ['was limited, in other words',         answer(3, { fetch: 3 }),                false],
    ['was limited to less',                 answer(3, { _fetch: 2, fetch: 9 }),     false],
    ['has no limit, said as null',          answer(3, { _fetch: null, fetch: null }), true],
    ['has no limit, said as none',          answer(0, { _fetch: 0 }),               true],
    ['has a limit that is no number',       answer(3, { fetch: '3' }),              true],
    ['is no result set',                    { error: 'Bad Request' },               true],
  ])('that %s', (_, body, whole) => {
    const read = () => requireAllRows(body)
    if (whole) expect(read).not.toThrow()
    else expect(read).toThrow(/limited/)
  })
})
