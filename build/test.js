/**
 * `npm test`: types, lint and build at once, then every suite: architecture, both stores, journeys, attacks, browser.
 * Gets redis-server and chromium from the system's packages when they are missing, and says so. Nothing is
 * skipped: a test that did not run counts as failed. Arguments go to jest: `npm test -- test/core`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NEEDED = [
  { program: 'redis-server', found: () => onPath('redis-server') },
  {
    program: 'chromium',
    found: () => existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium'),
  },
]

const onPath = (name) => spawnSync('which', [name], { stdio: 'ignore' }).status === 0

/** A browser's run as part of the suite must not depend on what the caller's environment says of Node. */
const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1

function getPrograms() {
  const missing = NEEDED.filter(({ found }) => !found()).map(({ program }) => program)
  if (missing.length === 0) return true
  console.log(`The tests need ${missing.join(' and ')}: installing from the system's packages.`)
  if (!onPath('apt-get')) {
    console.error(
      `There is no apt-get here. Install ${missing.join(' and ')} yourself, then run again.`,
    )
    return false
  }
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args) => {
    const [command, ...rest] = [...sudo, 'apt-get', ...args]
    return run(command, rest, { DEBIAN_FRONTEND: 'noninteractive' })
  }
  return (
    apt('update', '-qq') === 0 &&
    apt('install', '-y', '-qq', '--no-install-recommends', ...missing) === 0
  )
}

function jest() {
  const folder = mkdtempSync(join(tmpdir(), 'launch-gateway-tests-'))
  const report = join(folder, 'report.json')
  const status = run(process.execPath, [
    '--no-turbo-inline-js-wasm-calls',
    'node_modules/jest/bin/jest.js',
    // One more than the two cores it is made for: a browser's suites wait a third of their time.
    '--maxWorkers=3',
    '--json',
    `--outputFile=${report}`,
    ...process.argv.slice(2),
  ])
  const counted = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  rmSync(folder, { recursive: true, force: true })
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = counted
  const broken = counted.numRuntimeErrorTestSuites ?? 0
  const failed = numFailedTests + numPendingTests + numTodoTests + broken
  return { passed: numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed }
}

/** A script of ours beside others: what it says is said when it has ended. */
const script = (name) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', name], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(text))
    child.on('error', () => resolve(false))
    child.on('close', (status) => {
      process.stdout.write(Buffer.concat(said))
      resolve(status === 0)
    })
  })

const STEPS = [
  ['the programs that the tests need', getPrograms],
  ['types', () => script('types')],
  ['lint and format', () => script('lint')],
  ['build', () => script('build')],
]

let passed = 0
let failed = 0
await Promise.all(
  STEPS.map(async ([name, step]) => {
    const fine = await step()
    console.log(`${fine ? 'ok' : 'FAILED'}: ${name}`)
    if (fine) passed += 1
    else failed += 1
  }),
)
if (failed === 0) {
  const tests = jest()
  passed += tests.passed
  failed += tests.failed
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > STEPS.length ? 0 : 1
