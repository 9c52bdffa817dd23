import { productTimers } from '../scenarios/fleet.ts'
import { addedLatency, bigAnswers, cancelTimes } from '../scenarios/remote-calls.ts'
import { closeAll } from '../harness/cleanup.ts'
import { command, count, together, type Row } from './row.ts'

const mib = 1024 * 1024

export const row: Row = {
  asked:
    'A tool call through the control plane: p50 added ≤ 2 ms against the direct one, a cancel reaches the server ≤ 200 ms, 100 parallel answers of 4 MiB leave heartbeat acknowledgements at p99 < 100 ms',
  command: command(17),
  async run(counts) {
    const env = productTimers
    const added = await addedLatency({ pairs: count(counts, 3_000, 200), env })
    await closeAll()
    counts.say(JSON.stringify(added))
    const cancel = await cancelTimes({ rounds: count(counts, 50, 5), env })
    await closeAll()
    counts.say(JSON.stringify(cancel))
    // A little less, as the limit is that of the whole answer of MCP.
    const herd = await bigAnswers({ calls: count(counts, 100, 20), bytes: 4 * mib - 1024 })
    counts.say(JSON.stringify(herd))
    return together(
      {
        measured: `p50 ${added.directP50Ms} ms direct, ${added.throughP50Ms} ms through, ${added.addedP50Ms} ms added (${added.pairs} pairs)`,
        ok: added.addedP50Ms <= 2,
      },
      { measured: `cancel at the server after ${cancel.median} ms, at most ${cancel.max} (${cancel.rounds})`, ok: cancel.max <= 200 },
      {
        measured:
          `${herd.answers} answers of 4 MiB in ${herd.seconds} s: acks of a bystander p99 ${herd.bystander.p99Ms.toFixed(1)} ms ` +
          `(max ${herd.bystander.maxMs.toFixed(1)}, ${herd.bystander.beats} beats), of the gateway that answers p99 ≤ ${herd.gateway.p99Ms} ms (${herd.gateway.beats})`,
        ok: herd.bystander.p99Ms < 100 && herd.bystander.unanswered === 0 && herd.gateway.p99Ms <= 100 && herd.gateway.beats > 0,
      },
    )
  },
}
