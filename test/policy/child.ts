/** Programs of this directory, run in a process of their own as anybody would: without this test runner's flags. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'

const cedar = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs')

/** @param names of files in this directory, without their ending */
export async function programs(...names: string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'child-'))
  await build({
    entryPoints: names.map((name) => join(process.cwd(), 'test', 'policy', `${name}.ts`)),
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
  return {
    async run(name: string, ...args: string[]) {
      const env = { ...process.env, NODE_OPTIONS: '' }
      const child = spawn(process.execPath, [join(dir, `${name}.mjs`), ...args], { env })
      const ended = once(child, 'exit')
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
      const [code, signal] = await ended
      return { out: out.trim(), err, code, signal }
    },
    remove: () => rm(dir, { recursive: true }),
  }
}
