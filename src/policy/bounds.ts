/**
 * What is looked at before Cedar sees a text. Cedar reads by recursion: text that nests too deeply exhausts its stack,
 * and that ends its WebAssembly for the whole process, every later decision included. Measured on Node 20: 100 nested
 * brackets pass and 150 do not, 300 steps (`.`, `+`, …) in one expression pass and 400 do not, 1,000 terms (`&&`, `||`)
 * pass and 10,000 do not (test/policy/bounds.test.ts).
 */
import type { Problem } from './problem.js'

export const MOST_FILE_BYTES = 524_288
/** Of central policies, delegated ones among them. */
export const MOST_CENTRAL = 2_000
/** Of one local layer. */
export const MOST_LOCAL = 200
/** Of all layers together. */
export const MOST_POLICIES = 6_000

const MOST_NESTED = 25
const MOST_STEPS = 200
const MOST_TERMS = 500

/** A piece of Cedar text: code, a text in quotes with them, or a comment. */
export interface Piece {
  readonly kind: 'code' | 'quoted' | 'comment'
  readonly at: number
  readonly text: string
}

const STARTS = /"|\/\//g
const LINE_ENDS = /[\n\r]/g

/** Takes Cedar text apart as Cedar does. What follows a quote that is never closed counts as code. */
export function* piecesOf(text: string): Generator<Piece> {
  const piece = (kind: Piece['kind'], at: number, end: number): Piece => ({
    kind,
    at,
    text: text.slice(at, end),
  })
  let at = 0
  while (at < text.length) {
    STARTS.lastIndex = at
    const start = STARTS.exec(text)?.index ?? text.length
    if (start > at) yield piece('code', at, start)
    let end = start
    if (text[start] === '/') {
      LINE_ENDS.lastIndex = start
      end = LINE_ENDS.exec(text)?.index ?? text.length
      yield piece('comment', start, end)
    } else if (start < text.length) {
      end = start + 1
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
      const closed = end < text.length
      end = closed ? end + 1 : text.length
      yield piece(closed ? 'quoted' : 'code', start, end)
    }
    at = end
  }
}

export const lineOf = (text: string, at: number): number => {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** What nests, what makes an expression deeper, and the end of a policy. A schema's types nest as well: `Set<Set<`. */
const TOKENS =
  /(?<open>[([{]|\bSet\s*<)|(?<shut>[)\]}>])|(?<term>&&|\|\|)|(?<step>[.+*-]|\bif\b)|(?<end>;)/g

/** The first place of a text that would take Cedar beyond its stack. */
export function tooDeep(file: string, text: string): Problem | undefined {
  const isSchema = file.endsWith('.cedarschema')
  let [nested, steps, terms] = [0, 0, 0]
  const said = (): string | undefined => {
    if (nested > MOST_NESTED)
      return `brackets stand more than ${MOST_NESTED} deep: write the condition flatter, or as several policies`
    if (isSchema) return undefined
    if (steps > MOST_STEPS)
      return `a policy looks at more than ${MOST_STEPS} attributes, sets and sums: make several policies of it`
    return terms > MOST_TERMS
      ? `a policy has more than ${MOST_TERMS} terms (&&, ||): make several policies of it`
      : undefined
  }
  for (const { kind, at, text: code } of piecesOf(text)) {
    if (kind !== 'code') continue
    for (const { index, 0: token, groups = {} } of code.matchAll(TOKENS)) {
      if (groups.open) nested++
      // In a policy `>` compares.
      if (groups.shut && (isSchema || token !== '>')) nested = Math.max(0, nested - 1)
      if (groups.step || token === '[') steps++
      if (groups.term) terms++
      if (groups.end) [steps, terms] = [0, 0]
      const words = said()
      if (words) return { file, line: lineOf(text, at + index), text: words }
    }
  }
  return undefined
}
