import type { Registry } from '../gateways/registry.ts'
import type { Happening, Tell } from './events.ts'

export type GatewayEvent = Pick<Happening, 'reason' | 'warning' | 'message'>
/** Something happened to a gateway, or to a server on it. */
export type TellOfGateway = (gatewayId: string, event: GatewayEvent, server?: string) => void

export function gatewayEvents({ tell, registry }: { tell: Tell; registry: Pick<Registry, 'get'> }): TellOfGateway {
  return (gatewayId, event, server) => {
    const gateway = registry.get(gatewayId)
    if (!gateway) return
    const object = server === undefined ? { kind: 'Gateway', name: gateway.name } : { kind: 'Server', name: server, server }
    tell({ scope: gateway, gateway: gateway.name, ...object, ...event })
  }
}
