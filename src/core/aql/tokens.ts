/**
 * AQL's words, from the published lexer. What is not one of them is refused, and so are texts that two lexers could
 * read differently: control characters, letters beyond ASCII outside of strings, `--` that begins no comment.
 *
 * @see openEHR AQL 1.1, "AQL Syntax Specification"
 */
import { Refusal } from '../refusal.js'

export type TokenKind =
  | 'word'
  | 'keyword'
  | 'parameter'
  | 'string'
  | 'number'
  | 'code'
  | 'archetype'
  | 'symbol'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** A keyword in capitals; a string without its quotes, escapes resolved; else as it stands. */
  readonly text: string
}

const LONGEST = 10_000
const MOST = 2_000

/** Words of the language: none of them names anything else. */
const KEYWORDS = new Set(
  [
    'SELECT AS FROM WHERE ORDER BY DESC DESCENDING ASC ASCENDING LIMIT OFFSET DISTINCT VERSION',
    'LATEST_VERSION ALL_VERSIONS NULL TOP FORWARD BACKWARD CONTAINS AND OR NOT EXISTS LIKE MATCHES',
    'LENGTH POSITION SUBSTRING CONCAT CONCAT_WS ABS MOD CEIL FLOOR ROUND NOW CURRENT_DATE',
    'CURRENT_TIME CURRENT_DATE_TIME CURRENT_TIMEZONE COUNT MIN MAX SUM AVG TERMINOLOGY TRUE FALSE',
  ]
    .join(' ')
    .split(' '),
)

/** How each kind begins and goes on, the longer reading first. Sticky: matched where the last one ended. */
// biome-ignore format: a table
const RULES: readonly (readonly [TokenKind | 'space', RegExp])[] = [
  ['space',     /[ \t\r\n]+/y],
  ['space',     /--(?:[ ][^\r\n]*)?(?=\r?\n|$)/y],
  ['string',    /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y],
  ['parameter', /\$[A-Za-z][A-Za-z0-9_]{0,63}/y],
  ['archetype', /(?:[A-Za-z][\w.-]{0,80}::)?[A-Za-z]\w{0,40}-[A-Za-z]\w{0,40}-[A-Za-z]\w{0,40}\.[A-Za-z][\w-]{0,80}\.v\d{1,4}(?:\.\d{1,4}){0,2}(?![\w.-])/y],
  ['code',      /(?:at|id)\d{1,8}(?:\.\d{1,8}){0,8}(?![\w.])/y],
  ['number',    /(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,3})?(?![\w.])/y],
  ['word',      /[A-Za-z]\w{0,63}(?![\w$])/y],
  ['symbol',    /<=|>=|!=|[<>=(),/*\-[\]{}]/y],
]

const unreadable = (detail: string) => new Refusal('parameter_invalid', `AQL: ${detail}`)

const ESCAPES: Readonly<Record<string, string>> = { "'": "'", '"': '"', '?': '?', '\\': '\\' }
/** What a string could hold that another lexer would read on after, or that no value needs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNFIT = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** @throws Refusal parameter_invalid */
function stringOf(quoted: string): string {
  const text = quoted.slice(1, -1).replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex, one) => {
    const plain = hex === undefined ? ESCAPES[one] : String.fromCharCode(Number.parseInt(hex, 16))
    if (plain === undefined) throw unreadable('an escape')
    return plain
  })
  if (UNFIT.test(text) || (text.includes("'") && text.includes('"'))) throw unreadable('a string')
  return text
}

function tokenOf(kind: TokenKind, text: string): Token {
  if (kind === 'string') return { kind, text: stringOf(text) }
  const upper = text.toUpperCase()
  return kind === 'word' && KEYWORDS.has(upper) ? { kind: 'keyword', text: upper } : { kind, text }
}

/** The first rule that reads on at this place. */
function readAt(aql: string, at: number) {
  for (const [kind, rule] of RULES) {
    rule.lastIndex = at
    const text = rule.exec(aql)?.[0]
    if (text !== undefined) return { kind, text }
  }
  throw unreadable(`a character at ${at}`)
}

/** @throws Refusal parameter_invalid */
export function tokensOf(aql: string): readonly Token[] {
  if (aql.length > LONGEST) throw unreadable('too long')
  const tokens: Token[] = []
  let at = 0
  while (at < aql.length) {
    const read = readAt(aql, at)
    if (read.kind !== 'space') tokens.push(tokenOf(read.kind, read.text))
    if (tokens.length > MOST) throw unreadable('too many words')
    at += read.text.length
  }
  return [...tokens, { kind: 'end', text: '' }]
}
