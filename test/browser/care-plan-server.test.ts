import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { type AppServer, createAppServer } from '../../src/demo/app-server.js'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'launch-gateway-app-'))
  for (const name of ['index.html', 'launch.html', 'care-plan.js'])
    writeFileSync(join(root, name), '')
})
afterAll(() => rmSync(root, { recursive: true }))

const setup = (changes: Partial<AppServer> = {}): AppServer => ({
  gatewayOrigin: 'https://gateway.example',
  issuers: ['https://gateway.example/fhir'],
  clientId: 'care-plan',
  frameAncestors: ['https://gp.example', 'https://ooh.example'],
  emergencyText: 'Ring 020 7946 0999.',
  plan: { pathways: [], sections: [] },
  root,
  ...changes,
})

describe('the server of the care-plan app', () => {
  it('lets its pages load, call and be framed by exactly whom it names', async () => {
    const { headers } = await request(createAppServer(setup())).get('/launch.html').expect(200)
    expect(headers['content-security-policy']?.split(';')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self' https://gateway.example",
      "img-src 'self' data:",
      "font-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      'frame-ancestors https://gp.example https://ooh.example',
    ])
    expect(headers).not.toHaveProperty('x-frame-options')
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
  })

  it('is framed by nobody when nobody is named', async () => {
    const { headers } = await request(createAppServer(setup({ frameAncestors: [] }))).get('/')
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  it.each([
    '*',
    'https://gp.example/',
    'gp.example',
    "https://a.example; script-src 'unsafe-inline'",
  ])('refuses to start with the ancestor %s', (ancestor) => {
    expect(() => createAppServer(setup({ frameAncestors: [ancestor] }))).toThrow(TypeError)
  })

  it('gives the app its settings, never from a cache', async () => {
    const { body, headers } = await request(createAppServer(setup()))
      .get('/config.json')
      .expect(200)
    expect(body).toEqual({
      issuers: ['https://gateway.example/fhir'],
      clientId: 'care-plan',
      emergencyText: 'Ring 020 7946 0999.',
    })
    expect(headers['cache-control']).toBe('no-store')
  })

  it('answers an unknown path plainly, with the same policy', async () => {
    const { headers } = await request(createAppServer(setup())).get('/nothing').expect(404)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })
})
