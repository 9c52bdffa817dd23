import { TerminateReason } from '@mcpg/proto/gen/gateway'
import type { GatewayEnding } from '../gateways/service.ts'

/** What a stream is told whose credential counts no more. */
export const endings: Record<GatewayEnding, { reason: TerminateReason; message: string }> = {
  deleted: { reason: TerminateReason.DECOMMISSIONED, message: 'this gateway was deleted' },
  revoked: { reason: TerminateReason.REVOKED, message: 'the credential was revoked' },
  locked: {
    reason: TerminateReason.LOCKED,
    message: 'the identity is locked: its key was used in two places. Delete the gateway and enroll it again',
  },
}
