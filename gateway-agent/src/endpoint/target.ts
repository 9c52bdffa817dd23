import type { Era, McpFailure } from '../mcp/connection.ts'
import type { Implementation, Params } from '../mcp/protocol.ts'
import type { Viewer } from './asking/viewer.ts'
import type { ListKind } from './lists.ts'
import type { ServerBook } from './server-book.ts'

/** What a client is told about whom it talks to. */
export type TargetFacts = { serverInfo: Implementation; capabilities: Params; instructions: string | undefined }

/** Where a request goes, with the names the server knows. */
export type Route = {
  book: ServerBook
  params: Params
  /** Rewrites what the server's result says about URIs, in place; true when something changed. Undefined: nothing to rewrite. */
  rewrite?: (result: Params) => boolean
}

/** What the path itself answers, without a server's result. */
export type OwnAnswer = { answer: () => Promise<{ result: Params } | { error: McpFailure }> }

export type Routed = Route | OwnAnswer | { failure: McpFailure } | { unavailable: string }

/** What one path of the endpoint serves: everything, a project, or one server. */
export type Target = {
  /** Where clients find it. */
  path: string
  /** Whether events of this server concern its clients. */
  covers(server: string): boolean
  /** What clients call a resource of this server. */
  exposedUri(server: string, uri: string): string
  facts(client: Era): Promise<TargetFacts | { unavailable: string }>
  /** `viewer`: a client that can be asked, to whom servers may show more. */
  list(
    kind: ListKind,
    cursor: unknown,
    client: Era,
    viewer?: Viewer,
  ): Promise<{ json: string } | { failure: McpFailure } | { unavailable: string }>
  /** Of tools/call, prompts/get, resources/read, resources/subscribe, resources/unsubscribe and completion/complete. */
  route(method: string, params: Params, viewer?: () => Viewer | undefined): Routed | Promise<Routed>
  /** The servers that a level of the client's log concerns. */
  books(): readonly ServerBook[]
}

/** One sentence for a server that cannot be asked now. */
export function unavailableText(server: string, reason: string | undefined): string {
  const why = reason === undefined || reason === '' ? '' : ` (${reason.replace(/\.$/, '')})`
  return `The server "${server}" is not available now${why}. Try again later; "mcpg-ctl describe server ${server}" tells more.`
}

export function unknownServer(server: string): McpFailure {
  return { code: -32602, message: `No server named ${JSON.stringify(server)} is served here.` }
}
