import { describe, expect, it } from '@jest/globals'
import { Refusal, type RefusalCode } from '../../src/core/refusal.js'
import { presentedToken } from '../../src/oauth/presented.js'
import { StoreFailure } from '../../src/store/failure.js'

const shown = (error: Error, token = 'a.b.c') => {
  const fail = () => Promise.reject(error)
  return presentedToken({ tokens: { prove: fail, standingGrant: fail } } as never, token)
}
const REFRESH = `rft_${'0'.repeat(25)}.${'A'.repeat(32)}`

describe('A token that is shown', () => {
  it.each<RefusalCode>(['token_invalid', 'token_expired', 'token_ended'])(
    'is none when its use would be refused by %s',
    async (code) => {
      for (const token of ['a.b.c', REFRESH])
        expect(await shown(new Refusal(code, ''), token)).toEqual({ kind: 'none', why: code })
    },
  )

  it('is not called over because the store did not answer: nobody knows that', async () => {
    for (const token of ['a.b.c', REFRESH]) {
      const failure = new StoreFailure('unavailable', 'no answer')
      await expect(shown(failure, token)).rejects.toBe(failure)
      const stale = new Refusal('policy_stale', '')
      await expect(shown(stale, token)).rejects.toBe(stale)
    }
  })
})
