/**
 * Which network addresses we may call for others' sake. An address that somebody registered could point at
 * our own machine, at the network around us or at a cloud's secrets; what is not plainly public is refused.
 *
 * @see RFC 6890 (special-purpose addresses); RFC 6052 (IPv4 within IPv6)
 */
import { BlockList, isIP } from 'node:net'

type Range = readonly [net: string, prefix: number]

/** Never meant by a name: only a range in the configuration opens one of these. */
const NEVER: readonly Range[] = [
  ['0.0.0.0', 8], // this host
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, and most clouds' metadata
  ['100.100.100.200', 32], // a cloud's metadata
  ['168.63.129.16', 32], // a cloud's metadata, in what looks public
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['192.88.99.0', 24], // relays, retired
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['64:ff9b:1::', 48], // translation of a network's own choice
  ['100::', 64], // discard
  ['2001::', 23], // protocol assignments, Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
  ['5f00::', 16], // segment routing
  ['fd00:ec2::', 32], // a cloud's metadata
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local, retired
  ['ff00::', 8], // multicast
]

/** Networks of organisations: a host that the configuration names may be here. */
const PRIVATE: readonly Range[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10], // carriers' shared space
  ['198.18.0.0', 15], // benchmarks
  ['fc00::', 7], // unique local
]

const LOOPBACK: readonly Range[] = [
  ['127.0.0.0', 8],
  ['::1', 128],
]

/** How an IPv4 address is written as an IPv6 one: mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052 §2.1). */
const WITHIN_IPV6 = ['::ffff:', '64:ff9b::'] as const

function listOf(ranges: readonly Range[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of ranges) {
    if (isIP(net) === 6) list.addSubnet(net, prefix, 'ipv6')
    else {
      list.addSubnet(net, prefix, 'ipv4')
      for (const before of WITHIN_IPV6) list.addSubnet(`${before}${net}`, 96 + prefix, 'ipv6')
    }
  }
  return list
}

const never = listOf(NEVER)
const within = listOf(PRIVATE)
const loopback = listOf(LOOPBACK)

/** A name or an address of this very machine. @param host without brackets */
export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '::1'

const rangeOf = (entry: string): Range => {
  const [net = '', prefix] = entry.split('/')
  return [net, prefix === undefined ? (isIP(net) === 6 ? 128 : 32) : Number(prefix)]
}

export interface Reach {
  /**
   * @param address what a host was resolved to, or the host itself where it is an address
   * @param host as the URL names it, without brackets
   */
  permits(address: string, host: string): boolean
}

/**
 * @param allow host names, addresses and ranges (CIDR) that may be called although they are not public
 * @param allowLoopback hosts that are called loopback may be it: the demonstration only
 */
export function openReach(allow: readonly string[], allowLoopback: boolean): Reach {
  const isRange = (entry: string): boolean => isIP(entry.split('/')[0] ?? '') !== 0
  const ranges = listOf(allow.filter(isRange).map(rangeOf))
  const hosts = new Set(allow.filter((entry) => !isRange(entry)).map((host) => host.toLowerCase()))
  return {
    permits(address, host) {
      // An IPv6 address may come with the interface that it is reached by.
      const bare = address.replace(/%.*$/, '')
      const family = isIP(bare)
      if (family === 0) return false
      const isIn = (list: BlockList) => list.check(bare, family === 6 ? 'ipv6' : 'ipv4')
      if (isIn(ranges)) return true
      if (allowLoopback && isLoopbackHost(host)) return isIn(loopback)
      return !isIn(never) && (!isIn(within) || hosts.has(host))
    },
  }
}
