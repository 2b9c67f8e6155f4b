import { describe, expect, it } from '@jest/globals'
import { gatewayFile } from '../../src/core/settings.js'

const { outbound } = gatewayFile.shape
const allows = (entry: unknown): boolean => outbound.safeParse({ allow: [entry] }).success

describe('where keys may be fetched although it is not public', () => {
  it('is nowhere, unless the configuration says so', () => {
    expect(outbound.parse(undefined)).toEqual({ allow: [] })
    expect(outbound.parse({})).toEqual({ allow: [] })
  })

  it.each([
    'keys.internal.nhs.uk',
    'keys',
    'xn--80ak6aa92e.example',
    '10.20.30.40',
    '10.20.0.0/16',
    'fd12:3456::/32',
    'fd12:3456::7',
  ])('may be %s', (entry) => {
    expect(allows(entry)).toBe(true)
  })

  it.each([
    '',
    '*',
    '*.nhs.uk',
    'Keys.nhs.uk',
    'keys.nhs.uk.',
    'keys.nhs.uk:8443',
    'https://keys.nhs.uk',
    'keys.nhs.uk/jwks',
    '10.20',
    '10.20.0.0/33',
    '10.20.0.0/',
    '10.20.0.0/255.255.0.0',
    'fd12::/129',
    '[fd12::1]',
    '0x0a000001',
    -1,
    null,
  ])('is never %j', (entry) => {
    expect(allows(entry)).toBe(false)
  })
})
