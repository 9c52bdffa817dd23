/** Waits until `look` answers something truthy; throws what was waited for after the deadline. */
export async function until<Value>(what: string, look: () => Value | Promise<Value>, deadlineMs = 10_000): Promise<NonNullable<Value>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const value = await look()
    if (value) return value
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
