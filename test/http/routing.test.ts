/** What stands before a handler, and what a step may do wrong: whatever it is, one answer comes, and the process lives. */

import { describe, expect, it } from '@jest/globals'
import express, { type RequestHandler } from 'express'
import request from 'supertest'
import type { EventName } from '../../src/core/audit.js'
import { type Route, routing } from '../../src/http/routing.js'

const later = () => new Promise<void>((resolve) => setImmediate(resolve))
const through: RequestHandler = (_req, _res, next) => next()

interface Scene {
  readonly verb?: Route['verb']
  readonly path?: string
  readonly readers?: Route['readers']
  readonly answers?: Route['answers']
  readonly flood?: RequestHandler
}

/** One route with this handler. What went wrong is answered as a 500 that says it, and how often. */
function serving(handler: RequestHandler, scene: Scene = {}) {
  const { verb = 'get', path = '/here', readers = 'nobody', answers = 'json' } = scene
  const wrong: unknown[] = []
  const app = express()
  const row = { verb, path, readers, answers, refused: 'access_refused' as EventName, handler }
  app.use(
    routing([row], {
      hasOrigin: () => later().then(() => true),
      nonce: () => later().then(() => 'n1'),
      flood: scene.flood ?? through,
    }),
  )
  app.use((_req, res) => void res.status(404).json({ fell: 'through' }))
  app.use(((error, _req, res, next) => {
    wrong.push(error)
    if (res.headersSent) return next(error)
    res.status(500).json({ error: String((error as Error)?.message ?? error) })
  }) as express.ErrorRequestHandler)
  return { app, wrong }
}
const fails: RequestHandler = () => {
  throw new Error('a fault')
}

describe('what a handler throws', () => {
  it.each<[string, Scene, Record<string, string>]>([
    ['at once', {}, {}],
    ['after a form was read', { verb: 'post' }, {}],
    ['after an origin was looked up', { readers: 'apps' }, { origin: 'https://app.example' }],
    ['after a nonce was made', { readers: 'apps' }, { dpop: 'proof' }],
    ['below a base', { verb: 'use', readers: 'apps' }, { origin: 'https://app.example' }],
  ])('is answered once: %s', async (_, scene, headers) => {
    const { app, wrong } = serving(fails, scene)
    const sent =
      scene.verb === 'post' ? request(app).post('/here').send('a=1') : request(app).get('/here')
    const answer = await sent.set(headers)
    expect([answer.status, answer.body]).toEqual([500, { error: 'a fault' }])
    expect(wrong).toHaveLength(1)
  })

  it.each([undefined, null, new Error('a fault')])(
    'is a fault even where it is nothing: %s',
    async (nothing) => {
      const { app, wrong } = serving(() => Promise.reject(nothing) as never)
      expect((await request(app).get('/here')).status).toBe(500)
      expect(wrong).toHaveLength(1)
    },
  )

  it('after it has answered ends neither the process nor the next call', async () => {
    const { app, wrong } = serving(async (_req, res) => {
      res.json({ said: 'once' })
      await later()
      throw new Error('too late')
    })
    expect((await request(app).get('/here')).body).toEqual({ said: 'once' })
    await later()
    expect((await request(app).get('/here')).body).toEqual({ said: 'once' })
    expect(wrong.length).toBeGreaterThan(0)
  })
})

describe('steps before a handler', () => {
  it('turn away before it, and nothing of it runs', async () => {
    let ran = 0
    const { app } = serving(
      () => {
        ran += 1
      },
      { flood: fails },
    )
    expect((await request(app).get('/here')).status).toBe(500)
    expect(ran).toBe(0)
  })

  it('let a handler pass a call on: to the next route, or past this one', async () => {
    for (const where of [undefined, 'route', 'router'] as const) {
      const { app, wrong } = serving((_req, _res, next) => next(where))
      expect((await request(app).get('/here')).body).toEqual({ fell: 'through' })
      expect(wrong).toEqual([])
    }
  })

  it('leave a handler below a base the rest of the address, and the whole of it', async () => {
    const told: RequestHandler = ({ url, baseUrl, originalUrl, params }, res) =>
      void res.json({ url, baseUrl, originalUrl, params: { ...params } })
    const { app } = serving(told, { verb: 'use', readers: 'apps' })
    const answer = await request(app).get('/here/a%2Fb?x=1').set('origin', 'https://app.example')
    expect(answer.body).toEqual({
      ...{ url: '/a%2Fb?x=1', baseUrl: '/here', originalUrl: '/here/a%2Fb?x=1', params: {} },
    })
    expect((await request(app).get('/herewith')).status).toBe(404)
  })

  it('leave a handler what its path holds', async () => {
    const told: RequestHandler = ({ params }, res) => void res.json({ ...params })
    const { app } = serving(told, { verb: 'post', path: '/here/:one' })
    expect((await request(app).post('/here/a').send('b=1')).body).toEqual({ one: 'a' })
  })

  it('answer HEAD as GET, a page’s with nothing, and OPTIONS without the handler', async () => {
    let ran = 0
    const counts: RequestHandler = (_req, res) => {
      ran += 1
      res.json({ ran })
    }
    const page = serving(counts, { answers: 'page' })
    expect((await request(page.app).head('/here')).status).toBe(204)
    const json = serving(counts, { readers: 'apps' })
    expect((await request(json.app).options('/here')).status).toBe(204)
    expect(ran).toBe(0)
    expect((await request(json.app).head('/here')).status).toBe(200)
    expect(ran).toBe(1)
  })
})
