import { describe, expect, it } from '@jest/globals'
import {
  type Caller,
  keyOf,
  LIMIT_NAMES,
  LIMITS,
  limitOf,
  networkOf,
  TooMany,
  windowEnd,
} from '../../src/core/rates.js'
import type { RefusalCode } from '../../src/core/refusal.js'

describe('who an address stands for', () => {
  // biome-ignore format: a table
  it.each([
    ['192.0.2.7',                          '192.0.2.7'],
    ['::ffff:192.0.2.7',                   '192.0.2.7'],
    ['::FFFF:192.0.2.7',                   '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6',               '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::',              '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff',   '2001:db8:1:2::/64'],
    ['2001:db8:1:3::6',                    '2001:db8:1:3::/64'],
    ['2001:db8::6',                        '2001:db8:0:0::/64'],
    ['fe80::1%eth0',                       'fe80:0:0:0::/64'],
    ['::1',                                '0:0:0:0::/64'],
    ['::',                                 '0:0:0:0::/64'],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  it.each([
    '',
    'unknown',
    '1::2::3',
    '1:2:3',
    '1:2:3:4:5:6:7:8:9',
    ':::',
    'x'.repeat(5000),
    '12345::',
  ])('what is no address counts as one: %p', (text) => {
    expect(networkOf(text)).toBe('unknown')
  })
})

describe('the table of limits', () => {
  const somebody: Caller = { address: '192.0.2.7', system: 'gp', organization: 'A1', user: '555' }

  it('counts whoever has proven who they are on their name, and not on the address that others share', () => {
    expect(keyOf('tokens', somebody)).toBe(keyOf('tokens', { ...somebody, address: '192.0.2.8' }))
    expect(keyOf('tokens', { address: '192.0.2.7' })).toBe('192.0.2.7')
  })

  it('counts a system’s name that is only claimed at the address that claims it', () => {
    const claimed = { address: '192.0.2.7', system: 'gp' }
    expect(keyOf('proofs', claimed)).not.toBe(keyOf('proofs', { ...claimed, address: '192.0.2.8' }))
    expect(keyOf('proofs', claimed)).not.toBe(keyOf('proofs', { ...claimed, system: 'other' }))
  })

  it('keeps a patient’s number out of every key', () => {
    const key = keyOf('patients', { ...somebody, patient: '9990000018' })
    expect(key).toBeDefined()
    expect(key).not.toContain('9990000018')
  })

  it.each<RefusalCode>([
    ...([
      'token_expired',
      'token_ended',
      'launch_expired',
      'launch_replayed',
      'policy_denied',
    ] as const),
    ...([
      'record_unavailable',
      'policy_stale',
      'scope_insufficient',
      'record_other_patient',
    ] as const),
  ])('leaves %s alone: it is no guess, and each is worth an entry', (code) => {
    expect(limitOf(code)).toBeUndefined()
  })

  it('counts each refusal in one row at most', () => {
    const codes = LIMIT_NAMES.flatMap((name) => {
      const { counts } = LIMITS[name]
      return typeof counts === 'string' ? [] : [...counts]
    })
    expect(new Set<string>(codes).size).toBe(codes.length)
    expect(codes).not.toContain('rate_limited')
  })
})

describe('a window', () => {
  it('ends at the same moment for everybody, and a new one begins there', () => {
    expect([0, 1, 59_999, 60_000].map((now) => windowEnd(now, 60_000))).toEqual([
      ...[60_000, 60_000, 60_000, 120_000],
    ])
  })

  // biome-ignore format: a table
  it.each([
    [1,         1,    'in 1 second.'],
    [1000,      1,    'in 1 second.'],
    [1001,      2,    'in 2 seconds.'],
    [119_000,   119,  'in 119 seconds.'],
    [3_541_000, 3541, 'in 60 minutes.'],
  ])('says when it is over: %d ms before its end, %d seconds', (left, wait, words) => {
    const key = '192.0.2.7'
    const excess = new TooMany({ limit: 'tokens', key, window: { until: left, count: 9 } }, 0)
    expect(excess.wait).toBe(wait)
    expect(excess.text).toContain(words)
    expect(excess.detail).toBe('tokens of 192.0.2.7')
  })

  it('never lets even the hash of a patient’s number into the trail’s detail', () => {
    const window = { until: 1, count: 9 }
    expect(new TooMany({ limit: 'patients', key: 'hash', window }, 0).detail).toBe('patients')
  })
})
