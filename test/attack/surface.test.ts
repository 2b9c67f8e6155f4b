/** Requests that no browser and no server of good will sends: each gets a plain refusal, and nothing else. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { call, launchTo, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, NO_PLAN, open, tokenOf } from '../launching.js'
import { expectRefused, expectWholeTrail, refusalEntry } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const POSTS = [
  '/launch',
  '/launch/push',
  '/launch/sealed',
  '/launch/continue',
  '/sign-in/start',
  '/sign-in/backchannel-logout',
  '/sign-in/sessions',
  '/sign-in/sessions/start',
  '/launch/end',
  '/oauth/logout/confirm',
  '/oauth/authorize',
  '/oauth/token',
  '/oauth/par',
  '/oauth/introspect',
  '/oauth/revoke',
]
const GETS = [
  '/launch',
  '/launch/smart',
  '/launch/smart/callback',
  '/launch/sealed',
  '/launch/lnk_x',
  '/sign-in/callback',
  '/console/callback',
  '/oauth/authorize',
  '/oauth/logout',
]
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

/** Past two thousand headers Node refuses the request, or, before 26, leaves the rest out. */
const BEHIND_TOO_MANY = Number(process.versions.node.split('.')[0]) < 26 ? 401 : 431

/** What comes back for exactly these bytes, until the gateway hangs up. */
const wire = ({ issuer }: TestGateway, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(Number(new URL(issuer).port), '127.0.0.1')
    socket.on('data', (part) => parts.push(part))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(parts).toString('utf8')))
    socket.write(text)
  })

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    t = await openTestGateway({ store })
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string) => new URL(path, t.issuer)

  describe.each(POSTS)('POST %s', (path) => {
    it('refuses more than a megabyte, and reads a megabyte', async () => {
      const body = (size: number) => `x=${'a'.repeat(size - 2)}`
      const answer = await send(at(path), { headers: FORM, body: body(1_048_577) })
      await expectRefused(t, answer, 'body_too_large', 413)
      const fits = await send(at(path), { headers: FORM, body: body(1_048_576) })
      expect((await refusalEntry(t, fits)).refusal).not.toBe('body_too_large')
    })

    // biome-ignore format: a table
    it.each<[string, Record<string, string>, string]>([
      ['JSON',                     { 'content-type': 'application/json' },                                 '{"launch_token":"x"}'],
      ['several parts',            { 'content-type': 'multipart/form-data; boundary=x' },                  '--x--'],
      ['no type',                  {},                                                                     'launch_token=x'],
      ['an unknown character set', { 'content-type': 'application/x-www-form-urlencoded; charset=ebcdic' }, 'launch_token=x'],
      ['an unknown compression',   { ...FORM, 'content-encoding': 'x' },                                   'launch_token=x'],
      ['no real compression',      { ...FORM, 'content-encoding': 'gzip' },                                'launch_token=x'],
    ])('refuses a body of %s', async (_what, headers, body) => {
      await expectRefused(t, await send(at(path), { headers, body }), 'body_unreadable', 400)
    })

    it('refuses a parameter that stands twice, and more parameters than anybody needs', async () => {
      const twice = await send(at(path), {
        form: [
          ['x', '1'],
          ['x', '1'],
        ],
      })
      await expectRefused(t, twice, 'parameter_repeated', 400)
      const many = await send(at(path), {
        form: Array.from({ length: 101 }, (_, i) => [`x${i}`, ''] as const),
      })
      await expectRefused(t, many, 'parameter_invalid', 400)
    })

    it('takes parameters named like built-ins for what they are: strangers', async () => {
      for (const name of NAMES) {
        const answer = await send(at(path), { form: { [name]: '{"x":1}', [`${name}[x]`]: '1' } })
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect((await refusalEntry(t, answer)).refusal).not.toBe('unexpected')
      }
      expect(({} as { x?: unknown }).x).toBeUndefined()
    })
  })

  it.each(GETS)('GET %s refuses a parameter that stands twice', async (path) => {
    const answer = await send(at(`${path}?state=1&state=2&iss=a&launch=b`))
    const { refusal } = await refusalEntry(t, answer)
    const own: Record<string, string> = {
      '/launch': 'launch_clear_text',
      '/launch/lnk_x': 'link_invalid',
    }
    expect(refusal).toBe(own[path] ?? 'parameter_repeated')
  })

  // biome-ignore format: a table
  it.each<[string, string, number]>([
    ['a path that cannot be decoded',           '/launch/%ff',              400],
    ['a path that ends in a percent sign',      '/launch/%',                400],
    ['an asset that cannot be decoded',         '/assets/%ff',              404],
    ['an asset outside its folder',             '/assets/..%2f..%2fsecurity.ts', 404],
    ['an asset below its folder',               '/assets/../../../package.json', 404],
    ['another case',                            '/OAuth/token',             404],
    ['a slash at the end',                      '/oauth/token/',            404],
    ['a double slash',                          '//elsewhere.example/launch', 404],
    ['another host’s address',                  'http://elsewhere.example/nothing', 404],
    ['a method override',                       '/nothing?_method=DELETE',  404],
    ['files that should not be there',          '/.git/config',             404],
    ['what is not built',                       '/availability',            404],
  ])('answers %s with a reference and without a stack', async (_what, path, status) => {
    const answer = await send(at('/'), {}, path)
    const { error, reference, ...rest } = JSON.parse(answer.text)
    expect({ status: answer.status, error }).toEqual({ status, error: status === 404 ? 'not_found' : 'invalid_request' })
    expect(Object.keys(rest)).toEqual(['error_description'])
    expect((await refusalEntry(t, answer)).reference).toBe(reference)
  })

  it.each(['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'])('offers no %s', async (method) => {
    for (const path of ['/launch', '/oauth/token', '/oauth/authorize', '/sign-in/callback']) {
      const answer = await send(at(path), { method })
      expect(answer.status).toBe(404)
      expect(answer.text).not.toContain('TRACE')
    }
  })

  it('believes no Host and no X-Forwarded header', async () => {
    const headers = {
      ...{
        host: 'elsewhere.example',
        'x-forwarded-host': 'elsewhere.example',
        'x-forwarded-proto': 'https',
      },
      ...{
        forwarded: 'host=elsewhere.example',
        'x-original-url': '/console',
        'x-rewrite-url': '/console',
      },
      ...{
        'x-forwarded-prefix': '/elsewhere',
        'x-http-method-override': 'DELETE',
        'x-forwarded-for': '127.0.0.1',
      },
    }
    const form = { launch_token: await tokenOf(t, { system: 'gp-post' }) }
    const landed = await send(at('/launch'), { form, headers })
    const paths = [
      '/.well-known/openid-configuration',
      '/fhir/.well-known/smart-configuration',
      '/launch/lnk_x',
      '/fhir/Patient/1',
      '/fhir/metadata',
    ]
    const answers = [
      landed,
      ...(await Promise.all(paths.map((path) => send(at(path), { headers })))),
    ]
    for (const answer of answers) {
      expect(`${answer.text} ${JSON.stringify(answer.headers)}`).not.toContain('elsewhere')
    }
    expect(new URL(landed.location?.searchParams.get('iss') ?? '').origin).toBe(t.issuer)
    const read = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`, {
      headers: { ...headers, 'x-http-method-override': '' },
    })
    expect(read.text).not.toContain('elsewhere')
  })

  it('reads a request of the record as one, from its first line to its last', async () => {
    const patient = `/fhir/Patient/${tokens.patient}`
    const token = `Authorization: Bearer ${tokens.access_token}`
    const by = (line: string, ...more: string[]) =>
      `${[`${line} HTTP/1.1`, 'Host: x', 'Connection: close', token, ...more].join('\r\n')}\r\n\r\n`
    const post = (...more: string[]) =>
      by('POST /fhir', 'Content-Type: application/fhir+json', ...more)
    // biome-ignore format: a table
    const rows: readonly (readonly [string, string, number])[] = [
      ['a plain one, so that the others are about what is odd', by(`GET ${patient}`), 200],
      ['an address with a server in it',     by(`GET http://elsewhere.example${patient}`), 404],
      ['an address with our own in it',      by(`GET ${t.issuer}${patient}`), 404],
      ['two slashes',                        by(`GET /${patient}`), 404],
      ['capitals',                           by(`GET ${patient.replace('fhir', 'FHIR')}`), 404],
      ['an encoded letter of the base',      by(`GET ${patient.replace('fhir', '%66hir')}`), 404],
      ['a matrix parameter of the base',     by(`GET ${patient.replace('fhir', 'fhir;x=1')}`), 404],
      ['a backslash',                        by('GET /fhir\\Patient'), 404],
      ['a fragment',                         by(`GET ${patient}#x`), 400],
      ['a slash at the end',                 by(`GET ${patient}/`), 400],
      ['a dot at the end',                   by(`GET ${patient}.`), 404],
      ['no body wanted',                     by(`HEAD ${patient}`), 403],
      ['an echo wanted',                     by(`TRACE ${patient}`), 403],
      ['a second token',                     by(`GET ${patient}`, 'Authorization: Bearer x'), 401],
      ['a token behind two thousand headers', `GET ${patient} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'X: 1\r\n'.repeat(2_100)}${token}\r\n\r\n`, BEHIND_TOO_MANY],
      ['a token behind the body',            `POST /fhir HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\n{}\r\n0\r\n${token}\r\n\r\n`, 401],
      ['metadata in other letters',          'GET /fhir/%6detadata HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 401],
      ['a length and pieces',                `${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
      ['pieces of pieces',                   `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`, 400],
      ['pieces, said twice',                 `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
      ['pieces that are none',               `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`, 400],
      ['pieces by a word that is like it',   `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`, 400],
      ['pieces, with a space before it is said', `${post('Content-Length: 5', 'Transfer-Encoding : chunked')}0\r\n\r\n`, 400],
      ['pieces with words behind their size', `${post('Transfer-Encoding: chunked')}2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`, 413],
      ['a length with a sign',               `${post('Content-Length: +2')}{}`, 400],
      ['a length twice',                     `${post('Content-Length: 2', 'Content-Length: 2')}{}`, 400],
      ['a header over two lines',            by(`GET ${patient}`, 'X: 1\r\n Authorization: Bearer x'), 400],
      ['lines that end otherwise',           by(`GET ${patient}`).replaceAll('\r\n', '\n'), 400],
      ['one line that ends otherwise',       by(`GET ${patient}`, 'X: 1\nY: 2'), 400],
      ['a tab for a space',                  by(`GET ${patient}`).replace(' ', '\t'), 400],
      ['another protocol asked for',         by(`GET ${patient}`, 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'), 200],
      ['a tunnel',                           by('CONNECT 127.0.0.1:22'), 0],
      ['a piece of no size',                 `${post('Transfer-Encoding: chunked')}zz\r\n`, 400],
      ['an expectation of its own',          `${post('Expect: 200-maybe', 'Content-Length: 2')}{}`, 417],
      ['a mark before the body',             `${post('Content-Length: 5')}\ufeff{}`, 400],
      ['letters of seven bits',              `${by('POST /fhir', 'Content-Type: application/fhir+json; charset=utf-7', 'Content-Length: 6')}+AHs-}`, 400],
      ['letters that nobody knows',          `${by('POST /fhir', 'Content-Type: application/fhir+json; charset=x', 'Content-Length: 2')}{}`, 400],
    ]
    for (const [what, text, status] of rows) {
      const answer = await wire(t, text)
      // Node hangs up on who wants a tunnel.
      expect([what, Number(answer.match(/^HTTP\/1\.1 (\d{3})/)?.[1] ?? 0)]).toEqual([what, status])
      expect(answer.match(/HTTP\/1\.1 /g) ?? []).toHaveLength(status === 0 ? 0 : 1)
      if (status !== 200) expect(answer).not.toContain('birthDate')
    }
  })

  it('keeps apart what comes one behind the other on one connection, each with a token of its own', async () => {
    const { tokens: others } = await launchTo(t, { system: 'gp-push', patient: NO_PLAN })
    const get = (of: Tokens, by: Tokens | undefined, ...more: string[]) => {
      const token = by ? [`Authorization: Bearer ${by.access_token}`] : []
      const lines = [`GET /fhir/Patient/${of.patient} HTTP/1.1`, 'Host: x', ...token, ...more]
      return `${lines.join('\r\n')}\r\n\r\n`
    }
    const hidden = get(others, others)
    const answer = await wire(
      t,
      [
        get(tokens, tokens),
        get(others, others),
        get(others, tokens),
        get(tokens, tokens, `Content-Length: ${hidden.length}`) + hidden,
        `${get(tokens, tokens, 'Transfer-Encoding: chunked')}0\r\n\r\n`,
        get(tokens, undefined, 'Connection: close'),
      ].join(''),
    )
    const answers = answer.split(/(?=HTTP\/1\.1 \d{3} )/)
    const told = answers.map((one) => [
      one.slice(9, 12),
      [tokens, others].filter(({ patient }) => one.includes(`"id":"${patient}"`)).length,
    ])
    expect(told).toEqual([
      ['200', 1],
      ['200', 1],
      ['404', 0],
      ['200', 1],
      ['200', 1],
      ['401', 0],
    ])
    const whose = answers.map((one) => one.includes(`"id":"${others.patient}"`))
    expect(whose).toEqual([false, true, false, false, false, false])
  })

  it('says of itself no more than it must, on every kind of answer', async () => {
    const answers = await Promise.all(
      [
        '/launch/lnk_x',
        '/oauth/jwks',
        '/nothing',
        '/fhir/Patient/1',
        '/livez',
        '/readyz',
        '/assets/gateway.css',
      ].map((path) => send(at(path))),
    )
    for (const { headers } of answers) {
      expect(headers).not.toHaveProperty('x-powered-by')
      expect(headers).not.toHaveProperty('server')
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/)
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/)
    }
  })

  it('goes on working, with a whole trail', async () => {
    expect(handleOf(await open(t, new UserAgent(), { system: 'gp-post' }))).toMatch(/^hdl_/)
    await expectWholeTrail(t)
  })
})
