import { describe, expect, it } from '@jest/globals'
import { LOGOUT_EVENT, readLogout } from '../../src/core/logout-token.js'

const NOW = 1_790_000_000
const claims = (changes: object = {}) => ({
  ...{ iss: 'https://op.example', iat: NOW, jti: 'j1', sid: 's1' },
  events: { [LOGOUT_EVENT]: {} },
  ...changes,
})

describe('the claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4)', () => {
  it('name the session that is over', () => {
    expect(readLogout(claims(), NOW, 30)).toEqual({
      ...{ issuer: 'https://op.example', providerSession: 's1', jti: 'j1', iat: NOW },
    })
  })

  it.each([
    ['five minutes old, and the clock difference', NOW - 330, true],
    ['a second older', NOW - 331, false],
    ['of a clock that is ahead, within the difference', NOW + 30, true],
    ['a second further ahead', NOW + 31, false],
  ])('are %s', (_, iat, fine) => {
    const reading = () => readLogout(claims({ iat }), NOW, 30)
    if (fine) expect(reading().iat).toBe(iat)
    else expect(reading).toThrow('logout_token_invalid')
  })

  it.each([
    ['a nonce', { nonce: 'n' }],
    ['no event', { events: {} }],
    ['an event of a list', { events: { [LOGOUT_EVENT]: [] } }],
    ['neither person nor session', { sid: undefined }],
    ['an empty session', { sid: '' }],
    ['no jti', { jti: undefined }],
    ['a time in words', { iat: 'now' }],
  ])('are refused with %s', (_, changes) => {
    expect(() => readLogout(claims(changes), NOW, 30)).toThrow('logout_token_invalid')
  })

  it.each([[null], ['text'], [[]]])('are refused when they are no object: %p', (value) => {
    expect(() => readLogout(value, NOW, 30)).toThrow('logout_token_invalid')
  })
})
