import type { McpFailure } from '../../../mcp/connection.ts'
import { rpcCodes, type Params } from '../../../mcp/protocol.ts'

/** How a call ended that a retry may still ask for. */
export type Ending = 'answered' | 'expired' | 'given_up'

const unsure = 'whether it had any effect is unknown. Repeat it only if that does no harm.'

/** Changed, of another caller or other arguments, or sealed with a key that is not here. */
export function notReadable(reason: 'invalid_request_state' | 'unknown_key'): McpFailure {
  const message = `The requestState does not belong to this request (${reason}). Nothing was executed.`
  return { code: rpcCodes.invalidParams, message, data: { reason } }
}

export function expired(afterMs: number): McpFailure {
  const message = `The call waited longer than ${afterMs / 1000} s for this answer and was given up; ${unsure}`
  return { code: rpcCodes.invalidParams, message, data: { reason: 'expired', sideEffects: 'unknown' } }
}

export function used(): McpFailure {
  const message = 'This requestState has been answered already. Nothing was executed a second time.'
  return { code: rpcCodes.invalidParams, message, data: { reason: 'already_used' } }
}

export function restarted(): McpFailure {
  return unknownEnd('gateway_restarted', 'The gateway has been restarted and the call ended with it')
}

export function unknownEnd(reason: 'gateway_restarted' | 'call_ended' | 'upstream_died', what: string): McpFailure {
  const message = `${what.replace(/\.$/, '')}; ${unsure}`
  return { code: rpcCodes.internal, message, data: { reason, sideEffects: 'unknown' } }
}

/** Beside a result that says "later". */
export const busy: Params = { _meta: { 'dev.mcpg/retryAfterMs': 2_000 } }
