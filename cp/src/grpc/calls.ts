import type { handleUnaryCall, sendUnaryData, ServerDuplexStream, ServerUnaryCall as UnaryCall } from '@grpc/grpc-js'
import type { Access } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import type { Log } from '@mcpg/core/log'
import { statusOf } from './errors.ts'
import type { Presented } from './peers.ts'
import { standingRefusal } from './standing.ts'
import type { GatewayIdentity, PublicHandler, StreamHandler, UnaryHandler } from './stream.ts'

/** Throws `unauthenticated` for a credential that nobody was ever given. */
export type Authenticate = (presented: Presented) => GatewayIdentity

/** A call that was refused; `gatewayId` where its credential was one of ours. */
export type RpcRefusal = { path: string; source: string; reason: string; gatewayId: string | null }

type AnyCall = { metadata: { get(key: string): unknown[] }; getPeer(): string; getPath(): string }

/** Every call passes here: who is it, may it, and how its failure is spelled. */
export function calls({
  authenticate,
  certificateOf,
  takesBearers,
  denied,
  log,
}: {
  authenticate: Authenticate
  certificateOf: (peer: string) => Presented['certificate']
  /** Only where nobody else can listen in: on loopback without TLS. */
  takesBearers: boolean
  denied: (refusal: RpcRefusal) => void
  log: Log
}) {
  const told = new WeakSet<AnyCall>()
  return { stream, unary, open }

  function stream<In, Out>(access: Access, handler: StreamHandler<In, Out>) {
    return (call: ServerDuplexStream<In, Out>) => {
      const end = (error?: unknown) => {
        if (error === undefined) return void call.end()
        tell(error, call)
        call.emit('error', statusOf(error))
      }
      try {
        attach(call, handler, identify(access, call), end)
      } catch (error) {
        end(error)
      }
    }
  }

  /** Whoever is not `active` is refused here; `anyStanding` is for a call that has something else to tell them. */
  function unary<In, Out>(access: Access, handler: UnaryHandler<In, Out>, { anyStanding = false } = {}): handleUnaryCall<In, Out> {
    return answer(async (call) => {
      const identity = identify(access, call)
      const refusal = anyStanding ? null : standingRefusal(identity.standing)
      if (refusal) throw refusal
      return await handler(call.request, { identity, source: sourceOf(call) })
    })
  }

  /** For methods whose access is `public`: the caller has no credential yet. */
  function open<In, Out>(access: Access, handler: PublicHandler<In, Out>): handleUnaryCall<In, Out> {
    return answer(async (call) => {
      if (access !== 'public') throw noAccess()
      return await handler(call.request, { source: sourceOf(call) })
    })
  }

  function answer<In, Out>(work: (call: UnaryCall<In, Out>) => Promise<Out>): handleUnaryCall<In, Out> {
    return (call, done) => void respond(call, done)

    async function respond(call: UnaryCall<In, Out>, done: sendUnaryData<Out>): Promise<void> {
      try {
        done(null, await work(call))
      } catch (error) {
        tell(error, call)
        done(statusOf(error))
      }
    }
  }

  function identify(access: Access, call: AnyCall): GatewayIdentity {
    if (access !== 'gateway') throw noAccess()
    const [authorization] = call.metadata.get('authorization')
    const bearer = /^Bearer (\S+)$/i.exec(String(authorization ?? ''))?.[1] ?? null
    const certificate = certificateOf(call.getPeer())
    if (bearer !== null && certificate === null && !takesBearers)
      throw new McpgError(
        'unauthenticated',
        'credential_kind_unsupported',
        'A bearer counts on loopback only; this listener takes certificates.',
        {
          hint: 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
        },
      )
    const identity = authenticate({ bearer, certificate })
    if (identity.standing !== 'active') tellDenied(call, `credential_${identity.standing}`, identity.gatewayId)
    return identity
  }

  function tell(error: unknown, call: AnyCall): void {
    if (error instanceof McpgError) {
      log.debug({ reason: error.reason, source: call.getPeer() }, 'call refused')
      if (error.code === 'unauthenticated' || error.code === 'forbidden') tellDenied(call, error.reason, null)
      return
    }
    log.error({ err: error }, 'a gRPC handler failed')
  }

  /** Once per call. */
  function tellDenied(call: AnyCall, reason: string, gatewayId: string | null): void {
    if (told.has(call)) return
    told.add(call)
    denied({ path: call.getPath(), source: sourceOf(call), reason, gatewayId })
  }
}

const noAccess = () => new McpgError('forbidden', 'no_access', 'No access rule lets this call in.')

/** grpc-js says `address:port`. */
const sourceOf = (call: AnyCall): string => call.getPeer().replace(/:\d+$/, '')

function attach<In, Out>(
  call: ServerDuplexStream<In, Out>,
  handler: StreamHandler<In, Out>,
  identity: GatewayIdentity,
  end: (error?: unknown) => void,
): void {
  let open = true
  if (call.cancelled) return
  const events = handler({ identity, source: call.getPeer(), send, end: close })
  call.on('data', receive)
  call.on('end', () => close())
  for (const event of ['cancelled', 'close', 'error']) call.on(event, finish)

  // The callback of a write comes when the HTTP/2 window had room for it: that is the back-pressure.
  function send(frame: Out, taken: () => void): void {
    if (open) call.write(frame, () => taken())
  }

  function receive(frame: In): void {
    if (!open) return
    try {
      events.frame(frame)
    } catch (error) {
      // A frame is handled long after the handler has returned; an error here belongs to the stream too.
      close(error)
    }
  }

  function close(error?: unknown): void {
    if (!open) return
    finish()
    end(error)
  }

  function finish(): void {
    if (!open) return
    open = false
    // Not in the caller's turn: a handler may end the stream before it has returned its events.
    queueMicrotask(() => events.closed())
  }
}
