import { lacks } from './annotations.js'
import { beyondBounds, MOST_CENTRAL, MOST_LOCAL, MOST_POLICIES } from './bounds.js'
import { createCache } from './cache.js'
import { type DetailedError, type PolicyJson, policySetTextToParts, policyToJson } from './cedar.js'
import { hiddenIn } from './hidden.js'
import { isLocal, type Layer, layerOfFile } from './layers.js'
import { plainly } from './messages.js'
import type { Problem } from './problem.js'
import type { PolicyFiles } from './source.js'

/** A policy as its file has it, and as Cedar understood it. */
export interface ParsedPolicy {
  /** `@id`: unique over all files. */
  readonly id: string
  /** `@reason`: plain words for a clinician. */
  readonly reason: string
  /** `@obligation`: what the gateway must do when this policy decides. */
  readonly obligations: readonly string[]
  readonly effect: 'permit' | 'forbid'
  /** `@layer`; a local one with its name. */
  readonly layer: Layer
  readonly text: string
  readonly json: PolicyJson
  readonly file: string
  readonly line: number
}

/** Cedar counts in bytes of UTF-8. */
export const lineAt = (text: string, bytes: number): number =>
  Buffer.from(text).subarray(0, bytes).toString().split('\n').length

/** An error of Cedar's in a sentence: what, what was expected, what may have been meant. */
export function cedarProblem(
  file: string,
  text: string,
  { message, help, sourceLocations }: DetailedError,
  firstLine = 1,
): Problem {
  const place = sourceLocations?.[0]
  const words = message
    .replace(/^failed to parse (policies|policy|schema)( with id `[^`]*`)? from string: /, '')
    .replace(/^for policy `[^`]*`[,:] /, '')
  const said = plainly([words, place?.label, help].filter((part) => part).join('; '))
  return place === undefined
    ? { file, line: firstLine, text: said }
    : { file, line: firstLine + lineAt(text, place.start) - 1, text: said }
}

/** Finds one policy after another in its file; Cedar hands them back as written but out of order. */
function finder(text: string): (part: string) => number {
  const next = new Map<string, number>()
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index)
  return (part) => {
    const at = Math.max(0, text.indexOf(part, next.get(part) ?? 0))
    next.set(part, at + 1)
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

/** A policy as Cedar read it, if nothing is wrong with it. */
function readPolicy(
  place: Layer,
  { file, line, text }: Pick<ParsedPolicy, 'file' | 'line' | 'text'>,
  problems: Problem[],
): ParsedPolicy[] {
  const read = policyToJson(text)
  if (read.type === 'failure') {
    problems.push(...read.errors.map((error) => cedarProblem(file, text, error, line)))
    return []
  }
  const { effect, annotations = {} } = read.json
  const missing = [...lacks(annotations, effect, place)]
  problems.push(...missing.map((words) => ({ file, line, text: words })))
  if (missing.length > 0) return []
  const { id = '', reason = '', obligation = '', layer } = annotations
  const obligations = obligation.split(/[\s,]+/).filter((word) => word !== '')
  const own = layer === 'delegated' ? layer : place
  return [{ id, reason, obligations, effect, layer: own, text, json: read.json, file, line }]
}

/** What was read, and what is wrong with it. */
interface Parsed {
  readonly policies: readonly ParsedPolicy[]
  readonly problems: readonly Problem[]
}

function parseFile(file: string, text: string): Parsed {
  const place = layerOfFile(file)
  if (!place) return { policies: [], problems: [{ file, text: NO_PLACE }] }
  const before = [...hiddenIn(file, text), ...beyondBounds(file, text)]
  if (before.length > 0) return { policies: [], problems: before }
  const parts = policySetTextToParts(text)
  if (parts.type === 'failure')
    return { policies: [], problems: parts.errors.map((error) => cedarProblem(file, text, error)) }
  const lineOf = finder(text)
  const problems: Problem[] = parts.policy_templates.map((template) => ({
    file,
    line: lineOf(template),
    text: 'templates (?principal) are not read here',
  }))
  const policies = parts.policies.flatMap((part) =>
    readPolicy(place, { file, line: lineOf(part), text: part }, problems),
  )
  return { policies: policies.sort((a, b) => a.line - b.line), problems }
}

/** A version is read to be checked, tried, published and shown, and a draft differs from it in one file. */
const MOST_FILES = 200
const LARGEST_KEPT = 100_000
const parsed = createCache<Parsed>(MOST_FILES)

function parseOnce(file: string, text: string): Parsed {
  const key = `${file}\n${text}`
  const known = parsed.get(key)
  if (known) return known
  const read = parseFile(file, text)
  if (text.length <= LARGEST_KEPT) parsed.set(key, read)
  return read
}

const NO_PLACE =
  'is not read: policies stand in policies/ or in policies/local/<organisation or region>/'

/** Where there are more policies than a version may hold. */
function* tooMany(policies: readonly ParsedPolicy[]): Generator<Problem> {
  const counts = new Map<string, number>()
  for (const { layer } of policies) {
    const whose = isLocal(layer) ? layer : 'central'
    counts.set(whose, (counts.get(whose) ?? 0) + 1)
  }
  for (const [layer, count] of counts) {
    const most = layer === 'central' ? MOST_CENTRAL : MOST_LOCAL
    if (count > most)
      yield {
        file: layer === 'central' ? 'policies' : `policies/${layer}`,
        text: `holds ${count} policies, and ${most} at most are read`,
      }
  }
  if (policies.length > MOST_POLICIES)
    yield { file: 'policies', text: `all layers together hold more than ${MOST_POLICIES} policies` }
}

/** Names of files and layers that differ only by capital letters: some disks take them for one. */
function* alike(files: readonly string[]): Generator<Problem> {
  const first = new Map<string, string>()
  for (const path of files) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      yield* differing(first, path.slice(0, end))
    }
    yield* differing(first, path)
  }
}
function* differing(first: Map<string, string>, path: string): Generator<Problem> {
  const folded = path.toLowerCase()
  const other = first.get(folded) ?? path
  first.set(folded, other)
  if (other !== path)
    yield { file: path, text: `differs from ${other} in nothing but capital letters` }
}

/**
 * Every policy of a version, in the order of files and lines; and what keeps others from taking part. What was read
 * lately is handed out again: nobody changes it.
 */
export function parsePolicies(files: PolicyFiles): Parsed {
  const names = Object.keys(files)
    .filter((name) => name.endsWith('.cedar'))
    .sort()
  const read = names.map((name) => parseOnce(name, files[name] ?? ''))
  const problems: Problem[] = [...alike(names), ...read.flatMap((file) => file.problems)]
  const policies = read.flatMap((file) => file.policies)
  const first = new Map<string, ParsedPolicy>()
  for (const policy of policies) {
    const { id, file, line } = policy
    const other = first.get(id)
    if (other) {
      const text = `@id("${id}") already stands in ${other.file}:${other.line}`
      problems.push({ file, line, text })
    } else first.set(id, policy)
  }
  return { policies, problems: [...problems, ...tooMany(policies)] }
}
