import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits until `condition` answers something truthy and answers that. A throw counts as "not yet"; after `deadlineMs` the last one, or
 * what was waited for, is thrown.
 */
export async function until<T>(what: string, condition: () => Promise<T> | T, deadlineMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as NonNullable<T>
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`, { cause: last })
    await pause(20)
  }
}
