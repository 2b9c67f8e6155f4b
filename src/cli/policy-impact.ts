import type { Flips } from '../policy/replay.js'
import { type Command, need } from './command.js'
import { folderSide, versionSide } from './policy-sources.js'
import { STORE_OPTIONS, withKeptStore } from './with-store.js'

const MOST_ROWS = 10

function tallied(heading: string, flips: Flips): readonly string[] {
  const { questions, asked, roles, organizations, apps } = flips
  if (questions === 0) return [`${heading}: nothing`]
  const rows = [
    ['by role', roles],
    ['by organisation', organizations],
    ['by app', apps],
  ] as const
  return [
    `${heading}: ${questions} questions, asked ${asked} times`,
    ...rows.map(([by, tallies]) => {
      const first = tallies.slice(0, MOST_ROWS).map((tally) => `${tally.name} ${tally.asked}`)
      const more = tallies.length > MOST_ROWS ? `, and ${tallies.length - MOST_ROWS} more` : ''
      return `  ${by}: ${first.join(', ')}${more}`
    }),
  ]
}

export const policyImpact: Command = {
  name: 'policy impact',
  summary: 'say whom a folder’s policies would touch, by what was really asked lately',
  help: `
Puts the questions that were asked of the policies in the last days (questions.keep_days) to the version in force and to
a folder, and counts which answers turn, by role, organisation and app. Only a sample is kept: policy diff says every
difference, whether anybody asked or not.

  launch-gateway policy impact --to config
  launch-gateway policy impact --to config --config /etc/launch-gateway --json`,
  options: {
    to: { type: 'string', value: 'DIR', help: 'the folder that holds the new policies' },
    json: { type: 'boolean', help: 'as one JSON text' },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const to = await folderSide(need(values, 'to'))
    await withKeptStore(outside, values, async (store, config) => {
      const { recentQuestions } = await import('../policy/asked-pages.js')
      const { finished } = await import('../policy/matrix.js')
      const { replayFiles } = await import('../policy/replay.js')
      const keep = config.questions.keep_days * 86_400
      const from = await versionSide(store, config)
      const questions = await recentQuestions(store, outside.clock(), keep)
      const impact = finished(replayFiles(questions, from.files, to.files))
      if (values.json) return outside.say(JSON.stringify(impact))
      outside.say(
        [
          `From ${from.name} to ${to.name}: ${impact.questions} questions, asked ${impact.asked} times.`,
          ...tallied('Allowed before, and denied then', impact.allowToDeny),
          ...tallied('Denied before, and allowed then', impact.denyToAllow),
          ...(impact.failed > 0 ? [`A policy failed on ${impact.failed}: each is a refusal.`] : []),
        ].join('\n'),
      )
    })
  },
}
