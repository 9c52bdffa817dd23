import { create, fromJsonString, toBinary } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { createHash } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import { configContentType } from '@mcpg/proto/gateway-config'
import { InventoryRequestSchema, type ServerInventory } from '@mcpg/proto/gen/delivery'
import {
  BackoffReason,
  BackoffSchema,
  ConfigOfferSchema,
  ConnectResponseSchema,
  HeartbeatAckSchema,
  ReportFullStateSchema,
  TerminateReason,
  TerminateSchema,
  WelcomeSchema,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
} from '@mcpg/proto/gen/gateway'
import { ConfigState, GatewayCapability, GatewayDescriptionSchema, type ConfigStatus } from '@mcpg/proto/gen/types'
import { protocolRevision } from '@mcpg/proto/version'
import type { Configs } from '../config/service.ts'
import type { Live } from '../gateways/live.ts'
import { hex } from '../gateways/reports.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Stream, StreamEvents } from '../grpc/stream.ts'
import { standingRefusal } from '../grpc/standing.ts'
import { endings } from './endings.ts'
import { inventoryRequests } from './inventory-requests.ts'
import { outbox, type Frame } from './outbox.ts'
import { reportQueue } from './report-queue.ts'
import { implausible } from './plausible.ts'

/** Frames that may come between hello and welcome. */
const maxEarlyFrames = 64

export type GatewayFrame = ConnectRequest['frame']
type Report = Extract<ConnectRequest['frame'], { case: 'serverStatus' | 'serverInventory' }>

export type Session = ReturnType<typeof openSession>

/** What a session asks of whoever holds all of them. */
export type SessionHost = {
  replicaId: string
  isDraining(): boolean
  /** Called in the turn of the hello; answers why it must not go on. From here on it is the session of its gateway. */
  admit(session: Session, hello: Hello): { reason: TerminateReason; message: string } | null
  /** Resolves with the epoch once it is on disk. */
  nextEpoch(gatewayId: string): Promise<number>
  /** The first hello on a credential. */
  confirmed(gatewayId: string): void
  commandResult(commandId: string, state: number, message: string): void
  /** From the welcome on it can be talked over. */
  opened(session: Session): void
  /** A frame of a feature that talks over the stream. */
  heard(session: Session, frame: GatewayFrame): void
  left(session: Session, said: 'goodbye' | 'nothing'): void
}

/**
 * One stream of one gateway, as `docs/protocol.md` has it: hello within its deadline, welcome with an epoch, then frames both ways. At most
 * one config offer is on its way until the gateway has staged it; what is wanted meanwhile waits, and only the newest of it is sent.
 */
