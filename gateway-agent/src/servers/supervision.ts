import type { ConfigServer } from '@mcpg/proto/gateway-config'
import type { InstanceState, ServerState } from '@mcpg/proto/status'
import type { McpAnswer, McpAsk, McpConnection } from '../mcp/connection.ts'

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

/** What a call, or a session, wants of a process (or an upstream session) of its own. */
export type OwnWish = {
  /** Whose it is for life: a session's id, or a caller's. */
  owner: string
  belongsTo: 'session' | 'caller'
  /** What the owner can be asked, declared to the server when the process starts; empty: nothing, and nothing will be asked. */
  capabilities: Record<string, unknown>
  /** One call at a time, parked time included: what the server asks then belongs to that call. */
  exclusive: boolean
  /** Who answers what a process asks before its first call, as it may in a session; none: nobody. */
  onAsk?: (ask: McpAsk) => Promise<McpAnswer>
  /** Gives up waiting for a process that is not there yet. */
  signal?: AbortSignal
}

/** A process that belongs to its owner, held for one call (or, not exclusive, for one of several). */
export type Lease = {
  instanceId: string
  connection: McpConnection
  /** Who answers what the server asks while this is held. The last one set counts. */
  onAsk(answer: (ask: McpAsk) => Promise<McpAnswer>): void
  /** From now on the call waits for its client, and may be given up when others of the same owner have waited long enough. */
  park(giveUp: () => void): void
  resume(): void
  release(): void
}

/** The processes of one server that belong to somebody. */
export type OwnChildren = {
  /** A place for this session among `maxSessions`; false when there is none. A place without a process is given up when it is idle. */
  reserve(session: string): boolean
  /** `isFull` when a place is what was missing. Waits for a start and, exclusive, for one that is taken. */
  acquire(wish: OwnWish): Promise<Lease | { unavailable: string; isFull?: boolean }>
  /** The session has ended. */
  end(session: string): void
}

/** One server as the endpoint sees it. */
export type RoutedServer = {
  name: string
  config: ConfigServer
  /** The least loaded ready instance, or why there is none. `release` once per acquired call. */
  acquire(): { instanceId: string; connection: McpConnection; release(): void } | { unavailable: string }
  own: OwnChildren
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
