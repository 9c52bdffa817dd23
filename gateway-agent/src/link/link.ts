/*
 * The one loop that ensures a live stream to the control plane. Everything that happens to the link (a break, a backoff, a changed
 * credential, the end of the program) only changes state and wakes the loop.
 *
 *   connecting ──welcome──▶ connected ──break, backoff, terminate──▶ waiting ──delay or wake()──▶ connecting
 *
 *   broken, failed     full jitter (`delays.ts`)
 *   backoff            exactly what was asked for, plus the random wait it names; a stream that may stay is left at that moment
 *   refused, REVOKED   patience, then once an hour; wake() and a changed identity file try at once; so does LOCKED
 *   expired            recovered before the next dial, by our clock or by a word of the control plane
 *   renewed()          left, and dialled again at once with the new certificate
 *   DUPLICATE          five minutes
 *   INCOMPATIBLE       once an hour
 *   DECOMMISSIONED     the end: `onDecommission`
 *
 * Losing the control plane touches nothing else: whatever is routed goes on being served.
 */
import { durationMs } from '@bufbuild/protobuf/wkt'
import type { Part } from '@mcpg/core/lifecycle'
import { McpgError } from '@mcpg/proto/errors'
import { GoodbyeReason, TerminateReason, type Backoff, type Welcome } from '@mcpg/proto/gen/gateway'
import type { Identity } from '../identity/identity-file.ts'
import { hasExpired } from '../identity/recovery.ts'
import type { FetchSecrets } from '../secrets/delivery.ts'
import type { Contact } from './contact.ts'
import { reconnectDelays } from './delays.ts'
import { explainConnection } from './explain.ts'
import type { Frame, Outbox } from './outbox.ts'
import { session, type SessionEnd } from './session.ts'
import { talkingOver, type Talking } from './talking.ts'

/** How stale what is remembered of the last contact may be after a kill. */
const contactPeriodMs = 60_000

/** Ends that another try soon cannot change. */
const hourly = new Set([TerminateReason.REVOKED, TerminateReason.LOCKED, TerminateReason.INCOMPATIBLE])

export type LinkState =
  | { phase: 'connecting'; endpoint: string }
  | { phase: 'connected'; endpoint: string; sinceMs: number }
  | { phase: 'waiting'; endpoint: string; retryInMs: number; message: string }
  | { phase: 'stopped' }

export type Link = Part & {
  state(): LinkState
  /** When the control plane was heard last, in milliseconds since 1970; null while there is a stream, and where it never was. */
  silentSince(): number | null
  /** Dial at once, whatever was being waited for. */
  wake(): void
  /** Another certificate is on disk: the next stream begins with it. */
  renewed(): void
}

