import { type Command, type Outside, text } from './command.js'
import { bothSides, type Side } from './policy-sources.js'
import { STORE_OPTIONS } from './with-store.js'

export interface Difference {
  readonly words: readonly string[]
  readonly roles: readonly string[]
  /** False where only samples of some circumstances were asked. */
  readonly exhaustive: boolean
  readonly text: readonly { readonly file: string; readonly patch?: string }[]
}

/** Everything that two versions answer differently, and what their files say differently. @throws Problems */
export async function differenceOf(from: Side, to: Side): Promise<Difference> {
  const [
    { compareOf },
    { finished },
    { postChanges },
    { roleChanges },
    { sentencesOf },
    { surveyOf },
  ] = await Promise.all([
    import('../policy/compare.js'),
    import('../policy/matrix.js'),
    import('../policy/post-changes.js'),
    import('../policy/role-changes.js'),
    import('../policy/sentences.js'),
    import('../policy/survey.js'),
  ])
  const { textDiff } = await import('../policy/text-diff.js')
  const { appsNamed } = await import('../policy/apps-named.js')
  const apps = appsNamed(from.files, to.files)
  const surveys = [surveyOf(from.files, { apps })]
  try {
    surveys.push(surveyOf(to.files, { apps }))
    const [before, after] = surveys as [(typeof surveys)[0], (typeof surveys)[0]]
    const { changes, exhaustive } = finished(compareOf(before, after))
    return {
      words: sentencesOf(changes, { ...from.titles, ...to.titles }),
      roles: [...roleChanges(before.map, after.map), ...postChanges(from.files, to.files)].map(
        ({ sentence }) => sentence,
      ),
      exhaustive,
      text: textDiff(from.files, to.files),
    }
  } finally {
    for (const survey of surveys) survey.close()
  }
}

const section = (heading: string, lines: readonly string[]): readonly string[] => [
  `${heading}:`,
  ...(lines.length > 0 ? lines.map((line) => `  ${line}`) : ['  nothing']),
  '',
]

/** As a person reads it. */
export function tellDifference(outside: Outside, name: string, said: Difference): void {
  const { words, roles, exhaustive, text: files } = said
  const patches = files.map(({ file, patch }) => patch ?? `${file}: too much changed to be shown`)
  outside.say(
    [
      `${name}\n`,
      ...section('Who may do what', words),
      ...(exhaustive
        ? []
        : ['Some conditions are not understood, or so many that only samples were asked.\n']),
      ...section('Which codes give which role', roles),
      ...(patches.length > 0 ? patches : ['The files are the same.']),
    ].join('\n'),
  )
}

export const policyDiff: Command = {
  name: 'policy diff',
  summary: 'say what two versions of the policies do differently, in words and as text',
  help: `
Each side is a folder, such as two checkouts of a repository, or a version that was in force. Every question that the
two answer differently is found by asking both, said in words, and shown as text.

  launch-gateway policy diff --from config --to checkout/config
  launch-gateway policy diff --from version:3 --to config --config /etc/launch-gateway`,
  options: {
    from: { type: 'string', value: 'DIR', help: 'a folder, or version:N of the store' },
    to: { type: 'string', value: 'DIR', help: 'a folder, or version:N of the store' },
    json: { type: 'boolean', help: 'as one JSON text' },
    ...STORE_OPTIONS,
  },
  run: (outside, values) =>
    bothSides(outside, values, async (from, to) => {
      const said = await differenceOf(from, to)
      if (values.json) outside.say(JSON.stringify(said))
      else tellDifference(outside, `From ${text(values, 'from')} to ${text(values, 'to')}`, said)
    }),
}
