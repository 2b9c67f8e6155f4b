/** What a change makes of the policies, as pages show it: in words, as text, and of what was really asked. */
import type { Change } from '../policy/compare.js'
import type { Finding, Hashed } from '../policy/findings.js'
import { type AnyRole, actionWords, resourceWords, roleWords } from '../policy/names.js'
import type { Flip, Flips, Impact, Tally } from '../policy/replay.js'
import { sentencesOf } from '../policy/sentences.js'
import { type FileDiff, textDiff } from '../policy/text-diff.js'
import type { Compared } from '../policy/walks.js'
import type { ConsoleParts } from './parts.js'

const MOST_SENTENCES = 300

export const titlesOf = ({ offered }: ConsoleParts): Readonly<Record<string, string>> =>
  Object.fromEntries(offered.sections.map(({ id, title }) => [id, title]))

/** Who gains and who loses, in sentences. */
export function inSentences(found: Finding<Compared>, titles: Readonly<Record<string, string>>) {
  if (found.state !== 'found') return { found }
  const { changes, roles, cells, exhaustive } = found.value
  const said = (widening: boolean): readonly string[] => {
    const own: readonly Change[] = changes.filter((change) => change.widening === widening)
    const codes = roles.filter((change) => change.widening === widening)
    return [...sentencesOf(own, titles), ...codes.map(({ sentence }) => sentence)]
  }
  const [gains, loses] = [said(true), said(false)]
  return {
    found: { state: found.state },
    gains: gains.slice(0, MOST_SENTENCES),
    loses: loses.slice(0, MOST_SENTENCES),
    more: Math.max(0, gains.length - MOST_SENTENCES) + Math.max(0, loses.length - MOST_SENTENCES),
    ...{ cells, exhaustive, changes: changes.length },
  }
}

const KINDS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '@': 'place' }

const linesOf = ({ file, change, patch }: FileDiff) => ({
  ...{ file, change },
  // The first four lines say which file it is, as the heading does.
  lines: patch
    ?.split('\n')
    .slice(4)
    .filter((line) => line !== '')
    .map((line) => ({ text: line, kind: KINDS[line[0] ?? ''] ?? 'same' })),
})

/** The files as a reviewer of Git would see them. */
export const asText = (before: Hashed, after: Hashed) => ({
  files: textDiff(before.files, after.files).map(linesOf),
})

const MOST_EXAMPLES = 20

const roleName = ({ name, ...rest }: Tally): Tally => ({
  ...rest,
  name: roleWords(name as AnyRole),
})

function flipWords(
  { roles, organizations, apps, examples, ...sums }: Flips,
  titles: Readonly<Record<string, string>>,
) {
  const names = new Map(Object.entries(titles))
  const told = ({ question, count, before, after }: Flip) => [
    question.user.roles.map(roleWords).join(', ') || roleWords('none'),
    `${actionWords(question.action)} ${resourceWords(question.resource, names)}`,
    question.user.organization.odsCode || 'none',
    ...[before.join(', ') || 'nothing permits', after.join(', ') || 'nothing permits', count],
  ]
  return {
    ...sums,
    by: [
      { name: 'By role', rows: roles.map(roleName) },
      { name: 'By organisation', rows: organizations },
      { name: 'By app', rows: apps },
    ].map(({ name, rows }) => ({
      name,
      rows: rows.slice(0, 50).map((row) => [row.name || 'none', row.questions, row.asked]),
    })),
    examples: examples.slice(0, MOST_EXAMPLES).map(told),
  }
}

/** What was really asked lately and would be answered otherwise. */
export function impactWords(found: Finding<Impact>, titles: Readonly<Record<string, string>>) {
  if (found.state !== 'found') return { found }
  const { allowToDeny, denyToAllow, questions, asked, failed } = found.value
  return {
    found: { state: found.state },
    ...{ questions, asked, failed },
    allowToDeny: flipWords(allowToDeny, titles),
    denyToAllow: flipWords(denyToAllow, titles),
  }
}
