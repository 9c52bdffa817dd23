import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { isLoopbackHost } from './http-guard.ts'

/** What this machine is called and where it is reached; replaced in tests. */
export type Machine = { hostname: string; addresses: string[] }

/** Host name and the addresses of interfaces that others can reach: link-local ones need a zone, which no certificate can name. */
export function thisMachine(): Machine {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const reachable = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address)).map(({ address }) => address)
  return { hostname: hostname().toLowerCase(), addresses: [...new Set(reachable)] }
}

const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || /^[0:]+$/.test(host)

/**
 * The names that the control plane's certificate has, without duplicates: of each listener that speaks TLS its address, or, for one
 * that is bound to every address, the machine's name, its addresses and the loopback ones; then what the operator named.
 */
export function certificateNames({ hosts, named }: { hosts: string[]; named: string[] }, machine: Machine = thisMachine()): string[] {
  const bound = hosts.flatMap((host) =>
    isAnyAddress(host) ? [...machine.addresses, machine.hostname, 'localhost', '127.0.0.1', '::1'] : [host],
  )
  return [...new Set([...bound, ...named].map(bareHost).filter((name) => name !== ''))]
}

/** The host under which a listener is best reached from elsewhere. */
export function advertisedHost(host: string, machine: Machine = thisMachine()): string {
  if (!isAnyAddress(host)) return host
  return machine.addresses.find((address) => isIP(address) === 4) ?? machine.addresses[0] ?? machine.hostname
}

/** Lower case, without port and brackets. */
export function bareHost(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1]
  return (bracketed ?? (isIP(host) === 6 ? host : host.replace(/:\d+$/, ''))).toLowerCase()
}

export const speaksTls = (host: string): boolean => !isLoopbackHost(host)
