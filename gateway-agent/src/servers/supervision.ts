import type { ConfigServer } from '@mcpg/proto/gateway-config'
import type { InstanceState, ServerState } from '@mcpg/proto/status'
import type { McpConnection } from '../mcp/connection.ts'

/** A server of a config with its sub-hash (lower-case hex of SHA-256 over its JSON as it stands in the document). */
export type DesiredServer = { config: ConfigServer; subHash: string }

export type InstanceReport = {
  instanceId: string
  state: InstanceState
  /** CamelCase: ExitedEarly, InitializeTimeout, SpawnFailed, InstallFailed, SecretUnavailable, ToolsListFailed, LineTooLong, ExitedUnexpectedly … */
  reason?: string
  message?: string
  exitCode?: number
  signal?: string
  /** At most 20 lines and 4 KiB, redacted. */
  lastLogLines: string[]
  protocolVersion?: string
  startTime?: number
  readyTime?: number
  restartCount: number
  inFlight: number
  /** It serves one client session or one caller alone; it is no replica and proves nothing. */
  belongsTo?: 'session' | 'caller'
}

export type ServerReport = {
  name: string
  subHash: string
  state: ServerState
  lastError?: string
  restartCount: number
  desired: number
  resolvedVersion?: string
  instances: InstanceReport[]
}

/** Why a new or changed server did not make it; `install` tells INSTALL_FAILED from UNHEALTHY. */
export type ServerFailure = { server: string; reason: string; message: string; install: boolean; report: ServerReport }

/**
 * A change from what runs to `next`: make before break. Unchanged servers (same sub-hash) are not touched. Until `commit` the old
 * servers serve; a newer change takes over what an uncommitted one is starting alike and ends the rest; `commit` switches routing at once and drains and stops the old ones behind it; `abort` stops what was started.
 */
export type Change = {
  /** Names that are new or changed. */
  changed: string[]
  /**
   * Resolves when every gating server is proven, also one that runs already and is not changed by this, or as soon as one has failed or
   * passed its deadline. After `abort`, and when a newer change replaces this one: with reason Stopped.
   */
  proven: Promise<{ failures: ServerFailure[] }>
  commit(): void
  abort(): Promise<void>
  /**
   * After `commit`: resolves when every gating instance has been ready for `probationMs` without a break (null), or with the first that
   * ended by itself. An aborted signal resolves null.
   */
  probation(probationMs: number, signal: AbortSignal): Promise<ServerFailure | null>
}

/** One server as the endpoint sees it. */
export type RoutedServer = {
  name: string
  config: ConfigServer
  /** The least loaded ready instance, or why there is none. `release` once per acquired call. */
  acquire(): { instanceId: string; connection: McpConnection; release(): void } | { unavailable: string }
  /** Calls back when another connection became ready or the last one ended. The answer unsubscribes. */
  onConnection(listener: () => void): () => void
}

/** Everything the rest of the agent may ask of the supervisor. */
export type Servers = {
  change(next: DesiredServer[], gating: ReadonlySet<string>): Change
  report(): ServerReport[]
  /** Calls back after any change of any report, coalesced to one call per turn of the event loop. */
  onReport(listener: () => void): () => void
  /** What is routed now, by name. */
  routed(): ReadonlyMap<string, RoutedServer>
  /** Calls back when the set of routed servers or one of their configs changed. */
  onRouting(listener: () => void): () => void
  /** Ends one instance; it is replaced. False when there is none of that id. */
  stopInstance(instanceId: string): boolean
  /** Stops everything; afterwards no process of any server is left. */
  stop(): Promise<void>
}
