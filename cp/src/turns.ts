/** Longest that computation may keep the event loop to itself. A heartbeat needs a few turns from its frame to its answer. */
const budgetMs = 3

let since = performance.now()
const waiting: (() => void)[] = []

/**
 * To be awaited between two small pieces of long work (a loop over objects, say): lets the event loop turn once the pieces since its
 * last turn have taken too long. All long work of the process shares the budget and is resumed one at a time: with a budget of its own
 * each, ten loops at once would hold everybody else up ten times as long.
 */
export async function turn(): Promise<void> {
  if (performance.now() - since < budgetMs) return
  await new Promise<void>((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(resume)
  })
}

function resume(): void {
  since = performance.now()
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(resume)
}
