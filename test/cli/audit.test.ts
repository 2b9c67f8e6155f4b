import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { open } from 'lmdb'
import { UserAgent } from '../user-agent.js'
import { run, startDemonstration } from './built.js'

let demo: Awaited<ReturnType<typeof startDemonstration>>
let launch: string
beforeAll(async () => {
  demo = await startDemonstration()
  const how = ['launch', '--system', 'gp-push', '--user', 'receptionist', ...demo.data]
  const { out } = await run(how, { env: demo.env })
  launch = `lch_${/lnk_([^.]+)/.exec(out)?.[1]}`
  await new UserAgent().visit(new URL(out.trim()))
})
afterAll(() => demo.stop())

const audit = (words: readonly string[], input?: string) =>
  run(['audit', ...words, ...demo.data], {
    env: demo.env,
    ...(input === undefined ? {} : { input }),
  })
const eventsOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[2])

describe('audit search', () => {
  it('tells a launch’s story in the order in which it happened, while the gateway runs', async () => {
    const { code, out, err } = await audit(['search', '--launch', launch])
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
    const { err } = await run([...fault, ...demo.data], { env: demo.env })
    const reference = /ref_[\w-]+/.exec(err)?.[0] ?? ''
    const { out } = await audit(['search', '--reference', reference])
    expect(eventsOf(out)).toEqual(['launch_refused'])
    expect(out).toContain('refusal organization_refused')
  })

  it('finds a patient’s entries by an NHS number that stands in no argument', async () => {
    const { out } = await audit(['search', '--patient', '-'], '999 000 0018\n')
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

  it.each([
    ['nothing to look for', [], 'say what to look for'],
    ['a time that is none', ['--from', 'yesterday'], '--from: expected a date or time'],
    ['a limit that is none', ['--launch', 'lch_x', '--limit', 'all'], '--limit: a number'],
  ])('answers %s with exit 2', async (_, words, said) => {
    const { code, err } = await audit(['search', ...words])
    expect(code).toBe(2)
    expect(err).toContain(said)
  })

  it('says with exit 1 that it found nothing', async () => {
    const { code, err } = await audit(['search', '--launch', 'lch_0mwtaaaaaaaaaaaaaaaaaaaaa'])
    expect({ code, err }).toEqual({ code: 1, err: 'No entry was found.\n' })
  })
})

describe('audit verify', () => {
  it('finds the trail whole, while the gateway runs', async () => {
    const { code, out } = await audit(['verify'])
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+ entries by \d+ writers\.\n/)
    expect(out).toMatch(/The trail is whole\.\n$/)
  })

  it('names the first entry that somebody has changed, and exits 1', async () => {
    const db = open<string, string>({ path: join(demo.folder, 'gateway.mdb'), encoding: 'string' })
    const range = db.getRange({ start: 'trail/', end: 'trail0' })
    const entry = [...range].find(({ value }) => value.includes('"session_opened"'))
    if (!entry) throw new Error('the trail holds no opened session')
    await db.put(entry.key, entry.value.replace('Sue Hartley', 'Sue Hatley'))
    await db.close()
    const [, writer, seq] = entry.key.split('/')
    const { code, err } = await audit(['verify'])
    expect(code).toBe(1)
    expect(err).toContain(`${writer} entry ${Number(seq)} at `)
    expect(err).toContain('the entry was changed: its hash is not that of what it says')
  })
})
