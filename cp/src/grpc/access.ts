import type { Access } from '@mcpg/proto/access'
import type { GatewayService } from '@mcpg/proto/gen/gateway'

/** Who may call each RPC; a method that is missing here does not compile. */
export const rpcAccess = {
  connect: 'gateway',
} as const satisfies Record<keyof typeof GatewayService.method, Access>
