import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'

const cedar = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs')
const PATIENCE = 180_000

describe('a process that decides', () => {
  let dir = ''
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'abort-'))
    await build({
      entryPoints: ['cedar-under-deopt.ts', 'decisions-under-load.ts'].map((name) =>
        join(process.cwd(), 'test', 'policy', name),
      ),
      outdir: dir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      // What is CommonJS among the dependencies asks for `require`.
      banner: {
        js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);",
      },
      plugins: [
        {
          name: 'Cedar stays where it is, beside its WebAssembly',
          setup: ({ onResolve }) =>
            onResolve({ filter: /^@cedar-policy\// }, () => ({ path: cedar, external: true })),
        },
      ],
    })
  })
  afterAll(() => rm(dir, { recursive: true }))

  /** Runs it as anybody would: without the flags that this test runner was given. */
  const run = async (name: string, ...args: string[]) => {
    const env = { ...process.env, NODE_OPTIONS: '' }
    const child = spawn(process.execPath, [join(dir, `${name}.mjs`), ...args], { env })
    const ended = once(child, 'exit')
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    const [code, signal] = await ended
    return { out: out.trim(), err, code, signal }
  }
  const well = (out: string) => ({ out, err: '', code: 0, signal: null })

  it(
    'is not aborted by V8 when an optimised function is given up in the middle of a decision',
    async () => {
      expect(await run('cedar-under-deopt')).toEqual(well('survived'))
    },
    PATIENCE,
  )

  it(
    'answers more than 20,000 mixed decisions behind HTTP',
    async () => {
      const config = join(process.cwd(), 'config')
      const { out, ...rest } = await run('decisions-under-load', config, '20500')
      expect(rest).toEqual({ err: '', code: 0, signal: null })
      expect(Number(/^answered (\d+)$/.exec(out)?.[1])).toBeGreaterThan(20_000)
    },
    PATIENCE,
  )
})
