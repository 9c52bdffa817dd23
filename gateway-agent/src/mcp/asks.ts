import type { McpAnswer, McpAsk, McpClient } from './connection.ts'
import { isObject, rpcCodes, type Params } from './protocol.ts'

/** What a client has to declare before it may be asked for this. */
const capabilityOf = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
] as const)
export type AskCapability = 'sampling' | 'elicitation' | 'roots'

/** The capability a request of a server needs; undefined for what no client can be asked for. */
export function capabilityFor(method: string): AskCapability | undefined {
  return (capabilityOf as ReadonlyMap<string, AskCapability>).get(method)
}

type Wire = {
  /** Undefined: nothing was declared, so whatever is asked is refused. */
  client: McpClient | undefined
  /** Sends the answer, or a notification about it. */
  send: (message: Params) => void
  /** Something was asked that was not declared. */
  onRefused: (method: string) => void
}

/**
 * Everything a legacy server asks of us over one connection: answered here when it asks for what was not declared, else by whoever speaks
 * for the client. What the server withdraws, and what is open when the connection ends, gets no answer.
 */
export function serverAsks({ client, send, onRefused }: Wire) {
  const open = new Map<string, McpAsk>()
  return { ask, withdraw, endAll }

  function ask(id: unknown, method: string, params: unknown): void {
    if (method === 'ping') return send({ jsonrpc: '2.0', id, result: {} })
    const capability = capabilityFor(method)
    if (!client || capability === undefined || client.capabilities[capability] === undefined) {
      onRefused(method)
      const message = `This client has not declared the capability that ${method} needs.`
      return send({ jsonrpc: '2.0', id, error: { code: rpcCodes.methodNotFound, message } })
    }
    const key = JSON.stringify(id)
    const given = isObject(params) ? params : undefined
    const one: McpAsk = { method, params: given, report: reportingTo(given), withdrawn: undefined }
    open.set(key, one)
    client.onAsk(one).then(
      (answer) => settle(key, id, answer),
      (error: unknown) => settle(key, id, { error: { code: rpcCodes.internal, message: String(error) } }),
    )
  }

  function settle(key: string, id: unknown, answer: McpAnswer): void {
    if (open.delete(key)) send({ jsonrpc: '2.0', id, ...answer })
  }

  /** A server that wants progress waits longer while it gets some. */
  function reportingTo(params: Params | undefined): ((progress: Params) => void) | undefined {
    const meta = params?.['_meta']
    const token = isObject(meta) ? meta['progressToken'] : undefined
    if (token === undefined) return undefined
    return (progress) => send({ jsonrpc: '2.0', method: 'notifications/progress', params: { ...progress, progressToken: token } })
  }

  /** The server does not want the answer any more. */
  function withdraw(requestId: unknown, reason: unknown): void {
    const key = JSON.stringify(requestId)
    const one = open.get(key)
    if (open.delete(key)) one?.withdrawn?.(typeof reason === 'string' ? reason : 'The server has withdrawn its question.')
  }

  function endAll(reason: string): void {
    const asks = [...open.values()]
    open.clear()
    for (const one of asks) one.withdrawn?.(reason)
  }
}
