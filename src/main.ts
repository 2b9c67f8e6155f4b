#!/usr/bin/env node
/** The process: the only place that reads the environment, the clock and randomness. */
import './policy/v8-flags.js'
import { randomBytes } from 'node:crypto'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type Outside, runCommand } from './cli/command.js'
import { COMMANDS } from './cli/commands.js'
import { packageRoot } from './http/pages.js'

const outside: Outside = {
  env: process.env,
  clock: Date.now,
  random: (bytes) => randomBytes(bytes),
  root: packageRoot(),
  say: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
  input: async () => (process.stdin.isTTY ? '' : await readAll(process.stdin)),
  pause,
  stopped: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
    }),
}

process.exitCode = await runCommand(COMMANDS, process.argv.slice(2), outside)
