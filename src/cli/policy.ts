import { join } from 'node:path'
import { describeProblem, type Problem } from '../policy/problem.js'
import { type Command, type Outside, Refused, text, type Values } from './command.js'
import { placesOf } from './policy-sources.js'

const FOLDER = {
  config: { type: 'string', value: 'DIR', help: 'the configuration directory (default config)' },
} as const

const directoryOf = ({ root }: Outside, values: Values): string =>
  text(values, 'config') ?? join(root, 'config')

const listed = (problems: readonly Problem[]): string => problems.map(describeProblem).join('\n')

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'check policies, roles and their tests',
  help: `
Reads policies/*.cedar against gateway.cedarschema and the plan's sections, roles.yaml and
organizations.yaml, and asks every question of the tests. Says what is wrong, where, in plain words, and of sound
policies what to look at again: what never applies, adds nothing, or permits more than it names.

  launch-gateway policy check --config config`,
  options: FOLDER,
  async run(outside, values) {
    const directory = directoryOf(outside, values)
    const { checkSource } = await import('../policy/check.js')
    const { problems, warnings, policies, tests, hash } = await checkSource(
      directory,
      placesOf(directory),
    )
    if (problems.length > 0) throw new Refused(listed(problems))
    for (const warning of warnings) outside.say(`to look at: ${describeProblem(warning)}`)
    outside.say(
      `${policies} policies, ${tests} questions asked and answered as expected. ${hash.slice(0, 12)}`,
    )
  },
}

export const policyTest: Command = {
  name: 'policy test',
  summary: 'ask the questions of the tests and the invariants, and nothing else',
  help: `
Quicker to read than policy check while policies and tests are written: it says how many questions were asked, how many
invariants were held, and each that failed. It does not judge the schema, the roles or the style: policy check does,
and so does whoever publishes.

  launch-gateway policy test --config config`,
  options: FOLDER,
  async run(outside, values) {
    const directory = directoryOf(outside, values)
    const { placesIn, readSections, readSource } = await import('../policy/source.js')
    const { tryFiles } = await import('../policy/trial.js')
    const places = { ...placesIn(directory), ...placesOf(directory) }
    const files = await readSource(places)
    const trial = tryFiles(files, await readSections(places.plan))
    const { questions, failed, invariants, broken } = trial
    const red = new Set(broken.map(({ line }) => line)).size
    const counts = [
      `${questions - failed.length} of ${questions} questions answered as expected`,
      `${invariants - red} of ${invariants} invariants hold`,
    ].join(', ')
    if (questions + invariants === 0) throw new Refused('There is neither a test nor an invariant.')
    if (failed.length + broken.length > 0)
      throw new Refused(`${listed([...failed, ...broken])}\n${counts}.`)
    outside.say(`${counts}.`)
  },
}
