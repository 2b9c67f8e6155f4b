import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { open } from 'lmdb'
import { UserAgent } from '../user-agent.js'
import { emptyFolder, ROOT, run, startDemonstration } from './built.js'
import { runHere } from './in-process.js'

let demo: Awaited<ReturnType<typeof startDemonstration>>
let launch: string
beforeAll(async () => {
  demo = await startDemonstration()
  const how = ['launch', '--system', 'gp-push', '--user', 'receptionist', ...demo.data]
  const { out } = await runHere(how, { env: demo.env })
  launch = `lch_${/lnk_([^.]+)/.exec(out)?.[1]}`
  await new UserAgent().visit(new URL(out.trim()))
})
afterAll(() => demo.stop())

const audit = (words: readonly string[]) =>
  runHere(['audit', ...words, ...demo.data], { env: demo.env })
/** In a process of its own. */
const built = (words: readonly string[], input = '') =>
  run(['audit', ...words, ...demo.data], { env: demo.env, input })
const eventsOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[2])

describe('audit search', () => {
  it('tells a launch’s story in the order in which it happened, while the gateway runs', async () => {
    const { code, out, err } = await built(['search', '--launch', launch])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(eventsOf(out)).toEqual([
      'launch_verified',
      'decision_made',
      'signed_on',
      'session_opened',
    ])
    expect(out).toContain('(administrator)')
    expect(out).toContain('policy 1 ')
  })

  it('finds a refusal by the reference that its page showed', async () => {
    const fault = ['launch', '--system', 'gp-push', '--user', 'gp', '--fault', 'organization']
    const { err } = await runHere([...fault, ...demo.data], { env: demo.env })
    const reference = /ref_[\w-]+/.exec(err)?.[0] ?? ''
    const { out } = await audit(['search', '--reference', reference])
    expect(eventsOf(out)).toEqual(['launch_refused'])
    expect(out).toContain('refusal organization_refused')
  })

  it('finds a patient’s entries by an NHS number that stands in no argument', async () => {
    const { out } = await built(['search', '--patient', '-'], '999 000 0018\n')
    expect(eventsOf(out)).toContain('session_opened')
    expect(out).not.toContain('9990000018')
  })

  it('gives whole entries with --json, no more than --limit', async () => {
    const { out } = await audit(['search', '--launch', launch, '--json', '--limit', '1'])
    expect(JSON.parse(out)).toMatchObject({
      what: 'launch_verified',
      launch,
      seq: expect.any(Number),
    })
  })

  it('says when there is more than it was asked for, and that the youngest are left out', async () => {
    const { code, err } = await audit(['search', '--launch', launch, '--limit', '3'])
    expect(code).toBe(0)
    expect(err).toContain('There is more: these are the oldest 3.')
    const all = await audit(['search', '--launch', launch, '--limit', '4'])
    expect(all).toMatchObject({ code: 0, err: '' })
  })

  it.each([
    ['nothing to look for', [], 'say what to look for'],
    ['a time that is none', ['--from', 'yesterday'], '--from: expected a date or time'],
    ['an NHS number among the arguments', ['--patient', '9990000018'], '--patient -'],
    ['an NHS number in groups', ['--patient', '999 000 0018'], 'goes to standard input'],
    ['a kind of entry that there is not', ['--what', 'coffee'], 'launch_verified'],
    ['a limit that is none', ['--launch', 'lch_x', '--limit', 'all'], '--limit: a number'],
  ])('answers %s with exit 2', async (_, words, said) => {
    const { code, err } = await audit(['search', ...words])
    expect(code).toBe(2)
    expect(err).toContain(said)
    expect(err).not.toMatch(/999 ?000 ?0018/)
  })

  it('says with exit 1 that it found nothing', async () => {
    const { code, err } = await audit(['search', '--launch', 'lch_0mwtaaaaaaaaaaaaaaaaaaaaa'])
    expect({ code, err }).toEqual({ code: 1, err: 'No entry was found.\n' })
  })
})

