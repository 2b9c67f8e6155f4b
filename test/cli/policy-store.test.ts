/** Commands on the versions that a store holds, beside a gateway that runs. */
import { appendFile, cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { emptyFolder, ROOT, run, startDemonstration } from './built.js'
import { runHere } from './in-process.js'

let demo: Awaited<ReturnType<typeof startDemonstration>>
let folder: Awaited<ReturnType<typeof emptyFolder>>
beforeAll(async () => {
  ;[demo, folder] = [await startDemonstration(), await emptyFolder()]
})
afterAll(async () => {
  await demo.stop()
  await folder.remove()
})

const policy = (...words: readonly string[]) =>
  runHere(['policy', ...words, ...demo.data], { env: demo.env })
/** In a process of its own. */
const built = (...words: readonly string[]) =>
  run(['policy', ...words, ...demo.data], { env: demo.env })

describe('policy list, export, diff and impact', () => {
  it('list what was in force, and write it into a folder as it was', async () => {
    const { code, out } = await built('list')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^ +1 {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}[\w-]{12} {2}seed {2}the files of a node/,
    )
    const to = join(folder.path, 'out')
    const first = await built('export', '--version', '1', '--to', to)
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^version 1: \d+ files in /),
    })
    expect((await readdir(to)).sort()).toEqual(['console.yaml', 'policies', 'roles.yaml'])
    for (const name of ['policies/reading.cedar', 'policies/tests/sections.yaml'])
      expect(await readFile(join(to, name), 'utf8')).toBe(
        await readFile(join(ROOT, 'config', name), 'utf8'),
      )
  })

  it('write over nothing unless they are told to, and then leave nothing of before', async () => {
    const to = join(folder.path, 'taken')
    await cp(join(ROOT, 'config/policies'), join(to, 'policies'), { recursive: true })
    await appendFile(join(to, 'policies/own.cedar'), '// mine\n')
    const refused = await policy('export', '--to', to)
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('--replace') })
    expect(await readdir(join(to, 'policies'))).toContain('own.cedar')
    expect((await policy('export', '--to', to, '--replace')).code).toBe(0)
    expect(await readdir(join(to, 'policies'))).not.toContain('own.cedar')
  })

  it('compare a version with a folder, and say whom it would touch', async () => {
    const to = join(folder.path, 'next')
    await policy('export', '--to', to)
    await appendFile(
      join(to, 'policies/reading.cedar'),
      '@id("nobody")\n@layer("central")\n@reason("Nobody.")\nforbid (principal, action, resource == Section::"prognosis");\n',
    )
    const { code, out } = await built('diff', '--from', 'version:1', '--to', to)
    expect(code).toBe(0)
    expect(out).toMatch(/GP loses .*Diagnoses and prognosis/)
    const impact = await built('impact', '--to', to)
    expect(impact).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^From version 1 to .*: \d+ questions/),
    })
    const absent = await policy('diff', '--from', 'version:9', '--to', to)
    expect(absent).toMatchObject({ code: 1, out: '', err: 'There is no such policy version.\n' })
  })
})
