/*
 * A control plane one hop away: a real HTTP listener for /enroll and a real gRPC listener (HTTP/2) for the stream, in plain text or, with
 * `tls`, over TLS with client certificates, and knobs for everything that can go wrong. It keeps no more truth than a test needs: one
 * enrollment token, one gateway, one signing key.
 */
import { create, fromJson, toJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { createHash, createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createSecureServer,
  createServer as createHttp2Server,
  Http2ServerRequest,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import type { TestAuthority } from '@mcpg/core/test-authority'
import { McpgError, type ErrorCode } from '@mcpg/proto/errors'
import {
  DescribeEnrollmentResponseSchema,
  EnrollmentService,
  EnrollRequestSchema,
  EnrollResponseSchema,
  type CompleteRecoveryRequest,
} from '@mcpg/proto/gen/enrollment'
import {
  ConnectResponseSchema,
  GatewayService,
  type TerminateReason,
  type BackoffReason,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
  type RenewCredentialRequest,
} from '@mcpg/proto/gen/gateway'
import { CredentialKind, type GatewayCredentialSchema } from '@mcpg/proto/gen/types'
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
  /** Life of the certificates it issues; half of it is when they are to be renewed. */
  certificateLifeMs: number
  /** Renew or recover, but never answer: as many calls as this. */
  loseRenewAnswers: number
  /** Reason with which every recovery is refused. */
  recoveryRefusal: string | undefined
  /** How far its clock is ahead. */
  skewMs: number
  /** Told in Describe and Enroll; none: the real address of the gRPC listener. */
  advertise: string[] | undefined
}

/** Over TLS: who issues, and what the two listeners present instead of their own leaf for 127.0.0.1. */
export type FakeTls = { authority: TestAuthority; leaf?: { key: string; cert: string } }

/** Lower-case hex of the serial number in the client certificate of a call. */
const peerSerial = createContextKey('')

export type FakeControlPlane = Awaited<ReturnType<typeof fakeControlPlane>>

export async function fakeControlPlane(initial: Partial<Knobs> = {}, tls?: FakeTls) {
  const knobs: Knobs = {
    loseEnrollAnswers: 0,
    enrollRefusals: [],
    takenUids: 0,
    refuseCredential: false,
    isSilent: false,
    ignoreHeartbeats: false,
    heartbeatMs: 200,
    certificateLifeMs: 86_400_000,
    loseRenewAnswers: 0,
    recoveryRefusal: undefined,
    skewMs: 0,
    advertise: undefined,
    ...initial,
  }
  const gatewayId = `gw_${randomBytes(6).toString('hex')}`
  const signer = configSigner({ gatewayId })
  let token = newToken()
  let redeemed: { idempotencyKey: string; spki: string } | null = null
  let bearer = ''
  let instanceUid = ''
  let challenge = new Uint8Array()
  let renewed: { key: string; credential: MessageInitShape<typeof GatewayCredentialSchema> } | null = null
  /** Ends of the certificates that were issued, by serial number, and the public keys that they were issued for. */
  const serials = new Map<string, number>()
  const keys: Buffer[] = []
  const renewals: RenewCredentialRequest[] = []
  const recoveries: CompleteRecoveryRequest[] = []
  const serialsOfStreams: string[] = []
  let sequence = 0
  let epoch = 0n
  let generation = 0
  let attempts = 0
  const requests: { method: string; path: string; body: string }[] = []
  const sessions: Session[] = []
  const connections = new Set<ServerHttp2Session>()
  const leaf = tls && (tls.leaf ?? (await tls.authority.server(['127.0.0.1', 'localhost'])))
  const answer = (request: IncomingMessage, response: ServerResponse) => void enroll(request, response)
  const http = leaf ? createHttpsServer(leaf, answer) : createHttpServer(answer)
  const scheme = tls ? 'https' : 'http'
  let grpc = newGrpcServer()
  await listen(http, 0)
  await listen(grpc, 0)
  const httpPort = portOf(http)
  const grpcPort = portOf(grpc)

  return {
    knobs,
    signer,
    gatewayId,
    http: `${scheme}://127.0.0.1:${httpPort}`,
    grpc: `${scheme}://127.0.0.1:${grpcPort}`,
    /** A URL that works once; a second call voids the one before. */
    enrollmentUrl,
    token: () => token,
    requests,
    sessions,
    renewals,
    recoveries,
    /** Serial numbers that streams were opened with, over TLS. */
    serialsOfStreams,
    /** Every certificate issued so far has expired. */
    expireAll: () => serials.forEach((_, serial) => serials.set(serial, 0)),
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
    return `${scheme}://127.0.0.1:${httpPort}/enroll/${token}${tls ? `#pin=${tls.authority.pin}` : ''}`
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
      if (tls && path === '/v1/ca-cert.pem') return void response.end(tls.authority.pem)
      const refusal = knobs.enrollRefusals.shift()
      if (refusal) throw new McpgError(refusal.code, refusal.reason, refusal.message, { retryAfterSeconds: refusal.retryAfterSeconds })
      if (path !== `/enroll/${token}`) throw new McpgError('not_found', 'token_unknown', 'No enrollment has this token.')
      const answer = request.method === 'GET' ? described() : await redeem(body)
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
        controlPlaneEndpoints: advertised(),
        serverTime: timestampFromMs(Date.now()),
        allowedCredentialKinds: [tls ? CredentialKind.X509 : CredentialKind.BEARER],
        ...(tls && { trustBundle: [tls.authority.der] }),
      }),
    )
  }

  async function redeem(body: string): Promise<JsonValue> {
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
    instanceUid = request.instanceUid
    if (request.credentialKind !== (tls ? CredentialKind.X509 : CredentialKind.BEARER))
      throw new McpgError('unsupported', 'credential_kind_unsupported', 'This listener gives another kind.', { status: 400 })
    return toJson(
      EnrollResponseSchema,
      create(EnrollResponseSchema, {
        gatewayId,
        org: 'default',
        workspace: 'default',
        environment: 'default',
        name: request.instanceUid,
        credential: await credential(request.csr),
        ...(tls && { trustBundle: [tls.authority.der] }),
        ...(tls && request.endpointCsr.length > 0 && { endpointCertificate: await endpointChain(request.endpointCsr) }),
        controlPlaneEndpoints: advertised(),
        configSigningKeys: [signer.publicKey],
        serverTime: timestampFromMs(Date.now()),
      }),
    )
  }

  /** Where the stream is told to go; a port alone would be taken for plain text on loopback. */
  function advertised(): string[] {
    return knobs.advertise ?? [tls ? `https://127.0.0.1:${grpcPort}` : `127.0.0.1:${grpcPort}`]
  }

  async function credential(csr: Uint8Array): Promise<MessageInitShape<typeof GatewayCredentialSchema>> {
    const credentialSequence = BigInt(++sequence)
    if (!tls) {
      bearer = `mcpg_gwb_${randomBytes(32).toString('base64url')}_AAAAAA`
      return { credentialSequence, material: { case: 'bearerToken', value: bearer } }
    }
    const now = Date.now()
    const [notBefore, notAfter] = [now - 300_000, now + knobs.certificateLifeMs]
    const certificate = await tls.authority.client(csr, { notBefore: new Date(notBefore), notAfter: new Date(notAfter) })
    serials.set(serialOf(certificate), notAfter)
    keys.push(spkiOf(csr))
    return {
      credentialSequence,
      notBefore: timestampFromMs(notBefore),
      notAfter: timestampFromMs(notAfter),
      renewAfter: timestampFromMs(now + knobs.certificateLifeMs / 2),
      material: { case: 'x509Chain', value: { $typeName: 'mcpg.fleet.v1.X509Chain', certificates: [certificate] } },
    }
  }

  async function endpointChain(csr: Uint8Array) {
    return { certificates: [await tls!.authority.client(csr, {}, ['127.0.0.1', 'localhost'])] }
  }

  /** The next certificate; asked again with the same key, the same one. Knows no locks and no ends, only whether it is asked rightly. */
  async function renewCredential(request: RenewCredentialRequest, context: HandlerContext) {
    renewals.push(request)
    admit(context)
    if (request.credentialSequence !== BigInt(sequence) && !isRepeated(request))
      throw refusal('credential_clone_suspected', Code.FailedPrecondition)
    if (request.csr.length > 0 && !isRepeated(request))
      renewed = { key: hex(request.idempotencyKey), credential: await credential(request.csr) }
    if (knobs.loseRenewAnswers-- > 0) throw new ConnectError('the answer was lost', Code.Unavailable)
    return {
      ...(request.csr.length > 0 && renewed && { credential: renewed.credential }),
      ...(tls && { trustBundle: [tls.authority.der] }),
      ...(request.endpointCsr.length > 0 && { endpointCertificate: await endpointChain(request.endpointCsr) }),
    }
  }

  function isRepeated({ idempotencyKey }: RenewCredentialRequest): boolean {
    return renewed?.key === hex(idempotencyKey)
  }

  async function beginRecovery() {
    challenge = new Uint8Array(randomBytes(32))
    if (knobs.recoveryRefusal) throw refusal(knobs.recoveryRefusal, Code.FailedPrecondition)
    return { challenge, serverTime: timestampFromMs(Date.now() + knobs.skewMs) }
  }

  async function completeRecovery(request: CompleteRecoveryRequest) {
    recoveries.push(request)
    const named = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)])
    const signed = Buffer.concat([Buffer.from('mcpg-recover-v1\0'), challenge, named(gatewayId), named(instanceUid)])
    const isSigned = keys.some((key) => verify('sha256', signed, createPublicKey({ key, format: 'der', type: 'spki' }), request.signature))
    if (!isSigned) throw refusal('recovery_signature_invalid', Code.Unauthenticated)
    const answer = { credential: await credential(request.csr), trustBundle: [tls!.authority.der] }
    if (knobs.loseRenewAnswers-- > 0) throw new ConnectError('the answer was lost', Code.Unavailable)
    return answer
  }

  function admit(context: HandlerContext): void {
    const serial = context.values.get(peerSerial)
    const isKnown = tls ? serials.has(serial) : context.requestHeader.get('authorization') === `Bearer ${bearer}`
    if (knobs.refuseCredential || !isKnown) throw new ConnectError('the credential is not accepted', Code.Unauthenticated)
    if ((serials.get(serial) ?? Infinity) <= Date.now() + knobs.skewMs) throw refusal('credential_expired', Code.Unauthenticated)
  }

  function newGrpcServer(): Http2Server | Http2SecureServer {
    const handle = connectNodeAdapter({
      routes: (router) =>
        router.service(GatewayService, { connect, renewCredential }).service(EnrollmentService, { beginRecovery, completeRecovery }),
      contextValues: (request) => createContextValues().set(peerSerial, serialOfPeer(request)),
    })
    const server =
      tls && leaf
        ? createSecureServer({ ...leaf, ca: tls.authority.pem, requestCert: true, rejectUnauthorized: false }, handle)
        : createHttp2Server(handle)
    server.on('session', (connection) => {
      connections.add(connection)
      connection.on('close', () => connections.delete(connection))
      connection.on('error', () => {})
    })
    return server
  }

  async function* connect(frames: AsyncIterable<ConnectRequest>, context: HandlerContext): AsyncGenerator<ConnectResponse> {
    attempts++
    admit(context)
    serialsOfStreams.push(context.values.get(peerSerial))
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

function serialOfPeer(request: IncomingMessage | Http2ServerRequest): string {
  const socket = request instanceof Http2ServerRequest ? (request.stream.session?.socket as TLSSocket | undefined) : undefined
  const raw = socket?.getPeerCertificate?.().raw
  return raw ? serialOf(raw) : ''
}

const serialOf = (certificate: Uint8Array) => new X509Certificate(certificate).serialNumber.toLowerCase()

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function refusal(reason: string, code: Code): ConnectError {
  return new ConnectError(`No: ${reason}.`, code, { 'mcpg-code': 'failed_precondition', 'mcpg-reason': reason, 'mcpg-hint': 'do%20this' })
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
export function spkiOf(csr: Uint8Array): Buffer {
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
