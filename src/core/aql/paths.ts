/** Paths and what stands in their brackets; literals and parameters. */
import type { Reader } from './reader.js'
import type { Literal, NodePredicate, Parameter, Path, Predicate, Step } from './syntax.js'

export const COMPARISONS = ['=', '!=', '<=', '>=', '<', '>'] as const

export function readOperator(words: Reader): string {
  const operator = words.takesOne('symbol', COMPARISONS)
  if (operator === undefined) throw words.fail('a comparison')
  return operator
}

export function readParameter(words: Reader): Parameter | undefined {
  const text = words.take('parameter')
  return text === undefined ? undefined : { kind: 'parameter', name: text.slice(1) }
}

const WORDS: Readonly<Record<string, boolean | null>> = { TRUE: true, FALSE: false, NULL: null }

export function readLiteral(words: Reader): Literal | undefined {
  const string = words.take('string')
  if (string !== undefined) return { kind: 'literal', value: string }
  const word = words.takesOne('keyword', Object.keys(WORDS))
  if (word !== undefined) return { kind: 'literal', value: WORDS[word] ?? null }
  const minus = words.peek('symbol', '-') && words.peek('number', undefined, 1)
  if (minus) words.need('symbol', '-')
  const number = words.take('number')
  if (number === undefined) return undefined
  const text = `${minus ? '-' : ''}${number}`
  return { kind: 'literal', value: Number(text), text }
}

const readCode = (words: Reader): string | undefined =>
  words.take('code') ?? words.take('archetype')

function readNode(words: Reader): NodePredicate {
  const parameter = readParameter(words)
  if (parameter !== undefined) return parameter
  const code = readCode(words)
  if (code !== undefined) {
    if (!words.takes('symbol', ',')) return { kind: 'node', code }
    const string = words.take('string')
    const name =
      string === undefined
        ? (readParameter(words) ?? words.need('code'))
        : ({ kind: 'literal', value: string } as const)
    return { kind: 'node', code, name }
  }
  const path = readSteps(words)
  const operator = readOperator(words)
  const coded = words.take('code')
  const operand =
    coded === undefined
      ? (readLiteral(words) ?? readParameter(words))
      : ({ kind: 'code', code: coded } as const)
  if (operand === undefined) throw words.fail('a value')
  return { kind: 'compare', path, operator, operand }
}

export function readPredicate(words: Reader): Predicate | undefined {
  if (!words.takes('symbol', '[')) return undefined
  return words.within(() => {
    const all = words.list(
      () => words.list(() => readNode(words), 'keyword', 'AND'),
      'keyword',
      'OR',
    )
    words.need('symbol', ']')
    return all
  })
}

const bracketed = (words: Reader) => {
  const predicate = readPredicate(words)
  return predicate === undefined ? {} : { predicate }
}

const readSteps = (words: Reader): readonly Step[] =>
  words.list(() => ({ name: words.need('word'), ...bracketed(words) }), 'symbol', '/')

export function readPath(words: Reader): Path {
  const variable = words.need('word')
  const predicate = bracketed(words)
  const steps = words.takes('symbol', '/') ? readSteps(words) : []
  return { kind: 'path', variable, ...predicate, steps }
}
