import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { openReach } from '../../src/keys/reach.js'

const closed = openReach([], false)
const HOST = 'keys.example'

describe('an address that somebody registered leads us', () => {
  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4009:81f::200e',
    '64:ff9b::101:101',
    '::ffff:1.1.1.1',
  ])('to %s, which is public', (address) => {
    expect(closed.permits(address, HOST)).toBe(true)
  })

  it.each([
    ['this host', ['0.0.0.0', '0.255.255.255', '::', '::0.0.0.0']],
    ['our own machine', ['127.0.0.1', '127.255.255.255', '::1', '::127.0.0.1']],
    ['a private network', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255']],
    ['a private network still', ['192.168.0.0', '192.168.255.255', '198.18.0.1', '198.19.255.255']],
    ['a carrier’s shared space', ['100.64.0.0', '100.127.255.255']],
    ['the link', ['169.254.0.0', '169.254.255.255', 'fe80::', 'febf::1', 'fe80::1%eth0']],
    [
      'a cloud’s metadata',
      ['169.254.169.254', 'fd00:ec2::254', '168.63.129.16', '100.100.100.200'],
    ],
    ['a unique local network', ['fc00::', 'fdff:ffff::1', 'fec0::1']],
    ['many at once', ['224.0.0.0', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    ['what is reserved', ['240.0.0.1', '192.0.2.1', '2001:db8::1', '100::1', '3fff::1']],
    ['an IPv4 address in IPv6', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1']],
    ['an IPv4 address in IPv6 still', ['::ffff:169.254.169.254', '::ffff:a00:1', '::ffff:0:0']],
    ['the same by translation', ['64:ff9b::7f00:1', '64:ff9b::10.1.2.3', '64:ff9b::a9fe:a9fe']],
    ['the same by a tunnel', ['64:ff9b:1::a00:1', '2002:7f00:1::', '2001::1', '2002:a00:1::1']],
    ['what is no address', ['', 'localhost', '127.1', '0x7f000001', '10.0.0.1/8', '1.2.3.4.5']],
  ])('never to %s', (_what, addresses) => {
    for (const address of addresses) {
      expect([address, closed.permits(address, HOST)]).toEqual([address, false])
    }
  })

  it('to whatever IPv4 address it is, the same however IPv6 writes it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const plain = closed.permits(address, HOST)
        expect(closed.permits(`::ffff:${address}`, HOST)).toBe(plain)
        expect(closed.permits(`64:ff9b::${address}`, HOST)).toBe(plain)
      }),
      { numRuns: 500 },
    )
  })
})

describe('the configuration', () => {
  it('opens a range, and nothing beside it', () => {
    const { permits } = openReach(['10.20.0.0/16', 'fd12:3456::/32'], false)
    for (const address of ['10.20.0.0', '10.20.255.255', '::ffff:10.20.0.1', 'fd12:3456::1']) {
      expect([address, permits(address, HOST)]).toEqual([address, true])
    }
    for (const address of ['10.19.255.255', '10.21.0.0', '127.0.0.1', 'fd12:3457::1']) {
      expect([address, permits(address, HOST)]).toEqual([address, false])
    }
  })

  it('opens a single address', () => {
    const { permits } = openReach(['192.168.7.7', 'fd00::7'], false)
    expect(permits('192.168.7.7', HOST)).toBe(true)
    expect(permits('192.168.7.8', HOST)).toBe(false)
    expect(permits('fd00::7', HOST)).toBe(true)
    expect(permits('fd00::8', HOST)).toBe(false)
  })

  it('opens private networks to a host by its exact name, and to no other host', () => {
    const { permits } = openReach(['keys.internal.nhs.uk'], false)
    expect(permits('10.1.1.1', 'keys.internal.nhs.uk')).toBe(true)
    expect(permits('fd00::1', 'keys.internal.nhs.uk')).toBe(true)
    for (const host of [
      'internal.nhs.uk',
      'a.keys.internal.nhs.uk',
      'keys.internal.nhs.uk.evil.example',
    ]) {
      expect([host, permits('10.1.1.1', host)]).toEqual([host, false])
    }
  })

  it('opens neither this machine nor a cloud’s metadata by a name', () => {
    const { permits } = openReach(['keys.internal.nhs.uk'], false)
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', 'fd00:ec2::254', '0.0.0.0']) {
      expect([address, permits(address, 'keys.internal.nhs.uk')]).toEqual([address, false])
    }
  })

  it('opens loopback to the demonstration, under loopback’s own names only', () => {
    const { permits } = openReach([], true)
    for (const host of ['localhost', 'app.localhost', '127.0.0.1', '::1']) {
      expect(permits('127.0.0.1', host)).toBe(true)
      expect(permits('::1', host)).toBe(true)
      expect(permits('10.0.0.1', host)).toBe(false)
    }
    for (const host of [HOST, 'localhost.example', 'notlocalhost']) {
      expect(permits('127.0.0.1', host)).toBe(false)
    }
  })
})
