/**
 * How deep a Cedar text is nested, judged before Cedar sees it. Its parser, its type checker and its evaluator call
 * themselves, and past some hundred levels the stack is overrun: from then on every call in this process fails,
 * decisions included. No policy that a person reads comes near these bounds.
 */

/** Brackets in brackets. Cedar fails between 60 and 200, by what they are. */
const DEEPEST = 30
/** `x.y.z.f(…)`: it fails from 100 on. */
const LONGEST_CHAIN = 20
/** Operators in one policy, each of which may be a level, as in `a && b && c`. It fails from 300 on. */
const MOST_OPERATORS = 200

// A text that is not closed goes to the end: there Cedar gives up, and looking on from each of its quotes would take for ever.
const TOKEN =
  /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|\/\/[^\n]*|&&|\|\||[()[\]{};,.!+*<>=-]|\b(?:if|then|else|in|has|like|is)\b/g
const OPENS = '([{'
const CLOSES = ')]}'
/** What goes on from the value before it. */
const GOES_ON = '.['
const COUNTS = /^(?:&&|\|\||[[.!+*-]|if|in|has|like|is)$/

export interface TooDeep {
  readonly message: string
  /** Where, in bytes of UTF-8, as Cedar counts. */
  readonly at: number
}

/** What of a text Cedar must not be given, if anything. */
export function tooDeep(text: string): TooDeep | undefined {
  /** How far the value at hand goes on, at each depth of brackets. */
  const chains = [0]
  let operators = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.length > 1 && /^["/]/.test(token)) continue
    const chain = chains.at(-1) ?? 0
    if (token === ';' && chains.length === 1) operators = 0
    if (COUNTS.test(token)) operators++
    if (GOES_ON.includes(token)) chains[chains.length - 1] = chain + 1
    if (OPENS.includes(token)) chains.push(0)
    else if (CLOSES.includes(token)) chains.length > 1 && chains.pop()
    else if (!GOES_ON.includes(token)) chains[chains.length - 1] = 0
    const message = faultOf(chains.length - 1, chain, operators)
    if (message) return { message, at: Buffer.byteLength(text.slice(0, index)) }
  }
  return undefined
}

function faultOf(depth: number, chain: number, operators: number): string | undefined {
  if (depth > DEEPEST) return `is nested more than ${DEEPEST} deep: say it in several policies`
  if (chain > LONGEST_CHAIN) return `goes on for more than ${LONGEST_CHAIN} members in a row`
  if (operators > MOST_OPERATORS)
    return `has more than ${MOST_OPERATORS} operators in one policy: say it in several`
  return undefined
}
