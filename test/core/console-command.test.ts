/** Codes that a member types for a command. @see RFC 8628 §6.1 */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { newUserCode, readUserCode } from '../../src/core/console-command.js'

const CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/
const from = (bytes: readonly number[]) => {
  let at = 0
  return (count: number) =>
    Uint8Array.from({ length: count }, () => bytes[at++ % bytes.length] ?? 0)
}

describe('a code', () => {
  it('is eight letters that make no word, each as likely as the others', () => {
    // 240 and more would make the first sixteen letters likelier: they are drawn again.
    expect(newUserCode(from([255, 240, 239, 0, 19, 20]))).toBe('ZBZB-ZBZB')
    const letters = new Set(Array.from({ length: 240 }, (_, byte) => newUserCode(from([byte]))[0]))
    expect(letters.size).toBe(20)
  })

  it('is known again however it is typed, and nothing else is', () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 239 }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.constantFrom('', '-', ' ', '  '), (drawn, lower, gap) => {
        const code = newUserCode(from(drawn))
        expect(code).toMatch(CODE)
        const typed = ` ${code.replace('-', gap)} `
        expect(readUserCode(lower ? typed.toLowerCase() : typed)).toBe(code)
      }),
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = readUserCode(text)
        expect(read === undefined || CODE.test(read)).toBe(true)
      }),
    )
    for (const none of ['', 'BCDF-GHJ', 'BCDF-GHJKL', 'ABCD-EFGH', 'BCDF-GHJ1', 'ＢCDF-GHJK'])
      expect(readUserCode(none)).toBeUndefined()
  })
})
