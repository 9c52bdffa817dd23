import { Server, ServerCredentials, type ConnectionInjector } from '@grpc/grpc-js'
import { constants } from 'node:crypto'
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net'
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { DeliveryService, type FetchSecretsRequest, type FetchSecretsResponse } from '@mcpg/proto/gen/delivery'
import {
  EnrollmentService,
  type BeginRecoveryRequest,
  type BeginRecoveryResponse,
  type CompleteRecoveryRequest,
  type CompleteRecoveryResponse,
} from '@mcpg/proto/gen/enrollment'
import {
  GatewayService,
  type ConnectRequest,
  type ConnectResponse,
  type RenewCredentialRequest,
  type RenewCredentialResponse,
} from '@mcpg/proto/gen/gateway'
import { listenFailure } from '../http/listen-failure.ts'
import type { ServerCertificate } from '@mcpg/core/server-certificate'
import { onlyTls } from '@mcpg/core/only-tls'
import { advertisedHost } from '@mcpg/core/machine-names'
import { rpcAccess } from './access.ts'
import { calls, type Authenticate, type RpcRefusal } from './calls.ts'
import { peerBook } from './peers.ts'
import { serviceDefinition } from './service-definition.ts'
import type { PublicHandler, StreamHandler, UnaryHandler } from './stream.ts'

export type { Authenticate }

export type GrpcSettings = { host: string; port: number; tls: boolean; maxConnections?: number }

/** How the listener shows itself and whose certificates it believes (PEM); absent: plain HTTP/2. */
export type GrpcTls = { certificate: ServerCertificate; clientAuthorities: () => string }

export type GrpcHandlers = {
  connect: StreamHandler<ConnectRequest, ConnectResponse>
  renewCredential: UnaryHandler<RenewCredentialRequest, RenewCredentialResponse>
  beginRecovery: PublicHandler<BeginRecoveryRequest, BeginRecoveryResponse>
  completeRecovery: PublicHandler<CompleteRecoveryRequest, CompleteRecoveryResponse>
  fetchSecrets: UnaryHandler<FetchSecretsRequest, FetchSecretsResponse>
}

// A replica that comes up later gets its share of the fleet only if streams end some day; grpc-js adds ±10 %.
const maxConnectionAgeMs = 30 * 60_000
const maxFrameBytes = 4 * 1024 * 1024
/** From the end of the streams to the end of the connections at shutdown: gateways end them when they have read the last frame. */
const closeGraceMs = 2_000

/**
 * The listener of the agents: plain HTTP/2 on loopback, TLS with client certificates everywhere else. The accept loop is ours, so that
 * connections are bounded before a byte of HTTP/2 is read. Every RPC passes one wrapper that checks its access and spells its errors.
 */
export function grpcServer({
  settings: { host, port, maxConnections = 20_000 },
  tls,
  log,
  authenticate,
  denied,
  handlers,
  beforeClose,
}: {
  settings: Omit<GrpcSettings, 'tls'>
  tls: GrpcTls | null
  log: Log
  authenticate: Authenticate
  denied: (refusal: RpcRefusal) => void
  handlers: GrpcHandlers
  /** Runs once nothing new is accepted any more and before connections are closed. */
  beforeClose: () => Promise<void>
}) {
  let listener: NetServer | undefined
  let injector: ConnectionInjector | undefined
  let server: Server | undefined
  let dropSilent = () => {}
  const peers = peerBook()
  const part: Part = { name: 'grpc', start, stop }
  return { part, address }

  /** `http://host:port` as bound, as configured before that; https where it speaks TLS, with a host that others can reach. */
  function address(): string {
    const bound = listener?.address() as AddressInfo | null | undefined
    const name = advertisedHost(host)
    return `${tls ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${bound?.port ?? port}`
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
    const { stream, unary, open } = calls({ authenticate, certificateOf: peers.of, takesBearers: tls === null, denied, log })
    server.addService(serviceDefinition(GatewayService), {
      connect: stream(rpcAccess.gateway.connect, handlers.connect),
      renewCredential: unary(rpcAccess.gateway.renewCredential, handlers.renewCredential, { anyStanding: true }),
    })
    server.addService(serviceDefinition(EnrollmentService), {
      beginRecovery: open(rpcAccess.enrollment.beginRecovery, handlers.beginRecovery),
      completeRecovery: open(rpcAccess.enrollment.completeRecovery, handlers.completeRecovery),
    })
    server.addService(serviceDefinition(DeliveryService), {
      fetchSecrets: unary(rpcAccess.delivery.fetchSecrets, handlers.fetchSecrets),
    })
    injector = server.createConnectionInjector(ServerCredentials.createInsecure())
    listener = tls ? secureListener(tls) : createServer({ noDelay: true }, (socket) => injector?.injectConnection(socket))
    listener.maxConnections = maxConnections
    listener.on('drop', () => log.warn({ maxConnections }, 'gRPC connection refused: the limit is reached'))
    await listen(listener, host, port)
    listener.on('error', fail)
  }

  /** Certificates are asked for and not demanded: whoever recovers has none. What each caller may do is decided per call. */
  function secureListener({ certificate, clientAuthorities }: GrpcTls): NetServer {
    const context = (): SecureContextOptions => ({ ...certificate.pair(), ca: clientAuthorities(), minVersion: 'TLSv1.2', ...noTickets })
    const secure = createTlsServer({ ...context(), requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'], noDelay: true })
    certificate.onChange(() => secure.setSecureContext(context()))
    dropSilent = onlyTls(secure, '', (source) => log.warn({ source }, 'a plaintext connection to the TLS port of the gateways was closed'))
    secure.on('secureConnection', (socket) => {
      // A client that does not speak HTTP/2 would be read as HTTP/1.
      if (socket.alpnProtocol !== 'h2') return void socket.destroy()
      peers.remember(socket)
      injector?.injectConnection(socket)
    })
    secure.on('tlsClientError', (error, socket) =>
      log.debug({ source: socket.remoteAddress, code: (error as NodeJS.ErrnoException).code }, 'a TLS handshake failed'),
    )
    return secure
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => (listener?.listening ? listener.close(() => resolve()) : resolve()))
    dropSilent()
    await beforeClose()
    injector?.drain(closeGraceMs)
    const deadline = setTimeout(() => server?.forceShutdown(), closeGraceMs)
    await closed
    clearTimeout(deadline)
    injector?.destroy()
    server?.forceShutdown()
  }
}

/**
 * Nothing is resumed: a ticket alone, without certificate and key, would be taken for the gateway it was given to. A handshake of a
 * millisecond per connection of half an hour is a fair price.
 */
const noTickets = { secureOptions: constants.SSL_OP_NO_TICKET }

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
