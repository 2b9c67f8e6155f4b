import { parseArgs } from 'node:util'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Command } from '../../src/cli/command.js'
import { COMMANDS } from '../../src/cli/commands.js'
import { type Ran, run } from './built.js'
import { runHere } from './in-process.js'

/** Lines of a help text that call the command, as a shell would read them. */
function examplesIn({ help }: Command): readonly string[] {
  return help
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => /^ {2}(echo [^|]*\| )?launch-gateway /.test(line))
    .map((line) => line.replace(/^.*?launch-gateway /, ''))
}

const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** The command that the words call, and whether its options take the rest. */
function read(words: readonly string[]): { name: string; values: object } | undefined {
  const command = COMMANDS.find(
    ({ name }) => name === words.slice(0, name.split(' ').length).join(' '),
  )
  if (!command) return undefined
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple = false }]) => [
      name,
      { type, multiple },
    ]),
  )
  const args = words.slice(command.name.split(' ').length)
  return { name: command.name, values: parseArgs({ args, options, strict: true }).values }
}

describe('The help of every command', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s has an example that this very command would accept',
    (name, command) => {
      const examples = examplesIn(command)
      expect(examples.length).toBeGreaterThan(0)
      expect(examples.map((line) => read(wordsOf(line))?.name)).toEqual(examples.map(() => name))
    },
  )

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s says what each of its options is for',
    (_, { options, summary }) => {
      expect(summary).toMatch(/^[a-z].{10,}[^.]$/)
      for (const [name, option] of Object.entries(options)) {
        expect([name, option.help]).toEqual([name, expect.stringMatching(/.{8,}/)])
      }
    },
  )
})

describe('The built command', () => {
  let overview: Ran
  beforeAll(async () => {
    overview = await run(['--help'])
  })

  it('says with --help what it can do, and what its exit codes mean', () => {
    expect(overview.code).toBe(0)
    expect(overview.err).toBe('')
    for (const { name, summary } of COMMANDS) {
      expect(overview.out).toContain(`  ${name} `)
      expect(overview.out).toContain(summary)
    }
    expect(overview.out).toContain('0 done, 1 refused, 2 called wrongly')
  })

  it('says the same when it is called without a word', async () => {
    expect(await run([])).toEqual(overview)
  })

  const families = new Map(COMMANDS.map(({ name }) => [name.split(' ')[0], name]))
  it.each([...families.values()].map((name) => [name]))(
    'teaches %s with --help, without doing anything, as it does every other of its family',
    async (name) => {
      const { code, out, err } = await runHere([...name.split(' '), '--help'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const command = COMMANDS.find((each) => each.name === name)
      expect(out).toContain(`launch-gateway ${name}: `)
      for (const option of Object.keys(command?.options ?? {})) expect(out).toContain(`--${option}`)
    },
  )

  it('answers a command that it does not know with exit 2 and the list of those that it does', async () => {
    const { code, out, err } = await run(['lauch', '--system', 'gp-push'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('There is no command "lauch')
    expect(err).toContain('audit verify')
  })

  it.each([[['--serve']], [['--serve', '--config', 'config']], [['-x']], [['--help', '--serve']]])(
    'answers %j, which is no command, with exit 2: a service manager must not take it for done',
    async (words) => {
      const { code, out, err } = await runHere(words)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`There is no command "${words.join(' ')}".`)
      expect(err).toContain('audit verify')
    },
  )

  it('answers half a command with exit 2 and what would complete it', async () => {
    const { code, err } = await runHere(['audit'])
    expect(code).toBe(2)
    expect(err).toContain('audit search')
    expect(err).toContain('audit verify')
    expect(err).not.toContain('app add')
  })

  it.each([
    ['an option that it does not know', ['policy', 'check', '--directory', 'config']],
    ['an option without its value', ['audit', 'search', '--launch']],
    ['a word too many', ['app', 'list', 'care-plan']],
    ['an option that is missing', ['serve']],
  ])('answers %s with exit 2 and where to read on', async (_, words) => {
    const { code, out, err } = await runHere(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/`launch-gateway [a-z ]+ --help` says how to call it\./)
    expect(err).not.toMatch(/\n\s+at /)
  })
})
