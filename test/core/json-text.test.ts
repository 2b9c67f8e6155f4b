import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hasRepeatedMember } from '../../src/core/json.js'
import { plainNumbers, readJson, writeJson } from '../../src/core/json-text.js'

/** Every number of a JSON text as it stands there, in their order. */
const numbersOf = (text: string): readonly string[] =>
  (text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g) ?? []).filter((word) => !word.startsWith('"'))

const digits = (least: number, most: number) =>
  fc
    .array(fc.constantFrom(...'0123456789'), { minLength: least, maxLength: most })
    .map((all) => all.join(''))
/** Whatever RFC 8259 lets be a number, mostly such as JavaScript would write otherwise. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      fc.tuple(fc.constantFrom(...'123456789'), digits(0, 24)).map((two) => two.join('')),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 24).map((some) => `.${some}`),
      fc.constantFrom('.0', '.50', '.0000001'),
    ),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      fc
        .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(1, 3))
        .map((all) => all.join('')),
    ),
  )
  .map((parts) => parts.join(''))
const space = fc.constantFrom('', '', ' ', '\n  ', '\t\r\n')
/** Strings that look like what stands around them. */
const string = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      ': 1.50,',
      '[1.50]',
      '\\',
      '"',
      '",1.50,"',
      '2024-01-01T10:00:30.120Z',
      'x\u00001.50',
    ),
  )
  .filter((each) => !each.startsWith('\u0000') && !JSON.stringify(each).includes('"\\u0000'))
const { text } = fc.letrec((tie) => ({
  text: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    string.map((each) => JSON.stringify(each)),
    fc.constantFrom('true', 'false', 'null'),
    fc
      .tuple(space, fc.array(tie('text'), { maxLength: 5 }))
      .map(([gap, all]) => `[${gap}${all.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(
        space,
        fc.uniqueArray(fc.tuple(string, tie('text')), { maxLength: 5, selector: ([name]) => name }),
      )
      .map(
        ([gap, all]) =>
          `{${all.map(([name, each]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${each}${gap}`).join(',')}}`,
      ),
  ) as fc.Arbitrary<string>,
}))

describe('JSON that goes through the gateway', () => {
  it('keeps every number as it stood, and everything else as JSON means it', () => {
    fc.assert(
      fc.property(text, space, (json, gap) => {
        fc.pre(!json.includes('"__proto__"'))
        const sent = `${gap}${json}${gap}`
        const written = writeJson(readJson(sent))
        const again = JSON.stringify(JSON.parse(sent))
        // The order of members whose names are whole numbers is JavaScript's own.
        expect([...numbersOf(written)].sort()).toEqual([...numbersOf(sent)].sort())
        expect(JSON.stringify(JSON.parse(written))).toBe(again)
        expect(hasRepeatedMember(sent)).toBe(false)
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ...[
      '1.50',
      '-0',
      '-0.0',
      '1e2',
      '1E-7',
      '0.0000001',
      '12345678901234567890',
      '9007199254740993',
    ],
    ...['0.1234567890123456789', '1e999', '1e-999', '100.0', '1000000000000000000000', '0.00'],
    ...['1234567.890123456789', '1.5', '0', '72', '0.1', '-12.25', '123456789012345'],
  ])('keeps %s, wherever it stands', (word) => {
    for (const sent of [
      word,
      ` ${word}\n`,
      `[${word}]`,
      `{"a":${word}}`,
      `[{"a":[1,${word}],"b":"${word}"}]`,
    ])
      expect(writeJson(readJson(sent))).toBe(sent.trim())
    expect(writeJson(readJson(`{"a" :\t${word}\n,"b": [ ${word} ]}`))).toBe(
      `{"a":${word},"b":[${word}]}`,
    )
  })

  it('reads a text without such numbers as JSON.parse does', () => {
    const sent = '{"a":[1,1.5,-2,0.25],"t":"2024-01-01T10:00:30.120Z","n":"take 1.50, or [1.50]"}'
    expect(readJson(sent)).toEqual(JSON.parse(sent))
  })

  it('takes nothing for a number that was a text, and lets no text pose as one', () => {
    const posing = ['"\\u00001.50"', '{"\\u00001.50":1}', '["a\\"\\u00001.50"]', '{"a":"\\u0000x"}']
    for (const sent of posing) expect(() => readJson(sent)).toThrow(SyntaxError)
    for (const sent of ['"x\\u00001.50"', '"\\\\u00001.50"', '["\\\\\\\\u0000",1.50]'])
      expect(writeJson(readJson(sent))).toBe(sent)
    // What a program of ours might make of it, in whatever place, is no number either.
    for (const made of ['\u0000', '\u0000x', '\u00001.5.0', '\u0000 1', 'x"\u00001.50'])
      expect(JSON.parse(writeJson([made, made]))).toEqual([made, made])
  })

  it.each([
    '{1.50:2}',
    '1.5.0',
    '01.50',
    '1.',
    '.50',
    '[1.50',
    '+1.50',
    '-',
    '1.50 2',
    '"a" 1.50',
    'NaN',
  ])('makes no JSON of what is none: %s', (sent) =>
    expect(() => readJson(sent)).toThrow(SyntaxError),
  )

  it('reads megabytes of one string beside such a number', () => {
    const sent = `{"data":"${'A\\"b'.repeat(1_500_000)}","value":1.50}`
    expect(writeJson(readJson(sent))).toBe(sent)
  })

  it('still sees a member that stands twice', () => {
    expect(hasRepeatedMember('{"a":1.50,"b":{"a":1.50},"a":1.5}')).toBe(true)
  })
})

describe('what a number is', () => {
  it.each([
    ['1.50', 1.5],
    ['-0', -0],
    ['1e2', 100],
    ['100.0', 100],
    ['0.0000001', 1e-7],
  ])('of %s is %d', (word, value) => {
    expect(plainNumbers(readJson(`[{"a":${word}}]`))).toEqual([{ a: value }])
  })

  it.each([
    ['12345678901234567890', '12345678901234567891'],
    ['1e999', '2e999'],
    ['1e-999', '0.0'],
    ['0.12345678901234567890', '0.12345678901234567'],
  ])('of %s is not that of %s', (one, other) => {
    const [a, b] = [plainNumbers(readJson(one)), plainNumbers(readJson(other))]
    expect(a).not.toEqual(b)
  })

  it('leaves texts, and what is nothing, as they are', () => {
    const value = { a: '1.50', b: [null, true, '', '\u0000x'], c: undefined }
    expect(plainNumbers(value)).toEqual(value)
  })
})
