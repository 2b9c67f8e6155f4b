import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkServerIdentity } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { reachOf } from '../../src/cli/demo.js'
import { AUTHORITY, type Caller, callAs, OUR_PAIR } from '../access/certificate-scene.js'
import { certificate } from '../certificates.js'
import { freePorts, occupy, vacate } from '../free-ports.js'
import { demonstrationInForce, emptyFolder, run, start, startDemonstration } from './built.js'
import { runHere } from './in-process.js'

describe('demo', () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>
  beforeEach(async () => {
    folder = await emptyFolder()
  })
  afterEach(() => folder.remove())

  it('says where everything is, who may be chosen and how to stop, and ends when it is asked to', async () => {
    const demo = await startDemonstration()
    const page = await fetch(demo.desktop)
    expect(await page.text()).toContain('<html')
    const files = await readdir(demo.folder)
    for (const file of files.filter((name) => name.startsWith('demo-')))
      expect([file, (await stat(join(demo.folder, file))).mode & 0o077]).toEqual([file, 0])
    const { code, out, err } = await demo.stop()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const words of [demo.gateway, demo.desktop, demo.app, 'Dr Amara Okafor', 'Ctrl+C'])
      expect(out).toContain(words)
  })

  it.each([
    ['the first', 0],
    ['the last', 3],
  ])('says that %s of its four ports is taken, and ends', async (_, place) => {
    const port = await freePorts(4)
    const other = await occupy(port + place)
    const how = { env: { PORT: String(port) } }
    const { code, out, err } = await run(['demo', '--data', folder.path], how)
    await vacate(other)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`127.0.0.1:${port + place}`)
    expect(err).toContain('set PORT, for example PORT=9080')
  })

  it('serves suites of other machines: on another address, and for clients with certificates', async () => {
    const port = await freePorts(6)
    const [cert, key, ca] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => join(folder.path, name))
    await writeFile(cert as string, OUR_PAIR.cert)
    await writeFile(key as string, OUR_PAIR.key)
    await writeFile(ca as string, AUTHORITY.pem)
    const issuer = `https://127.0.0.1:${port + 4}`
    const words = [
      ...['demo', '--data', folder.path, '--issuer', issuer, '--listen', '0.0.0.0'],
      ...['--tls-cert', cert, '--tls-key', key, '--mtls-listen', String(port + 5), '--mtls-ca', ca],
      ...['--outbound-allow', 'suite.internal', '--outbound-allow', '10.20.0.0/16'],
    ] as string[]
    const env = { PORT: String(port) }
    await demonstrationInForce(folder.path, port)
    const demo = await start(words, /Stop with Ctrl\+C/, { env })
    const read = async (caller: Caller, at: number) =>
      JSON.parse(
        (await callAs({ path: '/.well-known/openid-configuration', ...caller }, at, true)).text,
      )
    const elsewhere: Caller = {
      tls: {
        host: '127.0.0.2',
        // Its certificate is of the address that it gives as its own.
        checkServerIdentity: (_, shown) => checkServerIdentity('127.0.0.1', shown),
      },
    }
    const document = await read(elsewhere, port + 4)
    const { issuer: said, mtls_endpoint_aliases: aliases } = document
    expect({ said, token: aliases.token_endpoint }).toEqual({
      said: issuer,
      token: `https://127.0.0.1:${port + 5}/oauth/token`,
    })
    const known = { with: certificate({ by: AUTHORITY }) }
    expect(await read({ ...elsewhere, ...known }, port + 5)).toEqual(document)
    await expect(fetch(`http://127.0.0.2:${port + 2}/oidc/jwks`)).rejects.toThrow()
    const { code, err } = await demo.stop()
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it('calls the hosts that it is told it may, though they are inside the network', async () => {
    const { overrides } = reachOf({ 'outbound-allow': ['suite.internal', '10.20.0.0/16'] })
    expect(overrides).toEqual({ outbound: { allow: ['suite.internal', '10.20.0.0/16'] } })
    expect(reachOf({}).overrides).toEqual({})
  })

  it.each([
    ['a PORT that is none', [], { PORT: 'http' }, 1, 'PORT: expected a number'],
    ['a PORT that leaves no room for four', [], { PORT: '65535' }, 1, 'from 1 to 65532'],
    ['an issuer that is no origin', ['--issuer', 'localhost:8443'], {}, 2, '--issuer: expected'],
    ['an address that is none', ['--listen', 'everywhere'], {}, 2, '--listen: expected'],
    ['a host that is none', ['--outbound-allow', 'a b'], {}, 1, 'outbound.allow.0: expected'],
    ['certificates without one of its own', ['--mtls-listen', '9'], {}, 2, '--issuer is missing'],
    ['authorities of nobody', ['--mtls-ca', '/nowhere'], {}, 1, '--mtls-ca goes with'],
    [
      'half a certificate',
      ['--tls-cert', '/nowhere'],
      {},
      1,
      '--tls-cert and --tls-key go together',
    ],
  ])('refuses %s', async (_, words, env, code, said) => {
    const ran = await runHere(['demo', '--data', folder.path, ...words], { env })
    expect(ran).toMatchObject({ code, out: '' })
    expect(ran.err).toContain(said)
  })
})