export function openSession(
  stream: Stream<ConnectResponse>,
  {
    host,
    live,
    configs,
    registry,
    clock,
    timers,
    log,
  }: { host: SessionHost; live: Live; configs: Configs; registry: Pick<Registry, 'get'>; clock: Clock; timers: Timers; log: Log },
) {
  const { gatewayId } = stream.identity
  /** `waiting` for the hello, `greeting` until the epoch is on disk, `open`, `closed`. */
  let state: 'waiting' | 'greeting' | 'open' | 'closed' = 'waiting'
  let expected = 1n
  let sent = 0n
  let nonce = 0n
  let outstanding: { nonce: bigint; generation: number; cancel: () => void } | null = null
  let offered: { generation: number; hash: string } | null = null
  let interval = 0
  let asked = false // a full state was asked for and has not come
  let saidGoodbye = false
  /** Of the access document that the gateway goes by, as its hello said. */
  let accessVersion = 0
  const early: ConnectRequest[] = []
  const out = outbox({ send: pass, overflow: overloaded })
  const reports = reportQueue<Report>({
    handle: takeReport,
    overflow: () => terminate(TerminateReason.PROTOCOL_ERROR, 'too many reports wait'),
    failed,
  })
  const inventories = inventoryRequests<ServerInventory>({
    isMissing: (report) => live.reportInventory(gatewayId, report),
    ask: ({ server, inventoryHash }) =>
      push({ case: 'inventoryRequest', value: create(InventoryRequestSchema, { server, inventoryHash }) }),
    failed,
    clock,
    deadlineMs: timers.ackDeadline,
  })
  const cancelHello = clock.after(timers.helloDeadline, () => terminate(TerminateReason.PROTOCOL_ERROR, 'no hello came in time'))
  const session = {
    gatewayId,
    source: stream.source,
    events,
    offer,
    push,
    pushStream: out.pushStream,
    has,
    accessVersion: () => accessVersion,
    terminate,
    backoff,
    end,
    isOpen: () => state === 'open',
  }
  return session

  function events(): StreamEvents<ConnectRequest> {
    return { frame: receive, closed }
  }

  function receive(request: ConnectRequest): void {
    if (state === 'closed') return
    const inOrder = request.sequenceNum === expected
    expected = request.sequenceNum + 1n
    const nonsense = implausible(request)
    if (nonsense !== null) return terminate(TerminateReason.PROTOCOL_ERROR, `the gateway reports ${nonsense}`)
    if (state === 'waiting') return greet(request)
    if (state === 'greeting') {
      if (early.push(request) > maxEarlyFrames) terminate(TerminateReason.PROTOCOL_ERROR, 'too many frames before the welcome')
      return
    }
    live.frame(gatewayId)
    if (!inOrder) askFullState()
    handle(request)
  }

  function greet({ frame }: ConnectRequest): void {
    cancelHello()
    if (frame.case !== 'hello')
      return terminate(TerminateReason.PROTOCOL_ERROR, `the first frame must be hello, not ${frame.case ?? 'an unknown one'}`)
    const { standing } = stream.identity
    if (standing === 'superseded') return end(standingRefusal(standing)!)
    if (standing !== 'active') return terminate(endings[standing].reason, endings[standing].message)
    if (host.isDraining()) return backoff(BackoffReason.DRAINING, timers.drainJitter)
    const hello = frame.value
    const mismatch = incompatibility(hello)
    if (mismatch) return terminate(TerminateReason.INCOMPATIBLE, mismatch)
    state = 'greeting'
    accessVersion = Number(hello.accessVersion)
    const refusal = host.admit(session, hello)
    if (refusal) return terminate(refusal.reason, refusal.message)
    void welcome(hello).catch((error: unknown) => {
      log.error({ err: error, gateway: gatewayId }, 'a hello could not be answered')
      end(new McpgError('internal', 'internal', 'The control plane failed; its log says why.'))
    })
  }

  async function welcome(hello: Hello): Promise<void> {
    const epoch = await host.nextEpoch(gatewayId)
    if (state !== 'greeting') return
    const isFirst = registry.get(gatewayId)?.bootId === null
    live.patch(gatewayId, { bootId: hex(hello.bootId) })
    live.opened(gatewayId)
    interval = live.presence.intervalMs()
    state = 'open'
    push({
      case: 'welcome',
      value: create(WelcomeSchema, {
        sessionEpoch: BigInt(epoch),
        serverTime: timestampFromMs(clock.now()),
        protocolRevision: protocolRevision.max,
        heartbeatInterval: durationFromMs(interval),
        offlineAfter: durationFromMs(live.presence.offlineAfterMs()),
        replicaId: host.replicaId,
        capabilities: [GatewayCapability.REMOTE_CONFIG, GatewayCapability.AUTO_ROLLBACK, GatewayCapability.LOGS, GatewayCapability.AUDIT],
      }),
    })
    host.opened(session)
    if (isFirst) host.confirmed(gatewayId)
    if (hello.description) live.describe(gatewayId, hello.description, hashOf(hello))
    else if (registry.get(gatewayId)?.descriptionHash !== hex(hello.descriptionHash)) askFullState()
    // A control plane that comes back without the reports of this gateway asks once.
    if (hello.configHashes) live.reportHashes(gatewayId, hello.configHashes)
    if (hello.configStatus) await configs.report(gatewayId, hello.configStatus)
    await resume(hello)
    for (const request of early.splice(0)) if (isOpen()) handle(request)
  }

  /** What the gateway has of what it should have. */
  async function resume(hello: Hello): Promise<void> {
    const reported = Number(hello.configHashes?.highestGeneration ?? 0n)
    const wanted = configs.desired(gatewayId)
    if (!wanted) return
    const lastOffered = hex(hello.configHashes?.lastOfferedHash ?? new Uint8Array())
    if (reported > wanted.generation || (reported === wanted.generation && lastOffered !== '' && lastOffered !== wanted.configHash))
      return await configs.raiseAbove(gatewayId, reported)
    const about = hello.configStatus
    const isAtWork =
      about !== undefined &&
      Number(about.generation) === wanted.generation &&
      about.state > ConfigState.STAGED &&
      hex(about.configHash) === wanted.configHash
    const hasApplied = reported === wanted.generation && hex(hello.configHashes?.appliedHash ?? new Uint8Array()) === wanted.configHash
    if (isAtWork || hasApplied) offered = { generation: wanted.generation, hash: wanted.configHash }
    offer()
  }

  /** Sends what is wanted now, unless it was sent, was refused, or another offer is on its way. */
  function offer(): void {
    const wanted = configs.desired(gatewayId)
    if (state !== 'open' || outstanding || !wanted) return
    if (offered?.generation === wanted.generation && offered.hash === wanted.configHash) return
    if (wanted.state === 'rejected' || wanted.state === 'rolled_back') return
    nonce++
    const current = { nonce, generation: wanted.generation, cancel: clock.after(timers.ackDeadline, () => staged(current.nonce, true)) }
    outstanding = current
    offered = { generation: wanted.generation, hash: wanted.configHash }
    configs.markOffered(gatewayId, wanted.generation)
    push({
      case: 'configOffer',
      value: create(ConfigOfferSchema, {
        nonce,
        generation: BigInt(wanted.generation),
        configHash: bytesOf(wanted.configHash),
        configBytes: wanted.document.bytes,
        contentType: configContentType,
        signature: wanted.signature,
        signingKeyId: bytesOf(wanted.signingKeyId),
        probation: durationFromMs(wanted.probationMs),
        force: wanted.force,
        signedHeader: wanted.signedHeader,
      }),
    })
  }

  /** The offer has arrived, or its time is over: then it may be sent again. */
  function staged(answered: bigint, tooLate = false): void {
    if (outstanding?.nonce !== answered) return
    outstanding.cancel()
    outstanding = null
    if (tooLate) offered = null
    offer()
  }

  function handle({ frame }: ConnectRequest): void {
    switch (frame.case) {
      case 'heartbeat':
        live.heartbeat(gatewayId, frame.value)
        return acknowledge()
      case 'configStatus':
        return heed(frame.value)
      case 'description':
        asked = false
        return live.describe(gatewayId, frame.value, sha256(toBinary(GatewayDescriptionSchema, frame.value)))
      case 'serverStatus':
      case 'serverInventory':
        return reports.push(frame)
      case 'commandResult':
        return host.commandResult(frame.value.commandId, frame.value.state, frame.value.message)
      case 'goodbye':
        saidGoodbye = true
        return end()
      case 'hello':
        return terminate(TerminateReason.PROTOCOL_ERROR, 'hello comes once')
      default:
        return host.heard(session, frame)
    }
  }

  /** Whether the gateway described itself as able to. */
  function has(capability: GatewayCapability): boolean {
    const described = registry.get(gatewayId)?.description
    return typeof described === 'string' && fromJsonString(GatewayDescriptionSchema, described).capabilities.includes(capability)
  }

  async function takeReport(frame: Report): Promise<void> {
    if (frame.case === 'serverStatus') return await live.reportServers(gatewayId, frame.value)
    const report = frame.value
    inventories.forget(report.server)
    const isWanted = await live.reportInventory(gatewayId, report)
    const hash = hex(report.inventoryHash)
    if (isWanted) await inventories.want({ server: report.server, hash, report })
    else await inventories.answered(hash)
  }

  function heed(status: ConfigStatus): void {
    if (status.state === ConfigState.APPLIED) {
      const hash = hex(status.configHash)
      live.patch(gatewayId, {
        appliedHash: hash,
        lkgHash: hash,
        highestGeneration: Math.max(registry.get(gatewayId)?.highestGeneration ?? 0, Number(status.generation)),
      })
    }
    guard(configs.report(gatewayId, status))
    if (status.nonce !== 0n) staged(status.nonce)
  }

  function acknowledge(): void {
    const now = live.presence.intervalMs()
    const ack = create(HeartbeatAckSchema, { serverTime: timestampFromMs(clock.now()) })
    if (now !== interval) ack.heartbeatInterval = durationFromMs((interval = now))
    push({ case: 'heartbeatAck', value: ack })
  }

  function askFullState(): void {
    if (asked) return
    asked = true
    push({ case: 'reportFullState', value: create(ReportFullStateSchema) })
  }

  function push(frame: Frame): void {
    out.push(frame)
  }

  function pass(frame: Frame, taken: () => void): void {
    stream.send(create(ConnectResponseSchema, { sequenceNum: ++sent, frame }), taken)
  }

  function terminate(reason: TerminateReason, message: string): void {
    if (state === 'closed') return
    log.info({ gateway: gatewayId, reason: TerminateReason[reason], message, source: stream.source }, 'session ended')
    sayLast({ case: 'terminate', value: create(TerminateSchema, { reason, message }) })
  }

  function backoff(reason: BackoffReason, jitterMs: number): void {
    sayLast({
      case: 'backoff',
      value: create(BackoffSchema, { reason, reconnectAfter: durationFromMs(0), jitter: durationFromMs(jitterMs) }),
    })
  }

  /** Past the queue: whatever waits there has no meaning any more. */
  function sayLast(frame: Frame): void {
    if (state === 'closed') return
    out.close()
    pass(frame, () => {})
    end()
  }

  /** A gateway that does not read must not grow our memory. */
  function overloaded(): void {
    log.warn({ gateway: gatewayId }, 'a gateway does not read its stream; closing it')
    backoff(BackoffReason.OVERLOADED, timers.firstReconnect)
  }

  function end(error?: McpgError): void {
    if (state === 'closed') return
    out.close()
    stream.end(error)
    closed()
  }

  function closed(): void {
    if (state === 'closed') return
    state = 'closed'
    cancelHello()
    outstanding?.cancel()
    out.close()
    reports.close()
    inventories.close()
    host.left(session, saidGoodbye ? 'goodbye' : 'nothing')
  }

  function isOpen(): boolean {
    return state === 'open'
  }

  function guard(work: Promise<unknown>): void {
    work.catch(failed)
  }

  function failed(error: unknown): void {
    log.error({ err: error, gateway: gatewayId }, 'a frame could not be handled')
  }
}

function incompatibility({ description }: Hello): string | null {
  if (!description) return null
  const { minProtocolRevision: min, maxProtocolRevision: max } = description
  if (min <= protocolRevision.max && max >= protocolRevision.min) return null
  return `this control plane speaks protocol ${protocolRevision.min} to ${protocolRevision.max}, the gateway ${min} to ${max}`
}

/** The hash the gateway will send next time is over the bytes it serialized; ours of the same message serve where it sent none. */
function hashOf(hello: Hello): string {
  if (hello.descriptionHash.length > 0) return hex(hello.descriptionHash)
  return sha256(toBinary(GatewayDescriptionSchema, hello.description!))
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (hash: string): Uint8Array => new Uint8Array(Buffer.from(hash, 'hex'))
