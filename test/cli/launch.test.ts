import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair } from 'jose'
import { removeAfter } from '../../src/cli/launch-page.js'
import { formsOf, UserAgent } from '../user-agent.js'
import { run, startDemonstration } from './built.js'
import { runHere } from './in-process.js'

type Demonstration = Awaited<ReturnType<typeof startDemonstration>>

let demo: Demonstration
beforeAll(async () => {
  demo = await startDemonstration()
})
afterAll(() => demo.stop())

const launch = (words: readonly string[], input = '') =>
  runHere(['launch', ...words, ...demo.data], { env: demo.env, input })
/** In a process of its own. */
const built = (words: readonly string[], input = '') =>
  run(['launch', ...words, ...demo.data], { env: demo.env, input })

/** The page that a browser would open, and post from by itself. */
async function postedFrom(address: string) {
  const file = fileURLToPath(address)
  const [form] = formsOf(await readFile(file, 'utf8'))
  const { mode } = await stat(file)
  await rm(dirname(file), { recursive: true })
  if (!form) throw new Error('the page holds no form')
  return { form, mode: mode & 0o777 }
}

/** Follows a browser until it stays where it is, or has left for the app. */
async function follow(from: URL): Promise<{ at: URL; page: string }> {
  const browser = new UserAgent()
  for (let at = from, steps = 0; steps < 10; steps += 1) {
    if (at.origin === demo.app) return { at, page: '' }
    const answer = await browser.visit(at)
    if (!answer.location) return { at, page: answer.text }
    at = answer.location
  }
  throw new Error('the browser goes round in circles')
}

const inApp = (at: URL) => ({
  page: `${at.origin}${at.pathname}`,
  iss: at.searchParams.get('iss'),
  handle: at.searchParams.get('launch')?.slice(0, 4),
})
const landed = () => ({
  page: `${demo.app}/launch.html`,
  iss: `${demo.gateway}/fhir`,
  handle: 'hdl_',
})

describe('launch, for each system of the demonstration', () => {
  it('prints a link that leads to the app, for a system that pushes', async () => {
    const { code, out, err } = await built(['--system', 'gp-push', '--user', 'gp'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^http:\/\/localhost:\d+\/launch\/lnk_[0-9a-z.\w-]+\n$/)
    expect(inApp((await follow(new URL(out.trim()))).at)).toEqual(landed())
  })

  it('prints a page that posts itself, for a system that signs, readable by its owner alone', async () => {
    const { code, out } = await built(['--system', 'gp-post', '--user', 'practice-nurse'])
    expect(code).toBe(0)
    const { form, mode } = await postedFrom(out.trim())
    expect(mode).toBe(0o600)
    expect(form.action).toBe(`${demo.gateway}/launch`)
    const answer = await new UserAgent().visit(new URL(form.action), { form: form.fields })
    expect(inApp(answer.location ?? new URL(demo.gateway))).toEqual(landed())
  })

  it('writes that page where the caller says, and only where nothing is yet', async () => {
    const file = join(demo.folder, 'page.html')
    const how = ['--system', 'gp-post', '--user', 'gp', '--page', file]
    const { code, out } = await launch(how)
    expect({ code, out }).toEqual({ code: 0, out: `file://${file}\n` })
    const [form] = formsOf(await readFile(file, 'utf8'))
    expect(form?.action).toBe(`${demo.gateway}/launch`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const again = await launch(how)
    expect({ code: again.code, out: again.out }).toEqual({ code: 1, out: '' })
    expect(again.err).toContain('EEXIST')
  })

  it('leaves no page behind when its minute is over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'launch-'))
    await writeFile(join(folder, 'launch.html'), 'a token')
    const [code] = await once(removeAfter(folder, 0), 'exit')
    expect(code).toBe(0)
    expect(existsSync(folder)).toBe(false)
  })

  it('prints an inbound SMART launch, which leads by way of the GP system to the app', async () => {
    const { code, out } = await launch(['--system', 'gp-smart', '--user', 'gp'])
    expect(code).toBe(0)
    expect(out).toContain('/launch/smart?iss=')
    expect(inApp((await follow(new URL(out.trim()))).at)).toEqual(landed())
  })

  it('prints a sealed launch, which leads to a sign-in page that names no patient', async () => {
    const { code, out } = await launch(['--system', 'gp-sealed', '--user', 'gp'])
    expect(code).toBe(0)
    const { page } = await follow(new URL(out.trim()))
    expect(page).toContain('Sign in to open the care plan')
    expect(page).not.toMatch(/9990000018|Peggy/i)
  })

  it('takes the NHS number from standard input, so that nobody reads it among the arguments', async () => {
    const { code, out } = await built(
      ['--system', 'gp-push', '--user', 'gp', '--json'],
      '999 000 0026\n',
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ style: 'frame-url', url: expect.stringContaining('lnk_') })
    const id = `lch_${/lnk_([^.]+)/.exec(out)?.[1]}`
    const found = await runHere(['audit', 'search', '--launch', id, '--json', ...demo.data], {
      env: demo.env,
    })
    expect(JSON.parse(found.out.split('\n')[0] ?? '')).toMatchObject({
      what: 'launch_verified',
      patient: { nhsNumber: '9990000026' },
    })
  })
})

