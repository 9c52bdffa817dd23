import type { McpClient, McpConnection } from '../../mcp/connection.ts'

/** How an instance ended, or why it never became ready. Reasons are CamelCase. */
export type InstanceEnd = { reason: string; message: string; exitCode?: number; signal?: string }

/** A failure with its reason, before there is an instance that could end. */
export class StartFailure extends Error {
  override name = 'StartFailure'
  readonly reason: string
  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

export type LaunchIo = {
  instanceId: string
  /** Whom the server may ask; none: nobody. */
  client?: McpClient | undefined
  /** A line of the server that is no protocol: its stderr, and what it prints beside the protocol. */
  onLine: (stream: 'stderr' | 'stdout', line: string) => void
  /** So many lines of its stderr were read and not kept. */
  onLost: (lines: number) => void
}

/** Where a server comes from: how it is got, started and ended. One per running server. */
export type Runtime = {
  /** Gets what a start needs; `onInstalling` when that takes work. Rejects with StartFailure. Nothing to do a second time. */
  prepare(io: { onInstalling: () => void; signal: AbortSignal }): Promise<{ resolvedVersion?: string }>
  /** Rejects with StartFailure when nothing was started. */
  launch(io: LaunchIo): Promise<Running>
  /** Takes what the server knows and nobody else may out of a text. */
  hide?: (text: string) => string
}

export type Running = {
  /** The handshake. Rejects with McpgError; `retry` asks to launch again at once, because the next attempt will be another one. */
  connect(timeoutMs: number): Promise<McpConnection>
  retry(): boolean
  /** Resolves when the server ended; without `reason` it was its process that exited. */
  ended: Promise<Partial<InstanceEnd>>
  /** Ends it in order; afterwards nothing is left. Can be called at any time and more than once. */
  stop(): Promise<void>
}
