/** `serve` with clients that are known by certificate. */
import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { AUTHORITY, type Caller, callAs, OUR_PAIR } from '../access/certificate-scene.js'
import { certificate } from '../certificates.js'
import { freePorts, occupy, vacate } from '../free-ports.js'
import { emptyFolder, inForce, ROOT, run, start } from './built.js'
import { runHere } from './in-process.js'

let folder: Awaited<ReturnType<typeof emptyFolder>>
let port: number
beforeEach(async () => {
  folder = await emptyFolder()
  port = await freePorts(2)
  await cp(join(ROOT, 'config'), folder.path, { recursive: true })
  const path = join(folder.path, 'gateway.yaml')
  const text = (await readFile(path, 'utf8'))
    .replace(/^listen: .*$/m, `listen: { host: 127.0.0.1, port: ${port} }`)
    .replace(/^data_dir: .*$/m, 'data_dir: data')
    .replace(/^store: .*$/m, 'store: { kind: embedded }')
  await writeFile(path, text)
  await writeFile(join(folder.path, 'mtls.crt'), OUR_PAIR.cert)
  await writeFile(join(folder.path, 'mtls.key'), OUR_PAIR.key)
  await writeFile(join(folder.path, 'ca.pem'), AUTHORITY.pem)
})
afterEach(() => folder.remove())

async function withMutualTls(rows: Readonly<Record<string, string | undefined>>) {
  const path = join(folder.path, 'gateway.yaml')
  const whole = {
    alias: 'https://mtls.launch.example.nhs.uk',
    listen: `{ host: 127.0.0.1, port: ${port + 1} }`,
    tls: '{ cert: mtls.crt, key: mtls.key }',
    ca: 'ca.pem',
    ...rows,
  }
  const lines = Object.entries(whole).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key}: ${value}\n`],
  )
  await writeFile(path, `${await readFile(path, 'utf8')}\nmtls:\n${lines.join('')}`)
}
const env = { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex') }
const words = () => ['serve', '--config', folder.path]

describe('serve with clients that are known by certificate', () => {
  it('runs a listener for them beside its own, with the same gateway behind it', async () => {
    await withMutualTls({})
    await inForce(folder.path, env)
    const running = await start(words(), /"serving"/, { env })
    const document = await fetch(`http://127.0.0.1:${port}/.well-known/smart-configuration`)
    expect(await document.json()).toMatchObject({
      mtls_endpoint_aliases: { token_endpoint: 'https://mtls.launch.example.nhs.uk/oauth/token' },
    })
    const callers: readonly Caller[] = [
      { with: certificate({ by: AUTHORITY }) },
      { with: certificate({}) },
      {},
    ]
    for (const caller of callers) {
      const answer = await callAs({ ...caller, path: '/livez' }, port + 1, true)
      expect(JSON.parse(answer.text)).toEqual({ alive: true })
    }
    const { code, out, err } = await running.stop()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('"draining"')
  })

  // biome-ignore format: a table
  it.each<[string, Record<string, string | undefined>, string]>([
    ['a certificate of ours',       { tls: undefined },                                       'mtls.tls or tls: missing; mtls.listen needs a certificate of our own'],
    ['files that are there',        { tls: '{ cert: nowhere.crt, key: mtls.key }' },          'mtls.tls.cert: there is no file'],
    ['authorities that are there',  { ca: 'nowhere.pem' },                                    'mtls.ca: there is no file'],
    ['authorities that are some',   { ca: 'apps.yaml' },                                      'mtls: '],
    ['a key that fits',             { tls: '{ cert: ca.pem, key: mtls.key }' },               'mtls: '],
    ['an https alias',              { alias: 'http://localhost:8443' },                       'mtls.alias: expected an https origin'],
    ['an alias that is an origin',  { alias: 'https://mtls.example/' },                       'mtls.alias: expected an https origin'],
    ['any way to be told',          { listen: undefined, tls: undefined, ca: undefined },     'mtls.listen: needs this, or header, or both'],
    ['a listener for its authorities', { listen: undefined, header: 'client-cert' },          'mtls.listen: tls and ca are for it'],
    ['a proxy to believe',          { header: 'client-cert' },                                'trust_proxy: missing; mtls.header is believed from those addresses only'],
    ['a header that it can read',   { header: 'x-forwarded-client-cert' },                    'mtls.header: '],
    ['a header beside a verdict',   { verify_header: 'x-ssl-client-verify' },                 'mtls.header: verify_header needs it'],
    ['two headers',                 { header: 'client-cert', verify_header: 'client-cert' },  'mtls.verify_header: is the certificate’s own header'],
    ['a header’s plain name',       { header: 'client-cert', verify_header: 'x_ssl_verify' }, 'mtls.verify_header: expected a header’s name in lower case'],
    ['a key that it knows',         { crl: 'ca.pem' },                                        'Unrecognized key: "crl"'],
  ])('refuses to start without %s', async (_, rows, problem) => {
    await withMutualTls(rows)
    const { code, err } = await runHere(words(), { env })
    expect(code).toBe(1)
    expect(err).toContain(problem)
  })

  it('ends when the port for them is taken', async () => {
    await withMutualTls({})
    await inForce(folder.path, env)
    const other = await occupy(port + 1)
    const { code, err } = await run(words(), { env })
    await vacate(other)
    expect(code).toBe(1)
    expect(err).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port + 1}`)
  })
})
