import { McpgError } from '@mcpg/proto/errors'
import type { Clock } from '@mcpg/core/clock'
import type { McpOutcome } from './connection.ts'
import type { Params } from './protocol.ts'

export type PendingCall = {
  id: number
  method: string
  /** The caller's own token, undefined when it wants no progress. */
  progressToken: unknown
  onNotification: ((method: string, params: Params) => void) | undefined
  resolve: (outcome: McpOutcome) => void
  reject: (error: Error) => void
  timeoutMs: number
  /** Moved by progress, never beyond `latest`; both on the monotonic clock, Infinity for a call that may stay silent. */
  deadline: number
  latest: number
  /** Stops the server's work on it; set by the transport. */
  abandon: (reason: string) => void
  dispose: () => void
}

/** However much progress a call reports, it ends after this. */
const longestCallMs = 600_000
/** Timeouts are looked for this often: one timer for all calls of a connection, however many there are. */
const sweepMs = 100

const clientMethods = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

export type PendingCalls = ReturnType<typeof pendingCalls>

/** The calls of one connection that wait for their answer. */
export function pendingCalls({ clock }: { clock: Clock }) {
  const calls = new Map<number, PendingCall>()
  let lastId = 0
  let cancelSweep: (() => void) | undefined
  let lasting = 0
  return { calls, nextId, add, settle, fail, touch, failAll, inFlight: () => calls.size - lasting, ofClients }

  function nextId(): number {
    return ++lastId
  }

  function add(call: PendingCall): void {
    const now = clock.monotonic()
    call.deadline = now + call.timeoutMs
    call.latest = now + Math.max(call.timeoutMs, longestCallMs)
    if (call.timeoutMs === Infinity) lasting++
    calls.set(call.id, call)
    cancelSweep ??= clock.after(sweepMs, sweep)
  }

  function take(id: number): PendingCall | undefined {
    const call = calls.get(id)
    if (!call) return undefined
    calls.delete(id)
    if (call.timeoutMs === Infinity) lasting--
    call.dispose()
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
      call.abandon('timeout')
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

export function cancelledError(method: string): McpgError {
  return new McpgError('gone', 'call_cancelled', `${method} was cancelled by its caller.`)
}
