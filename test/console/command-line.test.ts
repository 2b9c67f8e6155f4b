/** The life of a change from a folder to the version in force, by the commands that a person types. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type Outside, runCommand } from '../../src/cli/command.js'
import { COMMANDS } from '../../src/cli/commands.js'
import { writeFiles } from '../../src/cli/policy-versions.js'
import { packageRoot } from '../../src/http/pages.js'
import { random } from '../contract/parts.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { entriesOf, expectWholeTrail } from '../trail-reading.js'
import type { UserAgent } from '../user-agent.js'
import { changed, confirm } from './commanding.js'
import { signedIn } from './signing-in.js'

jest.setTimeout(120_000)

describe('a change by command', () => {
  let t: TestGateway
  let folder: string
  let author: UserAgent
  let approver: UserAgent
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
    folder = await mkdtemp(join(tmpdir(), 'policies-'))
    author = await signedIn(t, 'author')
    approver = await signedIn(t, 'approver', 3)
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Runs a command; whoever is named types its code, as soon as it waits. */
  async function run(words: readonly string[], by?: UserAgent, answer: 'yes' | 'no' = 'yes') {
    const said = { out: '', err: '' }
    let answered = false
    const outside: Outside = {
      ...{ env: {}, clock: t.clock, random, root: packageRoot(), input: async () => '' },
      say: (text) => {
        said.out += `${text}\n`
      },
      complain: (text) => {
        said.err += `${text}\n`
      },
      stopped: () => new Promise(() => undefined),
      async pause(milliseconds) {
        const code = /type ([A-Z]{4}-[A-Z]{4})\./.exec(said.err)?.[1]
        if (by && code && !answered) await confirm(t, by, code, answer)
        answered = true
        await t.running.findings.idle()
        await t.clock.advance(milliseconds / 1000)
      },
    }
    const code = await runCommand(COMMANDS, [...words, '--gateway', t.issuer], outside)
    return { code, ...said }
  }
  const filesOf = async (version: number) =>
    (await t.running.store.get('policy', String(version)))?.files ?? {}

  const title = ['--title', 'Call handlers read symptoms', '--ticket', 'CHG-1']
  let draft: string

  it('is not proposed while its tests are red: the draft stays, to be mended', async () => {
    const files = await filesOf(1)
    const red = {
      ...changed(files),
      'policies/tests/sections.yaml': files['policies/tests/sections.yaml'] ?? '',
    }
    await writeFiles(folder, red, false)
    const words = ['policy', 'propose', '--from', folder, ...title, '--reason', 'Callers wait.']
    const { code, out, err } = await run(words, author)
    expect(code).toBe(1)
    expect(err).toContain(`Open ${t.issuer}/console/device, sign in, and type `)
    expect(err).toMatch(/\(ref_[\w-]+\)\n {2}policies\/tests\/sections\.yaml:\d+: /)
    expect(out).toContain('Call handler gains read and search on Symptoms and how to help')
    draft = /Draft (dft_[\w-]+)/.exec(out)?.[1] ?? ''
    expect((await t.running.store.get('draft', draft))?.stage).toBe('open')
  })

  it('is proposed from the mended folder, in words and as text', async () => {
    await writeFiles(folder, changed(await filesOf(1)), true)
    const again = [
      'policy',
      'propose',
      '--from',
      folder,
      '--draft',
      draft,
      '--reason',
      'Callers wait.',
    ]
    const { code, out } = await run(again, author)
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`--draft ${draft}`) })
    expect(out).toContain('+@id("call-handlers-read-symptoms")')
  })

  it('is not approved by its author, and is by another person who names the hash that they saw', async () => {
    const seen = await run(['policy', 'approve', '--draft', draft], approver)
    expect(seen).toMatchObject({ code: 0, out: expect.stringContaining('Call handler gains') })
    const hash = /--hash ([\w-]{43})/.exec(seen.out)?.[1] ?? ''
    const own = await run(['policy', 'approve', '--draft', draft, '--hash', hash], author)
    expect(own).toMatchObject({ code: 1, err: expect.stringContaining('Your duties do not allow') })
    const done = await run(['policy', 'approve', '--draft', draft, '--hash', hash], approver)
    expect(done).toMatchObject({ code: 0, out: `Approved: ${draft}\n` })
  })

  it('comes into force, and goes back', async () => {
    const published = await run(['policy', 'publish', '--draft', draft], author)
    expect(published).toMatchObject({ code: 0, out: 'In force: version 2\n' })
    const back = ['policy', 'rollback', '--version', '1', '--reason', 'Too much was seen.']
    const { code, out } = await run(back, approver)
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('In force: version 3') })
    expect(out).toContain('Call handler loses read and search')
    expect(await filesOf(3)).toEqual(await filesOf(1))
  })

  it('can stop at a draft', async () => {
    const { code, out } = await run(['policy', 'import', '--from', folder, ...title], author)
    expect(code).toBe(0)
    const id = /Draft (dft_[\w-]+)/.exec(out)?.[1] ?? ''
    expect((await t.running.store.get('draft', id))?.stage).toBe('open')
  })

  it('does nothing where its member says no, or nobody answers', async () => {
    const words = ['policy', 'publish', '--draft', draft]
    const denied = await run(words, author, 'no')
    expect(denied).toMatchObject({
      code: 1,
      err: expect.stringContaining('was refused in the console'),
    })
    const alone = await run(words)
    expect(alone).toMatchObject({ code: 1, err: expect.stringContaining('expired') })
  })

  it('is called wrongly without what it needs, before anybody is asked to sign in', async () => {
    for (const words of [
      ['policy', 'propose', '--from', folder, ...title],
      ['policy', 'import', '--from', folder],
      ['policy', 'approve', '--draft', 'CHG-1'],
      ['policy', 'rollback', '--version', 'one', '--reason', 'Why.'],
    ])
      expect(await run(words)).toMatchObject({
        code: 2,
        out: '',
        err: expect.not.stringContaining('Open '),
      })
  })

  it('leaves no command signed in, and every step in the trail', async () => {
    const closed = await entriesOf(t, { what: 'console_closed' })
    const opened = (await entriesOf(t, { what: 'console_opened' })).filter(
      ({ detail }) => detail?.by,
    )
    expect(closed.length).toBe(opened.length)
    await expectWholeTrail(t)
  })
})
