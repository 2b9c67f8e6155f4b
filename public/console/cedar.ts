/** Cedar for the editor: its colours, and what may stand where the cursor is. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { StreamLanguage, type StringStream } from '@codemirror/language'
import type { Word, Words } from './words.js'

const KEYWORDS = new Set([
  'permit',
  'forbid',
  'when',
  'unless',
  'if',
  'then',
  'else',
  'in',
  'is',
  'has',
  'like',
])
const VARIABLES = new Set(['principal', 'action', 'resource', 'context'])
const ATOMS = new Set(['true', 'false'])

function token(stream: StringStream): string | null {
  if (stream.eatSpace()) return null
  if (stream.match('//')) {
    stream.skipToEnd()
    return 'comment'
  }
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string'
  if (stream.match(/^@[A-Za-z_]\w*/)) return 'meta'
  if (stream.match(/^\d+/)) return 'number'
  const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null
  if (word) {
    const [text] = word
    if (KEYWORDS.has(text)) return 'keyword'
    if (VARIABLES.has(text)) return 'variableName.special'
    if (ATOMS.has(text)) return 'atom'
    return stream.match('::', false) ? 'typeName' : 'propertyName'
  }
  stream.next()
  return 'operator'
}

export const cedarLanguage = StreamLanguage.define({
  name: 'cedar',
  token,
  languageData: {
    commentTokens: { line: '//' },
    closeBrackets: { brackets: ['(', '[', '{', '"'] },
  },
})

const options = (
  words: readonly (Word | string)[],
  type: string,
  apply = (label: string) => label,
): Completion[] =>
  words
    .map((word) => (typeof word === 'string' ? { label: word } : word))
    .map(({ label, detail }: Word) => ({
      ...{ label, type, apply: apply(label) },
      ...(detail ? { detail } : {}),
    }))

const STARTS: readonly Completion[] = [
  ...[...KEYWORDS].map((label) => ({ label, type: 'keyword' })),
  ...[...VARIABLES].map((label) => ({ label, type: 'variable' })),
]
const ANNOTATIONS: readonly Completion[] = [
  { label: '@id("…")', apply: '@id("")', detail: 'lower case words with hyphens', type: 'keyword' },
  { label: '@layer("central")', detail: 'whose policy it is', type: 'keyword' },
  {
    label: '@reason("…")',
    apply: '@reason("")',
    detail: 'plain words for a clinician',
    type: 'keyword',
  },
  { label: '@obligation("mark-sensitive")', detail: 'to be done beside', type: 'keyword' },
]

/** What fits the text before the cursor, most special first. Each gives where the word to be replaced begins. */
function fitting(
  line: string,
  words: Words,
): { from: number; options: readonly Completion[] } | undefined {
  const at = (pattern: RegExp) => {
    const found = pattern.exec(line)
    return found && { found, from: line.length - (found[2]?.length ?? 0) }
  }
  const entity = at(/(\w+)::"([^"]*)$/)
  if (entity) {
    const type = entity.found[1] ?? ''
    const ids =
      type === 'Role' ? words.roles : type === 'Action' ? words.actions : words.resources[type]
    return { from: entity.from, options: options(ids ?? [], 'constant') }
  }
  const attribute = at(/\b(principal|context)\.(\w*)$/)
  if (attribute) {
    const of = attribute.found[1] === 'principal' ? words.principal : words.context
    return { from: attribute.from, options: options(of, 'property') }
  }
  const value = at(/\.(\w+)\s*(?:==|!=)\s*"([^"]*)$/)
  if (value)
    return { from: value.from, options: options(words.values[value.found[1] ?? ''] ?? [], 'text') }
  const code = at(/\.(activities)\.contains\w*\(\[?[^)]*"([^"]*)$/)
  if (code) return { from: code.from, options: options(words.values.activities ?? [], 'text') }
  const annotation = at(/^\s*(@)?(@?\w*)$/)
  if (line.trimStart().startsWith('@') && annotation)
    return { from: line.length - line.trimStart().length, options: ANNOTATIONS }
  const start = at(/(^|[^\w"])(\w+)$/)
  if (!start) return undefined
  const types = [...Object.keys(words.resources), 'Role', 'Action'].map((label) => ({
    ...{ label, apply: `${label}::"`, type: 'type' },
  }))
  return { from: start.from, options: [...STARTS, ...types] }
}

/** Completion by the schema's words. */
export function completing(words: Words) {
  return (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos)
    const before = line.text.slice(0, context.pos - line.from)
    const found = fitting(before, words)
    if (!found || (found.options.length === 0 && !context.explicit)) return null
    return { from: line.from + found.from, options: [...found.options], validFor: /^[\w-]*$/ }
  }
}
