import { join } from 'node:path'
import { describeProblem } from '../policy/problem.js'
import { type Command, Refused, text } from './command.js'
import { placesOf } from './policy-sources.js'

const FOLDER = {
  config: { type: 'string', value: 'DIR', help: 'the configuration directory (default config)' },
} as const

export const planCheck: Command = {
  name: 'plan check',
  summary: 'check the definitions of the care plan’s sections',
  help: `
Reads plan/sections.yaml and plan/pathways/*.yaml, and says everything that is wrong with them at once: where, in plain
words, and what would put it right. It also looks whether the policies' schema knows every section. The gateway does the
same when it starts, and does not start with a plan that is not sound. The directory may stand alone, without --config.

  launch-gateway plan check --config config`,
  options: FOLDER,
  word: 'config',
  async run(outside, values) {
    const directory = text(values, 'config') ?? join(outside.root, 'config')
    const { checkPlan } = await import('../policy/plan-check.js')
    const { placesIn } = await import('../policy/source.js')
    const { plan, problems } = checkPlan({ ...placesIn(directory), ...placesOf(directory) })
    if (problems.length > 0) {
      const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`
      throw new Refused(`${problems.map(describeProblem).join('\n')}\n${count}.`)
    }
    for (const { id, title } of plan.pathways) {
      const sections = plan.sections.filter(({ pathway }) => pathway === id)
      outside.say(`${title}: ${sections.map((section) => section.id).join(', ')}`)
    }
    const { listing } = plan
    outside.say(
      listing
        ? `A plan that is begun in the app is listed as "${listing.title}".`
        : 'No listing: the app begins no plan.',
    )
    outside.say(`${plan.sections.length} sections, nothing wrong with them.`)
  },
}

export const planApp: Command = {
  name: 'plan app',
  summary: 'print the plan as the care-plan app reads it (plan.json)',
  help: `
The care-plan app is static files. Beside them stands plan.json: what this command prints, from the same definitions
that the gateway reads. Print it anew whenever they change.

  launch-gateway plan app --config config`,
  options: FOLDER,
  word: 'config',
  async run(outside, values) {
    const directory = text(values, 'config') ?? join(outside.root, 'config')
    const { openPlan } = await import('../policy/plan-files.js')
    const { placesIn } = await import('../policy/source.js')
    outside.say(JSON.stringify(openPlan({ ...placesIn(directory), ...placesOf(directory) }.plan)))
  },
}
