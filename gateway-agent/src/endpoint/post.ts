import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Shown } from '../access/access.ts'
import type { Params } from '../mcp/protocol.ts'
import type { Target } from './target.ts'

/** One JSON-RPC message of a client that asks for an answer. */
export type RpcRequest = { id: string | number; method: string; params?: Params }

/** A POST that was read and parsed. */
export type Post = {
  request: IncomingMessage
  response: ServerResponse
  target: Target
  /** Whom the entrance has let in: `anonymous` where nobody signs in. */
  principal: string
  /** The token that was shown, and whose it is. */
  tokenId: string | undefined
  subject: string | undefined
  /** Who really acts, where `subject` is somebody they act for. */
  impersonator: string | undefined
  shown: Shown | undefined
  /** Size of its body, where its head does not say it. */
  bytes?: number
}
