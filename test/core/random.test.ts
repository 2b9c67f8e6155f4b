import { describe, expect, it } from '@jest/globals'
import { inBulk } from '../../src/core/random.js'

/** Counts: byte after byte, so that one that comes twice shows. */
function counting() {
  let next = 0
  const asked: number[] = []
  const source = (bytes: number): Uint8Array => {
    asked.push(bytes)
    return Buffer.from(Array.from({ length: bytes }, () => next++ % 251))
  }
  return { source, asked }
}

describe('random bytes drawn in bulk', () => {
  it('are those of the generator, none given twice and none left between', () => {
    const { source } = counting()
    const random = inBulk(source)
    const drawn = Array.from({ length: 170 }, () => [...random(24)]).flat()
    expect(drawn).toEqual(Array.from({ length: 170 * 24 }, (_, index) => index % 251))
  })

  it('ask the generator anew once too few are left, and never hand out fewer than asked', () => {
    const { source, asked } = counting()
    const random = inBulk(source)
    const draws = Array.from({ length: 300 }, () => random(15).length)
    expect(new Set(draws)).toEqual(new Set([15]))
    expect(asked).toEqual([4096, 4096])
  })

  it('stay what they were when later ones are drawn, or when their holder changes them', () => {
    const { source } = counting()
    const random = inBulk(source)
    const first = random(4)
    random(4).fill(9)
    expect([...first]).toEqual([0, 1, 2, 3])
    expect([...random(4)]).toEqual([8, 9, 10, 11])
  })

  it('come straight from the generator when many are asked for at once', () => {
    const { source, asked } = counting()
    inBulk(source)(2048)
    expect(asked).toEqual([2048])
  })
})
