/** The plan's definitions on disk: the universal sections, and a file for each pathway beside them. The one reader. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Plan } from '../core/plan.js'
import { type Fault, readPlanFile } from '../core/plan-file.js'
import { type NamedFile, planOf } from '../core/plan-rules.js'
import { type Problem, Problems } from './problem.js'
import { readYamlFile, type YamlFile } from './yaml-file.js'

const MOST_FILES = 50
const PATHWAYS = 'pathways'

/** The files of a plan, the main one first. What only looks as if it were read is a problem. */
function filesOf(main: string, problems: Problem[]): readonly string[] {
  const folder = join(dirname(main), PATHWAYS)
  const names = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
  const files = [main]
  for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory())
      problems.push({ file: path, text: `a folder: only files directly in ${folder} are read` })
    else if (entry.name.endsWith('.yaml')) files.push(path)
    else if (/\.ya?ml/i.test(entry.name))
      problems.push({ file: path, text: 'is not read: give it a name that ends in .yaml' })
  }
  if (files.length > MOST_FILES)
    problems.push({ file: folder, text: `holds more than ${MOST_FILES} files` })
  return files.slice(0, MOST_FILES)
}

/** One, and not one for each file: what is read by it is remembered by it. */
const ANYTHING = z.unknown()
type Read = YamlFile<unknown> & { readonly name: string }

function readText(name: string, problems: Problem[]): Read | undefined {
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch {
    problems.push({
      file: name,
      text: existsSync(name) ? 'cannot be read' : 'there is no such file',
    })
    return undefined
  }
  try {
    return { ...readYamlFile(name, text, ANYTHING), name }
  } catch (error) {
    if (!(error instanceof Problems)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

const named = (value: unknown): value is { id: string } =>
  typeof (value as { id?: unknown } | null)?.id === 'string'

/** `section crisis, field dose, units`: ids where there are some, positions (from 1) where not. */
function placeIn(value: unknown, path: Fault['path']): string {
  const words: string[] = []
  let at = value
  for (const [i, part] of path.entries()) {
    at = (at as Record<string | number, unknown> | null | undefined)?.[part]
    if (typeof part !== 'number') {
      if (typeof path[i + 1] !== 'number') words.push(part)
      continue
    }
    const kind = { sections: 'section', fields: 'field' }[String(path[i - 1])]
    words.push(
      kind === undefined ? `${path[i - 1]} ${part + 1}` : `${kind} ${named(at) ? at.id : part + 1}`,
    )
  }
  return words.join(', ')
}

const problemOf = ({ name, value, lineOf }: Read, { path, text }: Fault): Problem => {
  const place = placeIn(value, path)
  return { file: name, line: lineOf(path), text: place === '' ? text : `${place}: ${text}` }
}

/**
 * The plan of a configuration, as far as it can be read, and all that is wrong with it at once.
 *
 * @param main its main file, such as `config/plan/sections.yaml`; `pathways/*.yaml` beside it are read too
 */
export function readPlan(main: string): {
  readonly plan: Plan
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const sound: NamedFile[] = []
  const reads = new Map<string, Read>()
  for (const name of filesOf(main, problems)) {
    const read = readText(name, problems)
    if (!read) continue
    reads.set(name, read)
    const shaped = readPlanFile(read.value)
    if ('file' in shaped) sound.push({ name, file: shaped.file })
    else problems.push(...shaped.faults.map((fault) => problemOf(read, fault)))
  }
  const { plan, faults } = planOf(sound)
  for (const { file, ...fault } of faults) {
    const read = reads.get(file)
    // A value set that seems to be missing may stand in the file that could not be read.
    const doubtful = sound.length < reads.size && fault.path.at(-1) === 'value_set'
    if (read && !doubtful) problems.push(problemOf(read, fault))
  }
  return { plan, problems }
}

/** @throws Problems everything that is wrong with it */
export function openPlan(main: string): Plan {
  const { plan, problems } = readPlan(main)
  if (problems.length > 0) throw new Problems(problems)
  return plan
}
