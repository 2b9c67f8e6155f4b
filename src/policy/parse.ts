import { lacks } from './annotations.js'
import { beyondBounds, MOST_CENTRAL, MOST_LOCAL, MOST_POLICIES } from './bounds.js'
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

function parseFile(file: string, text: string, problems: Problem[]): ParsedPolicy[] {
  const place = layerOfFile(file)
  if (!place) {
    problems.push({ file, text: NO_PLACE })
    return []
  }
  const before = [...hiddenIn(file, text), ...beyondBounds(file, text)]
  problems.push(...before)
  if (before.length > 0) return []
  const parts = policySetTextToParts(text)
  if (parts.type === 'failure') {
    problems.push(...parts.errors.map((error) => cedarProblem(file, text, error)))
    return []
  }
  const lineOf = finder(text)
  for (const template of parts.policy_templates) {
    problems.push({
      file,
      line: lineOf(template),
      text: 'templates (?principal) are not read here',
    })
  }
  return parts.policies.flatMap((part) =>
    readPolicy(place, { file, line: lineOf(part), text: part }, problems),
  )
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

/** Every policy of a version, in the order of files and lines; and what keeps others from taking part. */
export function parsePolicies(files: PolicyFiles): {
  readonly policies: readonly ParsedPolicy[]
  readonly problems: readonly Problem[]
} {
  const names = Object.keys(files)
    .filter((name) => name.endsWith('.cedar'))
    .sort()
  const problems: Problem[] = [...alike(names)]
  const policies = names.flatMap((name) =>
    parseFile(name, files[name] ?? '', problems).sort((a, b) => a.line - b.line),
  )
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
