import type { Access } from '@mcpg/proto/access'
import type { DeliveryService } from '@mcpg/proto/gen/delivery'
import type { EnrollmentService } from '@mcpg/proto/gen/enrollment'
import type { GatewayService } from '@mcpg/proto/gen/gateway'

/** Who may call each RPC; a method that is missing here does not compile. */
export const rpcAccess = {
  gateway: {
    connect: 'gateway',
    renewCredential: 'gateway',
  },
  enrollment: {
    // Whoever recovers has no valid certificate; it answers a challenge instead.
    beginRecovery: 'public',
    completeRecovery: 'public',
  },
  delivery: {
    fetchSecrets: 'gateway',
  },
} as const satisfies {
  gateway: Record<keyof typeof GatewayService.method, Access>
  enrollment: Record<keyof typeof EnrollmentService.method, Access>
  delivery: Record<keyof typeof DeliveryService.method, Access>
}
