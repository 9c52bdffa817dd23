import { create } from '@bufbuild/protobuf'
import { BlockList, isIP } from 'node:net'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { X509ChainSchema, type X509Chain } from '@mcpg/proto/gen/types'
import type { Authority } from '../keys/authority.ts'
import { verifyRequest } from './proofs.ts'

const maxNames = 64

/** Addresses that mean something only inside one network: nobody's public site lies there. */
const privateNetworks = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv4')
privateNetworks.addAddress('::1', 'ipv6')
privateNetworks.addSubnet('fc00::', 7, 'ipv6')

/** Endings that no public name has. */
const privateSuffixes = ['localhost', 'local', 'internal', 'lan', 'home.arpa', 'test']

export type EndpointRules = {
  /** Names that are those of the control plane itself: a gateway with such a certificate could pose as it. */
  controlPlaneNames: () => string[]
  /** `--endpoint-domain`: public names at or below one of these may be certified. */
  domains: string[]
}

/** The chain for the gateway and the names in it, for the trail. */
export type EndpointLeaf = { chain: X509Chain; names: string[] }

export type Endpoints = ReturnType<typeof endpointCertificates>

/**
 * Server certificates for the MCP endpoints of gateways that bind beyond loopback. A gateway asks for its own names; it gets those that
 * nobody outside of its network could mistake for theirs (`docs/protocol.md`). The others are left out: a host has addresses that it
 * does not choose, and the gateway sees in the certificate what it got.
 */
export function endpointCertificates({
  authority,
  timers,
  rules,
  log,
}: {
  authority: Authority
  timers: Timers
  rules: EndpointRules
  log: Log
}) {
  return { issue }

  /** `source` is the address that the gateway calls from. Throws `forbidden` when no name is left, with the reason for each. */
  async function issue(csr: Uint8Array, gatewayId: string, source: string): Promise<EndpointLeaf> {
    const { publicKey, names } = await verifyRequest(csr, 'endpointCsr')
    if (names.length === 0 || names.length > maxNames)
      throw new McpgError('invalid', 'csr_invalid', `endpointCsr must ask for 1 to ${maxNames} names.`)
    const asked = names.map(({ type, value }) => ({ type, value: value.toLowerCase() }))
    const refused = asked.flatMap((name, index) => violationOf(name, index, source))
    const granted = asked.filter((name) => reasonAgainst(name, source) === null)
    if (granted.length === 0)
      throw new McpgError('forbidden', 'endpoint_name_refused', refused.map(({ detail }) => detail).join(' '), {
        violations: refused,
        hint: 'name the endpoint otherwise with --bind and --allowed-host, or give it a certificate of its own: --tls-cert-file, --tls-key-file',
      })
    if (refused.length > 0) log.warn({ gatewayId, refused: refused.map(({ detail }) => detail) }, 'names of an endpoint were not certified')
    const { chain } = await authority.issue({
      subject: `CN=${gatewayId} endpoint`,
      publicKey,
      names: granted.map(({ type, value }) => ({ type: type === 'ip' ? ('ip' as const) : ('dns' as const), value })),
      use: 'server',
      lifeMs: timers.certificateLife,
    })
    return { chain: create(X509ChainSchema, { certificates: chain }), names: granted.map(({ value }) => value) }
  }

  function violationOf(name: Asked, index: number, source: string): Violation[] {
    const why = reasonAgainst(name, source)
    return why === null ? [] : [{ pointer: `/endpointCsr/names/${index}`, detail: `${printable(name.value)}: ${why}.` }]
  }

  function reasonAgainst({ type, value }: Asked, source: string): string | null {
    if (type !== 'dns' && type !== 'ip') return 'only host names and addresses are certified'
    if (value.includes('*')) return 'wildcards are not certified'
    if (isLoopbackName(value)) return null
    if (rules.controlPlaneNames().includes(value)) return 'this is a name of the control plane'
    if (type === 'ip')
      return isPrivateAddress(value) || value === source ? null : 'a public address must be the one that the gateway calls from'
    if (!hostName.test(value)) return 'this is not a host name'
    const isPrivate = !value.includes('.') || privateSuffixes.some((suffix) => value.endsWith(`.${suffix}`))
    if (isPrivate || rules.domains.some((domain) => value === domain || value.endsWith(`.${domain}`))) return null
    return 'a public name needs --endpoint-domain at the control plane'
  }
}

type Asked = { type: string; value: string }

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

const isLoopbackName = (name: string): boolean => name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))

const isPrivateAddress = (address: string): boolean => privateNetworks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
