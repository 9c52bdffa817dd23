import { fastTimers } from '../harness/programs.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { poisons, poisonServer, type Poison } from '../scenarios/poison.ts'
import { command, together, type Outcome, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Servers that exit at once, hang in `initialize`, die after 20 s: rejected or rolled back, LKG serving ≤ 5 s after detection, 0 failed calls on unchanged servers, the revision held back, another person’s next change applied at once, status names server and reason',
  command: command(4),
  async run({ isQuick, say }) {
    const timers = isQuick
      ? { dieAfterMs: 1_500, env: { MCPG_TIMERS: `${fastTimers},probation=4000` } }
      : { dieAfterMs: 20_000, env: productTimers }
    const parts: Outcome[] = []
    for (const poison of Object.keys(poisons) as Poison[]) {
      const { held, unchanged, victim, nextChangeMs, status } = await poisonServer(poison, timers)
      say(`poison: ${poison} done`)
      const isNamed = status.gateways.some(({ heldBack }) => heldBack !== undefined)
      parts.push({
        measured:
          `${poison}: held back (${held.reason}: ${held.message.slice(0, 120)}), its old version out for ${victim.longestOutageMs.toFixed(0)} ms, ` +
          `${unchanged.failures.length} of ${unchanged.calls} calls of the unchanged server failed, the next change served after ${nextChangeMs.toFixed(0)} ms`,
        ok: victim.longestOutageMs <= 5_000 && unchanged.failures.length === 0 && nextChangeMs <= 5_000 && isNamed && held.reason !== '',
      })
    }
    return together(...parts)
  },
}
