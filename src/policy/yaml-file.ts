import { isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { type Cache, createCache } from './cache.js'
import { type Problem, Problems } from './problem.js'

const MOST_CHARACTERS = 1_048_576
/** Names that reach an object's prototype in careless code. */
const FORBIDDEN_KEYS: ReadonlySet<unknown> = new Set(['__proto__', 'constructor', 'prototype'])

type Path = readonly PropertyKey[]

export interface YamlFile<T> {
  readonly value: T
  /** The line on which the thing at a path stands, or the nearest thing around it. */
  lineOf(path: Path): number
}

/** By schema and text: a version is read to be checked, tried, published and shown, and a draft differs from it in one file. */
const known = new WeakMap<z.ZodType, Cache<YamlFile<unknown>>>()
const MOST_KEPT = 50
const LARGEST_KEPT = 100_000

/** What is handed out again, nobody may change. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

/**
 * Reads a YAML file by a schema. What was read lately is handed out again. Keys that stand twice, aliases (how a few lines become gigabytes), custom tags
 * and keys that name a prototype are refused, besides what the schema refuses.
 *
 * @param file its name, for the problems
 * @throws Problems every one that was found
 */
export function readYamlFile<S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
): YamlFile<z.output<S>> {
  const lately = known.get(schema) ?? createCache<YamlFile<unknown>>(MOST_KEPT)
  known.set(schema, lately)
  const before = lately.get(text) as YamlFile<z.output<S>> | undefined
  if (before !== undefined) return before
  const { value, lineOf } = readAnew(file, text, schema)
  const read = { value: frozen(value), lineOf }
  if (text.length <= LARGEST_KEPT) lately.set(text, read)
  return read
}

function readAnew<S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
): YamlFile<z.output<S>> {
  if (text.length > MOST_CHARACTERS) {
    throw new Problems([{ file, text: `is longer than ${MOST_CHARACTERS} characters` }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true })
  const line = (offset: number | undefined): number => lines.linePos(offset ?? 0).line || 1
  const lineOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node)) return line(node.range?.[0])
    }
    return 1
  }

  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    file,
    line: line(error.pos[0]),
    text: error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? 'is not YAML',
  }))
  visit(document, {
    Alias: (_, { range }) => {
      problems.push({ file, line: line(range?.[0]), text: 'aliases (*name) are not read here' })
    },
    Pair: (_, { key }, path) => {
      if (isScalar(key) && FORBIDDEN_KEYS.has(key.value) && isMap(path.at(-1))) {
        problems.push({ file, line: line(key.range?.[0]), text: `"${key.value}" cannot be a key` })
      }
    },
  })
  if (problems.length > 0) throw new Problems(problems)

  const read = schema.safeParse(document.toJS())
  if (read.success) return { value: read.data, lineOf }
  throw new Problems(
    read.error.issues.map(({ path, message }) => ({
      file,
      line: lineOf(path),
      text: `${path.map(String).join('.') || 'the file'}: ${message}`,
    })),
  )
}
