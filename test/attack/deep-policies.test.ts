/** A policy text that overruns Cedar's stack would end every decision of the process: it must not reach Cedar. */
import { afterEach, describe, expect, it } from '@jest/globals'
import { checkFiles } from '../../src/policy/check.js'
import { tooDeep } from '../../src/policy/depth.js'
import { FILES, SECTIONS } from '../policy/asking.js'

const policy = (condition: string): string =>
  `@id("own-one")\n@layer("central")\n@reason("Own.")\npermit (principal, action == Action::"read", resource is Section)\nwhen { ${condition} };`
const problemsOf = (text: string, file = 'policies/own.cedar') =>
  checkFiles({ ...FILES, [file]: text }, SECTIONS, { withTests: false }).problems.map(
    ({ line, text: words }) => `${line}: ${words}`,
  )

// biome-ignore format: a table
const KINDS: Readonly<Record<string, (deep: number) => string>> = {
  parentheses:  (n) => `${'('.repeat(n)}true${')'.repeat(n)}`,
  sets:         (n) => `${'['.repeat(n)}1${']'.repeat(n)} == 1`,
  records:      (n) => `${'{a:'.repeat(n)}1${'}'.repeat(n)} == 1`,
  conjunctions: (n) => `${'true && '.repeat(n)}true`,
  additions:    (n) => `${'1 + '.repeat(n)}1 == 1`,
  conditions:   (n) => `${'if true then true else '.repeat(n)}true`,
  attributes:   (n) => `context${'.a'.repeat(n)}`,
  calls:        (n) => `principal.activities${'.contains("B0360")'.repeat(n)}`,
  indices:      (n) => `context${'["a"]'.repeat(n)}`,
  'an open end': (n) => '('.repeat(n),
  'what hides behind a text': (n) => `"\\"" == "" && ${'('.repeat(n)}true${')'.repeat(n)}`,
  'what hides between comments': (n) => `${'( // )\n'.repeat(n)}true${')'.repeat(n)}`,
}

describe('a policy text', () => {
  afterEach(() => {
    // Cedar is as it was.
    expect(problemsOf(policy('true'))).toEqual([])
  })

  it.each(Object.keys(KINDS))('nested far too deep by %s is refused, with its line', (kind) => {
    for (const deep of [600, 20_000])
      expect(problemsOf(policy(KINDS[kind]?.(deep) ?? '')).join()).toMatch(
        /^\d+: (brackets stand more than|a policy looks at more than|a policy has more than|has more than)/,
      )
  })

  it.each(Object.keys(KINDS))('nested by %s as deep as may be does Cedar no harm', (kind) => {
    for (const deep of [18, 24, 190]) problemsOf(policy(KINDS[kind]?.(deep) ?? ''))
  })

  it('as deep as may be in every way at once does Cedar no harm', () => {
    const call = `principal.activities${'.contains("B0360", 1 + 1)'.repeat(17)}`
    const inner = `${'1 + '.repeat(60)}1 == 1 && ${call}`
    problemsOf(policy(`${'('.repeat(24)}${inner}${')'.repeat(24)}`))
    problemsOf(policy(`${'if true then ('.repeat(24)}${inner}${') else false'.repeat(24)}`))
  })

  it('may be long, for a bound is of one policy', () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      policy('context.hour > 1 && context.hour < 5').replace('own-one', `own-${i}`),
    )
    expect(problemsOf(many.join('\n'))).toEqual([])
  })

  it('that hardly ends is judged in the time that it takes to read it', () => {
    for (const part of ['\\"', '"', '\\', '//', '/', '( // "'])
      expect(() => tooDeep(`"${part.repeat(1_500_000)}`)).not.toThrow()
    expect(problemsOf(policy(`"${'\\"'.repeat(1000)}`)).length).toBeGreaterThan(0)
  })

  it('that is a schema is held to the same', () => {
    const schema = `${FILES['policies/gateway.cedarschema']}\ntype T = ${'{a: '.repeat(5000)}Long${'}'.repeat(5000)};`
    expect(problemsOf(schema, 'policies/gateway.cedarschema').join()).toMatch(
      'has more than 30 levels',
    )
  })
})
