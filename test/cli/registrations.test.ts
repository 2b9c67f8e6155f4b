import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { emptyFolder, run } from './built.js'
import { runHere } from './in-process.js'

let folder: Awaited<ReturnType<typeof emptyFolder>>
beforeAll(async () => {
  folder = await emptyFolder()
})
afterAll(() => folder.remove())

/** On the demonstration's own store, without the demonstration: what is added is there at its next start. */
const command = (...words: readonly string[]) => runHere([...words, '--data', folder.path])
/** In a process of its own. */
const built = (...words: readonly string[]) => run([...words, '--data', folder.path])

const app = (id: string, ...more: readonly string[]) =>
  command('app', 'add', '--id', id, '--type', 'public', ...more)
const system = (id: string, ...more: readonly string[]) =>
  command('system', 'add', '--id', id, '--name', 'A GP system', ...more)

const ADDRESSES = ['--redirect', 'https://app.example/', '--scope', 'launch patient/Patient.r']
const REST = ['--sign-on', 'launch', '--organizations', 'A83001', '--apps', 'care-plan']

describe('app add and app list', () => {
  it('registers an app, which stands in the list beside those of the configuration', async () => {
    const named = ['--id', 'my-app', '--type', 'public']
    const where = [...ADDRESSES, '--redirect', 'https://app.example/two']
    const added = await built('app', 'add', ...named, ...where)
    expect(added).toMatchObject({ code: 0, err: '' })
    const { out } = await built('app', 'list')
    expect(out).toMatch(/^care-plan\s+public\s+smart\s+http:\/\/app\.localhost:8083\/$/m)
    expect(out).toMatch(
      /^my-app\s+public\s+smart\s+https:\/\/app\.example\/ https:\/\/app\.example\/two$/m,
    )
  })

  it('puts the registration in the trail', async () => {
    const { out } = await command('audit', 'search', '--from', '2020-01-01', '--json')
    const entries = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries).toContainEqual(
      expect.objectContaining({ what: 'configuration_changed', app: 'my-app' }),
    )
  })

  it.each([['my-app'], ['care-plan']])('refuses %s a second time, with exit 1', async (id) => {
    const { code, err } = await app(id, ...ADDRESSES)
    expect(code).toBe(1)
    expect(err).toBe(`app ${id} is registered already\n`)
  })

  it.each([
    ['a redirect in the clear', ['--redirect', 'http://app.example/'], 'redirect_uris.0: expected'],
    ['a redirect with a fragment', ['--redirect', 'https://app.example/#x'], 'redirect_uris.0'],
    ['no redirect', [], 'redirect_uris'],
    ['a type that there is not', ['--redirect', 'https://app.example/', '--type', 'magic'], 'type'],
    [
      'a key that is not given',
      ['--redirect', 'https://app.example/', '--type', 'key'],
      'jwks: type key needs jwks or jwks_uri',
    ],
    [
      'a certificate that nobody is named by',
      ['--redirect', 'https://app.example/', '--type', 'certificate'],
      'tls_client_auth_subject_dn: type certificate needs one',
    ],
    [
      'a public app under FAPI 2.0',
      ['--redirect', 'https://app.example/', '--profile', 'fapi2'],
      'type: this type of app is not part of its profile',
    ],
    [
      'a service that cannot authenticate',
      ['--grant', 'client_credentials'],
      'grant_types: client_credentials and token exchange need an app that can authenticate',
    ],
    [
      'a server to be told at, in the clear',
      ['--redirect', 'https://app.example/', '--backchannel-logout', 'http://app.example/out'],
      'backchannel_logout_uri: expected',
    ],
    [
      'a lifetime past ten minutes',
      ['--redirect', 'https://app.example/', '--token-lifetime', '601'],
      'access_token_lifetime',
    ],
  ])('refuses %s, with exit 2', async (_, words, said) => {
    const { code, err } = await app('bad', '--scope', 'launch', ...words)
    expect(code).toBe(2)
    expect(err).toContain(said)
  })

  it('shows the secret that it made once, and keeps its hash only', async () => {
    const { code, out } = await app('secretive', ...ADDRESSES, '--type', 'secret')
    expect(code).toBe(0)
    const [, secret = ''] = /shown this once: (sec_[\w-]{32})$/m.exec(out) ?? []
    expect(secret).not.toBe('')
    const listed = await command('app', 'list')
    expect(listed.out).toMatch(/^secretive\s+secret\s+smart/m)
    expect(listed.out).not.toContain(secret)
  })

  it('takes a secret from a file, unless it is too short to be one', async () => {
    const file = join(folder.path, 'secret')
    await writeFile(file, 'short\n')
    const refused = await app('brings', ...ADDRESSES, '--type', 'secret', '--secret-file', file)
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('32 to 256') })
    await writeFile(file, `${'x'.repeat(32)}\n`)
    const taken = await app('brings', ...ADDRESSES, '--type', 'secret', '--secret-file', file)
    expect(taken).toMatchObject({ code: 0, err: '' })
    expect(taken.out).not.toContain('x'.repeat(32))
  })

  it('refuses an id that could not stand in a log', async () => {
    const { code, err } = await app('My App', ...ADDRESSES)
    expect(code).toBe(2)
    expect(err).toContain('lower case letters, digits, hyphens')
  })

  it('refuses a private key in the place of a public one', async () => {
    const file = join(folder.path, 'private.json')
    await writeFile(file, '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d"}]}')
    const { code, err } = await app('keyed', ...ADDRESSES, '--type', 'key', '--jwks', file)
    expect(code).toBe(2)
    expect(err).toContain('holds a private key: register the public part only')
  })
})

