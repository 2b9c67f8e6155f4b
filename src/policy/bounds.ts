/**
 * What is looked at before Cedar sees a text. Cedar reads and checks by recursion: text that nests too deeply exhausts
 * its stack, and that ends its WebAssembly for the whole process, every later decision included. Measured on Node 20:
 * brackets pass 60 deep and fail at 80 to 150, chains (`&&`, `+`, `.`) pass 100 long and fail at 150 to 400, by how warm
 * the code is (test/policy/bounds.test.ts). So the bounds keep well away.
 */
import type { Problem } from './problem.js'

const MOST_FILE_BYTES = 524_288
/** Of central policies, delegated ones among them. */
export const MOST_CENTRAL = 2_000
/** Of one local layer. */
export const MOST_LOCAL = 200
/** Of all layers together. */
export const MOST_POLICIES = 6_000

/** Of a schema: entities in one another are read by recursion as well, 1,000 of them pass. */
const MOST_DECLARATIONS = 300

const MOST_NESTED = 20
const MOST_CHAINED = 60

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

/** What nests, what makes an expression deeper, and what begins a new one. A schema's types nest as well: `Set<Set<`. */
const TOKENS =
  /(?<open>[([{]|\bSet\s*<)|(?<shut>[)\]}])|(?<term>&&|\|\||\bif\b)|(?<step>[.+*-])|(?<over>[=!<>]=?|\bin\b)|(?<next>,)|(?<end>;)/g

/** How deep an expression has become, inside of one pair of brackets. */
interface Level {
  terms: number
  steps: number
}

/** How deep Cedar must go for what it has read: brackets, and what is chained inside of each. */
function depthMeter(isSchema: boolean) {
  const levels: [Level, ...Level[]] = [{ terms: 0, steps: 0 }]
  const last = (): Level => levels[levels.length - 1] ?? levels[0]
  return {
    read({ open, shut, term, step, over, next, end }: Readonly<Record<string, string>>) {
      if (open) levels.push({ terms: 0, steps: 0 })
      // `>` shuts a type of a schema; in a policy it compares.
      else if ((shut || (isSchema && over === '>')) && levels.length > 1) levels.pop()
      const level = last()
      if (step) level.steps++
      if (term) level.terms++
      if (term || over || next || end) level.steps = 0
      if (next || end) level.terms = 0
    },
    nested: () => levels.length - 1,
    chained: () => levels.reduce((sum, { terms, steps }) => sum + terms + steps, 0),
  }
}

/** The first place of a text that would take Cedar beyond its stack. */
export function tooDeep(file: string, text: string): Problem | undefined {
  const isSchema = file.endsWith('.cedarschema')
  const depth = depthMeter(isSchema)
  for (const { kind, at, text: code } of piecesOf(text)) {
    if (kind !== 'code') continue
    for (const { index, groups = {} } of code.matchAll(TOKENS)) {
      depth.read(groups)
      const said =
        depth.nested() > MOST_NESTED
          ? `brackets stand more than ${MOST_NESTED} deep: write the condition flatter, or as several policies`
          : depth.chained() > MOST_CHAINED
            ? `one expression has more than ${MOST_CHAINED} parts (&&, ||, if, +, .): name values in a set, or make several policies`
            : undefined
      if (said) return { file, line: lineOf(text, at + index), text: said }
    }
  }
  return undefined
}

/** What of a file of policies, or a schema, must not reach Cedar. */
export function beyondBounds(file: string, text: string): readonly Problem[] {
  if (Buffer.byteLength(text) > MOST_FILE_BYTES)
    return [{ file, text: `is larger than ${MOST_FILE_BYTES} bytes` }]
  if (file.endsWith('.cedarschema') && text.split(';').length > MOST_DECLARATIONS)
    return [{ file, text: `holds more than ${MOST_DECLARATIONS} declarations` }]
  const deep = tooDeep(file, text)
  return deep ? [deep] : []
}
