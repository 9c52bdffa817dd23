// What a call costs that goes through the control plane, how fast its cancel arrives, and what many big answers do to heartbeats.
import { closeAll } from '../harness/cleanup.ts'
import { fastTimers } from '../harness/programs.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { addedLatency, bigAnswers, calledOnceApplied, cancelTimes } from '../scenarios/remote-calls.ts'
import { goal } from './calls.ts'
import type { Say } from './say.ts'

/** A little less than 4 MiB, which is the limit of the whole answer of MCP. */
const bigBytes = 4 * 1024 * 1024 - 1024

export async function benchRemote(
  { pairs, cancels, answers, applies }: { pairs: number; cancels: number; answers: number; applies: number },
  say: Say,
) {
  const added = await addedLatency({ pairs, env: productTimers })
  await closeAll()
  say(`remote: ${added.addedP50Ms} ms added over ${pairs} pairs`)
  const cancel = await cancelTimes({ rounds: cancels, env: productTimers })
  await closeAll()
  say(`remote: a cancel takes ${cancel.median} ms`)
  const herd = await bigAnswers({ calls: answers, bytes: bigBytes })
  say(`remote: ${answers} answers of 4 MiB took ${herd.seconds} s`)
  await closeAll()
  const { refused } = await calledOnceApplied({ rounds: applies, env: { MCPG_TIMERS: `${fastTimers},probation=0` } })
  say(`remote: ${refused.length} of ${applies} calls right after an apply found no gateway`)
  const goals = [
    goal('p50 added by the control plane to a call', 'ms', added.addedP50Ms, 2),
    goal('a cancel at the server, the slowest', 'ms', cancel.max, 200),
    goal(`heartbeat acknowledgements of a bystander beside ${answers} answers of 4 MiB, p99`, 'ms', herd.bystander.p99Ms, 100),
    goal(`heartbeat acknowledgements of the gateway that answers, p99 at most`, 'ms', herd.gateway.p99Ms, 100),
    goal(`calls the moment that their server is applied, refused of ${applies}`, '', refused.length, 0),
  ]
  return { added, cancel, herd, refused, goals }
}
