/** Who is believed about a certificate: on a listener of our own, and behind a proxy. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AlternativeName, certificate, type Made, SERVER_AUTH } from '../certificates.js'
import { AUTHORITY, type Caller, openScene, PROXY, type Told } from './certificate-scene.js'

const START = Math.floor(Date.now() / 1000) * 1000
const HOUR = 3_600_000
let now = START

const APP: readonly AlternativeName[] = [['dns', 'app.example']]
const OTHER_AUTHORITY = certificate({ subject: [{ CN: 'other' }], authority: true })
const IMPOSTOR = certificate({ subject: AUTHORITY.subject, authority: true })
const client = certificate({ by: AUTHORITY, alternatives: APP })
const neighbour = certificate({ by: AUTHORITY, alternatives: [['dns', 'other.example']] })
const selfSigned = certificate({ alternatives: APP })
const thumbprintOf = async (made: Made) =>
  Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(made.der))).toString(
    'base64url',
  )

type Scene = Awaited<ReturnType<typeof openScene>>

describe('On a listener of our own, a certificate', () => {
  let scene: Scene
  let trustless: Scene
  beforeAll(async () => {
    const setting = { now: () => now, ours: true }
    const mtls = { header: 'client-cert', verify_header: 'x-ssl-client-verify' } as const
    const jwk = { ...selfSigned.publicKey.export({ format: 'jwk' }) }
    scene = await openScene({ ...setting, mtls: { ...mtls, ca: AUTHORITY.pem }, keys: [jwk] })
    trustless = await openScene({ ...setting, mtls: {} })
  })
  afterAll(async () => {
    await scene.close()
    await trustless.close()
  })
  const unbelieved = 'certificate: no authority stands behind it'

  it('of a configured authority is known by its name (RFC 8705 §2.1)', async () => {
    const thumbprint = await thumbprintOf(client)
    const notKey = 'certificate: not a registered key'
    expect(await scene.ask({ with: client })).toEqual({
      thumbprint,
      trusted: true,
      notApp: '',
      notKey,
    })
  })

  it('of the same authority with another name is another client’s', async () => {
    const { trusted, notApp } = await scene.ask({ with: neighbour })
    expect([trusted, notApp]).toEqual([true, 'certificate: another name: CN=nobody'])
  })

  it('that signed itself is known by its key, and by no name (RFC 8705 §2.2)', async () => {
    const { trusted, notApp, notKey } = await scene.ask({ with: selfSigned })
    expect([trusted, notApp, notKey]).toEqual([false, unbelieved, ''])
  })

  // biome-ignore format: a table
  it.each<[string, Made]>([
    ['of another authority',                  certificate({ by: OTHER_AUTHORITY, alternatives: APP })],
    ['of another authority of the same name', certificate({ by: IMPOSTOR, alternatives: APP })],
    ['that another client signed',            certificate({ by: client, alternatives: APP })],
    ['that is for servers',                   certificate({ by: AUTHORITY, alternatives: APP, purpose: SERVER_AUTH })],
  ])('%s is nobody’s, right name or not', async (_, made) => {
    const { trusted, notApp, notKey } = await scene.ask({ with: made })
    expect([trusted, notApp]).toEqual([false, unbelieved])
    expect(notKey).not.toBe('')
  })

  it('is not needed, and its absence is said to whoever needs one', async () => {
    expect(await scene.ask()).toEqual({ why: 'certificate: none' })
  })

  it('of no authority counts where none is configured, the web’s included', async () => {
    const { thumbprint, trusted } = await trustless.ask({ with: client })
    expect([thumbprint, trusted]).toEqual([await thumbprintOf(client), false])
  })

  it('is good to its last second by our own clock, however old its connection', async () => {
    const made = certificate({
      by: AUTHORITY,
      alternatives: APP,
      from: START - HOUR,
      to: START + HOUR,
    })
    for (const [time, why] of [
      [START - HOUR - 1, 'certificate: out of its time'],
      [START - HOUR, undefined],
      [START + HOUR + 999, undefined],
      [START + HOUR + 1000, 'certificate: out of its time'],
    ] as const) {
      now = time
      expect((await scene.ask({ with: made })).why).toBe(why)
    }
    now = START
  })

  it.each([
    ['that is over', { to: START - 1000 }],
    ['that is not yet', { from: START + HOUR }],
  ])('%s is none, registered key or not', async (_, times) => {
    const made = certificate({ ...times, key: selfSigned.key, publicKey: selfSigned.publicKey })
    expect(await scene.ask({ with: made })).toEqual({ why: 'certificate: out of its time' })
  })

  it('longer than we read is none', async () => {
    const made = certificate({ by: AUTHORITY, subject: [{ CN: 'x'.repeat(16_384) }] })
    expect(await scene.ask({ with: made })).toEqual({ why: 'certificate: cannot be read' })
  })

  it('in a header is nothing, beside a certificate of its own or alone', async () => {
    const headers = {
      'client-cert': `:${client.der.toString('base64')}:`,
      'x-ssl-client-verify': 'SUCCESS',
    }
    expect(await scene.ask({ headers })).toEqual({ why: 'certificate: none' })
    const { thumbprint, trusted } = await scene.ask({ with: selfSigned, headers })
    expect([thumbprint, trusted]).toEqual([await thumbprintOf(selfSigned), false])
  })

  it('in a header and in the handshake, by a proxy that has one itself, is refused', async () => {
    const headers = { 'client-cert': `:${client.der.toString('base64')}:` }
    const why = 'certificate: one is the proxy’s, one its caller’s'
    expect(await scene.ask({ with: neighbour, from: PROXY, headers })).toEqual({ why })
  })

  const secured = async (caller: Caller): Promise<TLSSocket> => {
    const socket = connect(scene.connection(caller))
    await once(socket, 'secureConnect')
    return socket
  }
  const overOne = async (socket: TLSSocket): Promise<Told> => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    let text = ''
    for await (const part of socket) text += part
    return JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
  }
  const sessionOf = async (caller: Caller): Promise<Buffer> => {
    const socket = connect(scene.connection(caller))
    const [session] = await once(socket, 'session')
    socket.end()
    return session
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'comes along when a %s session goes on, and none comes of none',
    async (version) => {
      const tls = { minVersion: version, maxVersion: version }
      for (const caller of [{ with: client }, { with: selfSigned }, {}]) {
        const first = await scene.ask({ ...caller, tls })
        const session = await sessionOf({ ...caller, tls })
        const again = await secured({ tls: { ...tls, session } })
        expect(again.isSessionReused()).toBe(true)
        expect(await overOne(again)).toEqual(first)
      }
    },
  )

  it('cannot be changed for another on the same connection', async () => {
    const socket = await secured({ with: neighbour, tls: { maxVersion: 'TLSv1.2' } })
    socket.on('error', () => undefined)
    const failed = await new Promise<Error | null>((resolve) => {
      socket.renegotiate({ requestCert: true }, resolve)
      socket.once('close', () => resolve(new Error('closed')))
    })
    expect(failed).not.toBeNull()
    socket.destroy()
  })

  it('is not asked for in words older than TLS 1.2', async () => {
    const old = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const
    await expect(scene.ask({ with: client, tls: old })).rejects.toThrow()
  })
})

describe('In a header, a certificate', () => {
  const base64 = client.der.toString('base64')
  const der = `:${base64}:`
  const pem = encodeURIComponent(client.pem)
  const scenes: Record<'rfc' | 'nginx' | 'silent' | 'off', Scene> = {} as never
  beforeAll(async () => {
    const setting = { now: () => now, ours: false }
    const verify_header = 'x-ssl-client-verify'
    const open = (mtls?: object) => openScene({ ...setting, ...(mtls ? { mtls } : {}) })
    scenes.rfc = await open({ header: 'client-cert', verify_header })
    scenes.nginx = await open({ header: 'x-ssl-client-cert', verify_header })
    scenes.silent = await open({ header: 'client-cert' })
    scenes.off = await open()
  })
  afterAll(async () => {
    for (const scene of Object.values(scenes)) await scene.close()
  })
  const none: Told = { why: 'certificate: none' }
  const asked = (scene: keyof typeof scenes, headers: Caller['headers'] = {}, from = PROXY) =>
    scenes[scene].ask({ from, headers })

  it('is believed of the proxy that is trusted, in either form, with its verdict', async () => {
    const told = {
      ...{ thumbprint: await thumbprintOf(client), trusted: true },
      ...{ notApp: '', notKey: 'certificate: not a registered key' },
    }
    const verdict = { 'x-ssl-client-verify': 'SUCCESS' }
    expect(await asked('rfc', { 'client-cert': der, ...verdict })).toEqual(told)
    expect(await asked('nginx', { 'x-ssl-client-cert': pem, ...verdict })).toEqual(told)
  })

  // biome-ignore format: a table
  it.each<[string, Record<string, string>]>([
    ['no verdict',                       {}],
    ['an empty one',                     { 'x-ssl-client-verify': '' }],
    ['a failure',                        { 'x-ssl-client-verify': 'FAILED:certificate has expired' }],
    ['a word like success',              { 'x-ssl-client-verify': 'success' }],
    ['success and more',                 { 'x-ssl-client-verify': 'SUCCESS, FAILED' }],
    ['a verdict of another name',        { 'x-client-verify': 'SUCCESS' }],
  ])('with %s bears no name', async (_, verdict) => {
    const { thumbprint, trusted, notApp } = await asked('rfc', { 'client-cert': der, ...verdict })
    expect([thumbprint, trusted]).toEqual([await thumbprintOf(client), false])
    expect(notApp).toBe('certificate: no authority stands behind it')
  })

  it('bears no name where no verdict is configured, whatever is sent', async () => {
    const headers = { 'client-cert': der, 'x-ssl-client-verify': 'SUCCESS', undefined: 'SUCCESS' }
    expect((await asked('silent', headers)).trusted).toBe(false)
  })

  it('is nothing from anybody else, whoever they say that they are', async () => {
    const sent = { 'client-cert': der, 'x-ssl-client-cert': pem, 'x-ssl-client-verify': 'SUCCESS' }
    for (const more of [
      {},
      { 'x-forwarded-for': PROXY },
      { 'x-forwarded-for': `${PROXY}, ${PROXY}` },
      { forwarded: `for=${PROXY}` },
      { 'x-real-ip': PROXY },
    ])
      for (const scene of ['rfc', 'nginx'] as const)
        expect(await asked(scene, { ...sent, ...more }, '127.0.0.1')).toEqual(none)
  })

  it('is nothing in the form that is not configured, nor where none is', async () => {
    expect(await asked('rfc', { 'x-ssl-client-cert': pem })).toEqual(none)
    expect(await asked('nginx', { 'client-cert': der })).toEqual(none)
    const why = 'certificate: nobody is known by one here'
    expect(await asked('off', { 'client-cert': der })).toEqual({ why })
  })

  it('that the proxy says is absent is none', async () => {
    expect(await asked('rfc')).toEqual(none)
    expect(
      await asked('nginx', { 'x-ssl-client-cert': '', 'x-ssl-client-verify': 'NONE' }),
    ).toEqual(none)
  })

  // biome-ignore format: a table
  it.each<['rfc' | 'nginx', string, string]>([
    ['rfc',   'without its colons',       base64],
    ['rfc',   'with parameters',          `${der};verified`],
    ['rfc',   'as a list',                `${der}, ${der}`],
    ['rfc',   'with nothing in it',       '::'],
    ['rfc',   'as a text',                `"${base64}"`],
    ['rfc',   'in base64url',             `:${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}-:`],
    ['rfc',   'as PEM',                   pem],
    ['rfc',   'with bytes behind it',     `:${Buffer.concat([client.der, client.der]).toString('base64')}:`],
    ['nginx', 'twice',                    pem + pem],
    ['nginx', 'joined by a comma',        `${pem},${pem}`],
    ['nginx', 'as bare base64',           base64],
    ['nginx', 'escaped wrongly',          '%2'],
    ['nginx', 'escaped twice',            encodeURIComponent(pem)],
    ['nginx', 'with a header in it',      `${pem}%0D%0AX-SSL-Client-Verify:%20SUCCESS`],
    ['nginx', 'as a public key',          encodeURIComponent(client.pem.replaceAll('CERTIFICATE', 'PUBLIC KEY'))],
  ])('in the form of %s is refused %s', async (scene, _, value) => {
    const name = { rfc: 'client-cert', nginx: 'x-ssl-client-cert' }[scene]
    const why = `certificate: ${name} holds no certificate`
    expect(await asked(scene, { [name]: value, 'x-ssl-client-verify': 'SUCCESS' })).toEqual({ why })
  })

  // biome-ignore format: a table
  it.each<[string, Record<string, string | string[]>, string]>([
    ['twice',                             { 'client-cert': [der, der] },                                             'client-cert stands twice'],
    ['after an empty one',                { 'client-cert': ['', der] },                                              'client-cert stands twice'],
    ['with two verdicts',                 { 'client-cert': der, 'x-ssl-client-verify': ['FAILED', 'SUCCESS'] },      'x-ssl-client-verify stands twice'],
    ['with a twin in underscores',        { 'client-cert': der, client_cert: der },                                  'a header named like client-cert'],
    ['only as such a twin',               { Client_Cert: der },                                                      'a header named like client-cert'],
    ['with a twin with a dot',            { 'client-cert': der, 'client.cert': der },                                'a header named like client-cert'],
    ['with such a twin of its verdict',   { 'client-cert': der, 'x_ssl-client_verify': 'SUCCESS' },                  'a header named like x-ssl-client-verify'],
  ])('is refused when it stands %s', async (_, headers, why) => {
    expect(await asked('rfc', headers)).toEqual({ why: `certificate: ${why}` })
  })

  it('is good to its last second by our own clock', async () => {
    now = Date.parse(certificateEnd) + 999
    expect((await asked('rfc', { 'client-cert': bounded })).trusted).toBe(false)
    now += 1
    expect(await asked('rfc', { 'client-cert': bounded })).toEqual({
      why: 'certificate: out of its time',
    })
    now = START
  })
})

const certificateEnd = '2040-02-29T12:00:00Z'
const bounded = `:${certificate({ to: Date.parse(certificateEnd) }).der.toString('base64')}:`
