import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { errorCodes, McpgError } from '@mcpg/proto/errors'

/**
 * An error as a gRPC status. `mcpg-code` and `mcpg-reason` in the trailers are what an agent branches on, never the text; whatever is
 * not ours becomes `internal` and keeps its text for the log.
 */
export function statusOf(error: unknown): StatusObject {
  const known = error instanceof McpgError ? error : new McpgError('internal', 'internal', 'The control plane failed; its log says why.')
  const metadata = new Metadata()
  metadata.set('mcpg-code', known.code)
  metadata.set('mcpg-reason', known.reason)
  // Trailers hold ASCII; a hint may name anything, so it travels encoded.
  if (known.hint) metadata.set('mcpg-hint', encodeURIComponent(known.hint))
  if (known.retryAfterSeconds !== undefined) metadata.set('retry-after', String(known.retryAfterSeconds))
  return { code: errorCodes[known.code].grpc, details: known.message, metadata }
}
