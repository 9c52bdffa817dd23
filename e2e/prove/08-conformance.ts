import { closeAll } from '../harness/cleanup.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { conformanceThrough, legs } from '../scenarios/conformance.ts'
import { command, together, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    '`@modelcontextprotocol/conformance@0.2.0-alpha.12` through the gateway: all of 2026-07-28 over HTTP (37/37), all of 2025-11-25 over stdio and HTTP but the sampling and elicitation scenarios',
  command: command(8),
  async run({ say }) {
    const parts: Outcome[] = []
    for (const leg of legs) {
      const { passed, failed, unexpected, stale, unscored, failures } = await conformanceThrough(leg, productTimers)
      await closeAll()
      say(`conformance: ${leg.requirements} over ${leg.transport} done`)
      for (const failure of failures.filter(({ scenario }) => unexpected.includes(scenario)))
        say(`  ${failure.scenario}: ${failure.check}: ${failure.message}`)
      parts.push({
        measured:
          `${leg.requirements} over ${leg.transport}: ${passed.length}/${passed.length + failed.length}, ` +
          `exceptions: ${failed.join(', ') || 'none'}${stale.length ? `, no longer failing: ${stale.join(', ')}` : ''}` +
          (unscored.failed.length ? `, unscored and failing: ${unscored.failed.join(', ')}` : ''),
        ok: unexpected.length === 0 && stale.length === 0,
      })
    }
    return together(...parts)
  },
}
