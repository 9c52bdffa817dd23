import type { ServerResponse } from 'node:http'
import type { Shown } from '../access/access.ts'
import type { From } from '../audit/witness.ts'
import type { McpAnswer, McpCall } from '../mcp/connection.ts'
import type { Params } from '../mcp/protocol.ts'
import type { LogLevel } from './log-levels.ts'
import { writeEvent, type Reply } from './reply.ts'
import type { Watcher } from './resource-watch.ts'
import type { Target } from './target.ts'

/** A question that a legacy client has not answered yet; `settle` takes the first answer and no other. */
export type OpenAsk = { settle: (answer: McpAnswer) => void; progress: ((params: Params) => void) | undefined }

/** The conversation with one legacy client, from its initialize on. */
export type Session = {
  id: string
  target: Target
  /** Whom the entrance let in when it was opened; nobody else's requests are taken in it. */
  principal: string
  /** What let them in; of several the one that holds longest. */
  shown: Shown | undefined
  protocolVersion: string
  /** Who began it. */
  from: From
  level: LogLevel | undefined
  /** What its client can be asked; undefined: nothing. */
  declared: Params | undefined
  /** Questions it has not answered yet, by our id. */
  asks: Map<string, OpenAsk>
  /** Answers to its calls in flight; the latest one is where questions go. */
  legs: Set<Reply>
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
