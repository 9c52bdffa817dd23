import { closeAll } from '../harness/cleanup.ts'
import { conformanceOutcome, conformanceThrough, legs, startFixtures } from '../scenarios/conformance.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { command, together, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'conformance through the gateway with no expected failure: 2025-11-25 30/30 and 2026-07-28 37/37, against servers of both eras over stdio and HTTP, each alone on its gateway and beside all others (a legacy server’s own process for the modern client is started by one scenario before)',
  command: command(13),
  async run({ isQuick, say }) {
    const crowded = await startFixtures(legs, { env: productTimers })
    const parts: Outcome[] = []
    for (const leg of legs) parts.push(conformanceOutcome(leg, 'beside others', await conformanceThrough(crowded, leg), say))
    await closeAll()
    for (const leg of isQuick ? [] : legs) {
      const alone = await startFixtures([leg], { env: productTimers })
      parts.push(conformanceOutcome(leg, 'alone', await conformanceThrough(alone, leg), say))
      await closeAll()
    }
    return together(...parts)
  },
}
