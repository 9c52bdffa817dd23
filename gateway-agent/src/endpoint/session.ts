import type { ServerResponse } from 'node:http'
import type { McpCall } from '../mcp/connection.ts'
import type { Params } from '../mcp/protocol.ts'
import type { LogLevel } from './log-levels.ts'
import { writeEvent } from './reply.ts'
import type { Watcher } from './resource-watch.ts'
import type { Target } from './target.ts'

/** The conversation with one legacy client, from its initialize on. */
export type Session = {
  id: string
  target: Target
  protocolVersion: string
  level: LogLevel | undefined
  /** Calls in flight by the text of the client's id, for its notifications/cancelled. */
  calls: Map<string, McpCall>
  streams: Set<ServerResponse>
  watcher: Watcher
  createdAt: number
  usedAt: number
}

/** Tells the client something that belongs to no request. On one stream only; without one it is lost, as the protocol allows. */
export function tell(session: Session, method: string, params: Params | undefined): void {
  for (const stream of session.streams) {
    if (stream.destroyed) continue
    const text = params === undefined ? '' : `,"params":${JSON.stringify(params)}`
    return writeEvent(stream, `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${text}}`)
  }
}
