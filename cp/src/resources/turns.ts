/** Lets the event loop turn whenever the work between two calls has taken longer than `budgetMs`. */
export function turns(budgetMs = 8): () => Promise<void> {
  let started = performance.now()
  return async () => {
    if (performance.now() - started < budgetMs) return
    await new Promise((resolve) => setImmediate(resolve))
    started = performance.now()
  }
}
