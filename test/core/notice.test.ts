import { describe, expect, it } from '@jest/globals'
import {
  inTurn,
  isGivenUp,
  logoutClaims,
  type Notice,
  newNotice,
  putOff,
  tried,
} from '../../src/core/notice.js'

const NOW = 1_000_000

describe('a notice to the apps of a sign-on that ended', () => {
  it('is due at once, then after a second, ten seconds, a minute and five minutes, and given up then', () => {
    let notice: Notice = newNotice('sgn_1', NOW)
    const waits: number[] = [notice.due - NOW]
    for (; !isGivenUp(notice); notice = putOff(tried(notice, NOW), [], NOW)) {
      const next = tried(notice, NOW)
      if (!isGivenUp(next)) waits.push(putOff(next, [], NOW).due - NOW)
    }
    expect(waits).toEqual([0, 1_000, 10_000, 60_000, 300_000])
    expect(notice.tries).toBe(5)
  })

  it('is taken up again later than a call may take, when whoever took it does not come back', () => {
    expect(tried(newNotice('sgn_1', NOW), NOW).due - NOW).toBe(16_000)
  })

  it('remembers who has heard it', () => {
    const first = putOff(tried(newNotice('sgn_1', NOW), NOW), ['a'], NOW)
    expect(putOff(tried(first, NOW), ['b'], NOW).told).toEqual(['a', 'b'])
  })

  it('that was never tried comes before one that waits for the third time', () => {
    const old = { ...newNotice('sgn_old', NOW - 60_000), tries: 3 }
    expect([old, newNotice('sgn_new', NOW)].sort(inTurn).map(({ signOn }) => signOn)).toEqual([
      'sgn_new',
      'sgn_old',
    ])
  })

  it('says who, which session and that it is over, and nothing that an id_token says (§2.4)', () => {
    const about = { signOn: 'sgn_1', subject: 'u', app: 'a' } as const
    const claims = logoutClaims(about, { issuer: 'https://i.example', jti: 'lgt_1', now: 1500 })
    expect(claims).toEqual({
      ...{ iss: 'https://i.example', aud: 'a', sub: 'u', sid: 'sgn_1', iat: 1, exp: 121 },
      ...{ jti: 'lgt_1', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    })
  })
})
