/** What a command is, and how one is found, read and answered. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ConfigError } from '../config.js'
import { REFUSALS, Refusal } from '../core/refusal.js'
import type { Clock, Random } from '../core/values.js'
import { KeyFault } from '../keys/fault.js'
import { Problems } from '../policy/problem.js'
import { StoreFailure } from '../store/failure.js'

/** Everything that a command may touch of the outside. */
export interface Outside {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  /** The package's folder. */
  readonly root: string
  /** A line for the caller. */
  say(text: string): void
  /** A line about what went wrong. */
  complain(text: string): void
  /** All of standard input, or '' when it is a terminal. */
  input(): Promise<string>
  /** Resolves after so many milliseconds. */
  pause(milliseconds: number): Promise<unknown>
  /** Resolves when the process is asked to stop. */
  stopped(): Promise<void>
}

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly multiple?: boolean
  /** What stands for its value in the help. */
  readonly value?: string
  readonly help: string
}

export interface Command {
  /** The words that call it, such as `audit verify`. */
  readonly name: string
  readonly summary: string
  /** Why and when, with an example that works. */
  readonly help: string
  readonly options: Readonly<Record<string, Option>>
  /** The option that a first bare word is for. */
  readonly word?: string
  run(outside: Outside, values: Values): Promise<void>
}

/** The command was called wrongly: exit 2. */
export class Usage extends Error {}
/** The command was understood and refused: exit 1. */
export class Refused extends Error {}

/** 0 done, 1 refused, 2 usage. */
export type ExitCode = 0 | 1 | 2

/** A value that must be there. @throws Usage */
export function need(values: Values, name: string): string {
  const value = values[name]
  if (typeof value !== 'string' || value === '') throw new Usage(`--${name} is missing`)
  return value
}

export const text = (values: Values, name: string): string | undefined => {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

export const texts = (values: Values, name: string): readonly string[] => {
  const value = values[name]
  return Array.isArray(value) ? value : []
}

/** Scheme, host and port, nothing after. */
export const isOrigin = (address: string): boolean =>
  URL.canParse(address) && new URL(address).origin === address

const flag = (name: string, { type, value }: Option): string =>
  type === 'boolean' ? `--${name}` : `--${name} ${value ?? name.toUpperCase()}`

function describe(command: Command): string {
  const rows = Object.entries(command.options)
  const width = Math.max(0, ...rows.map(([name, option]) => flag(name, option).length))
  const options = rows.map(
    ([name, option]) => `  ${flag(name, option).padEnd(width)}  ${option.help}`,
  )
  return [
    `launch-gateway ${command.name}: ${command.summary}`,
    '',
    command.help.trim(),
    ...(options.length > 0 ? ['', 'Options', ...options] : []),
  ].join('\n')
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'launch-gateway: opens a patient’s shared care plan from inside a GP system',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '`launch-gateway COMMAND --help` says more. Exit codes: 0 done, 1 refused, 2 called wrongly.',
  ].join('\n')
}

function find(commands: readonly Command[], words: readonly string[]): Command | undefined {
  return commands.find(({ name }) => name.split(' ').every((word, i) => words[i] === word))
}

/** Words that call no command. Only a plain question is answered as one: a service manager must not take a slip for done. */
function answerUnknown(
  commands: readonly Command[],
  words: readonly string[],
  outside: Outside,
): ExitCode {
  const [first = '--help', ...more] = words
  if ((first === '--help' || first === '-h') && more.length === 0) {
    outside.say(overview(commands))
    return 0
  }
  outside.complain(`There is no command "${words.join(' ').slice(0, 60)}".\n`)
  const near = commands.filter(({ name }) => name.startsWith(`${first} `))
  outside.complain(overview(near.length > 0 ? near : commands))
  return 2
}

/** What stands after the command's own words; a bare word as the option that it is for. */
function argumentsOf({ name, word }: Command, words: readonly string[]): readonly string[] {
  const rest = words.slice(name.split(' ').length)
  const bare = word !== undefined && rest[0] !== undefined && !rest[0].startsWith('-')
  return bare ? [`--${word}`, ...rest] : rest
}

/** Runs what the words ask for. */
export async function runCommand(
  commands: readonly Command[],
  words: readonly string[],
  outside: Outside,
): Promise<ExitCode> {
  const command = find(commands, words)
  if (!command) return answerUnknown(commands, words, outside)
  const rest = argumentsOf(command, words)
  if (rest.includes('--help') || rest.includes('-h')) {
    outside.say(describe(command))
    return 0
  }
  try {
    const options = Object.fromEntries(
      Object.entries(command.options).map(([name, { type, multiple = false }]) => [
        name,
        { type, multiple },
      ]),
    ) as Options
    const { values } = readArguments(rest, options)
    await command.run(outside, values as Values)
    return 0
  } catch (error) {
    if (error instanceof Usage) {
      outside.complain(
        `${error.message}\n\n\`launch-gateway ${command.name} --help\` says how to call it.`,
      )
      return 2
    }
    const said = faultOf(error)
    if (said === undefined) throw error
    outside.complain(said)
    return 1
  }
}

const inWords = ({ code, told }: Refusal): string =>
  told === undefined ? REFUSALS[code].text : `${REFUSALS[code].text.slice(0, -1)}: ${told}.`

/** What keeps a command from its work and is no bug: said in a line. `undefined` for a bug. */
function faultOf(error: unknown): string | undefined {
  const known = [Refused, ConfigError, Problems, KeyFault]
  if (known.some((kind) => error instanceof kind)) return (error as Error).message
  if (error instanceof Refusal) return inWords(error)
  if (error instanceof StoreFailure) return `The store could not be used: ${error.message}`
  // The system's own: a folder that may not be written to, a port that is taken.
  const { syscall, message } = error as NodeJS.ErrnoException
  return syscall === undefined ? undefined : message
}

type Options = NonNullable<ParseArgsConfig['options']>

/** An option, though it may be written wrongly. A digest of 43 characters is never in small letters and digits alone. */
const READS_AS_OPTION = /^--[a-z0-9-]*(?:=|$)/

/**
 * A value that begins with a dash beside the option that it is for, which `parseArgs` would refuse: a key's id is
 * a digest, and one in 64 of them begins with one, and one in 4,096 with two.
 */
function withDashedValues(args: readonly string[], options: Options): string[] {
  const takesNext = (word = '') =>
    word.startsWith('--') && options[word.slice(2)]?.type === 'string'
  const isValueAt = (i: number) =>
    /^-./.test(args[i] ?? '') && !READS_AS_OPTION.test(args[i] ?? '') && takesNext(args[i - 1])
  return args.flatMap((word, i) => {
    if (isValueAt(i)) return []
    return isValueAt(i + 1) ? [`${word}=${args[i + 1]}`] : [word]
  })
}

function readArguments(args: readonly string[], options: Options) {
  try {
    return parseArgs({
      args: withDashedValues(args, options),
      options,
      strict: true,
      allowPositionals: false,
    })
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}
