/** Texts that are made to keep a pattern busy (ReDoS): every reader that a stranger reaches is done with them at once. The store has no part in it, so one is enough. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { type Sent, send } from '../user-agent.js'

jest.setTimeout(120_000)

/** A quadratic reader needs a minute and more for a form of these, a linear one some milliseconds. */
const FORM = 200_000
/** Of headers Node takes 32 kB together, a quadratic reader of one half a second and more. */
const HEADER = 24_000
/** Of this process's own time, gateway and caller together: what else the machine does is not in it. */
const MOST_MS = 1_500

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

const TEXTS = (size: number) =>
  RUNS.flatMap((run) => ENDS.map((end) => `${run.repeat(Math.floor(size / run.length))}${end}`))

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

  /** The longest that one of them took, and that each was refused and none a fault of ours. */
  async function longest(path: string, tries: readonly Sent[]): Promise<number> {
    let most = 0
    for (const sent of tries) {
      const began = process.cpuUsage()
      const { status } = await send(new URL(path, t.issuer), sent)
      const { user, system } = process.cpuUsage(began)
      most = Math.max(most, (user + system) / 1000)
      expect(status).toBeLessThan(500)
    }
    return most
  }

  it.each(PARAMETERS)('%s reads %s in no time', async (path, name, others) => {
    const tries = TEXTS(FORM).map((text) => ({ form: { ...others, [name]: text } }))
    expect(await longest(path, tries)).toBeLessThan(MOST_MS)
  })

  it.each(HEADERS)('the header %s is read in no time', async (name) => {
    const schemes = name === 'authorization' ? SCHEMES : ['']
    const tries = schemes.flatMap((scheme) =>
      TEXTS(HEADER).map((text) => ({ headers: { [name]: `${scheme}${text}`.trim() || 'x' } })),
    )
    for (const path of ['/fhir/Patient/x', '/oauth/authorize'])
      expect(await longest(path, tries)).toBeLessThan(MOST_MS)
  })
})
