import type { Random } from './values.js'

const BULK = 4096
/** What is asked for in one go goes by: keys are made seldom. */
const LARGEST = 64

/**
 * The same generator, asked for many bytes at once: a launch draws eight times, and each time costs nearly
 * what 4,096 bytes do. No byte is given twice, and none is kept once it was given.
 */
export function inBulk(source: Random): Random {
  let pool = new Uint8Array(0)
  let at = 0
  return (bytes) => {
    if (bytes > LARGEST) return source(bytes)
    if (at + bytes > pool.length) {
      pool = Uint8Array.from(source(BULK))
      at = 0
    }
    const drawn = new Uint8Array(bytes)
    drawn.set(pool.subarray(at, at + bytes))
    pool.fill(0, at, at + bytes)
    at += bytes
    return drawn
  }
}