describe('launch with a fault', () => {
  it.each([
    ['expired', 'This launch has expired'],
    ['replay', 'This launch has expired or was already used'],
    ['alg-none', 'This launch could not be proven'],
    ['birth-date', 'The patient could not be matched'],
    ['check-digit', 'did not carry a valid NHS number'],
    ['organization', 'This organisation is not registered'],
    ['repeated-parameter', 'A parameter was sent more than once'],
  ])('%s is refused in plain words, with a reference, and exit 1', async (fault, words) => {
    const how = ['--system', 'gp-push', '--user', 'gp', '--fault', fault]
    const { code, out, err } = await launch(how)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(words)
    expect(err).toMatch(/Reference: ref_[\w-]+/)
    expect(err).not.toMatch(/\d{10}/)
  })

  it('an altered link is printed, and its page says that the launch is over', async () => {
    const how = ['--system', 'gp-push', '--user', 'gp', '--fault', 'altered-link']
    const { code, out } = await built(how)
    expect(code).toBe(0)
    expect((await follow(new URL(out.trim()))).page).toContain('data-code="link_invalid"')
  })

  it('a wrong signature in a form is refused where the form is posted', async () => {
    const how = ['--system', 'gp-post', '--user', 'gp', '--fault', 'wrong-signature']
    const { form } = await postedFrom((await launch(how)).out.trim())
    const answer = await new UserAgent().visit(new URL(form.action), { form: form.fields })
    expect(answer.text).toContain('data-code="signature_invalid"')
  })

  it('a fault that its system cannot have is answered with exit 2 and those that it can', async () => {
    const how = ['--system', 'gp-sealed', '--user', 'gp', '--fault', 'alg-none']
    const { code, err } = await launch(how)
    expect(code).toBe(2)
    expect(err).toMatch(/--fault is one of\s+expired {2,}The launch was made/)
    expect(err).not.toContain('alg-none')
  })
})

describe('launch, called wrongly', () => {
  it.each([
    ['without a system', ['--user', 'gp'], '--system is missing'],
    ['for a system of nobody', ['--system', 'gp-fax', '--user', 'gp'], 'gp-push, gp-post'],
    ['for a user whom nobody knows', ['--system', 'gp-push', '--user', 'mallory'], 'receptionist'],
    [
      'with an NHS number that is no number',
      ['--system', 'gp-push', '--user', 'gp', '--patient', 'Peggy'],
      'the NHS number is ten digits',
    ],
    [
      'with a birth date that is none',
      ['--system', 'gp-push', '--user', 'gp', '--birth-date', '1938-02-30'],
      '--birth-date is YYYY-MM-DD',
    ],
    [
      'for a patient of whom the demonstration knows no birth date',
      ['--system', 'gp-push', '--user', 'gp', '--patient', '9434765919'],
      '--birth-date is missing',
    ],
    [
      'to a gateway that is no address',
      ['--system', 'gp-push', '--user', 'gp', '--gateway', 'localhost:8080'],
      '--gateway: expected an origin',
    ],
    [
      'with a key that is not there',
      ['--system', 'x', '--user', 'u', '--key', '/nowhere/key.json'],
      '--key: there is no file /nowhere/key.json',
    ],
  ])('%s, it says what is missing, with exit 2', async (_, words, said) => {
    const { code, out, err } = await launch(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(said)
  })

  it('at a gateway that does not answer, it says so, with exit 1', async () => {
    const how = ['--system', 'gp-push', '--user', 'gp', '--gateway', 'http://localhost:9']
    const { code, err } = await launch(how)
    expect(code).toBe(1)
    expect(err).toBe(
      'No answer from http://localhost:9: is it running? (`npm start` starts the demonstration)\n',
    )
  })
})

describe('launch with a private key, for any registered system', () => {
  const own = (file: string, more: readonly string[] = []) => [
    ...['--gateway', demo.gateway, '--key', file, '--system', 'my-gp', '--user', 'u123'],
    ...['--ods', 'A83001', '--role-code', 'S0010:G0020:R0260', '--activity', 'B0360'],
    ...['--birth-date', '1938-03-14', ...more],
  ]
  const place = (name: string) => join(demo.folder, name)

  it.each([
    ['is not JSON', 'a secret that must not be repeated', 'not JSON'],
    ['holds no private part', '{"kty":"EC","kid":"one"}', 'it has no private part'],
    ['has no kid', '{"kty":"EC","d":"x"}', 'it needs a kid'],
  ])('refuses a file that %s, without repeating what it holds', async (_, content, why) => {
    await writeFile(place('bad.json'), content)
    const { code, err } = await launch(own(place('bad.json')), '9990000018')
    expect(code).toBe(2)
    expect(err).toContain(why)
    expect(err).not.toContain('a secret')
  })

  it('launches for a system that has just been added', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const key = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'ES256' }
    const published = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
    await writeFile(place('private.json'), JSON.stringify(key))
    await writeFile(place('public.json'), JSON.stringify(published))
    const before = await launch(own(place('private.json')), '9990000018')
    expect(before.code).toBe(1)
    expect(before.err).toContain('could not be authenticated')

    const added = await runHere(
      [
        ...['system', 'add', '--id', 'my-gp', '--name', 'My GP system', '--rung', 'pushed'],
        ...['--jwks', place('public.json'), '--sign-on', 'launch', '--organizations', 'A83001'],
        ...['--apps', 'care-plan', ...demo.data],
      ],
      { env: demo.env },
    )
    expect(added).toMatchObject({ code: 0, err: '' })
    const pushed = await launch(own(place('private.json')), '9990000018')
    expect(pushed).toMatchObject({ code: 0, err: '' })
    expect(inApp((await follow(new URL(pushed.out.trim()))).at)).toEqual(landed())

    const named = await launch(own(place('private.json'), ['--patient', '9990000018']))
    expect({ code: named.code, out: named.out }).toEqual({ code: 2, out: '' })
    expect(named.err).toContain('goes to standard input')

    const other = await launch(own(place('private.json'), ['--rung', 'signed']), '9990000018')
    const { form } = await postedFrom(other.out.trim())
    const answer = await new UserAgent().visit(new URL(form.action), { form: form.fields })
    expect(answer.text).toContain('data-code="rung_unregistered"')
  })
})
