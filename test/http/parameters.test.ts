import { describe, expect, it } from '@jest/globals'
import type { Request } from 'express'
import { parameters } from '../../src/http/parameters.js'

const inAddress = (query: string) =>
  parameters({ method: 'GET', originalUrl: `/x?${query}` } as Request)
const inForm = (body: string) => parameters({ method: 'POST', body } as Request)

describe.each([
  ['an address', inAddress],
  ['a form', inForm],
])('a parameter in %s', (_where, read) => {
  it('that is sent without a value is as if it were not sent (RFC 6749 §3.1, §3.2)', () => {
    expect([...read('scope=&state=a&nonce&code=+')]).toEqual([
      ['state', 'a'],
      ['code', ' '],
    ])
  })

  it('that stands twice is refused, with a value or without', () => {
    for (const twice of ['scope=&scope=', 'scope=a&scope=', 'scope=&scope=a', 'scope=a&scope=a'])
      expect(() => read(twice)).toThrow('parameter_repeated')
  })

  it('counts, though it has no value', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `x${i}=`).join('&')
    expect(read(many(100)).size).toBe(0)
    expect(() => read(many(101))).toThrow('parameter_invalid')
  })
})
