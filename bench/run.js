/**
 * `npm run bench`: bundles what is measured and what measures it, and runs it. What is made here is removed
 * again. Arguments go on: `npm run bench -- --quick`.
 *
 * The benchmark itself, and so everything that it starts, stays on the second core; the servers that are
 * measured are put on the first (children.ts).
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const BENCH = dirname(fileURLToPath(import.meta.url))
// Inside the package, so that its packages are found; of its own, so that two runs do not meet.
const out = join(BENCH, '..', 'dist', `bench-${process.pid}`)

const pinned = () => {
  const fine =
    availableParallelism() > 1 &&
    spawnSync('taskset', ['-c', '1', 'true'], { stdio: 'ignore' }).status === 0
  if (!fine) console.error('Not pinned: this needs taskset (util-linux) and two cores.')
  return fine
}

try {
  await build({
    entryPoints: readdirSync(BENCH)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(BENCH, file)),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  })
  const pin = pinned()
  const what =
    ['policies', 'reads'].find((name) => process.argv.includes(`--${name}`)) ?? 'launches'
  const command = [
    process.execPath,
    '--no-turbo-inline-js-wasm-calls',
    join(out, `${what}.mjs`),
    ...process.argv.slice(2),
  ]
  const [program, ...args] = pin ? ['taskset', '-c', '1', ...command] : command
  const env = { ...process.env, BENCH_PINNED: pin ? 'yes' : '' }
  process.exitCode = spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1
} finally {
  rmSync(out, { recursive: true, force: true })
}
