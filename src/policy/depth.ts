/**
 * How deep a Cedar text is nested, judged at the door to Cedar whoever brings it; bounds.ts says most of it to writers, in
 * better words and a little earlier. Its parser, its type checker and its evaluator call
 * themselves, and past some hundred levels the stack is overrun: from then on every call in this process fails,
 * decisions included. No policy that a person reads comes near these bounds.
 */

/** Brackets in brackets. Cedar fails between 60 and 200, by what they are. */
const DEEPEST = 30
/** `x.y.z.f(…)`: it fails from 100 on. */
const LONGEST_CHAIN = 20
/** Operators in one policy, each of which may be a level, as in `a + b + c`. It fails from 300 on. */
const MOST_OPERATORS = 200
/** `&&` and `||`. It fails from some hundred on where the stack is used already, and from some thousand elsewhere. */
const MOST_TERMS = 200

// A text that is not closed goes to the end: there Cedar gives up, and looking on from each of its quotes would take for ever.
const TOKEN =
  /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|\/\/[^\n]*|&&|\|\||[()[\]{};,.!+*<>=-]|\b(?:if|then|else|in|has|like|is)\b/g
const OPENS = '([{'
const CLOSES = ')]}'
/** What goes on from the value before it. */
const GOES_ON = '.['
const COUNTS = /^(?:[[.!+*-]|if|in|has|like|is)$/

export interface TooDeep {
  readonly message: string
  /** Where, in bytes of UTF-8, as Cedar counts. */
  readonly at: number
}

/** What of a text Cedar must not be given, if anything. */
export function tooDeep(text: string): TooDeep | undefined {
  /** How far the value at hand goes on, at each depth of brackets. */
  const chains = [0]
  let [operators, terms] = [0, 0]
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.length > 1 && /^["/]/.test(token)) continue
    const chain = chains.at(-1) ?? 0
    if (token === ';' && chains.length === 1) [operators, terms] = [0, 0]
    if (COUNTS.test(token)) operators++
    if (token === '&&' || token === '||') terms++
    if (GOES_ON.includes(token)) chains[chains.length - 1] = chain + 1
    if (OPENS.includes(token)) chains.push(0)
    else if (CLOSES.includes(token)) chains.length > 1 && chains.pop()
    else if (!GOES_ON.includes(token)) chains[chains.length - 1] = 0
    const message = faultOf({ depth: chains.length - 1, chain, operators, terms })
    if (message) return { message, at: Buffer.byteLength(text.slice(0, index)) }
  }
  return undefined
}

/** Each with the most of it, and how it is said. */
const LIMITS = {
  depth: [DEEPEST, 'levels of brackets'],
  chain: [LONGEST_CHAIN, 'members in a row'],
  operators: [MOST_OPERATORS, 'operators in one policy'],
  terms: [MOST_TERMS, 'terms (&&, ||) in one policy'],
} as const

function faultOf(found: Readonly<Record<keyof typeof LIMITS, number>>): string | undefined {
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const [most, what] = LIMITS[name]
    if (found[name] > most) return `has more than ${most} ${what}: make several policies of it`
  }
  return undefined
}
