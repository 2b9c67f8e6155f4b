import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { emptyFolder, ROOT, run } from './built.js'
import { runHere } from './in-process.js'

describe('plan check', () => {
  it('finds the plan that is shipped sound, and says of another all that is wrong, with exit code 1', async () => {
    const { code, out } = await run(['plan', 'check', 'config'])
    expect({ code, last: out.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: '15 sections, nothing wrong with them.',
    })
    const folder = await emptyFolder()
    await cp(join(ROOT, 'config'), folder.path, { recursive: true })
    const pathway = join(folder.path, 'plan/pathways/sickle-cell.yaml')
    const text = await readFile(pathway, 'utf8')
    await writeFile(pathway, text.replace('type: text', 'type: txt').replace('at0009', 'at0008'))
    const bad = await runHere(['plan', 'check', '--config', folder.path])
    expect({ code: bad.code, out: bad.out }).toEqual({ code: 1, out: '' })
    expect(bad.err).toMatch(
      /sickle-cell\.yaml:\d+: section sickle-cell, field analgesia, field medicine/,
    )
    expect((await runHere(['plan', 'check', '--confg', 'x'])).code).toBe(2)
    await folder.remove()
  })
})

describe('policy check', () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>
  beforeEach(async () => {
    folder = await emptyFolder()
    await cp(join(ROOT, 'config'), folder.path, { recursive: true })
  })
  afterEach(() => folder.remove())

  const check = (config: string) => runHere(['policy', 'check', '--config', config])

  it('finds the policies that are shipped sound, and says how many questions it asked', async () => {
    const { code, out } = await run(['policy', 'check'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^\d+ policies, \d+ questions asked and answered as expected\. [\w-]{12}\n$/,
    )
  })

  it('follows gateway.yaml to policies that stand elsewhere', async () => {
    const { code, out } = await check(join(folder.path, 'demo'))
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('policies') })
  })

  it('names every fault with its file and line', async () => {
    const launch = join(folder.path, 'policies/launch.cedar')
    const lines = (await readFile(launch, 'utf8')).split('\n').length
    await appendFile(
      launch,
      '@id("wrong")\n@layer("central")\n@reason("Wrong.")\npermit (principal in Role::"surgeon", action, resource);\n',
    )
    await writeFile(join(folder.path, 'roles.yaml'), 'roles: nobody\n')
    const { code, out, err } = await check(folder.path)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`policies/launch.cedar:${lines + 3}: policy wrong: `)
    expect(err).toContain('there is no Role "surgeon"')
    expect(err).toContain('roles.yaml')
  })

  it('refuses policies that answer a question otherwise than their tests expect', async () => {
    await appendFile(
      join(folder.path, 'policies/reading.cedar'),
      '@id("nobody-reads")\n@layer("central")\n@reason("Nobody.")\nforbid (principal, action == Action::"read", resource is Section);\n',
    )
    const { code, err } = await check(folder.path)
    expect(code).toBe(1)
    expect(err).toContain('policies/tests/')
  })

  it('says so when there is nothing to check', async () => {
    const { code, err } = await check(join(folder.path, 'nowhere'))
    expect(code).toBe(1)
    expect(err).toContain('cannot be read')
  })
})

describe('policy test and policy diff', () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>
  beforeAll(async () => {
    folder = await emptyFolder()
    await cp(join(ROOT, 'config'), folder.path, { recursive: true })
    await appendFile(
      join(folder.path, 'policies/reading.cedar'),
      '@id("gp-reads-no-prognosis")\n@layer("central")\n@reason("Closed.")\nforbid (principal in Role::"gp", action == Action::"read", resource == Section::"prognosis");\n',
    )
    const roles = join(folder.path, 'roles.yaml')
    await writeFile(roles, (await readFile(roles, 'utf8')).replaceAll('R0260', 'R9999'))
  })
  afterAll(() => folder.remove())

  it('count what was asked and held, and name what failed', async () => {
    const sound = await run(['policy', 'test'])
    expect(sound.code).toBe(0)
    const [, answered, asked, held, all] =
      /^(\d+) of (\d+) questions answered as expected, (\d+) of (\d+) invariants hold\.\n$/.exec(
        sound.out,
      ) ?? []
    expect([answered, held]).toEqual([asked, all])
    expect(Number(asked)).toBeGreaterThan(500)
    const red = await runHere(['policy', 'test', '--config', folder.path])
    expect({ code: red.code, out: red.out }).toEqual({ code: 1, out: '' })
    expect(red.err).toMatch(/policies\/tests\/[\w.]+:\d+: .*expected allow, is deny/)
    expect(red.err).toMatch(new RegExp(`\\d+ of ${asked} questions`))
  })

  it('say what two folders do differently, in words, by codes and as text', async () => {
    const from = join(ROOT, 'config')
    const words = ['policy', 'diff', '--from', from, '--to', folder.path]
    const { code, out } = await run(words)
    expect(code).toBe(0)
    expect(out).toContain('GP loses read on Diagnoses and prognosis')
    expect(out).toContain('R9999')
    expect(out).toContain('+@id("gp-reads-no-prognosis")')
    const told = JSON.parse((await runHere([...words, '--json'])).out)
    expect(told).toMatchObject({ exhaustive: true })
    expect(told.roles).toHaveLength(6)
    expect(told.text.map((one: { file: string }) => one.file)).toEqual([
      'policies/reading.cedar',
      'roles.yaml',
    ])
  })

  it('are called wrongly without two sides, or with a version that is no number', async () => {
    const half = await runHere(['policy', 'diff', '--from', folder.path])
    expect(half.code).toBe(2)
    expect(half.err).toContain('--to')
    const odd = await runHere(['policy', 'diff', '--from', 'version:one', '--to', folder.path])
    expect(odd.code).toBe(2)
    expect(odd.err).toContain('expected a version’s number')
  })
})
