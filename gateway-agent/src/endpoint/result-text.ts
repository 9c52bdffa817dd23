import { capabilityFor } from '../mcp/asks.ts'
import type { Era, McpFailure, McpOutcome } from '../mcp/connection.ts'
import { inputRequiredByUrl } from './asking/url-first.ts'
import { metaKeys, metaOf, rpcCodes, type Implementation, type Params } from '../mcp/protocol.ts'

export type Shaped = { json: string } | { failure: McpFailure; status: number }

/** What only the modern era has in results. */
const modernFields = ['resultType', 'ttlMs', 'cacheScope'] as const

/**
 * The answer of a server of one era as a client of the other expects it. Where nothing has to change the server's own text is handed on;
 * `changed` tells that the caller has altered the result, so that the text no longer is what it says.
 */
export function shapeOutcome(
  outcome: McpOutcome,
  {
    client,
    server,
    method,
    serverInfo,
    changed,
    refused,
    declared,
  }: {
    client: Era
    server: Era
    method: string
    serverInfo: Implementation
    changed: boolean
    /** What the server asked for in vain. */
    refused?: readonly string[] | undefined
    /** What the client could be asked; a server that may not ask for it is no reason to say that the client lacks it. */
    declared?: Params | undefined
  },
): Shaped {
  const missing = client === 'modern' && refused ? missingCapability(outcome, refused, declared) : undefined
  if (missing) return missing
  if ('error' in outcome) {
    const first = client === 'modern' && server === 'legacy' ? inputRequiredByUrl(outcome.error) : undefined
    if (first && declared?.['elicitation'] !== undefined) return { json: JSON.stringify(first) }
    return shapeError(outcome.error, client, method)
  }
  const { result } = outcome
  const text = changed ? undefined : outcome.json
  if (client === server) return { json: text ?? JSON.stringify(result) }
  return client === 'modern' ? { json: asModern(result, text, method, serverInfo) } : asLegacy(result, method)
}

/** A modern client that could be asked, but has not said so, is told what the call needs once it has failed without. */
function missingCapability(outcome: McpOutcome, refused: readonly string[], declared: Params = {}): Shaped | undefined {
  const hasFailed = 'error' in outcome || outcome.result['isError'] === true
  const needed = new Set(refused.map(capabilityFor).filter((name) => name !== undefined && declared[name] === undefined))
  if (!hasFailed || needed.size === 0) return undefined
  const requiredCapabilities = Object.fromEntries([...needed].map((name) => [name, {}]))
  const message = `The server needs to ask the client for ${[...needed].join(' and ')}, which the request does not declare.`
  return { failure: { code: rpcCodes.missingCapability, message, data: { requiredCapabilities } }, status: 400 }
}

function shapeError(failure: McpFailure, client: Era, method: string): Shaped {
  if (client === 'legacy') {
    // The legacy era has no such error; a result at least reaches the model.
    const isAsking = failure.code === rpcCodes.missingCapability && method === 'tools/call'
    return isAsking ? { json: toolError(failure.message) } : { failure, status: 200 }
  }
  if (failure.code === rpcCodes.resourceNotFound) return { failure: { ...failure, code: rpcCodes.invalidParams }, status: 200 }
  return { failure, status: statusOf(failure.code) }
}

/** Errors that servers give a call are in the body; only these two are HTTP statuses too, wherever they come from. */
function statusOf(code: number): number {
  if (code === rpcCodes.methodNotFound) return 404
  return code === rpcCodes.missingCapability ? 400 : 200
}

/** A legacy result gets what the modern era requires; a result without `_meta` only needs text put in front. */
function asModern(result: Params, text: string | undefined, method: string, serverInfo: Implementation): string {
  const cache = method === 'resources/read' ? '"ttlMs":0,"cacheScope":"private",' : ''
  if (text !== undefined && result['_meta'] === undefined && result['resultType'] === undefined) {
    const rest = text.slice(1)
    const comma = /^\s*\}/.test(rest) ? '' : ','
    return `{"resultType":"complete",${cache}"_meta":${serverMeta(serverInfo)}${comma}${rest}`
  }
  const caching = cache ? { ttlMs: 0, cacheScope: 'private' } : {}
  return JSON.stringify({ ...caching, ...result, resultType: 'complete', _meta: { ...metaOf(result), [metaKeys.serverInfo]: serverInfo } })
}

export function serverMeta(serverInfo: Implementation): string {
  return `{${JSON.stringify(metaKeys.serverInfo)}:${JSON.stringify(serverInfo)}}`
}

function asLegacy(result: Params, method: string): Shaped {
  const type = result['resultType']
  if (type !== undefined && type !== 'complete') {
    const message =
      type === 'input_required'
        ? 'The server wants to ask the client something before it answers, which reaches only clients that speak MCP 2026-07-28.'
        : `The server answered with a result of the type ${JSON.stringify(type)}, which clients of this protocol version do not know.`
    return method === 'tools/call' ? { json: toolError(message) } : { failure: { code: rpcCodes.internal, message }, status: 200 }
  }
  const plain: Params = { ...result }
  for (const field of modernFields) delete plain[field]
  const meta = metaOf(result)
  if (meta) {
    const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => !key.startsWith(metaKeys.prefix)))
    if (Object.keys(kept).length > 0) plain['_meta'] = kept
    else delete plain['_meta']
  }
  return { json: JSON.stringify(plain) }
}

/** A failure of ours that a model should read and may react to. */
export function toolError(message: string, extra: Params = {}): string {
  return JSON.stringify({ content: [{ type: 'text', text: message }], isError: true, ...extra })
}
