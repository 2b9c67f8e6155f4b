/** Who has which duty in the console: `console.yaml` of a policy version. */
import { z } from 'zod'
import type { Layer, Post } from '../core/console.js'
import { DUTIES } from '../core/roles.js'
import { type Problem, Problems } from './problem.js'
import { CONSOLE_FILE, type PolicyFiles } from './source.js'
import { readYamlFile } from './yaml-file.js'

const layer = z
  .string()
  .regex(/^(central|local\/[A-Za-z0-9-]{1,40})$/, 'expected central, or local/ and a name')
  .default('central')

export const consoleFile = z.strictObject({
  people: z
    .array(
      z.strictObject({
        uid: z.string('expected a number in quotes').regex(/^\d{12}$/, 'expected twelve digits'),
        name: z.string().min(1).max(120),
        duties: z.array(z.enum(DUTIES)).min(1).max(DUTIES.length),
        layer,
      }),
    )
    .max(2000),
})

/** As the file calls them. */
export interface Appointed extends Post {
  readonly name: string
}

/**
 * The people of a version's console; a version without the file has none.
 *
 * @throws Problems every one that was found
 */
export function peopleIn(files: PolicyFiles): readonly Appointed[] {
  const text = files[CONSOLE_FILE]
  if (text === undefined) return []
  const { value, lineOf } = readYamlFile(CONSOLE_FILE, text, consoleFile)
  const problems: Problem[] = []
  const seen = new Set<string>()
  value.people.forEach(({ uid, layer: where }, i) => {
    const key = `${uid} ${where}`
    if (seen.has(key))
      problems.push({
        file: CONSOLE_FILE,
        line: lineOf(['people', i]),
        text: `${uid} stands twice in ${where}`,
      })
    seen.add(key)
  })
  if (problems.length > 0) throw new Problems(problems)
  return value.people.map((person) => ({ ...person, layer: person.layer as Layer }))
}

/** Their posts, by number alone. @throws Problems */
export const readPosts = (files: PolicyFiles): readonly Post[] =>
  peopleIn(files).map(({ uid, duties, layer }) => ({ uid, duties, layer }))
