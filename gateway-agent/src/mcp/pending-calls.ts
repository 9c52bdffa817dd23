import { McpgError } from '@mcpg/proto/errors'
import type { Clock } from '@mcpg/core/clock'
import type { McpCall, McpOutcome } from './connection.ts'
import type { Exchange } from './http-exchange.ts'
import { metaOf, type Params } from './protocol.ts'

export type PendingCall = {
  id: number
  method: string
  call: McpCall
  /** The caller's own token, undefined when it wants no progress. */
  progressToken: unknown
  onNotification: ((method: string, params: Params) => void) | undefined
  resolve: (outcome: McpOutcome) => void
  reject: (error: Error) => void
  timeoutMs: number
  /** Moved by progress, never beyond `latest`; both on the monotonic clock, Infinity for a call that may stay silent. */
  deadline: number
  latest: number
  /** Stops the server's work on it. */
  abandon: ((call: PendingCall, reason: string) => void) | undefined
  /** What carries it, over HTTP. */
  exchange: Exchange | undefined
  /** Ends what the transport does for it; set by the transport, called once when the call is over. */
  stop: ((this: PendingCall) => void) | undefined
}

/** However much progress a call reports, it ends after this. */
const longestCallMs = 600_000
/** Timeouts are looked for this often: one timer for all calls of a connection, however many there are. */
const sweepMs = 100

const clientMethods = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

export type PendingCalls = ReturnType<typeof pendingCalls>

/**
 * The calls of one connection that wait for their answer. A call has no closures of its own: such a web of objects outlives its call by
 * many collections, which then cost more than the calls do.
 */
export function pendingCalls({ clock }: { clock: Clock }) {
  const calls = new Map<number, PendingCall>()
  let lastId = 0
  let cancelSweep: (() => void) | undefined
  let lasting = 0
  return { calls, start, settle, fail, touch, failAll, noteRefused, inFlight: () => calls.size - lasting, ofClients }

  /** From now on the call may be cancelled, and settles or fails once. */
  function start(
    call: McpCall,
    { timeoutMs, abandon, resolve, reject }: Pick<PendingCall, 'timeoutMs' | 'abandon' | 'resolve' | 'reject'>,
  ): PendingCall {
    const now = clock.monotonic()
    const id = ++lastId
    const entry: PendingCall = {
      id,
      method: call.method,
      call,
      progressToken: metaOf(call.params)?.['progressToken'],
      onNotification: call.onNotification,
      resolve,
      reject,
      timeoutMs,
      deadline: now + timeoutMs,
      latest: now + Math.max(timeoutMs, longestCallMs),
      abandon,
      exchange: undefined,
      stop: undefined,
    }
    call.id = id
    call.cancel = cancel
    call.extend = extend
    if (timeoutMs === Infinity) lasting++
    calls.set(id, entry)
    cancelSweep ??= clock.after(sweepMs, sweep)
    return entry
  }

  function cancel(this: McpCall, reason: string): void {
    const entry = this.id === undefined ? undefined : calls.get(this.id)
    if (!entry) return
    entry.abandon?.(entry, reason)
    fail(entry.id, cancelledError(entry.method))
  }

  function extend(this: McpCall, ms: number): void {
    const entry = this.id === undefined ? undefined : calls.get(this.id)
    if (entry) entry.deadline = Math.min(clock.monotonic() + ms, entry.latest)
  }

  /** A refusal that names no call is that of a call that is alone. */
  function noteRefused(method: string, of?: PendingCall): void {
    const [call, ...others] = of ? [of] : ofClients()
    if (call && others.length === 0) (call.call.refused ??= []).push(method)
  }

  function take(id: number): PendingCall | undefined {
    const call = calls.get(id)
    if (!call) return undefined
    calls.delete(id)
    if (call.timeoutMs === Infinity) lasting--
    call.call.cancel = undefined
    call.call.extend = undefined
    call.stop?.()
    return call
  }

  /** False for an answer nobody waits for: a second one, a late one, an invented id. */
  function settle(id: number, outcome: McpOutcome): boolean {
    const call = take(id)
    call?.resolve(outcome)
    return call !== undefined
  }

  function fail(id: number, error: Error): void {
    take(id)?.reject(error)
  }

  /** Progress came: the call is alive. */
  function touch(call: PendingCall): void {
    call.deadline = Math.min(clock.monotonic() + call.timeoutMs, call.latest)
  }

  function failAll(error: () => Error): void {
    cancelSweep?.()
    cancelSweep = undefined
    for (const id of calls.keys()) fail(id, error())
  }

  /** The calls on behalf of a client; lists, pings and levels are asked for by the gateway itself. */
  function ofClients(): PendingCall[] {
    return [...calls.values()].filter(({ method }) => clientMethods.has(method))
  }

  function sweep(): void {
    cancelSweep = undefined
    const now = clock.monotonic()
    for (const call of calls.values()) {
      if (now < call.deadline) continue
      call.abandon?.(call, 'timeout')
      fail(call.id, timeoutOf(call))
    }
    if (calls.size > lasting) cancelSweep = clock.after(sweepMs, sweep)
  }

  function timeoutOf({ method, timeoutMs }: PendingCall): McpgError {
    return new McpgError('timeout', 'call_timeout', `The server did not answer ${method} within ${timeoutMs / 1000} s.`, {
      hint: 'Raise callTimeout of the server if its calls take longer.',
    })
  }
}

function cancelledError(method: string): McpgError {
  return new McpgError('gone', 'call_cancelled', `${method} was cancelled by its caller.`)
}
