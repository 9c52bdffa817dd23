import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { arch, hostname, release, type } from 'node:os'
import { GatewayCapability, GatewayDescriptionSchema, type GatewayDescription } from '@mcpg/proto/gen/types'
import { protocolRevision, version } from '@mcpg/proto/version'

/** What this agent can do; a control plane sends nothing that is not in here. */
export const capabilities = [
  GatewayCapability.REMOTE_CONFIG,
  GatewayCapability.AUTO_ROLLBACK,
  GatewayCapability.LOGS,
  GatewayCapability.REMOTE_CALLS,
  GatewayCapability.AUDIT,
  GatewayCapability.ACCESS_DOCUMENT,
  GatewayCapability.CALLER_GRANTS,
]

export function describeGateway({ endpoints }: { endpoints: string[] }): GatewayDescription {
  const description: MessageInitShape<typeof GatewayDescriptionSchema> = {
    softwareVersion: version,
    platform: `${process.platform}/${arch()}`,
    hostname: hostname(),
    reportedLabels: { os: type(), 'os-release': release(), node: process.version },
    minProtocolRevision: protocolRevision.min,
    maxProtocolRevision: protocolRevision.max,
    capabilities,
    endpoints,
  }
  return create(GatewayDescriptionSchema, description)
}
