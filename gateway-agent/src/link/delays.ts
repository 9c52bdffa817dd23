import { fullJitter } from '@mcpg/core/backoff'
import type { Timers } from '@mcpg/core/timers'

/** Refusals of the credential in a row, after which asking is as good as never. */
const patience = 6

export type DelayTimers = Pick<
  Timers,
  'firstReconnect' | 'reconnectBase' | 'reconnectMax' | 'healthyStream' | 'unauthenticatedRetry' | 'duplicateHold'
>

/**
 * When to dial again (`docs/protocol.md`). After an unexpected break: uniform in 0..firstReconnect. After that full jitter,
 * 0..min(max, base·2ⁿ). n goes back to 0 only after a stream that was healthy for `healthyStream`, so that a control plane that accepts
 * and drops is not hammered. A credential refused `patience` times in a row is tried once per `unauthenticatedRetry`.
 */
export function reconnectDelays(timers: DelayTimers, random: () => number = Math.random) {
  let failures = 0
  let refusals = 0
  return { broken, failed, refused, forgive, attempts: () => failures + refusals }

  /** The stream stood for `livedMs` and broke. */
  function broken(livedMs: number): number {
    refusals = 0
    if (livedMs >= timers.healthyStream) failures = 0
    if (failures > 0) return failed()
    failures = 1
    return Math.floor(random() * timers.firstReconnect)
  }

  /** There was no stream. */
  function failed(): number {
    return fullJitter(failures++, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }, random)
  }

  /** The credential was refused. */
  function refused(): number {
    refusals++
    return refusals >= patience ? timers.unauthenticatedRetry : failed()
  }

  /** Something changed that makes an old refusal worthless. */
  function forgive(): void {
    failures = 0
    refusals = 0
  }
}
