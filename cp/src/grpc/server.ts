import { Server, ServerCredentials, type ConnectionInjector, type ServerDuplexStream } from '@grpc/grpc-js'
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { ConnectRequest, ConnectResponse } from '@mcpg/proto/gen/gateway'
import { GatewayService } from '@mcpg/proto/gen/gateway'
import { McpgError } from '@mcpg/proto/errors'
import { listenFailure } from '../http/listen-failure.ts'
import { rpcAccess } from './access.ts'
import { statusOf } from './errors.ts'
import { serviceDefinition } from './service-definition.ts'
import type { GatewayIdentity, StreamHandler } from './stream.ts'

export type GrpcSettings = { host: string; port: number; maxConnections?: number }

/** Throws `unauthenticated` for a credential that nobody was ever given. */
export type Authenticate = (bearer: string) => Promise<GatewayIdentity>

export type GrpcHandlers = { connect: StreamHandler<ConnectRequest, ConnectResponse> }

type Call = ServerDuplexStream<ConnectRequest, ConnectResponse>

// A replica that comes up later gets its share of the fleet only if streams end some day; grpc-js adds ±10 %.
const maxConnectionAgeMs = 30 * 60_000
const maxFrameBytes = 4 * 1024 * 1024
/** From the end of the streams to the end of the connections at shutdown: gateways end them when they have read the last frame. */
const closeGraceMs = 2_000

/**
 * The listener of the agents: plain HTTP/2 on loopback. The accept loop is ours, so that connections are bounded before a byte of
 * HTTP/2 is read. Every RPC passes one wrapper that checks its access and spells its errors.
 */
export function grpcServer({
  settings: { host, port, maxConnections = 20_000 },
  log,
  authenticate,
  handlers,
  beforeClose,
}: {
  settings: GrpcSettings
  log: Log
  authenticate: Authenticate
  handlers: GrpcHandlers
  /** Runs once nothing new is accepted any more and before connections are closed. */
  beforeClose: () => Promise<void>
}) {
  let listener: NetServer | undefined
  let injector: ConnectionInjector | undefined
  let server: Server | undefined
  const part: Part = { name: 'grpc', start, stop }
  return { part, address }

  /** `http://host:port` as bound, as configured before that. */
  function address(): string {
    const bound = listener?.address() as AddressInfo | null | undefined
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound?.port ?? port}`
  }

  async function start(fail: (error: unknown) => void): Promise<void> {
    server = new Server({
      'grpc.max_receive_message_length': maxFrameBytes,
      'grpc.max_connection_age_ms': maxConnectionAgeMs,
      'grpc.max_connection_age_grace_ms': 60_000,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_concurrent_streams': 16,
      // Channelz keeps a record of every call; with ten thousand streams it is the biggest thing in memory.
      'grpc.enable_channelz': 0,
    })
    server.addService(serviceDefinition(GatewayService), { connect: (call: Call) => void serve(call, handlers.connect) })
    injector = server.createConnectionInjector(ServerCredentials.createInsecure())
    listener = createServer({ noDelay: true }, (socket) => injector?.injectConnection(socket))
    listener.maxConnections = maxConnections
    listener.on('drop', () => log.warn({ maxConnections }, 'gRPC connection refused: the limit is reached'))
    await listen(listener, host, port)
    listener.on('error', fail)
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => (listener?.listening ? listener.close(() => resolve()) : resolve()))
    await beforeClose()
    injector?.drain(closeGraceMs)
    const deadline = setTimeout(() => server?.forceShutdown(), closeGraceMs)
    await closed
    clearTimeout(deadline)
    injector?.destroy()
    server?.forceShutdown()
  }

  async function serve(call: Call, handler: GrpcHandlers['connect']): Promise<void> {
    const end = (error?: unknown) => {
      if (error instanceof McpgError) log.debug({ reason: error.reason, source: call.getPeer() }, 'stream refused')
      else if (error !== undefined) log.error({ err: error }, 'a gRPC handler failed')
      if (error === undefined) call.end()
      else call.emit('error', statusOf(error))
    }
    try {
      const identity = await identify(call)
      attach(call, handler, identity, end)
    } catch (error) {
      end(error)
    }
  }

  async function identify(call: Call): Promise<GatewayIdentity> {
    if (rpcAccess.connect !== 'gateway') throw new McpgError('forbidden', 'no_access', 'No access rule lets this call in.')
    const [authorization] = call.metadata.get('authorization')
    const bearer = /^Bearer (\S+)$/i.exec(String(authorization ?? ''))?.[1]
    if (!bearer)
      throw new McpgError('unauthenticated', 'credential_missing', 'The stream carries no credential.', {
        hint: 'enroll the gateway: mcpg-ctl gateway --enrollment-url <url>',
      })
    return await authenticate(bearer)
  }
}

function attach(call: Call, handler: GrpcHandlers['connect'], identity: GatewayIdentity, end: (error?: unknown) => void): void {
  let open = true
  if (call.cancelled) return
  const events = handler({ identity, source: call.getPeer(), send, end: close })
  call.on('data', receive)
  call.on('end', () => close())
  for (const event of ['cancelled', 'close', 'error']) call.on(event, finish)

  // The callback of a write comes when the HTTP/2 window had room for it: that is the back-pressure.
  function send(frame: ConnectResponse, taken: () => void): void {
    if (open) call.write(frame, () => taken())
  }

  function receive(frame: ConnectRequest): void {
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

async function listen(listener: NetServer, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen({ host, port }, () => {
      listener.off('error', reject)
      resolve()
    })
  }).catch((error: unknown) => {
    throw listenFailure(error, { flag: '--bind-grpc', host, port })
  })
}
