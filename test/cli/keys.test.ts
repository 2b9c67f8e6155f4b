import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { run, startDemonstration } from './built.js'
import { runHere } from './in-process.js'

let demo: Awaited<ReturnType<typeof startDemonstration>>
beforeAll(async () => {
  demo = await startDemonstration()
})
afterAll(() => demo.stop())

const how = () => ({ env: { ...demo.env, USER: 'olivia' } })
const keys = (...words: readonly string[]) => runHere(['keys', ...words, ...demo.data], how())
/** In a process of its own. */
const built = (...words: readonly string[]) => run(['keys', ...words, ...demo.data], how())

interface Row {
  readonly kid: string
  readonly alg: string
  readonly state: string
}
const rowsIn = (out: string): readonly Row[] =>
  out
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([kid = '', alg = '', state = '']) => ({ kid, alg, state }))
const rows = async () => rowsIn((await keys('list')).out)
const inState = (all: readonly Row[], state: string) => all.filter((row) => row.state === state)

async function publishedKids(): Promise<readonly string[]> {
  const port = Number(demo.env.PORT)
  const answer = await fetch(`http://localhost:${port}/oauth/jwks`)
  const { keys } = (await answer.json()) as { keys: readonly { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** Until the running gateway has heard of it, by its own tick: a second. */
async function heard(kid: string): Promise<void> {
  for (let tries = 0; !(await publishedKids()).includes(kid); tries++) {
    // As long as a command may take: it runs beside the tests of other workers.
    if (tries > 600) throw new Error('the gateway does not hear of the new keys')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('keys list', () => {
  it('names each key, what it is for, and what it is now', async () => {
    const all = rowsIn((await built('list')).out)
    expect(all.map(({ alg, state }) => [alg, state]).sort()).toEqual([
      ['ECDH-ES', 'active'],
      ['ES256', 'active'],
      ['RS256', 'active'],
    ])
    expect(all.map(({ kid }) => kid).sort()).toEqual([...(await publishedKids())].sort())
  })

  it('reads an encryption key that only its owner may read', async () => {
    const { mode } = await stat(join(demo.folder, 'demo-key-encryption'))
    expect(mode & 0o777).toBe(0o600)
  })
})

describe('keys rotate', () => {
  it('publishes new keys, which a running gateway shows without a restart', async () => {
    const { code, out, err } = await built('rotate')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const next = inState(rowsIn(out), 'next')
    expect(next).toHaveLength(3)
    await heard(next.find(({ alg }) => alg === 'ES256')?.kid ?? '')
  })

  it('refuses a second time while they wait, with exit 1', async () => {
    const { code, out, err } = await keys('rotate')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toBe('new keys are published already and wait for their time\n')
  })

  it('uses new keys at once with --now', async () => {
    const before = inState(await rows(), 'active').map(({ kid }) => kid)
    expect((await keys('rotate', '--now')).code).toBe(0)
    const after = inState(await rows(), 'active').map(({ kid }) => kid)
    expect(after).toHaveLength(3)
    expect(after.filter((kid) => before.includes(kid))).toEqual([])
  })

  it('takes a compromised key out of what is published', async () => {
    const [stolen] = inState(await rows(), 'active').filter(({ alg }) => alg === 'ES256')
    // In one word: a key's id may begin with any dashes.
    expect((await keys('rotate', `--compromised=${stolen?.kid}`)).code).toBe(0)
    const all = await rows()
    expect(inState(all, 'compromised')).toEqual([{ ...stolen, state: 'compromised' }])
    const [young] = inState(all, 'active').filter(({ alg }) => alg === 'ES256')
    await heard(young?.kid ?? '')
    expect(await publishedKids()).not.toContain(stolen?.kid)
  })

  // An id is a digest: one in 64 begins with a dash, one in 4,096 with two, and is no option for that.
  it.each(['nobody', '-nobody', '--No_body'])(
    'refuses %s, which is no key of ours, with exit 1',
    async (kid) => {
      const { code, err } = await keys('rotate', '--compromised', kid)
      expect({ code, err }).toEqual({ code: 1, err: `${kid}: is no key of ours\n` })
    },
  )

  it.each([[['']], [[]], [['--now']], [['--nwo']]])(
    'refuses a key that is not named (%j), with exit 2',
    async (rest) => {
      expect((await keys('rotate', '--compromised', ...rest)).code).toBe(2)
    },
  )

  it('puts who rotated and which keys into the trail, and leaves the trail whole', async () => {
    const audit = (...words: readonly string[]) =>
      runHere(['audit', ...words, ...demo.data], { env: demo.env })
    const { out } = await audit('search', '--from', '2020-01-01', '--json')
    const entries = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ what }) => what === 'keys_rotated')
    expect(entries.map(({ detail }) => detail.by)).toEqual([
      'first start',
      ...Array(3).fill('olivia'),
    ])
    const whole = await audit('verify')
    expect({ code: whole.code, err: whole.err }).toEqual({ code: 0, err: '' })
  })
})

describe('keys rewrap', () => {
  it('writes all keys anew under the current encryption key', async () => {
    const before = await rows()
    const { code, out, err } = await built('rewrap')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^\d+ keys are kept under the current encryption key\.\n$/)
    expect(await rows()).toEqual(before)
  })
})

describe('the commands on a configuration of your own', () => {
  const config = ['--config', 'config', '--redis', 'unused']
  const on = (words: readonly string[], env: Readonly<Record<string, string>>) =>
    runHere([...words, ...config], {
      env: { LAUNCH_GATEWAY_REDIS_URL: 'redis://127.0.0.1:9', ...env },
    })

  it('name an encryption key that is none, with exit 1', async () => {
    const { code, err } = await on(['keys', 'list'], {
      LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: 'secret',
    })
    expect(code).toBe(1)
    expect(err).toContain('LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: expected 32 random bytes')
  })

  it('name a store that does not answer', async () => {
    const env = { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex') }
    const { code, err } = await on(['keys', 'rotate'], env)
    expect(code).toBe(1)
    expect(err).toMatch(/^The store could not be used: unavailable/)
  })
})
