import { closeAll } from '../harness/cleanup.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { conformanceOutcome, conformanceThrough, legs, startFixtures } from '../scenarios/conformance.ts'
import { command, together, type Outcome, type Row } from './row.ts'

/** Clients and servers of one era; row 13 has all pairings. */
const shown = legs.filter(({ requirements, era, transport }) =>
  era === 'modern' ? requirements === '2026-07-28' && transport === 'http' : requirements === '2025-11-25',
)

export const row: Row = {
  asked:
    '`@modelcontextprotocol/conformance@0.2.0-alpha.12` through the gateway: all of 2026-07-28 over HTTP (37/37), all of 2025-11-25 over stdio and HTTP (30/30)',
  command: command(8),
  async run({ say }) {
    const gateway = await startFixtures(shown, { decoy: true, env: productTimers })
    const parts: Outcome[] = []
    for (const leg of shown) parts.push(conformanceOutcome(leg, 'beside others', await conformanceThrough(gateway, leg), say))
    await closeAll()
    return together(...parts)
  },
}
