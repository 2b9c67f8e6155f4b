import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { piecesOf, tooDeep } from '../../src/policy/bounds.js'
import { parsePolicies } from '../../src/policy/parse.js'
import { describeProblem } from '../../src/policy/problem.js'
import type { PolicyFiles } from '../../src/policy/source.js'
import { programs } from './child.js'

jest.setTimeout(120_000)

const said = (files: PolicyFiles): string[] => parsePolicies(files).problems.map(describeProblem)
const named = (id: string, layer = 'central', effect = 'permit'): string =>
  `@id("${id}") @layer("${layer}") @reason("x") ${effect} (principal, action, resource);\n`

describe('a policy that would take Cedar beyond its stack', () => {
  let built: Awaited<ReturnType<typeof programs>>
  beforeAll(async () => {
    built = await programs('nesting')
  })
  afterAll(() => built.remove())
  const run = async (...depths: number[]) => {
    const config = join(process.cwd(), 'config')
    const { out, ...rest } = await built.run('nesting', config, ...depths.map(String))
    expect(rest).toEqual({ err: '', code: 0, signal: null })
    return out.split('\n')
  }

  it('is refused in plain words, and decisions go on', async () => {
    const lines = await run(100, 1_000, 10_000, 20_000)
    expect(lines.pop()).toBe('allow')
    expect(lines).toHaveLength(13 * 4)
    for (const line of lines) {
      expect(line).toMatch(
        /^\w+ \d+: policies\/own\.cedar:2: (brackets stand more than 20 deep|one expression has more than 60 parts)/,
      )
    }
  })

  it('is asked when it is just within the bounds, whatever its shape', async () => {
    const [nested, chained] = [await run(18), await run(58)]
    const answered = /(: |^)(allow|deny)$/
    const chains = /^(choices|attributes|sums|products|ands|ors) /
    for (const line of nested.filter((each) => !each.startsWith('unclosed')))
      expect(line).toMatch(answered)
    for (const line of chained.filter((each) => chains.test(each))) expect(line).toMatch(answered)
    expect([nested.pop(), chained.pop()]).toEqual(['allow', 'allow'])
  })
})

describe('text is taken apart as Cedar does it', () => {
  it('losing nothing, whatever it is', () => {
    const text = fc.string({
      unit: fc.constantFrom('"', '\\', '/', '\n', '\r', 'a', '(', ')', ';', 'é'),
      maxLength: 40,
    })
    fc.assert(
      fc.property(text, (any) => {
        const pieces = [...piecesOf(any)]
        expect(pieces.map((piece) => piece.text).join('')).toBe(any)
        for (const { at, text: piece } of pieces) expect(any.slice(at)).toMatch(startingWith(piece))
      }),
      { numRuns: 500 },
    )
  })
  const startingWith = (piece: string): RegExp =>
    new RegExp(`^${piece.replace(/[^a-z]/g, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)}`, 'u')

  it.each([
    [
      'brackets in texts',
      `permit (principal, action, resource) when { "${'('.repeat(500)}" == "" };`,
    ],
    ['brackets in comments', `// ${'('.repeat(500)}\npermit (principal, action, resource);`],
    [
      'escaped quotes',
      `permit (principal, action, resource) when { "\\"${'('.repeat(500)}" == "" };`,
    ],
  ])('%s do not count', (_, text) => {
    expect(tooDeep('policies/x.cedar', text)).toBeUndefined()
  })

  it.each([
    ['after a comment that a carriage return ends', `// x\r${'('.repeat(30)}`],
    ['after a quote that is never closed', `"${'('.repeat(30)}`],
    ['in types of a schema', `entity A = { a: ${'Set<'.repeat(30)}Long${'>'.repeat(30)} };`],
  ])('brackets %s do', (_, text) => {
    const file = text.startsWith('entity') ? 'policies/gateway.cedarschema' : 'policies/x.cedar'
    expect(tooDeep(file, text)?.text).toContain('brackets stand more than 20 deep')
  })

  it('even where it is made to be slow', () => {
    // A reader that starts over at each quote takes hours for this.
    expect([...piecesOf(`"${'\\"'.repeat(250_000)}`)]).toHaveLength(1)
  })
})

