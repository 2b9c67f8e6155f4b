/** docs/conformance.md, held against the files that it names and against what a gateway says of itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { FHIR_TYPES } from '../src/core/fhir.js'
import { readScope } from '../src/core/scope.js'
import { PROXY } from './access/certificate-scene.js'
import { App } from './app-by-hand.js'
import { openTestGateway, type TestGateway } from './gateway.js'
import { handleOf, open } from './launching.js'
import { REGISTRATION } from './registering.js'
import { type Answer, send, UserAgent } from './user-agent.js'

jest.setTimeout(60_000)

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const STATUSES = ['done', 'not offered']
/** The parts of the page whose tables are rows of this kind; the walk has other tables. */
const PARTS = [
  'SMART App Launch 2.2',
  'Where SMART contradicts itself',
  'OAuth, OpenID Connect and FAPI',
]
const SPECIFICATIONS = [
  ...[
    'RFC 6749',
    'RFC 6750',
    'RFC 7009',
    'RFC 7591',
    'RFC 7592',
    'RFC 7636',
    'RFC 7662',
    'RFC 8414',
    'RFC 8628',
  ],
  ...[
    'RFC 8693',
    'RFC 8705',
    'RFC 9068',
    'RFC 9101',
    'RFC 9126',
    'RFC 9207',
    'RFC 9396',
    'RFC 9449',
  ],
  ...['RFC 9700', 'RFC 9701', 'OIDC Core', 'OIDC Discovery', 'OIDC RP-Initiated Logout'],
  ...['OIDC Back-Channel Logout', 'FAPI 2.0', 'SMART on openEHR'],
]

const page = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8')

interface Row {
  readonly id: string
  readonly asks: string
  readonly status: string
  readonly where: string
  readonly tests: string
}

/** Every line of a part's tables, whatever it holds. */
const rowsOf = (part: string): readonly Row[] => {
  const [, after = ''] = page.split(`\n## ${part}\n`)
  const [text = ''] = after.split('\n## ')
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| id |'))
    .map((line) => {
      const [id = '', asks = '', status = '', where = '', tests = '', ...more] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      if (more.length > 0) throw new Error(`a row with more cells than the table has: ${line}`)
      return { id, asks, status, where, tests }
    })
}

const rows = PARTS.flatMap(rowsOf)

const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '')
const filesIn = (text: string): readonly string[] =>
  codesIn(text).filter((code) => /^[\w-]+\/[\w./-]+\.\w+$/.test(code))

