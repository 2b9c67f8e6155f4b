import { describe, expect, it } from '@jest/globals'
import type { Trail } from '../src/audit/trail.js'
import { createMetrics } from '../src/metrics.js'
import { alarming } from '../src/policy/alarm.js'
import { createPolicies } from '../src/policy/engine.js'
import { ordinarily } from '../src/policy/fields.js'
import { FILES } from './policy/asking.js'

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

  it('raise an alarm where a policy fails, with its id and nothing of the question', async () => {
    const metrics = createMetrics()
    const told: unknown[] = []
    const failing = `@id("at-no-hour") @layer("central") @reason("x")
forbid (principal, action, resource is Section) when { context.hour * 9223372036854775807 > 9 };`
    const engine = createPolicies({ ...FILES, 'policies/own.cedar': failing }, { version: 7 })
    const policies = alarming(engine, metrics.policyFailed, (failed) => told.push(failed))
    for (const section of ['contacts', 'symptoms'])
      expect(policies.decide(ordinarily('read', { type: 'section', id: section })).effect).toBe(
        'deny',
      )
    policies.decide(ordinarily('launch', { type: 'app', id: 'care-plan' }))
    expect(await metrics.text()).toContain(
      'launch_gateway_policy_failures_total{policy="at-no-hour"} 2',
    )
    expect(told).toEqual([{ version: 7, policies: ['at-no-hour'] }])
    engine.close()
  })

  it('do not count what lost its claim and so never happened', async () => {
    const metrics = createMetrics()
    await metrics
      .counting(trail(false))
      .commit({ record: [{ what: 'token_issued', outcome: 'success' }] })
    expect(await metrics.text()).not.toContain('token_issued')
  })
})
