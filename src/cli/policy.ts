import { join } from 'node:path'
import { checkSource } from '../policy/check.js'
import { describeProblem } from '../policy/problem.js'
import { type Command, Refused, text } from './command.js'

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'check policies, roles and their tests',
  help: `
Reads policies/*.cedar against gateway.cedarschema and the plan's sections, roles.yaml and
organizations.yaml, and asks every question of policies/tests. Says what is wrong, where, in plain words.

  launch-gateway policy check --config config`,
  options: {
    config: { type: 'string', value: 'DIR', help: 'the configuration directory (default config)' },
  },
  async run(outside, values) {
    const directory = text(values, 'config') ?? join(outside.root, 'config')
    const { problems, policies, tests, hash } = await checkSource(directory)
    if (problems.length > 0) {
      throw new Refused(problems.map(describeProblem).join('\n'))
    }
    outside.say(
      `${policies} policies, ${tests} questions asked and answered as expected. ${hash.slice(0, 12)}`,
    )
  },
}
