/** YAML for the editor: which key, and which of its words, may stand where the cursor is. */
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import type { Words } from './words.js'

/** The key whose value is being written on this line, and what is written of its last word. */
const VALUE = /(?:^|[\s{,-])"?([a-z_]+)"?:\s*(?:\[[^\]]*?|"?)([\w/*-]*)$/
/** A key is being written: first on the line, after a dash, or in braces. */
const KEY = /(?:^\s*(?:- )?(?:\{\s*)?|[{,]\s*)([a-z_]*)$/
/** In a list that began on a line above: its key, nearest first. */
const OPEN_LIST = /^\s*(?:- )?"?([a-z_]+)"?:\s*\[?\s*$/

function listAbove(lines: readonly string[]): string | undefined {
  for (const line of [...lines].reverse().slice(0, 50)) {
    if (line.includes(']')) return undefined
    const found = OPEN_LIST.exec(line)
    if (found) return found[1]
  }
  return undefined
}

/** Completion by the schema that judges the file. */
export function completingYaml({ keys, values }: Words) {
  const result = (from: number, labels: readonly string[], type: string, after = '') => ({
    ...{ from, validFor: /^[\w/-]*$/ },
    options: labels.map((label) => ({ label, type, apply: `${label}${after}` })),
  })
  const wordsOf = (key: string | undefined): readonly string[] =>
    (values[key ?? ''] ?? []).map((word) => (typeof word === 'string' ? word : word.label))
  return (context: CompletionContext): CompletionResult | null => {
    const { doc } = context.state
    const line = doc.lineAt(context.pos)
    const before = line.text.slice(0, context.pos - line.from)
    if (/(^|\s)#/.test(before)) return null
    const value = VALUE.exec(before)
    if (value) {
      const known = wordsOf(value[1])
      return known.length > 0 ? result(context.pos - (value[2] ?? '').length, known, 'text') : null
    }
    const typed = /^\s*(?:- )?([\w-]*)$/.exec(before)
    const above = doc.sliceString(Math.max(0, line.from - 5_000), line.from).split('\n')
    const list = typed ? wordsOf(listAbove(above)) : []
    if (list.length > 0) return result(context.pos - (typed?.[1] ?? '').length, list, 'text')
    const key = KEY.exec(before)
    if (!key || (key[1] === '' && !context.explicit)) return null
    return result(context.pos - (key[1] ?? '').length, keys, 'property', ': ')
  }
}
