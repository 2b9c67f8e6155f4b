/** Each call of the API, tried with each duty: who is let in is what the policies say, and nobody without a bearer is. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { ApiRow } from '../../src/console/api/answering.js'
import { API, apiRows } from '../../src/console/api/routes.js'
import { DUTIES, type Duty } from '../../src/core/roles.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { call, commandOf, type Reply } from './commanding.js'

jest.setTimeout(60_000)

const TEAM: readonly Duty[] = DUTIES
/** By part and act, as config/policies/console.cedar means it. */
const MAY: Readonly<Record<string, readonly Duty[]>> = {
  'fleet console-view': TEAM,
  'decisions console-view': TEAM,
  'policies console-view': TEAM,
  'policies console-author': ['author', 'guardian'],
  'policies console-approve': ['approver', 'guardian'],
}

const ROWS = apiRows({ policies: {} } as never)
const lineOf = ({ verb, path }: ApiRow): string =>
  `${verb.toUpperCase()} ${path.slice(API.length).replace(/:\w+/g, 'nothing-here')}`
const bodyOf = ({ verb }: ApiRow) => (verb === 'post' || verb === 'put' ? { body: {} } : {})

describe('the guard of the API', () => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
  }, 60_000)
  afterAll(() => t?.close())

  it.each(DUTIES)('lets a %s call what the duty says, and nothing else', async (duty) => {
    const { bearer } = await commandOf(t, duty, 3)
    // The last row but the end of the session itself: whoever is signed out is let in nowhere.
    for (const row of [...ROWS].sort(
      (a, b) => Number(a.verb === 'delete') - Number(b.verb === 'delete'),
    )) {
      const { status, json }: Reply = await call(t, lineOf(row), { bearer, ...bodyOf(row) })
      const expected = MAY[`${row.part} ${row.act}`]?.includes(duty)
      const entered = !(status === 403 && json.code === 'console_denied')
      expect({ row: lineOf(row), in: entered }).toEqual({ row: lineOf(row), in: expected })
    }
  })

  it('lets nobody in without a bearer', async () => {
    for (const row of ROWS) {
      const { status, json } = await call(t, lineOf(row), bodyOf(row))
      expect({ row: lineOf(row), status, error: json.error }).toEqual({
        ...{ row: lineOf(row), status: 401, error: 'invalid_token' },
      })
    }
  })
})
