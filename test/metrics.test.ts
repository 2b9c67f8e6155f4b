import { describe, expect, it } from '@jest/globals'
import type { Trail } from '../src/audit/trail.js'
import { createMetrics } from '../src/metrics.js'

const trail = (won: boolean): Trail => ({
  record: async () => undefined,
  commit: async () => won,
  checkpoint: async () => undefined,
  close: async () => undefined,
})

describe('operators’ figures', () => {
  it('count what is on record, by outcome and refusal, and name nobody', async () => {
    const metrics = createMetrics()
    const counted = metrics.counting(trail(true))
    await counted.commit({
      record: [{ what: 'launch_verified', outcome: 'success', user: { id: 'somebody' } }],
    })
    await counted.record({ what: 'launch_refused', outcome: 'refused', refusal: 'launch_expired' })
    const text = await metrics.text()
    expect(text).toContain(
      'launch_gateway_happenings_total{what="launch_verified",outcome="success",refusal=""} 1',
    )
    expect(text).toContain('refusal="launch_expired"} 1')
    expect(text).not.toContain('somebody')
  })

  it('do not count what lost its claim and so never happened', async () => {
    const metrics = createMetrics()
    await metrics
      .counting(trail(false))
      .commit({ record: [{ what: 'token_issued', outcome: 'success' }] })
    expect(await metrics.text()).not.toContain('token_issued')
  })
})