/** A test file, and the part of a title that must stand in it. */
const shownBy = ({ tests }: Row): readonly (readonly [string, string])[] =>
  [...tests.matchAll(/`([^`]+)` "([^"]+)"/g)].map(([, file, title]) => [file ?? '', title ?? ''])

const textOf = (file: string): string => {
  const path = join(ROOT, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

describe('The rows of docs/conformance.md', () => {
  it('are S-01 to S-154, each once and in order, and all of the contradictions', () => {
    // One of which a part is not offered stands twice: what is done, and what is not.
    const isRest = (row: Row, i: number) =>
      row.id === rows[i - 1]?.id && rows[i - 1]?.status === 'done' && row.status === 'not offered'
    const once = rows.filter((row, i) => !isRest(row, i))
    const named = (kind: string) => once.map(({ id }) => id).filter((id) => id.startsWith(kind))
    const number = (_: unknown, i: number) => String(i + 1)
    expect(named('S-')).toEqual(
      Array.from({ length: 154 }, number).map((n) => `S-${n.padStart(2, '0')}`),
    )
    expect(named('C-')).toEqual(Array.from({ length: 8 }, number).map((n) => `C-${n}`))
  })

  it('speak of every specification that the gateway is held to', () => {
    const spoken = new Set(rows.map(({ id }) => id))
    expect(SPECIFICATIONS.filter((name) => !spoken.has(name))).toEqual([])
  })

  it('have a status of the closed list', () => {
    expect(rows.filter(({ status }) => !STATUSES.includes(status))).toEqual([])
  })

  it('name files that are there', () => {
    const dead = rows.flatMap(({ id, where, tests }) =>
      [...filesIn(where), ...filesIn(tests)]
        .filter((file) => !existsSync(join(ROOT, file)))
        .map((file) => ({ id, file })),
    )
    expect(dead).toEqual([])
  })

  it('quote titles that stand in the tests that they name', () => {
    const dead = rows.flatMap((row) =>
      shownBy(row)
        .filter(([file, title]) => !textOf(file).includes(title))
        .map(([file, title]) => ({ id: row.id, file, title })),
    )
    expect(dead).toEqual([])
  })

  it('name a file and a test wherever anything is done', () => {
    const bare = rows
      .filter(({ status }) => status !== 'not offered')
      .filter((row) => filesIn(row.where).length === 0 || shownBy(row).length === 0)
    expect(bare).toEqual([])
  })
})

describe('The attacks', () => {
  const files = readdirSync(join(ROOT, 'test/attack')).filter((name) => name.endsWith('.test.ts'))

  it('run on both stores, or say that the store has no part in them, or which one is meant', () => {
    const neither = files.filter((name) => {
      const text = textOf(`test/attack/${name}`)
      return !/describe\.each\(STORES\)|The store has no part in it|Of Redis alone/.test(text)
    })
    expect(neither).toEqual([])
  })

  it.each([
    'authorize',
    'dpop',
    'exchange',
    'introspection',
    'link',
    'logout-token',
    'registration',
    'replay',
    'sign-out',
    'tokens',
  ])('of %s.test.ts come by two nodes', (name) => {
    expect(textOf(`test/attack/${name}.test.ts`)).toMatch(/secondNode\(\)/)
  })
})

type Document = Readonly<Record<string, unknown>>
const wordsOf = (document: Document, member: string): readonly string[] =>
  (document[member] ?? []) as string[]

describe('What a gateway says of itself', () => {
  let t: TestGateway
  let smart: Document
  let openid: Document
  beforeAll(async () => {
    const mtls = { alias: 'https://mtls.launch.example', header: 'client-cert' } as const
    t = await openTestGateway({
      store: 'embedded',
      // All that may be advertised.
      change: ({ pages }) => ({
        ...{ mtls, trust_proxy: [PROXY], registration: REGISTRATION },
        pages: { ...pages, style_url: 'https://styles.example/smart.json' },
      }),
    })
    const read = async (path: string) => JSON.parse((await send(new URL(path, t.issuer))).text)
    smart = await read('/fhir/.well-known/smart-configuration')
    openid = await read('/.well-known/openid-configuration')
  }, 60_000)
  afterAll(() => t?.close())

  const endpoints = (document: Document) =>
    Object.keys(document).filter((name) => /_endpoint$|^jwks_uri$/.test(name))

  /** Capabilities, grant types, ways of authentication, endpoints: what an app may count on. */
  const advertised = () =>
    new Set(
      [smart, openid].flatMap((document) => [
        ...wordsOf(document, 'capabilities'),
        ...wordsOf(document, 'grant_types_supported'),
        ...wordsOf(document, 'token_endpoint_auth_methods_supported'),
        ...endpoints(document),
        ...Object.keys(document).filter((name) => document[name] === true),
      ]),
    )

  /** Members that are true and promise an app nothing of their own. */
  const PLAIN = [
    ...['request_parameter_supported', 'claims_parameter_supported'],
    ...['authorization_response_iss_parameter_supported'],
    'tls_client_certificate_bound_access_tokens',
  ]

  it('is named by a row that is done', () => {
    const done = rows.filter(({ status }) => status === 'done').flatMap(({ asks }) => codesIn(asks))
    const unnamed = [...advertised()].filter((word) => !done.includes(word))
    expect(unnamed.filter((word) => !PLAIN.includes(word))).toEqual([])
  })

  it('names nothing that discovery advertises, where it says that it is not offered', () => {
    const denied = rows
      .filter(({ status }) => status === 'not offered')
      .flatMap(({ id, asks }) => codesIn(asks).map((word) => ({ id, word })))
    expect(denied.filter(({ word }) => advertised().has(word))).toEqual([])
  })

  it('gives every endpoint an absolute address under the issuer', () => {
    for (const document of [smart, openid])
      for (const name of endpoints(document))
        expect(String(document[name])).toMatch(new RegExp(`^${t.issuer}/\\w`))
  })

  it('lists both algorithms that SMART asks for', () => {
    const listed = wordsOf(smart, 'token_endpoint_auth_signing_alg_values_supported')
    expect(listed).toEqual(expect.arrayContaining(['RS384', 'ES384']))
  })

  it('lists scopes that its own grammar reads', () => {
    const listed = [...wordsOf(smart, 'scopes_supported'), ...wordsOf(openid, 'scopes_supported')]
    expect(listed.filter((scope) => readScope(scope) === undefined)).toEqual([])
  })

  it('lists no scope with a search query: which are given is the grammar’s to say', () => {
    const listed = [...wordsOf(smart, 'scopes_supported'), ...wordsOf(openid, 'scopes_supported')]
    expect(listed.filter((scope) => scope.includes('?'))).toEqual([])
  })

  it('has no capability of a name of our own', () => {
    const known =
      /^(?:launch-|authorize-post$|client-|sso-openid-connect$|context-|permission-|openehr-permission-v1$)/
    expect(wordsOf(smart, 'capabilities').filter((word) => !known.test(word))).toEqual([])
  })

  it('is enough for every set of capabilities', () => {
    const shared = ['client-public', 'client-confidential-symmetric', 'permission-patient']
    const patients = ['launch-standalone', 'context-standalone-patient']
    const clinicians = ['permission-user', 'context-ehr-patient', 'context-ehr-encounter']
    expect(wordsOf(smart, 'capabilities')).toEqual(
      expect.arrayContaining([...shared, 'launch-ehr', ...patients, ...clinicians]),
    )
  })

  it('has every member that OpenID Discovery requires', () => {
    const required = [
      ...[
        'issuer',
        'authorization_endpoint',
        'token_endpoint',
        'jwks_uri',
        'response_types_supported',
      ],
      ...['subject_types_supported', 'id_token_signing_alg_values_supported'],
    ]
    expect(Object.keys(openid)).toEqual(expect.arrayContaining(required))
    // Only what was pushed has a name here, and nothing is fetched.
    expect(openid.request_uri_parameter_supported).toBe(false)
  })

  describe('at the token endpoint', () => {
    const url = () => new URL('/oauth/token', t.issuer)
    const expectPlain = (answer: Answer, error: string) => {
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
      expect(JSON.parse(answer.text)).toMatchObject({
        error,
        error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/),
      })
    }

    it('answers a refusal in JSON that says why and that nobody keeps', async () => {
      const code = { grant_type: 'authorization_code', client_id: 'care-plan', code: 'cod_x' }
      const refresh = { grant_type: 'refresh_token', client_id: 'care-plan', refresh_token: 'x' }
      const basic = { authorization: `Basic ${btoa('care-plan:x')}` }
      const ask = (form: Readonly<Record<string, string>>, headers = {}) =>
        send(url(), { form, headers })
      // biome-ignore format: a table
      const answers: readonly [Answer, number, string][] = [
        [await ask({}),                                    400, 'invalid_request'],
        [await ask({ grant_type: 'x' }),                   400, 'unsupported_grant_type'],
        [await ask(code),                                  400, 'invalid_grant'],
        [await ask(refresh),                               400, 'invalid_grant'],
        [await ask({ ...code, client_id: 'nobody' }),      401, 'invalid_client'],
        [await ask({ ...code, client_id: '' }, basic),     401, 'invalid_client'],
        [await send(url(), { body: 'x', method: 'POST' }), 400, 'invalid_request'],
      ]
      for (const [answer, status, error] of answers) {
        expect(answer.status).toBe(status)
        expectPlain(answer, error)
      }
      const challenged = answers.filter(([{ headers }]) => 'www-authenticate' in headers)
      expect(challenged.map(([{ headers }]) => headers['www-authenticate'])).toEqual([
        `Basic realm="${t.issuer}"`,
      ])
    })
  })

  it('a wildcard comes back as the types that the role may read', async () => {
    const app = new App(t, new UserAgent(), 'v1-app')
    const handle = handleOf(await open(t, app.browser, { system: 'gp-push', app: 'v1-app' }))
    const code = await app.code(handle, { scope: 'launch patient/*.rs' })
    const { scope } = JSON.parse((await app.redeem(code)).text)
    const [launch, ...granted] = scope.split(' ')
    expect(launch).toBe('launch')
    expect(granted.length).toBeGreaterThan(1)
    const types = granted.map((word: string) => /^patient\/([A-Z]\w+)\.r?s?$/.exec(word)?.[1])
    expect(types.filter((type: string | undefined) => !type || !(type in FHIR_TYPES))).toEqual([])
  })
})
