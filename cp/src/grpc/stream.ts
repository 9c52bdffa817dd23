import type { McpgError } from '@mcpg/proto/errors'

/**
 * Who calls, from its credential. A gateway that is not `active` is let in only to be told so: deleted, revoked, locked because its key
 * was seen in two places, or presenting a certificate that a newer one has replaced.
 */
export type GatewayIdentity = { gatewayId: string; standing: 'active' | 'revoked' | 'deleted' | 'locked' | 'superseded' }

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

/** One question with one answer. `source` is the address of the socket peer without its port. */
export type UnaryHandler<In, Out> = (request: In, call: { identity: GatewayIdentity; source: string }) => Promise<Out>

/** The same for callers without a credential. */
export type PublicHandler<In, Out> = (request: In, call: { source: string }) => Promise<Out>
