import { lookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Agent, fetch as fetchBy } from 'undici'
import { isLoopbackHost } from './http-guard.ts'

const maxBodyBytes = 1 << 20
const timeoutMs = 10_000

/** Where no document of a stranger may send us: this machine, private networks, link-local (metadata services), multicast, unspecified. */
const inner = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  inner.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  inner.addSubnet(network, bits, 'ipv6')

/** True for an address that only this machine or its network reaches; IPv4 in IPv6 counts as IPv4. */
export function isInnerAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return inner.check(mapped, 'ipv4')
  return inner.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * `fetch` for URLs that another party names (key sets, token endpoints). https only, no redirects, 10 s, 1 MiB. The host that the
 * operator named may be anywhere, on loopback also by http; every other host must have public addresses only, looked at when the
 * connection is made so that a name cannot change its mind.
 */
export function safeFetch(named: URL): typeof fetch {
  const isNamed = (hostname: string) => hostname === named.hostname
  const guarded: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? []
      if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), '', 0)
      if (!isNamed(hostname) && addresses.some(({ address }) => isInnerAddress(address)))
        return callback(new Error(`${hostname} is an address of an inner network`), '', 0)
      if (options.all) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
  const dispatcher = new Agent({ connect: { lookup: guarded }, keepAliveTimeout: 1_000 })
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    refuse(url)
    const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])]
    const asked = { ...init, redirect: 'error', signal: AbortSignal.any(signals), dispatcher }
    const response = await fetchBy(url, asked as Parameters<typeof fetchBy>[1])
    const body = await bounded(response.body as AsyncIterable<Uint8Array> | null, url)
    const headers = [...response.headers] as [string, string][]
    return new Response(response.status === 204 || response.status === 304 ? null : body, { status: response.status, headers })
  }

  function refuse({ protocol, hostname, host }: URL): void {
    const isPlainLoopback = protocol === 'http:' && isLoopbackHost(hostname) && isLoopbackHost(named.hostname)
    if (protocol !== 'https:' && !isPlainLoopback) throw new Error(`${host} is not reached by https`)
    const literal = hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(literal) !== 0 && !isNamed(hostname) && isInnerAddress(literal)) throw new Error(`${host} is an address of an inner network`)
  }
}

async function bounded(body: AsyncIterable<Uint8Array> | null, { host }: URL): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > maxBodyBytes) throw new Error(`the answer of ${host} is longer than 1 MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