describe('audit verify', () => {
  it('finds the trail whole, while the gateway runs', async () => {
    const { code, out } = await built(['verify'])
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+ entries by \d+ writers\.\n/)
    expect(out).toMatch(/The trail is whole\.\n$/)
  })

  const newestCheckpoint = async () => {
    const { out } = await audit(['search', '--what', 'checkpoint', '--json'])
    return out.trim().split('\n').at(-1) ?? ''
  }
  const since = async (text: string) => {
    const file = join(demo.folder, 'kept.json')
    await writeFile(file, text)
    return audit(['verify', '--since-checkpoint', file])
  }

  it('finds in the trail what a checkpoint that was kept elsewhere says of it', async () => {
    const kept = await newestCheckpoint()
    expect(await since(`${kept}\n`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 kept checkpoint stands in it.'),
    })
    // The bare signature does as well as the whole entry.
    expect(await since(JSON.parse(kept).detail.jws)).toMatchObject({ code: 0 })
  })

  it.each([
    ['holds no checkpoint', '{"what":"session_opened"}', 2, 'holds no checkpoint'],
    ['is of another store', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln', 1, 'was not signed by this store’s'],
  ])('does not take a kept checkpoint that %s for proof', async (_, text, exit, said) => {
    const { code, err } = await since(text)
    expect(code).toBe(exit)
    expect(err).toContain(said)
  })

  it('names the first entry that somebody has changed, and exits 1', async () => {
    const db = open<string, string>({ path: join(demo.folder, 'gateway.mdb'), encoding: 'string' })
    const range = db.getRange({ start: 'trail/', end: 'trail0' })
    const entry = [...range].find(({ value }) => value.includes('"session_opened"'))
    if (!entry) throw new Error('the trail holds no opened session')
    await db.put(entry.key, entry.value.replace('Sue Hartley', 'Sue Hatley'))
    await db.close()
    const [, writer, seq] = entry.key.split('/')
    const { code, err } = await built(['verify'])
    expect(code).toBe(1)
    expect(err).toContain(`${writer} entry ${Number(seq)} at `)
    expect(err).toContain('the entry was changed: its hash is not that of what it says')
  })
})

describe('a store that holds no trail', () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>
  beforeAll(async () => {
    folder = await emptyFolder()
  })
  afterAll(() => folder.remove())

  it.each([
    ['verify', []],
    ['search', ['--from', '2020-01-01']],
  ])('is not made by audit %s, which says so with exit 1', async (name, words) => {
    const { code, out, err } = await runHere(['audit', name, ...words, '--data', folder.path])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`There is no demonstration in ${folder.path}`)
    expect(await readdir(folder.path)).toEqual([])
  })

  it('is not made where a configuration says that it should be', async () => {
    const config = join(folder.path, 'config')
    await mkdir(config)
    for (const file of ['apps.yaml', 'launch-systems.yaml'])
      await writeFile(join(config, file), '[]')
    await writeFile(
      join(config, 'gateway.yaml'),
      `issuer: https://launch.example
listen: { host: 127.0.0.1, port: 8080 }
data_dir: data
store: { kind: embedded }
upstreams:
  fhir: { base: https://fhir.example }
  openehr: { base: https://openehr.example, subject_namespace: x }
identity: { clinician: { issuer: https://idp.example, client_id: us } }
pages: { emergency_text: x, support: x }
plan: ${join(ROOT, 'config/plan/sections.yaml')}
`,
    )
    const { code, err } = await runHere(['audit', 'verify', '--config', config])
    expect(code).toBe(1)
    expect(err).toBe(`There is no store in ${join(config, 'data')}: no gateway has run there.\n`)
    expect(await readdir(config)).not.toContain('data')
  })

  it('is not called whole where no checkpoint was ever signed, and gets no keys', async () => {
    const data = ['--data', folder.path]
    const app = ['--id', 'one', '--type', 'public', '--redirect', 'https://app.example/']
    expect(await runHere(['app', 'add', ...app, '--scope', 'launch', ...data])).toMatchObject({
      code: 0,
    })
    for (let time = 0; time < 2; time++) {
      const { code, out, err } = await runHere(['audit', 'verify', ...data])
      expect(code).toBe(1)
      expect(out).not.toContain('whole')
      expect(err).toContain('There are no keys in the store yet')
    }
  })
})
