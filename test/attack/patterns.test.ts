/** Texts that are made to keep a pattern busy (ReDoS): every reader that a stranger reaches is done with them at once. The store has no part in it, so one is enough. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { type Sent, send } from '../user-agent.js'

jest.setTimeout(120_000)

/** A quadratic reader needs ten seconds and more for a form of these, a linear one some milliseconds. */
const FORM = 100_000
/** Of headers Node takes 32 kB together, a quadratic reader needs half a second for one. */
const HEADER = 24_000
/** Sent so often, for the time of one would not tell. */
const TIMES = 3
/** Of this process's own time, gateway and caller together: what else the machine does is not in it. Thirty times what it takes. */
const MOST_MS = 1_000

/** What repeats, and what is wrong only at the very end. */
const RUNS = [
  ' ',
  'a',
  '0',
  '.',
  '/',
  '-',
  '@',
  '=',
  ',',
  '*',
  ':',
  '%20',
  'a.',
  '1.',
  'a/',
  '""',
  '[',
]
const ENDS = ['', '!', '"', '\\']

/** Each run with one of the ends, another at each reader: all of them meet somewhere. */
const TEXTS = (size: number, reader: number) =>
  RUNS.map((run, i) => {
    const end = ENDS[(i + reader) % ENDS.length] ?? ''
    return `${run.repeat(Math.floor(size / run.length))}${end}`
  })

// biome-ignore format: a table
const PARAMETERS: readonly [path: string, name: string, others: Record<string, string>][] = [
  ['/oauth/authorize',              'scope',             { client_id: 'care-plan', response_type: 'code', state: 's' }],
  ['/oauth/authorize',              'redirect_uri',      { client_id: 'care-plan' }],
  ['/oauth/authorize',              'claims',            { client_id: 'care-plan', redirect_uri: 'http://app.localhost:8083/' }],
  ['/oauth/token',                  'code',              { grant_type: 'authorization_code', client_id: 'care-plan' }],
  ['/oauth/token',                  'refresh_token',     { grant_type: 'refresh_token', client_id: 'care-plan' }],
  ['/oauth/token',                  'client_assertion',  { grant_type: 'client_credentials' }],
  ['/oauth/revoke',                 'token',             { client_id: 'care-plan' }],
  ['/oauth/logout',                 'id_token_hint',     {}],
  ['/oauth/logout',                 'post_logout_redirect_uri', { client_id: 'care-plan' }],
  ['/launch',                       'launch_token',      {}],
  ['/launch/push',                  'client_assertion',  { launch_token: 'x' }],
  ['/launch/sealed',                'sealed',            { system: 'gp-sealed' }],
  ['/launch/continue',              'pending',           { step: 'patient' }],
  ['/sign-in/backchannel-logout',   'logout_token',      {}],
]
const HEADERS = [
  'authorization',
  'dpop',
  'cookie',
  'x-forwarded-for',
  'origin',
  'accept',
  'content-type',
]
const SCHEMES = ['', 'Bearer ', 'DPoP ', 'Basic ']

describe('a text that keeps a pattern busy', () => {
  let t: TestGateway
  beforeAll(async () => {
    // What is tried is wrong by the dozen, and must not be turned away before it is read.
    t = await openTestGateway({
      store: 'embedded',
      change: ({ limits }) => ({
        limits: {
          ...limits,
          rates: {
            ...limits.rates,
            clients: 'off',
            proofs: 'off',
            secrets: 'off',
            tokens: 'off',
            strays: 'off',
          },
        },
        trust_proxy: ['loopback'],
      }),
    })
  }, 60_000)
  afterAll(() => t?.close())

  /** The longest that one of them took, each sent so often; each was refused, and none is a fault of ours. */
  async function longest(path: string, tries: readonly Sent[], times = 1): Promise<number> {
    let most = 0
    for (const sent of tries) {
      const began = process.cpuUsage()
      for (let i = 0; i < times; i++)
        expect((await send(new URL(path, t.issuer), sent)).status).toBeLessThan(500)
      const { user, system } = process.cpuUsage(began)
      most = Math.max(most, (user + system) / 1000)
    }
    return most
  }

  it.each(PARAMETERS.map((row, i) => [...row, i] as const))(
    '%s reads %s in no time',
    async (path, name, others, i) => {
      const tries = TEXTS(FORM, i).map((text) => ({ form: { ...others, [name]: text } }))
      expect(await longest(path, tries)).toBeLessThan(MOST_MS)
    },
  )

  it.each(HEADERS.map((name, i) => [name, i] as const))(
    'the header %s is read in no time',
    async (name, i) => {
      const schemes = name === 'authorization' ? SCHEMES : ['']
      const tries = schemes.flatMap((scheme, j) =>
        TEXTS(HEADER, i + j).map((text) => ({
          headers: { [name]: `${scheme}${text}`.trim() || 'x' },
        })),
      )
      for (const path of ['/fhir/Patient/x', '/oauth/authorize'])
        expect(await longest(path, tries, TIMES)).toBeLessThan(MOST_MS)
    },
  )
})
