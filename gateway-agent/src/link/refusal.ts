import { Code, ConnectError } from '@connectrpc/connect'
import { codeOfGrpc, errorCodes, McpgError, type ErrorCode } from '@mcpg/proto/errors'

/**
 * What the control plane refused, with its reason and hint out of the trailers; null for a failure that is none of its words, e.g. no
 * connection.
 */
export function refusalOf(error: unknown): McpgError | null {
  if (!(error instanceof ConnectError)) return null
  const reason = error.metadata.get('mcpg-reason')
  if (!reason || error.code === Code.Unavailable) return null
  const named = error.metadata.get('mcpg-code') ?? ''
  const code = Object.hasOwn(errorCodes, named) ? (named as ErrorCode) : codeOfGrpc(error.code)
  const hint = error.metadata.get('mcpg-hint')
  return new McpgError(code, reason, error.rawMessage, hint ? { hint: decodeURIComponent(hint) } : {})
}
