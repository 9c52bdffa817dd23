/** Asks until the answer is neither false nor null; throws after ten seconds. */
export async function until<Value>(what: string, ask: () => Value | null | false | undefined): Promise<Value> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const value = ask()
    if (value !== null && value !== false && value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`gave up waiting until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
