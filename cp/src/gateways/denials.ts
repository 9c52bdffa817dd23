import { anonymousCaller, gatewayCaller } from '../access/caller.ts'
import type { Denials } from '../audit/denials.ts'
import type { RpcRefusal } from '../grpc/calls.ts'
import type { Registry } from './registry.ts'

/** Refused calls as denials: in the trail of the organization of the gateway where its credential names one, else in the platform's. */
export function tellRefusedRpcs({ denials, registry }: { denials: Pick<Denials, 'note'>; registry: Pick<Registry, 'get'> }) {
  return ({ path, source, reason, gatewayId }: RpcRefusal): void => {
    const caller = gatewayId === null ? anonymousCaller({ source, requestId: '' }) : gatewayCaller(gatewayId, source)
    const row = gatewayId === null ? undefined : registry.get(gatewayId)
    const place = row ? { org: row.org, workspace: row.workspace, name: row.name } : {}
    const target = gatewayId === null ? {} : { kind: 'Gateway', uid: gatewayId, ...place }
    denials.note({ caller, operation: path, reason, target })
  }
}
