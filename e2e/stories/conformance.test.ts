import { beforeAll, describe, expect, it } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { fastTimers, type Gateway } from '../harness/programs.ts'
import { conformanceThrough, legs, required, startFixtures, type Leg } from '../scenarios/conformance.ts'

const env = { MCPG_TIMERS: fastTimers }

/** Both sets against servers of both eras; over HTTP where the other row is over stdio. `npm run prove -- 13` runs all of them. */
const shown = legs.filter(({ requirements, transport, era }) => {
  const isCrossed = (requirements === '2025-11-25') !== (era === 'legacy')
  return transport === (isCrossed === (era === 'modern') ? 'http' : 'stdio')
})

describe('the official suite, through one gateway with all servers beside each other', () => {
  let gateway: Gateway
  beforeAll(async () => {
    await shareWithFile(async () => {
      gateway = await startFixtures(legs, { env })
    })
  }, 120_000)

  it.each(shown)('passes for $requirements against a $era server over $transport', { timeout: 180_000 }, async (leg: Leg) => {
    const { passed, failed, failures } = await conformanceThrough(gateway, leg)
    expect({ failed, failures: failures.filter(({ scenario }) => failed.includes(scenario)) }).toEqual({ failed: [], failures: [] })
    expect(passed).toHaveLength(required[leg.requirements])
  })
})
