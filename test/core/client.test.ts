import { describe, expect, it } from '@jest/globals'
import { inlineKeys } from '../../src/core/client.js'

const NOW = Date.UTC(2026, 10, 26, 12)
const DAY = 86_400_000
const keys = { jwks: { keys: [] } }

describe('keys that stand in an app’s registration', () => {
  it('are old after a year', () => {
    expect(inlineKeys({ keys, keysSince: NOW - 365 * DAY }, NOW)).toEqual({ days: 365, old: false })
    expect(inlineKeys({ keys, keysSince: NOW - 366 * DAY }, NOW)).toEqual({ days: 366, old: true })
  })

  it('are old where nobody said since when', () => {
    expect(inlineKeys({ keys }, NOW)).toEqual({ days: undefined, old: true })
  })

  it('are none where they stand at an address, or nowhere', () => {
    expect(inlineKeys({ keys: { jwksUri: 'https://app.example/jwks' } }, NOW)).toBeUndefined()
    expect(inlineKeys({}, NOW)).toBeUndefined()
  })
})
