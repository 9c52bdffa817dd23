import { expect, it } from 'vitest'
import { conformanceThrough, legs } from '../scenarios/conformance.ts'
import { fastTimers } from '../harness/programs.ts'

// A scenario of the expected failures that passes is an entry to remove, so it fails here too.
it.each(legs)(
  'passes the official suite of $requirements through the gateway, over $transport, but for what is expected',
  async (leg) => {
    const { passed, unexpected, stale, failures } = await conformanceThrough(leg, { MCPG_TIMERS: fastTimers })
    expect({ unexpected, stale, failures: failures.filter(({ scenario }) => unexpected.includes(scenario)) }).toEqual({
      unexpected: [],
      stale: [],
      failures: [],
    })
    expect(passed.length).toBe({ '2026-07-28': 37, '2025-11-25': 30 }[leg.requirements] - leg.expectedFailures.length)
  },
  180_000,
)
