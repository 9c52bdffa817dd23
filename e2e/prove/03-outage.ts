import { offlineStarts } from '../bench/starts.ts'
import { closeAll } from '../harness/cleanup.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { outageOfControlPlane } from '../scenarios/outage.ts'
import { command, count, together, type Row } from './row.ts'

export const row: Row = {
  asked:
    'Control plane killed with -9 under 50 calls/s for 60 s: 0 failed calls. Agent restarted with the control plane gone: serves from LKG ≤ 2 s plus the start of the server itself',
  command: command(3),
  async run(counts) {
    const { calls, failures, seconds } = await outageOfControlPlane({
      seconds: count(counts, 60, 6),
      callsPerSecond: 50,
      env: productTimers,
    })
    await closeAll()
    counts.say(`outage: ${calls} calls, ${failures.length} failed`)
    const starts = await offlineStarts({ rounds: count(counts, 10, 2), idleSeconds: count(counts, 20, 1) }, counts.say)
    const [added] = starts.goals
    return together(
      {
        measured: `${calls} calls in ${seconds.toFixed(1)} s, ${failures.length} failed${failures[0] ? ` (${failures[0].slice(0, 200)})` : ''}`,
        ok: failures.length === 0 && calls >= seconds * 50 * 0.95,
      },
      {
        measured: `from LKG in ${starts.gatewayFromLastKnownGoodMs.median} ms, at most ${starts.gatewayFromLastKnownGoodMs.max} ms, of which the server itself ${starts.sameServerDirectlyMs.median} ms`,
        ok: added?.ok ?? false,
      },
      { measured: `idle agent: ${starts.gatewayIdle.residentMib} MiB, ${starts.gatewayIdle.cpuPercent} % CPU`, ok: true },
    )
  },
}
