import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { durationMs } from '@bufbuild/protobuf/wkt'
import { jitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { DeliveryService } from '@mcpg/proto/gen/delivery'
import { GatewayService, type Backoff, type ConnectResponse, type Terminate, type Welcome } from '@mcpg/proto/gen/gateway'
import type { FetchSecrets } from '../secrets/delivery.ts'
import { connectionTo, type Peer } from './connection.ts'
import { createOutbox, type Frame, type Outbox } from './outbox.ts'
import { refusalOf } from './refusal.ts'

/** How one stream ended. */
export type SessionEnd =
  | { kind: 'failed'; message: string } // no welcome
  | { kind: 'refused'; message: string; reason?: string | undefined } // the credential was not accepted
  | { kind: 'broken'; message: string; livedMs: number }
  | { kind: 'backoff'; backoff: Backoff } // asked to come back later
  | { kind: 'terminated'; terminate: Terminate; livedMs: number }
  | { kind: 'left'; livedMs: number } // by ourselves

export type SessionTimers = Pick<Timers, 'helloDeadline' | 'ackDeadline' | 'keepAlive' | 'keepAliveTimeout' | 'heartbeat'>

/** What happens on the stream besides keeping it alive. */
export type Conversation = {
  hello: () => Frame
  heartbeat: () => Frame
  /** The first frame from the other side; the answer is called once when the stream has ended. `fetchSecrets` goes over its connection. */
  welcome: (welcome: Welcome, outbox: Outbox, fetchSecrets: FetchSecrets) => () => void
  receive: (frame: ConnectResponse['frame'], outbox: Outbox) => void
  serverTime: (seconds: bigint) => void
  /** A heartbeat was answered, so long after it was due to leave. */
  acknowledged: (afterMs: number) => void
  /** Asked to leave at a time of its choosing while the stream may stay. */
  backoff: (backoff: Backoff) => void
}

/** How long a leave waits for the other side to read what was said before it. */
const leaveGraceMs = 1_000

export type Leaving = { signal: AbortSignal; goodbye: () => Frame | null }

/** One stream from dial to end; never rejects. `leaving` ends it from our side, after its last frame. */
export async function session({
  endpoint,
  peer,
  explain,
  conversation,
  leaving,
  clock,
  timers,
  random,
}: {
  endpoint: string
  peer: Peer
  /** In words what a connection that failed means; null when the error says it itself. */
  explain: (error: unknown) => Promise<string | null>
  conversation: Conversation
  leaving: Leaving
  clock: Clock
  timers: SessionTimers
  random: () => number
}): Promise<SessionEnd> {
  const { transport, headers, hangUp: hangUpConnection } = connectionTo(endpoint, peer, timers)
  const client = createClient(GatewayService, transport)
  const cut = new AbortController()
  const outbox = createOutbox()
  let end: SessionEnd | null = null
  let welcomedAt: number | null = null
  let finish = () => {}
  let intervalMs = timers.heartbeat
  let cancelHeartbeat = () => {}
  let cancelDeadline = clock.after(timers.helloDeadline, () => giveUp('no welcome came in time'))
  let awaitsAnswer = true
  const beats: number[] = []

  leaving.signal.addEventListener('abort', leave, { once: true })
  outbox.push('hello', conversation.hello)
  if (leaving.signal.aborted) leave()
  try {
    for await (const response of client.connect(outbox.frames(), { signal: cut.signal, headers })) {
      answered()
      if (take(response.frame)) break
    }
    end ??= endOf('the control plane closed the stream')
  } catch (error) {
    // Asked only where the end has no reason yet: the explanation may ask the other side for its clock.
    if (!end) {
      const message = (await explain(error)) ?? describe(error)
      end ??= isRefused(error) ? refusedFor(message, error) : endOf(message)
    }
  } finally {
    leaving.signal.removeEventListener('abort', leave)
    cancelDeadline()
    cancelHeartbeat()
    finish()
    outbox.end()
    hangUp()
  }
  return end

  /** True ends the stream. */
  function take(frame: ConnectResponse['frame']): boolean {
    switch (frame.case) {
      case 'welcome':
        if (welcomedAt !== null) return false
        welcomedAt = clock.monotonic()
        conversation.serverTime(frame.value.serverTime?.seconds ?? 0n)
        finish = conversation.welcome(frame.value, outbox, fetchSecrets)
        pace(frame.value.heartbeatInterval)
        beat()
        return false
      case 'heartbeatAck':
        noteBeat()
        conversation.serverTime(frame.value.serverTime?.seconds ?? 0n)
        pace(frame.value.heartbeatInterval)
        return false
      case 'backoff':
        conversation.backoff(frame.value)
        if (frame.value.keepStream) return false
        end = { kind: 'backoff', backoff: frame.value }
        return true
      case 'terminate':
        end = { kind: 'terminated', terminate: frame.value, livedMs: livedMs() }
        return true
      default:
        if (welcomedAt !== null) conversation.receive(frame, outbox)
        return false
    }
  }

  async function fetchSecrets(...[request, signal]: Parameters<FetchSecrets>) {
    const either = AbortSignal.any([signal, cut.signal])
    return await createClient(DeliveryService, transport).fetchSecrets(request, { signal: either, headers })
  }

  function pace(interval: Welcome['heartbeatInterval']): void {
    if (interval) intervalMs = durationMs(interval)
  }

  function beat(): void {
    cancelHeartbeat = clock.after(jitter(intervalMs, 0.1, random), beat)
    beats.push(clock.monotonic())
    outbox.push('heartbeat', () => {
      expectAnswer()
      return conversation.heartbeat()
    })
  }

  /** Answers come in the order of the beats. */
  function noteBeat(): void {
    const due = beats.shift()
    if (due !== undefined) conversation.acknowledged(clock.monotonic() - due)
  }

  /** From the first frame that waits for an answer; any frame of the other side is one. */
  function expectAnswer(): void {
    if (awaitsAnswer) return
    awaitsAnswer = true
    cancelDeadline = clock.after(timers.ackDeadline, () => giveUp('heartbeats are not answered'))
  }

  function answered(): void {
    awaitsAnswer = false
    cancelDeadline()
  }

  function giveUp(why: string): void {
    end ??= endOf(why)
    hangUp()
  }

  function leave(): void {
    end ??= { kind: 'left', livedMs: livedMs() }
    outbox.push('goodbye', leaving.goodbye)
    outbox.end()
    cancelDeadline()
    cancelDeadline = clock.after(leaveGraceMs, () => cut.abort())
  }

  function endOf(message: string): SessionEnd {
    if (welcomedAt !== null) return { kind: 'broken', message, livedMs: livedMs() }
    return { kind: 'failed', message }
  }

  function refusedFor(message: string, error: unknown): SessionEnd {
    return welcomedAt === null ? { kind: 'refused', message, reason: refusalOf(error)?.reason } : endOf(message)
  }

  function hangUp(): void {
    cut.abort()
    hangUpConnection()
  }

  function livedMs(): number {
    return welcomedAt === null ? 0 : clock.monotonic() - welcomedAt
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied)
}

function describe(error: unknown): string {
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error)
  const cause = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : ''
  if (cause === 'ECONNREFUSED') return 'connection refused'
  if (cause === 'ECONNRESET') return 'connection reset'
  return error.rawMessage
}
