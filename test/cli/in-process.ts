/**
 * A command as main.ts runs it, in this process: to start one and load the gateway costs a second of CPU. Each command does
 * its work once in a process of its own as well (built.ts), which shows what only that can: its streams, its exit code, and
 * that it ends.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { runCommand } from '../../src/cli/command.js'
import { COMMANDS } from '../../src/cli/commands.js'
import { type How, type Ran, ROOT } from './built.js'

export async function runHere(
  words: readonly string[],
  { env = {}, input = '', clock = Date.now }: How & { readonly clock?: () => number } = {},
): Promise<Ran> {
  const said = { out: '', err: '' }
  const code = await runCommand(COMMANDS, words, {
    env: { PATH: process.env.PATH, LAUNCH_GATEWAY_LOG_LEVEL: 'silent', ...env },
    clock,
    random: (bytes) => randomBytes(bytes),
    root: ROOT,
    say: (text) => {
      said.out += `${text}\n`
    },
    complain: (text) => {
      said.err += `${text}\n`
    },
    input: async () => input,
    pause,
    // What goes on until it is stopped is stopped as soon as it goes.
    stopped: async () => undefined,
  })
  return { code, ...said }
}
