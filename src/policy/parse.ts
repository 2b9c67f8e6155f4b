import { type DetailedError, type PolicyJson, policySetTextToParts, policyToJson } from './cedar.js'
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
  const said = [words, place?.label, help].filter((part) => part).join('; ')
  return place === undefined
    ? { file, line: firstLine, text: said }
    : { file, line: firstLine + lineAt(text, place.start) - 1, text: said }
}

const LAYERS: ReadonlySet<string> = new Set(['central'])

/** What an annotated policy lacks to take part. */
function* lacks(annotations: Readonly<Record<string, string>>): Generator<string> {
  const { id, reason, layer } = annotations
  if (!id) yield 'a policy has no @id("…")'
  else if (!/^[a-z][a-z0-9-]{2,80}$/.test(id)) {
    yield `@id("${id}") should be lower case words with hyphens`
  }
  const name = id ? `policy ${id}` : 'the policy'
  if (!reason?.trim()) yield `${name} has no @reason("…"): say in plain words what it does`
  if (!layer) yield `${name} has no @layer("central")`
  else if (!LAYERS.has(layer)) yield `${name}: @layer("${layer}") is not read; only "central" is`
  for (const key of Object.keys(annotations)) {
    if (!['id', 'reason', 'layer', 'obligation'].includes(key))
      yield `${name}: @${key} is not an annotation that is read here`
  }
}

/** Finds one policy after another in its file; Cedar hands them back as written but out of order. */
function finder(text: string): (part: string) => number {
  const taken = new Set<number>()
  return (part) => {
    let at = text.indexOf(part)
    while (taken.has(at)) at = text.indexOf(part, at + 1)
    taken.add(at)
    return lineAt(text, Buffer.byteLength(text.slice(0, Math.max(at, 0))))
  }
}

function parseFile(file: string, text: string, problems: Problem[]): ParsedPolicy[] {
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
  return parts.policies.flatMap((part) => {
    const line = lineOf(part)
    const read = policyToJson(part)
    if (read.type === 'failure') {
      problems.push(...read.errors.map((error) => cedarProblem(file, part, error, line)))
      return []
    }
    const annotations = read.json.annotations ?? {}
    const missing = [...lacks(annotations)]
    problems.push(...missing.map((words) => ({ file, line, text: words })))
    if (missing.length > 0) return []
    const { id = '', reason = '', obligation = '' } = annotations
    const obligations = obligation.split(/[\s,]+/).filter((word) => word !== '')
    const { effect } = read.json
    return [{ id, reason, obligations, effect, text: part, json: read.json, file, line }]
  })
}

/** Every policy of a version, in the order of files and lines; and what keeps others from taking part. */
export function parsePolicies(files: PolicyFiles): {
  readonly policies: readonly ParsedPolicy[]
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const policies = Object.keys(files)
    .filter((name) => name.endsWith('.cedar'))
    .sort()
    .flatMap((name) => parseFile(name, files[name] ?? '', problems).sort((a, b) => a.line - b.line))
  const first = new Map<string, ParsedPolicy>()
  for (const policy of policies) {
    const { id, file, line } = policy
    const other = first.get(id)
    if (other) {
      const text = `@id("${id}") already stands in ${other.file}:${other.line}`
      problems.push({ file, line, text })
    } else first.set(id, policy)
  }
  return { policies, problems }
}
