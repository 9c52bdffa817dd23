/** MCP ≤ 2025-11-25 (initialize, sessions) or 2026-07-28 (stateless, `_meta` in every request). */
export type Era = 'legacy' | 'modern'

export type McpFailure = { code: number; message: string; data?: unknown }

/**
 * What a server answered: its result or its JSON-RPC error, both passed through as they came. `json` is the exact text of the result
 * where the transport kept it, so that an unchanged result need not be written again.
 */
export type McpOutcome = { result: Record<string, unknown>; json?: string } | { error: McpFailure }

/** A question of a server to its client, in the middle of a call. */
export type McpAsk = {
  method: string
  params: Record<string, unknown> | undefined
  /** Tells the server that somebody is at work on it; undefined when it did not ask to be told. */
  report: ((progress: Record<string, unknown>) => void) | undefined
  /** Set by who answers: called when nobody waits for the answer any more. */
  withdrawn: ((reason: string) => void) | undefined
}
export type McpAnswer = { result: Record<string, unknown> } | { error: McpFailure }

/** On whose behalf a conversation is held: what is declared to the server, and who answers what it asks. */
export type McpClient = { capabilities: Record<string, unknown>; onAsk: (ask: McpAsk) => Promise<McpAnswer> }

export type McpCall = {
  method: string
  /**
   * As the server knows it: its own names. The connection writes the ids and what the era adds. Of `_meta` it forwards what is not
   * the era's; a `progressToken` there is the caller's and comes back with its progress; in the modern era `clientCapabilities`,
   * `clientInfo` and `logLevel` of the caller are forwarded, in the legacy era the reserved keys are left out.
   */
  params?: Record<string, unknown> | undefined
  /** Progress of this call and, where the transport tells, log messages of it. */
  onNotification?: (method: string, params: Record<string, unknown>) => void
  /** Filled in by the connection: the id it has there. */
  id?: number
  /**
   * Filled in by the connection while the call is in flight: cancels it, by `notifications/cancelled` or, in the modern era over HTTP, by
   * the end of the response stream.
   */
  cancel?: ((this: McpCall, reason: string) => void) | undefined
  /** Filled in by the connection while the call is in flight: silence is allowed for so long from now, 10 min in all at most. */
  extend?: ((this: McpCall, ms: number) => void) | undefined
  /** Filled in by the connection: what the server asked for during this call without the capability having been declared. */
  refused?: string[]
  /** Silence after which the call is given up; progress resets it, 10 min at most. */
  timeoutMs?: number
}

/**
 * One proven conversation with an MCP server: it has answered `initialize` or `server/discover`. Unless it is held for a client that can
 * be asked, no client capabilities are declared and a server that asks for something is answered with an error by the connection itself.
 */
export type McpConnection = {
  era: Era
  protocolVersion: string
  serverInfo: { name: string; version: string; [key: string]: unknown }
  capabilities: Record<string, unknown>
  instructions: string | undefined
  /** Rejects with McpError `unavailable` when the connection ends, `timeout` when nothing came; never for an error of the server. */
  request(call: McpCall): Promise<McpOutcome>
  notify(method: string, params?: Record<string, unknown>): void
  /** Notifications that belong to no call: list_changed, resources/updated, message. The answer unsubscribes. */
  onNotification(listener: (method: string, params: Record<string, unknown>) => void): () => void
  inFlight(): number
  /** The result of its latest complete `tools/list`, whoever asked; undefined when there was none. */
  listedTools?: () => Record<string, unknown> | undefined
  /** Resolves once, when the conversation is over for whatever reason (CamelCase reason and a sentence). */
  closed: Promise<{ reason: string; message: string }>
  close(): Promise<void>
}
