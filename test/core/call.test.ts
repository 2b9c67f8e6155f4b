import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readCall, writeQuery } from '../../src/core/call.js'

const read = (address: string) => readCall('GET', address, {})
const refused = (code: string) => expect.objectContaining({ code })
const codeOf = (run: () => unknown): unknown => {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('readCall', () => {
  it('decodes a path and a query once', () => {
    const call = read('/query/care-plan%3A%3Asections?ehr_id=a%20b&x=1+2&y')
    expect(call.path).toBe('/query/care-plan::sections')
    expect([...call.query]).toEqual([
      ['ehr_id', 'a b'],
      ['x', '1 2'],
      ['y', ''],
    ])
  })

  it('refuses a parameter that is sent twice, however it is written', () => {
    for (const query of ['status=a&status=b', 'status=a&%73tatus=b', 'status&status'])
      expect(() => read(`/CarePlan?${query}`)).toThrow(
        refused('parameter_repeated') as unknown as Error,
      )
  })

  it('bounds addresses, parameters and values, on both sides of each bound', () => {
    expect(codeOf(() => read(`/a?b=${'x'.repeat(500)}`))).toBe('accepted')
    expect(codeOf(() => read(`/a?b=${'x'.repeat(501)}`))).toBe('parameter_invalid')
    expect(codeOf(() => read(`/${'a'.repeat(200)}`))).toBe('accepted')
    expect(codeOf(() => read(`/${'a'.repeat(201)}`))).toBe('parameter_invalid')
    const many = (count: number) => Array.from({ length: count }, (_, at) => `p${at}=1`).join('&')
    expect(codeOf(() => read(`/a?${many(20)}`))).toBe('accepted')
    expect(codeOf(() => read(`/a?${many(21)}`))).toBe('parameter_invalid')
    expect(codeOf(() => read(`/a?${'&'.repeat(2000)}`))).toBe('parameter_invalid')
  })

  it('names no value in what it refuses with', () => {
    for (const address of ['/9990000018%2f', '/a?9990000018=1', '/a?x=9990000018%00'])
      expect(
        String(
          (() => {
            try {
              return read(address)
            } catch (error) {
              return error
            }
          })(),
        ),
      ).not.toContain('9990000018')
  })

  it('yields, whatever is sent, only paths that no second reader can read otherwise', () => {
    const address = fc
      .array(fc.constantFrom('/', '..', '.', '%2f', '%2e', '%25', ';', '\\', 'a', '%00', ':', '~'))
      .map((parts) => `/${parts.join('')}`)
    fc.assert(
      fc.property(address, (text) => {
        try {
          const { path } = read(text)
          expect(path).toMatch(/^(?:\/|(\/[A-Za-z0-9_~$:-][A-Za-z0-9._:~$-]*)+)$/)
          expect(path).not.toContain('..')
          expect(new URL(`http://h${path}`).pathname).toBe(path)
        } catch (error) {
          expect(error).toEqual(refused('parameter_invalid'))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('writeQuery', () => {
  it('writes what readCall reads back', () => {
    const pairs = fc.uniqueArray(
      fc.tuple(fc.stringMatching(/^[a-z_]{1,10}$/), fc.string({ unit: 'grapheme', maxLength: 10 })),
      { selector: ([name]) => name, maxLength: 5 },
    )
    fc.assert(
      fc.property(pairs, (query) => {
        fc.pre(query.every(([, value]) => !/[\p{Cc}\p{Cs}]/u.test(value)))
        expect([...read(`/a?${writeQuery(query)}`).query]).toEqual(query)
      }),
    )
  })
})
