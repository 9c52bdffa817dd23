import { McpgError } from '@mcpg/proto/errors'
import { maxAnswerBytes, type Failure } from './lines.ts'

/** As they would be refused now; the call had begun. */
export function cutOff({ code, reason, message, hint }: McpgError, gateway: string): McpgError {
  const text = `${message} The call was cut off at ${gateway}; whether it was carried out is not known.`
  return new McpgError(code, reason, text, { ...(hint !== undefined && { hint }) })
}

/**
 * A call through the control plane that came to nothing, for its caller. What may have reached the server is never a 503: clients repeat
 * those by themselves, and a tool call is not idempotent.
 */
export function callFailure({ reason, message }: Failure, gateway: string, deadlineMs: number): McpgError {
  const hint = `mcpg-ctl describe gateway/${gateway}`
  switch (reason) {
    case 'policy_denied':
      return new McpgError('forbidden', reason, `${gateway} takes no calls from the control plane: ${message}`, {
        hint: 'the owner of that machine decides; its own clients reach the endpoint as before',
      })
    case 'too_large':
      return new McpgError('too_large', 'answer_too_large', message || `The answer has more than ${maxAnswerBytes} bytes.`, {
        status: 502,
        hint,
      })
    case 'busy':
      return new McpgError('unavailable', 'gateway_busy', `${gateway} has too many calls under way; this one was not begun.`, {
        retryAfterSeconds: 1,
      })
    case 'refused':
      return new McpgError('invalid', 'call_refused', `${gateway} did not take the request: ${message}`, { hint })
    case 'timeout':
      return new McpgError('timeout', 'call_timeout', `${gateway} did not answer within ${deadlineMs / 1000} s; the call was cancelled.`, {
        hint,
      })
    case 'gateway_lost':
      return new McpgError(
        'unavailable',
        reason,
        `The stream of ${gateway} broke before the answer was here; whether the call was carried out is not known.`,
        { status: 502, hint },
      )
    default:
      return new McpgError('unavailable', 'call_broken', `${gateway} broke the call off: ${message || reason}`, { status: 502, hint })
  }
}
