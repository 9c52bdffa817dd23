import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** The address of a socket peer without the IPv6 wrapping of an IPv4 one. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

export function isLoopback(address: string): boolean {
  const plain = plainAddress(address)
  return isIP(plain) !== 0 && loopback.check(plain, family(plain))
}

/** True when the list is empty or one of its networks holds the address. */
export function isAllowed(address: string, cidrs: string[]): boolean {
  if (cidrs.length === 0) return true
  const plain = plainAddress(address)
  if (isIP(plain) === 0) return false
  const networks = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix = ''] = cidr.split('/')
    networks.addSubnet(network, Number(prefix), family(network))
  }
  return networks.check(plain, family(plain))
}
