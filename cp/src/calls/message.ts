import { McpgError } from '@mcpg/proto/errors'

/**
 * What is read of a message. `method` and `target` are told in the audit trail: names, never arguments. `stateKey` is of the gateway that
 * parked the call of which this is the retry.
 */
export type Named = { method: string; target: string | undefined; stateKey?: string | undefined }

/** Reads what a body asks for. Throws McpgError `invalid` for what is no JSON-RPC message and `unsupported` for what never ends. */
export function namesIn(body: Uint8Array): Named {
  let message: unknown
  try {
    message = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    throw new McpgError('invalid', 'malformed_json', 'The body is not JSON.')
  }
  if (Array.isArray(message)) return { method: 'batch', target: undefined }
  if (typeof message !== 'object' || message === null)
    throw new McpgError('invalid', 'not_json_rpc', 'The body is no JSON-RPC message.', { hint: 'send one message of MCP' })
  const { method, params } = message as { method?: unknown; params?: unknown }
  if (method === 'subscriptions/listen')
    throw new McpgError('unsupported', 'no_streams', 'A stream of notifications does not go through the control plane.', {
      hint: 'open it at the endpoint of the gateway',
    })
  return { method: typeof method === 'string' ? method.slice(0, 128) : 'answer', target: targetOf(params), stateKey: stateKeyOf(params) }
}

/** `mcpg1.<key id>.<sealed>`: what a gateway gave the client of a call that waits there for its input. */
function stateKeyOf(params: unknown): string | undefined {
  const { requestState } = (params ?? {}) as { requestState?: unknown }
  return typeof requestState === 'string' ? /^mcpg1\.([0-9a-f]{8})\./.exec(requestState)?.[1] : undefined
}

/** A tool or prompt by name, a resource by URI without what may be an argument in it. */
function targetOf(params: unknown): string | undefined {
  const { name, uri } = (params ?? {}) as { name?: unknown; uri?: unknown }
  if (typeof name === 'string') return name.slice(0, 256)
  return typeof uri === 'string' ? uri.replace(/[?#].*$/s, '').slice(0, 256) : undefined
}
