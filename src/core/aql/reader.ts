/** A cursor over the words of a query: what comes next, and what must. */
import { Refusal } from '../refusal.js'
import { type Token, type TokenKind, tokensOf } from './tokens.js'

const DEEPEST = 30

export class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  /** @throws Refusal parameter_invalid */
  constructor(aql: string) {
    this.#tokens = tokensOf(aql)
  }

  fail(wanted: string): Refusal {
    // The detail never repeats what was sent: a literal could be anything.
    return new Refusal('parameter_invalid', `AQL: expected ${wanted} at word ${this.#at + 1}`)
  }

  peek(kind: TokenKind, text?: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead]
    return token?.kind === kind && (text === undefined || token.text === text)
  }

  /** The next word, if it is that. */
  take(kind: TokenKind, text?: string): string | undefined {
    if (!this.peek(kind, text)) return undefined
    const token = this.#tokens[this.#at]
    this.#at += 1
    return token?.text
  }

  takes(kind: TokenKind, text: string): boolean {
    return this.take(kind, text) !== undefined
  }

  takesOne(kind: TokenKind, texts: readonly string[]): string | undefined {
    const text = texts.find((each) => this.peek(kind, each))
    return text === undefined ? undefined : this.take(kind, text)
  }

  /** The next word, which must be that. @throws Refusal parameter_invalid */
  need(kind: TokenKind, text?: string): string {
    const found = this.take(kind, text)
    if (found === undefined) throw this.fail(text ?? kind)
    return found
  }

  /** One or more of something, with what stands between. */
  list<T>(one: () => T, kind: TokenKind, between: string): readonly T[] {
    const all = [one()]
    while (this.takes(kind, between)) all.push(one())
    return all
  }

  /** What may hold itself: never deeper than a stack bears. @throws Refusal parameter_invalid */
  within<T>(read: () => T): T {
    this.#depth += 1
    if (this.#depth > DEEPEST) throw this.fail('less nesting')
    const found = read()
    this.#depth -= 1
    return found
  }
}