export function linkLoop({
  identity,
  recover,
  onSuperseded,
  endpoints,
  contact,
  onContact,
  onAcknowledged = () => {},
  onDecommission,
  random = Math.random,
  ...talking
}: {
  /** Asked before every attempt, so that a renewed credential is used at once; must not reject. */
  identity: () => Promise<Identity>
  /** A new certificate for one that expired; throws McpgError when it is refused. */
  recover: (identity: Identity) => Promise<Identity>
  /** The control plane says that a newer certificate exists: an answer of it was lost. */
  onSuperseded: () => void
  endpoints: (identity: Identity) => string[]
  contact: Contact | null
  onContact: (contact: Contact) => void
  /** How long a heartbeat waited for its answer. */
  onAcknowledged?: (afterMs: number) => void
  onDecommission: (message: string) => void
  random?: () => number
} & Talking): Link {
  const { config, clock, timers, log } = talking
  const delays = reconnectDelays(timers, random)
  const talk = talkingOver(talking)
  let state: LinkState = { phase: 'stopped' }
  let loop: Promise<void> = Promise.resolve()
  let leaving = new AbortController()
  let isStopping = false
  let wakeUp = () => {}
  let lastHeard = contact ? Date.parse(contact.lastHeardAt) : null
  let dialled = 0
  /** The control plane said so, whatever our clock says. */
  let isExpired = false
  /** Monotonic time before which the control plane does not want to see us. */
  let notBefore: number | null = null
  let cancelDeparture = () => {}
  let remembered = contact
  let rememberedAt = -Infinity

  return { name: 'link', start, stop, state: () => state, silentSince, wake, renewed }

  async function start(fail: (error: unknown) => void): Promise<void> {
    loop = run().catch(fail)
  }

  async function stop(): Promise<void> {
    isStopping = true
    leaving.abort('stopping')
    wakeUp()
    await loop
    talk.stop()
    state = { phase: 'stopped' }
  }

  function silentSince(): number | null {
    return state.phase === 'connected' ? null : lastHeard
  }

  function wake(): void {
    delays.forgive()
    notBefore = null
    wakeUp()
  }

  function renewed(): void {
    if (state.phase === 'connected') leaving.abort('renewed')
    else wake()
  }

  async function run(): Promise<void> {
    for (;;) {
      const me = await identity()
      if (isStopping) return
      const targets = endpoints(me)
      const endpoint = targets[dialled++ % targets.length] ?? ''
      const end = await reach(me, endpoint)
      if (end.kind === 'refused' && end.reason === 'credential_superseded') onSuperseded()
      isExpired = end.kind === 'refused' && end.reason === 'credential_expired'
      noteEnd(end)
      if (isStopping) return
      const waitMs = delayAfter(end, endpoint)
      if (waitMs === null) return
      state = { phase: 'waiting', endpoint, retryInMs: waitMs, message: 'message' in end ? end.message : end.kind }
      await pause(waitMs)
    }
  }

  async function reach(me: Identity, endpoint: string): Promise<SessionEnd> {
    if (!isExpired && !hasExpired(me, clock)) return connect(me, endpoint)
    state = { phase: 'connecting', endpoint }
    try {
      return await connect(await recover(me), endpoint)
    } catch (error) {
      if (!(error instanceof McpgError)) return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
      const { message, reason, hint } = error
      return { kind: 'refused', reason, message: `${reason}: ${message}${hint ? ` (${hint})` : ''}` }
    }
  }

  async function connect(me: Identity, endpoint: string): Promise<SessionEnd> {
    state = { phase: 'connecting', endpoint }
    leaving = new AbortController()
    const end = await session({
      endpoint,
      peer: me,
      explain: (error) => explainConnection(error, me),
      leaving: { signal: leaving.signal, goodbye },
      clock,
      timers,
      random,
      conversation: {
        hello: () => talk.hello({ instanceUid: me.instanceUid, attempt: delays.attempts(), offlineMs: offlineMs() }),
        heartbeat: talk.heartbeat,
        welcome,
        receive: talk.receive,
        serverTime,
        acknowledged: onAcknowledged,
        backoff,
      },
    })
    cancelDeparture()
    config.forgetNonce()
    return end

    function welcome(welcomed: Welcome, outbox: Outbox, fetchSecrets: FetchSecrets): () => void {
      const { sessionEpoch, replicaId } = welcomed
      state = { phase: 'connected', endpoint, sinceMs: clock.monotonic() }
      lastHeard = clock.now()
      const connectedAt = new Date(lastHeard).toISOString()
      remember({ endpoint, connectedAt, lastHeardAt: connectedAt, replicaId })
      log.info({ endpoint, epoch: Number(sessionEpoch), replica: replicaId }, 'connected to the control plane')
      return talk.begin(welcomed, outbox, fetchSecrets)
    }
  }

  /** Writes a heartbeat now and then only; what is new about the connection at once. */
  function heard(): void {
    lastHeard = clock.now()
    if (remembered && state.phase === 'connected' && clock.monotonic() - rememberedAt >= contactPeriodMs)
      remember({ ...remembered, lastHeardAt: new Date(lastHeard).toISOString() })
  }

  function noteEnd(end: SessionEnd): void {
    if (!remembered || lastHeard === null) return
    const reason = isStopping ? 'the agent was stopped' : sentence(end)
    const lastHeardAt = new Date(lastHeard).toISOString()
    const { disconnected } = remembered
    // An agent that was killed while it was connected could not say when that ended.
    if (!disconnected) {
      const since = state.phase === 'connected' ? new Date(clock.now()).toISOString() : lastHeardAt
      return remember({ ...remembered, lastHeardAt, disconnected: { since, reason } })
    }
    const isDue = isStopping || clock.monotonic() - rememberedAt >= contactPeriodMs
    if (isDue && disconnected.reason !== reason) remember({ ...remembered, disconnected: { ...disconnected, reason } })
  }

  function remember(next: Contact): void {
    remembered = next
    rememberedAt = clock.monotonic()
    onContact(next)
  }

  /** Null ends the loop for good. */
  function delayAfter(end: SessionEnd, endpoint: string): number | null {
    if (end.kind === 'terminated' && end.terminate.reason === TerminateReason.DECOMMISSIONED) {
      log.warn(`this gateway was deleted from the control plane: ${end.terminate.message}`)
      onDecommission(end.terminate.message)
      return null
    }
    const waitMs = notBefore === null ? usualDelay(end) : Math.max(0, notBefore - clock.monotonic())
    notBefore = null
    log.warn({ endpoint, retryInMs: waitMs }, `no stream to the control plane: ${sentence(end)}; serving goes on`)
    return waitMs
  }

  function usualDelay(end: SessionEnd): number {
    switch (end.kind) {
      case 'failed':
        return delays.failed()
      case 'refused':
        return delays.refused()
      case 'terminated':
        if (end.terminate.reason === TerminateReason.DUPLICATE) return timers.duplicateHold
        if (hourly.has(end.terminate.reason)) return timers.unauthenticatedRetry
        return delays.broken(end.livedMs)
      case 'broken':
        return delays.broken(end.livedMs)
      case 'left':
      case 'backoff':
        return 0
    }
  }

  /** Obeyed to the millisecond; the random part is the one the control plane names. */
  function backoff({ reconnectAfter, jitter, keepStream }: Backoff): void {
    const waitMs = (reconnectAfter ? durationMs(reconnectAfter) : 0) + Math.floor(random() * (jitter ? durationMs(jitter) : 0))
    notBefore = clock.monotonic() + waitMs
    cancelDeparture()
    if (keepStream) cancelDeparture = clock.after(waitMs, () => leaving.abort('backoff'))
  }

  /** Only a stop is a goodbye: a stream that is left because it was asked for is not the end of this gateway. */
  function goodbye(): Frame | null {
    return isStopping ? { case: 'goodbye', value: { reason: GoodbyeReason.SHUTDOWN } } : null
  }

  function serverTime(seconds: bigint): void {
    heard()
    talk.compareClocks(seconds)
  }

  function offlineMs(): number | null {
    return lastHeard === null ? null : Math.max(0, clock.now() - lastHeard)
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve)
      wakeUp = () => {
        cancel()
        resolve()
      }
      if (isStopping) wakeUp()
    })
  }
}

function sentence(end: SessionEnd): string {
  if (end.kind === 'terminated') return `terminated (${TerminateReason[end.terminate.reason]}) ${end.terminate.message}`.trim()
  if (end.kind === 'refused') return `the credential was refused (${end.message})`
  if (end.kind === 'backoff' || end.kind === 'left') return 'it asked to come back later'
  return end.message
}
