import { describe, expect, it } from '@jest/globals'
import type { Chart } from '../../src/core/context-id.js'
import { newLaunchId } from '../../src/core/ids.js'
import { NO_SYSTEM } from '../../src/core/launch-system.js'
import { moveChart } from '../../src/launch/chart.js'

const NOW = Date.parse('2026-11-23T12:00:00Z')
const launchAt = (minute: number, patient: string) => ({
  launch: { id: newLaunchId(minute * 60_000, () => new Uint8Array(8)) },
  patient: { nhsNumber: patient },
})
const signOn = (id: string, until = NOW + 1_000) => ({ id: `sgn_${id}`, until })

async function moved(
  rule: 'never' | 'other-patient' | 'always',
  next: ReturnType<typeof launchAt>,
  charts: readonly (Chart | undefined)[] = [undefined],
  signOns = [signOn('a')],
) {
  const parts = {
    store: { getAll: async () => charts },
    clock: () => NOW,
    lifetimes: { offline: 100 },
  }
  const system = { ...NO_SYSTEM, id: 'gp', supersede: rule }
  return moveChart(parts as never, system, next as never, signOns as never)
}

describe('a chart that a launch moves', () => {
  const first = launchAt(1, 'peggy')
  const chart: Chart = { launch: first.launch.id, patient: 'peggy', from: first.launch.id }

  it('is not kept for a system that supersedes nothing', async () => {
    expect(await moved('never', first)).toEqual({ puts: [] })
  })

  it('is kept as long as anything that was opened before could still write', async () => {
    const { puts, ...more } = await moved('other-patient', first)
    expect(more).toEqual({})
    expect(puts).toEqual([{ kind: 'chart', id: 'sgn_a/gp', value: chart, until: NOW + 100_000 }])
    const long = await moved('always', first, [undefined], [signOn('a', NOW + 200_000)])
    expect(long.puts[0]?.until).toBe(NOW + 200_000)
  })

  it('is moved under every sign-on of the user in this browser, each once', async () => {
    const all = [signOn('a'), signOn('b'), signOn('a')]
    const { puts } = await moved('other-patient', launchAt(2, 'winston'), [chart, chart], all)
    expect(puts.map((put) => 'id' in put && put.id)).toEqual(['sgn_a/gp', 'sgn_b/gp'])
  })

  it('says which launch it closed, when it closed one', async () => {
    const to = async (rule: 'other-patient' | 'always', patient: string) =>
      (await moved(rule, launchAt(2, patient), [chart])).supersedes
    expect(await to('other-patient', 'winston')).toBe(first.launch.id)
    expect(await to('other-patient', 'peggy')).toBeUndefined()
    expect(await to('always', 'peggy')).toBe(first.launch.id)
  })
})
