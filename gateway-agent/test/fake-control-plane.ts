/*
 * A control plane one hop away: a real HTTP listener for /enroll and a real gRPC listener (HTTP/2, plain text) for the stream, with
 * knobs for everything that can go wrong. It keeps no more truth than a test needs: one enrollment token, one gateway, one signing key.
 */
import { create, fromJson, toJson, type JsonValue } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { McpgError, type ErrorCode } from '@mcpg/proto/errors'
import { DescribeEnrollmentResponseSchema, EnrollRequestSchema, EnrollResponseSchema } from '@mcpg/proto/gen/enrollment'
import {
  ConnectResponseSchema,
  GatewayService,
  type TerminateReason,
  type BackoffReason,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
} from '@mcpg/proto/gen/gateway'
import { CredentialKind } from '@mcpg/proto/gen/types'
import { problemOf } from '@mcpg/proto/problem'
import { configSigner, type OfferOptions } from './signed-config.ts'
import { until } from './until.ts'

type DownFrame = ConnectResponse['frame']

/** One stream as the control plane saw it. */
export type Session = {
  hello: Hello | null
  epoch: bigint
  frames: ConnectRequest[]
  isOpen: boolean
  send(frame: DownFrame): void
  /** Ends the stream from this side, politely. */
  close(): void
}

export type Knobs = {
  /** Redeem, but never answer: as many POSTs as this. */
  loseEnrollAnswers: number
  /** Answer these before anything else, one per request. */
  enrollRefusals: { code: ErrorCode; reason: string; message: string; retryAfterSeconds?: number }[]
  /** Uids that somebody else has; each is refused once with instance_uid_in_use. */
  takenUids: number
  /** Refuse every stream with UNAUTHENTICATED. */
  refuseCredential: boolean
  /** Accept streams and say nothing. */
  isSilent: boolean
  /** Say welcome, but answer no heartbeat. */
  ignoreHeartbeats: boolean
  heartbeatMs: number
  /** Told in Describe and Enroll; none: the real address of the gRPC listener. */
  advertise: string[] | undefined
}

export type FakeControlPlane = Awaited<ReturnType<typeof fakeControlPlane>>