describe('more than a version may hold is refused with its name', () => {
  const many = (count: number, layer?: string): string =>
    Array.from({ length: count }, (_, i) => named(`p-${layer ?? 'central'}-${i}`, layer)).join('')

  it.each([
    [
      'a file of megabytes',
      { 'policies/own.cedar': `// ${'x'.repeat(600_000)}` },
      'policies/own.cedar: is larger than 524288 bytes',
    ],
    [
      'central policies',
      { 'policies/own.cedar': many(2_001) },
      'policies: holds 2001 policies, and 2000 at most are read',
    ],
    [
      'policies of a local layer',
      { 'policies/local/A1/own.cedar': many(201, 'local') },
      'policies/local/A1: holds 201 policies, and 200 at most are read',
    ],
    [
      'words in a reason',
      { 'policies/own.cedar': named('own-one').replace('"x"', `"${'x'.repeat(601)}"`) },
      'policies/own.cedar:1: policy own-one: @reason is longer than 600 characters',
    ],
  ])('%s', (_, files, problem) => {
    expect(said(files as PolicyFiles)).toEqual([problem])
  })

  it('and what stands just within is read', () => {
    expect(
      said({
        'policies/own.cedar': many(2_000),
        'policies/local/A1/own.cedar': many(200, 'local'),
      }),
    ).toEqual([])
  })
})

describe('names that look like others are refused', () => {
  // biome-ignore format: a table
  it.each([
    ['a space without width',        named('own-one').replace('"x"', '"a\u200bb"'),                                                  'policies/own.cedar:1: holds the invisible character U+200B'],
    ['text that turns its direction', `\n// \u202e not so\n${named('own-one')}`,                                                      'policies/own.cedar:2: holds the invisible character U+202E'],
    ['a letter made of parts',       `// cafe\u0301\n${named('own-one')}`,                                                           'policies/own.cedar:1: holds letters made of parts (not Unicode NFC)'],
    ['a letter of another script',   '@id("own-one") @layer("central") @reason("x")\npermit (principal in Role::"g\u0440", action, resource);', 'policies/own.cedar:2: the name "g\u0440" holds the letter U+0440'],
    ['letters of another width',     '@id("own-one") @layer("central") @reason("x")\npermit (principal in Role::"\uff47\uff50", action, resource);', 'policies/own.cedar:2: the name "\uff47\uff50" holds a variant letter'],
    ['an id in capitals',            named('Own-One'),                                                                               'policies/own.cedar:1: @id("Own-One") should be lower case words with hyphens'],
  ])('%s', (_, text, problem) => {
    expect(said({ 'policies/own.cedar': text }).join('\n')).toContain(problem)
  })

  it('but a reason is in whatever language its readers read', () => {
    const text = named('own-one').replace('"x"', '"Ärztinnen und Ärzte; Врачи; Meddygon ŷ."')
    expect(said({ 'policies/own.cedar': text })).toEqual([])
  })

  it('files and layers that differ by capitals alone are refused: some disks take them for one', () => {
    expect(
      said({
        'policies/own.cedar': named('own-one'),
        'policies/Own.cedar': named('own-two'),
        'policies/local/NORTH/x.cedar': named('own-three', 'local'),
        'policies/local/north/y.cedar': named('own-four', 'local'),
      }),
    ).toEqual([
      'policies/local/north: differs from policies/local/NORTH in nothing but capital letters',
      'policies/own.cedar: differs from policies/Own.cedar in nothing but capital letters',
    ])
  })

  it('a file where none is read is refused', () => {
    for (const file of [
      'policies/a/own.cedar',
      'policies/local/own.cedar',
      'policies/local/../own.cedar',
      'own.cedar',
    ])
      expect(said({ [file]: named('own-one') })).toEqual([
        `${file}: is not read: policies stand in policies/ or in policies/local/<organisation or region>/`,
      ])
  })
})
