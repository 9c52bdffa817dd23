import type { PinAdvice, TrustProblem } from '@mcpg/core/tls-trust'
import { McpgError } from '@mcpg/proto/errors'

/** What is said to whoever runs an agent whose URL has no pin or a wrong one. */
export const urlAdvice: PinAdvice = { carrier: 'the enrollment URL', again: 'get a URL again: mcpg-ctl enroll create' }

/** Said as a sentence of its own. */
export function trustError({ code, reason, message, hint }: TrustProblem): McpgError {
  return new McpgError(code, reason, `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`, { hint })
}