export async function fakeControlPlane(initial: Partial<Knobs> = {}) {
  const knobs: Knobs = {
    loseEnrollAnswers: 0,
    enrollRefusals: [],
    takenUids: 0,
    refuseCredential: false,
    isSilent: false,
    ignoreHeartbeats: false,
    heartbeatMs: 200,
    advertise: undefined,
    ...initial,
  }
  const gatewayId = `gw_${randomBytes(6).toString('hex')}`
  const signer = configSigner({ gatewayId })
  let token = newToken()
  let redeemed: { idempotencyKey: string; spki: string } | null = null
  let bearer = ''
  let sequence = 0
  let epoch = 0n
  let generation = 0
  let attempts = 0
  const requests: { method: string; path: string; body: string }[] = []
  const sessions: Session[] = []
  const connections = new Set<ServerHttp2Session>()
  const http = createHttpServer((request, response) => void enroll(request, response))
  let grpc = newGrpcServer()
  await listen(http, 0)
  await listen(grpc, 0)
  const httpPort = portOf(http)
  const grpcPort = portOf(grpc)

  return {
    knobs,
    signer,
    gatewayId,
    http: `http://127.0.0.1:${httpPort}`,
    grpc: `http://127.0.0.1:${grpcPort}`,
    /** A URL that works once; a second call voids the one before. */
    enrollmentUrl,
    token: () => token,
    requests,
    sessions,
    /** Streams tried, those that were refused too. */
    attempts: () => attempts,
    session,
    offer,
    send: (frame: DownFrame) => current()?.send(frame),
    backoff,
    terminate: (reason: TerminateReason, message = '') =>
      current()?.send({ case: 'terminate', value: { $typeName: 'mcpg.fleet.v1.Terminate', reason, message } }),
    drop,
    stopListening,
    listenAgain,
    stop,
  }

  function enrollmentUrl(): string {
    token = newToken()
    redeemed = null
    return `http://127.0.0.1:${httpPort}/enroll/${token}`
  }

  function current(): Session | undefined {
    return sessions.findLast((one) => one.isOpen)
  }

  /** Waits for the next stream that said hello, beyond the first `after` ones. */
  function session(after = 0): Promise<Session> {
    return until(`stream ${after + 1}`, () => sessions.filter((one) => one.hello !== null)[after])
  }

  /** Offers a config on the open stream, with the next generation unless one is named. Answers the generation. */
  function offer(options: Omit<OfferOptions, 'generation'> & { generation?: number }): number {
    generation = Math.max(generation + 1, options.generation ?? 0)
    const value = signer.offer({ ...options, generation: options.generation ?? generation })
    current()?.send({ case: 'configOffer', value })
    return options.generation ?? generation
  }

  function backoff({
    reason,
    afterMs,
    jitterMs = 0,
    keepStream = false,
  }: {
    reason: BackoffReason
    afterMs: number
    jitterMs?: number
    keepStream?: boolean
  }): void {
    const value = {
      $typeName: 'mcpg.fleet.v1.Backoff' as const,
      reason,
      reconnectAfter: durationFromMs(afterMs),
      jitter: durationFromMs(jitterMs),
      keepStream,
    }
    current()?.send({ case: 'backoff', value })
  }

  /** Resets every connection of the stream listener. */
  function drop(): void {
    for (const connection of connections) connection.destroy()
  }

  /** As if the process were gone; both ports refuse afterwards only for the stream. */
  async function stopListening(): Promise<void> {
    drop()
    await new Promise<void>((resolve) => grpc.close(() => resolve()))
  }

  async function listenAgain(): Promise<void> {
    grpc = newGrpcServer()
    await listen(grpc, grpcPort)
  }

  async function stop(): Promise<void> {
    http.closeAllConnections()
    await new Promise<void>((resolve) => http.close(() => resolve()))
    if (grpc.listening) await stopListening()
  }

  async function enroll(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const path = request.url ?? ''
    requests.push({ method: request.method ?? '', path, body })
    try {
      const refusal = knobs.enrollRefusals.shift()
      if (refusal) throw new McpgError(refusal.code, refusal.reason, refusal.message, { retryAfterSeconds: refusal.retryAfterSeconds })
      if (path !== `/enroll/${token}`) throw new McpgError('not_found', 'token_unknown', 'No enrollment has this token.')
      const answer = request.method === 'GET' ? described() : redeem(body)
      if (request.method === 'POST' && knobs.loseEnrollAnswers-- > 0) return void response.destroy()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    } catch (error) {
      if (!(error instanceof McpgError)) throw error
      const retryAfter = error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }
      response.writeHead(error.status, { 'content-type': 'application/problem+json', ...retryAfter })
      response.end(JSON.stringify(problemOf(error)))
    }
  }

  function described(): JsonValue {
    return toJson(
      DescribeEnrollmentResponseSchema,
      create(DescribeEnrollmentResponseSchema, {
        controlPlaneEndpoints: knobs.advertise ?? [`127.0.0.1:${grpcPort}`],
        serverTime: timestampFromMs(Date.now()),
        allowedCredentialKinds: [CredentialKind.BEARER],
      }),
    )
  }

  function redeem(body: string): JsonValue {
    const request = fromJson(EnrollRequestSchema, JSON.parse(body) as JsonValue)
    const spki = proven(request.csr, request.sealingPublicKey, request.sealingKeySignature)
    const idempotencyKey = Buffer.from(request.idempotencyKey).toString('hex')
    if (knobs.takenUids > 0) {
      knobs.takenUids--
      throw new McpgError('conflict', 'instance_uid_in_use', `The workspace has a gateway with the uid ${request.instanceUid} already.`)
    }
    if (redeemed && (redeemed.idempotencyKey !== idempotencyKey || redeemed.spki !== spki))
      throw new McpgError('conflict', 'token_already_used', 'This enrollment token has been used.')
    redeemed = { idempotencyKey, spki }
    bearer = `mcpg_gwb_${randomBytes(32).toString('base64url')}_AAAAAA`
    return toJson(
      EnrollResponseSchema,
      create(EnrollResponseSchema, {
        gatewayId,
        org: 'default',
        workspace: 'default',
        environment: 'default',
        name: request.instanceUid,
        credential: { credentialSequence: BigInt(++sequence), material: { case: 'bearerToken', value: bearer } },
        controlPlaneEndpoints: knobs.advertise ?? [`127.0.0.1:${grpcPort}`],
        configSigningKeys: [signer.publicKey],
        serverTime: timestampFromMs(Date.now()),
      }),
    )
  }

  function newGrpcServer(): Http2Server {
    const server = createHttp2Server(connectNodeAdapter({ routes: (router) => router.service(GatewayService, { connect }) }))
    server.on('session', (connection) => {
      connections.add(connection)
      connection.on('close', () => connections.delete(connection))
      connection.on('error', () => {})
    })
    return server
  }

  async function* connect(frames: AsyncIterable<ConnectRequest>, context: HandlerContext): AsyncGenerator<ConnectResponse> {
    attempts++
    if (knobs.refuseCredential || context.requestHeader.get('authorization') !== `Bearer ${bearer}`)
      throw new ConnectError('the credential is not accepted', Code.Unauthenticated)
    const waiting: DownFrame[] = []
    let isClosed = false
    let wake = () => {}
    const own: Session = {
      hello: null,
      epoch: ++epoch,
      frames: [],
      isOpen: true,
      send(frame) {
        waiting.push(frame)
        wake()
      },
      close() {
        isClosed = true
        wake()
      },
    }
    sessions.push(own)
    const end = () => {
      own.isOpen = false
      own.close()
    }
    context.signal.addEventListener('abort', end)
    void read(own, frames).then(end, end)
    let sent = 0n
    try {
      for (;;) {
        const frame = waiting.shift()
        if (frame) yield create(ConnectResponseSchema, { sequenceNum: ++sent, frame })
        else if (isClosed) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      own.isOpen = false
    }
  }

  async function read(own: Session, frames: AsyncIterable<ConnectRequest>): Promise<void> {
    for await (const request of frames) {
      own.frames.push(request)
      if (knobs.isSilent) continue
      const serverTime = timestampFromMs(Date.now())
      const heartbeatInterval = durationFromMs(knobs.heartbeatMs)
      if (request.frame.case === 'hello') {
        const welcome = {
          $typeName: 'mcpg.fleet.v1.Welcome' as const,
          sessionEpoch: own.epoch,
          serverTime,
          protocolRevision: 1,
          heartbeatInterval,
          replicaId: 'fake',
          capabilities: [],
        }
        own.send({ case: 'welcome', value: welcome })
        own.hello = request.frame.value
      } else if (request.frame.case === 'heartbeat' && !knobs.ignoreHeartbeats)
        own.send({ case: 'heartbeatAck', value: { $typeName: 'mcpg.fleet.v1.HeartbeatAck', serverTime, heartbeatInterval } })
    }
  }
}

