import type { McpgError } from '@mcpg/proto/errors'

/** Who opened a stream, from its credential; a deleted or revoked gateway is let in only to be told so. */
export type GatewayIdentity = { gatewayId: string; standing: 'active' | 'revoked' | 'deleted' }

/** One bidirectional stream as a feature sees it, whatever carries it. */
export type Stream<Out> = {
  identity: GatewayIdentity
  /** Address of the socket peer. */
  source: string
  /** Calls `taken` once the peer has made room for the frame: a reader that stops reading holds it back. */
  send(frame: Out, taken: () => void): void
  /** Ends the stream after what was sent: with status OK, or with the error. */
  end(error?: McpgError): void
}

/** What a feature does with a stream; `closed` comes exactly once, `frame` never after it. */
export type StreamEvents<In> = { frame(frame: In): void; closed(): void }

export type StreamHandler<In, Out> = (stream: Stream<Out>) => StreamEvents<In>
