import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition; throws with what it waits for after the deadline. */
export async function until<Value>(what: string, check: () => Value | Promise<Value>, deadlineMs = 15_000): Promise<NonNullable<Value>> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const value = await check()
    if (value) return value
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}`)
    await sleep(10)
  }
}
