import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { checkSource } from '../policy/check.js'
import { describeProblem } from '../policy/problem.js'
import { type Command, Refused, text } from './command.js'

const PLACES = ['policies', 'roles', 'console', 'organizations', 'plan'] as const

/** Where the configuration keeps what is checked, when its gateway.yaml says so; it need not be sound otherwise. */
function placesOf(directory: string): Partial<Record<(typeof PLACES)[number], string>> {
  const file = join(directory, 'gateway.yaml')
  if (!existsSync(file)) return {}
  try {
    const said = (parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 }) ?? {}) as object
    return Object.fromEntries(
      Object.entries(said)
        .filter(([name, place]) => PLACES.some((p) => p === name) && typeof place === 'string')
        .map(([name, place]) => [name, resolve(directory, place)]),
    )
  } catch (error) {
    throw new Refused(`${file}: ${(error as Error).message}`)
  }
}

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'check policies, roles and their tests',
  help: `
Reads policies/*.cedar against gateway.cedarschema and the plan's sections, roles.yaml and
organizations.yaml, and asks every question of the tests. Says what is wrong, where, in plain words, and of sound
policies what to look at again: what never applies, adds nothing, or permits more than it names.

  launch-gateway policy check --config config`,
  options: {
    config: { type: 'string', value: 'DIR', help: 'the configuration directory (default config)' },
  },
  async run(outside, values) {
    const directory = text(values, 'config') ?? join(outside.root, 'config')
    const { problems, warnings, policies, tests, hash } = await checkSource(
      directory,
      placesOf(directory),
    )
    if (problems.length > 0) {
      throw new Refused(problems.map(describeProblem).join('\n'))
    }
    for (const warning of warnings) outside.say(`to look at: ${describeProblem(warning)}`)
    outside.say(
      `${policies} policies, ${tests} questions asked and answered as expected. ${hash.slice(0, 12)}`,
    )
  },
}
