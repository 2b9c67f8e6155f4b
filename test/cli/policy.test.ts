import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { emptyFolder, ROOT, run } from './built.js'

describe('policy check', () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>
  beforeEach(async () => {
    folder = await emptyFolder()
    await cp(join(ROOT, 'config'), folder.path, { recursive: true })
  })
  afterEach(() => folder.remove())

  const check = (config: string) => run(['policy', 'check', '--config', config])

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
