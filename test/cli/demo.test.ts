import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { emptyFolder, freePorts, occupy, run, startDemonstration, vacate } from './built.js'

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

  it.each([
    ['a PORT that is none', [], { PORT: 'http' }, 1, 'PORT: expected a number'],
    ['a PORT that leaves no room for four', [], { PORT: '65535' }, 1, 'from 1 to 65532'],
    ['an issuer that is no origin', ['--issuer', 'localhost:8443'], {}, 2, '--issuer: expected'],
    [
      'half a certificate',
      ['--tls-cert', '/nowhere'],
      {},
      1,
      '--tls-cert and --tls-key go together',
    ],
  ])('refuses %s', async (_, words, env, code, said) => {
    const ran = await run(['demo', '--data', folder.path, ...words], { env })
    expect(ran).toMatchObject({ code, out: '' })
    expect(ran.err).toContain(said)
  })
})
