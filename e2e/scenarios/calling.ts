import { legacySession } from '../harness/mcp.ts'

export type Calling = {
  /** Ends it; every call begun is waited for. */
  stop(): Promise<{ calls: number; seconds: number; failures: string[]; longestOutageMs: number }>
}

/**
 * Calls a tool at a steady rate, whether or not earlier calls were answered, and checks every answer. `longestOutageMs` is the longest time
 * from one good answer's call to the next that held at least one failed call.
 */
export async function startCalling(
  url: string,
  { callsPerSecond, tool = 'echo', textOf = String }: { callsPerSecond: number; tool?: string; textOf?: (n: number) => string },
): Promise<Calling> {
  let session = await legacySession(url)
  const outcomes: { at: number; failure: string | null }[] = []
  const open = new Set<Promise<void>>()
  let n = 0
  const started = performance.now()
  const timer = setInterval(() => {
    // The timer may be late; the rate is kept by counting against the clock.
    while (n < ((performance.now() - started) / 1000) * callsPerSecond) {
      const call = one(textOf(n++)).finally(() => open.delete(call))
      open.add(call)
    }
  }, 1000 / callsPerSecond)
  return {
    async stop() {
      clearInterval(timer)
      const seconds = (performance.now() - started) / 1000
      await Promise.all(open)
      const failures = outcomes.flatMap(({ failure }) => failure ?? [])
      return { calls: outcomes.length, seconds, failures, longestOutageMs: longestOutage(outcomes) }
    },
  }

  async function one(text: string): Promise<void> {
    const at = performance.now()
    const failure = await session.call(tool, { text }).then(
      (result) =>
        (result['content'] as { text?: string }[] | undefined)?.[0]?.text === text ? null : `answered ${JSON.stringify(result)}`,
      (error: unknown) => String(error),
    )
    outcomes.push({ at, failure })
    // As the protocol says: a session that is gone is answered with 404 and the client initializes again.
    if (failure?.startsWith('Error: 404')) session = await legacySession(url).catch(() => session)
  }
}

function longestOutage(outcomes: { at: number; failure: string | null }[]): number {
  let longest = 0
  let lastGood: number | null = null
  let hasFailed = false
  for (const { at, failure } of outcomes.toSorted((a, b) => a.at - b.at)) {
    if (failure !== null) hasFailed = true
    else {
      if (hasFailed && lastGood !== null) longest = Math.max(longest, at - lastGood)
      lastGood = at
      hasFailed = false
    }
  }
  return hasFailed ? Infinity : longest
}