/** The last config status of a stream, with what it is about. */
export function lastConfigStatus(session: Session) {
  const frame = session.frames.findLast((one) => one.frame.case === 'configStatus')?.frame
  return frame?.case === 'configStatus' ? frame.value : undefined
}

/** Every frame of one kind that came up a stream. */
export function framesOf<Case extends NonNullable<ConnectRequest['frame']['case']>>(session: Session, kind: Case) {
  return session.frames.flatMap((one) =>
    one.frame.case === kind ? [one.frame.value as Extract<ConnectRequest['frame'], { case: Case }>['value']] : [],
  )
}

const newToken = () => `mcpg_enr_${randomBytes(32).toString('base64url')}_AAAAAA`

/** Throws unless the request holds a key and the sealing key is signed by it; SHA-256 of the key. */
function proven(csr: Uint8Array, sealingKey: Uint8Array, signature: Uint8Array): string {
  const spki = spkiOf(csr)
  const isSigned = verify(
    'sha256',
    Buffer.concat([Buffer.from('mcpg-sealing-v1\0'), sealingKey]),
    createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    signature,
  )
  if (sealingKey.length !== 32 || !isSigned)
    throw new McpgError('invalid', 'invalid_csr', 'The sealing key is not signed by the key of the request.')
  return createHash('sha256').update(spki).digest('hex')
}

/** A P-256 SubjectPublicKeyInfo has one fixed beginning and 91 bytes. */
function spkiOf(csr: Uint8Array): Buffer {
  const start = Buffer.from(csr).indexOf(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'))
  if (start < 0) throw new McpgError('invalid', 'invalid_csr', 'The certificate request has no P-256 key.')
  return Buffer.from(csr.subarray(start, start + 91))
}

function listen(
  server: { listen(port: number, host: string, done: () => void): unknown; once(event: 'error', fail: (error: Error) => void): unknown },
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

const portOf = (server: { address(): AddressInfo | string | null }) => (server.address() as AddressInfo).port
