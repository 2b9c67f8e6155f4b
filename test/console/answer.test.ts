/** What a row of the console may answer, and what of it is on record: for whoever adds one. */
import { describe, expect, it, jest } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { formToken } from '../../src/console/form-token.js'
import { type Answer, answering, type ConsoleRow, type Visit } from '../../src/console/page.js'
import type { Happening } from '../../src/core/audit.js'
import type { ConsoleSession } from '../../src/core/console.js'
import { startJourney } from '../../src/http/journey.js'
import { createPages } from '../../src/http/pages.js'
import { formBody } from '../../src/http/parameters.js'

const SECRET = `con_${'A'.repeat(32)}`
const UID = '555254239202'
const session: ConsoleSession = {
  ...{ id: 'sgn_x', issuer: 'https://op.example', authenticated: 0, since: 0 },
  ...{ until: 1e15, idleUntil: 1e15, member: { uid: UID, name: 'Rohan Mehta', assurance: 2 } },
}

/** One row that answers so, and what went into the trail, in the order of things. */
function serve(answer: (visit: Visit) => Promise<Answer>, verb: ConsoleRow['verb'] = 'post') {
  const log: (Happening | string)[] = []
  const parts = {
    issuer: 'https://gateway.example',
    clock: () => 1000,
    lifetimes: { session_idle: 900 },
    store: { get: async () => session, getAll: async () => [] },
    trail: {
      record: async (entry: Happening) => {
        log.push(entry)
      },
    },
    policies: {
      ...{ mayRead: () => true, mayIssue: () => true },
      decide: () => ({ effect: 'allow' }),
      posts: () => [{ uid: UID, duties: ['author'], layer: 'central' }],
    },
    pages: createPages({ emergencyText: '', support: '' }),
  }
  const row: ConsoleRow = {
    ...{ verb, path: '/console/x', part: 'policies', act: 'console-author', layers: 'own' },
    ...{ label: '', answer },
  }
  const app = express()
  app.set('query parser', false)
  app.use((_req, res, next) => {
    startJourney(res, 'page', 'console_refused')
    next()
  }, formBody)
  app.use(answering(parts as never, [row], row))
  const cookie = `__Host-console=${SECRET}`
  const token = formToken(SECRET, '/console/x')
  return {
    log,
    call: () =>
      verb === 'get'
        ? request(app).get('/console/x').set('cookie', cookie)
        : request(app).post('/console/x').set('cookie', cookie).type('form').send({ token }),
  }
}

const ABOUT = { detail: { draft: 'drf_1' } }
const entryOf = (what: string) =>
  expect.objectContaining({
    ...{ what, outcome: 'success', signOn: 'sgn_x' },
    user: { id: UID, name: 'Rohan Mehta', roles: ['author'] },
    detail: {
      draft: 'drf_1',
      page: '/console/x',
      part: 'policies',
      act: 'console-author',
      layer: 'central',
    },
  })

describe('a row of the console', () => {
  it('tells a script something, on record', async () => {
    const { call, log } = serve(async () => ({ json: { fine: true }, about: ABOUT }))
    const answer = await call().expect(200)
    expect(answer.body).toEqual({ fine: true })
    expect(log).toEqual([entryOf('console_viewed')])
  })

  it('makes no entry of what says only what was typed', async () => {
    const { call, log } = serve(async () => ({ json: { line: 3 }, quiet: true, status: 422 }))
    await call().expect(422)
    expect(log).toEqual([])
  })

  it('records an end after it was done, and then goes on', async () => {
    const made = serve(async () => {
      made.log.push('done')
      return { to: '/console/y', about: ABOUT }
    })
    const answer = await made.call().expect(303)
    expect(answer.headers.location).toBe('https://gateway.example/console/y')
    expect(made.log).toEqual(['done', entryOf('console_acted')])
  })

  it('leaves the entry to an act that put it into its own commit', async () => {
    const acted = jest.fn()
    const { call, log } = serve(async (visit) => {
      acted(visit.acted(ABOUT))
      return { to: '/console/y', about: {}, recorded: true }
    })
    await call().expect(303)
    expect(acted).toHaveBeenCalledWith(entryOf('console_acted'))
    expect(log).toEqual([])
  })

  it('lets a page ask us for more by its own script only if it says so', async () => {
    const shown = { view: 'home', title: 'X', data: { inForce: {} } }
    const still = await serve(async () => shown, 'get').call()
    expect(still.headers['content-security-policy']).not.toContain('connect-src')
    const asking = await serve(async () => ({ ...shown, connects: true }), 'get').call()
    expect(asking.headers['content-security-policy']).toContain("connect-src 'self';")
  })

  it('gives nothing typed in an address to a page, and what was posted as plain text, cut to a size', async () => {
    const { typed } = await import('../../src/console/typed.js')
    const sent = new Map([['q', `a\u202eb\n${'x'.repeat(500)}`]])
    expect(typed({ sent, posted: false }, 'q')).toBe('')
    expect(typed({ sent, posted: true }, 'q')).toBe(`ab${'x'.repeat(198)}`)
  })
})