describe('system add and system list', () => {
  it('registers a launch system, which stands in the list beside the demonstration’s', async () => {
    const keys = ['--rung', 'pushed', '--jwks-uri', 'https://gp.example/jwks']
    const named = ['--id', 'my-gp', '--name', 'A GP system']
    const added = await built('system', 'add', ...named, ...keys, ...REST)
    expect(added).toMatchObject({ code: 0, err: '' })
    const { out } = await built('system', 'list')
    expect(out).toMatch(/^my-gp\s+pushed\s+sign-on by launch\s+A83001$/m)
    for (const id of ['gp-push', 'gp-post', 'gp-smart', 'gp-sealed']) expect(out).toContain(id)
  })

  it.each([['my-gp'], ['gp-push']])('refuses %s a second time, with exit 1', async (id) => {
    const keys = ['--rung', 'pushed', '--jwks-uri', 'https://gp.example/jwks']
    const { code, err } = await system(id, ...keys, ...REST)
    expect(code).toBe(1)
    expect(err).toContain(`system ${id} is registered already`)
  })

  it('refuses a second system of one issuer, of whichever it is: its keys would be the other’s', async () => {
    const keys = ['--rung', 'pushed', '--jwks-uri', 'https://evil.example/jwks']
    for (const issuer of ['my-gp', 'gp-push']) {
      const { code, err } = await system('other', '--issuer', issuer, ...keys, ...REST)
      expect(code).toBe(1)
      expect(err).toContain(`launch system ${issuer} has the issuer ${issuer} already`)
    }
  })

  it.each([
    ['a rung that there is not', ['--rung', 'clear'], 'rung: '],
    ['a pushing system without keys', ['--rung', 'pushed'], 'rung pushed needs jwks or jwks_uri'],
    ['an inbound launch without our client id there', ['--rung', 'redeemed'], 'needs relay'],
    ['a sealed launch that would sign on', ['--rung', 'sealed'], 'a sealed launch is only a hint'],
    [
      'a frame ancestor that is a pattern',
      [
        '--rung',
        'pushed',
        '--jwks-uri',
        'https://gp.example/jwks',
        '--frame-ancestors',
        'https://*.example',
      ],
      'frame_ancestors.0: expected an origin',
    ],
  ])('refuses %s, with exit 2', async (_, words, said) => {
    const { code, err } = await system('bad', ...words, ...REST)
    expect(code).toBe(2)
    expect(err).toContain(said)
  })
})

describe.each(['app', 'system'] as const)('%s end and %s remove', (kind) => {
  const [added, configured] = { app: ['my-app', 'care-plan'], system: ['my-gp', 'gp-push'] }[kind]
  const file = { app: 'apps.yaml', system: 'launch-systems.yaml' }[kind]
  const entries = async () => {
    const { out } = await command('audit', 'search', '--from', '2020-01-01', '--json')
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  it('end what it has open, whoever registered it, and leaves it registered', async () => {
    for (const id of [added, configured]) {
      const { code, out } = await built(kind, 'end', '--id', id ?? '')
      expect([code, out]).toEqual([
        0,
        `What ${kind} ${id} had open is over; it stays registered.\n`,
      ])
      const { out: list } = await command(kind, 'list')
      expect(list).toMatch(new RegExp(`^${id}\\s`, 'm'))
    }
    expect(await entries()).toContainEqual(
      expect.objectContaining({
        ...{ what: 'configuration_changed', [kind]: configured },
        detail: expect.objectContaining({ ended: kind }),
      }),
    )
  })

  it('refuse what is not registered, and to remove a row of the configuration, with exit 1', async () => {
    for (const act of ['end', 'remove']) {
      const { code, err } = await command(kind, act, '--id', 'nobody')
      expect([code, err]).toEqual([1, `${kind} nobody is not registered\n`])
    }
    const { code, err } = await command(kind, 'remove', '--id', configured ?? '')
    expect(code).toBe(1)
    expect(err).toContain(`${kind} ${configured} stands in ${file}: take it out there`)
  })

  it('remove one that was added, once', async () => {
    expect(await built(kind, 'remove', '--id', added ?? '')).toMatchObject({ code: 0, err: '' })
    const { out } = await command(kind, 'list')
    expect(out).not.toMatch(new RegExp(`^${added}\\s`, 'm'))
    expect((await command(kind, 'remove', '--id', added ?? '')).code).toBe(1)
    expect(await entries()).toContainEqual(
      expect.objectContaining({
        ...{ what: 'configuration_changed', [kind]: added },
        detail: expect.objectContaining({ removed: kind }),
      }),
    )
  })
})

describe('a store that cannot be used', () => {
  it('is named in a line when there never was a demonstration', async () => {
    const { code, err } = await runHere(['app', 'list', '--data', join(folder.path, 'nowhere')])
    expect(code).toBe(1)
    expect(err).toContain('run `npm start` first')
  })

  it('is named in a line when Redis does not answer', async () => {
    const { code, err } = await built('app', 'list', '--redis', 'redis://127.0.0.1:9')
    expect(code).toBe(1)
    expect(err).toMatch(/^The store could not be used: unavailable: Redis: .*\n$/)
  })
})
