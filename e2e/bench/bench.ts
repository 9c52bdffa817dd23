import { closeAll } from '../harness/cleanup.ts'
import { benchCalls, type Goal } from './calls.ts'
import { benchLoop } from './loop.ts'
import { machine } from './machine.ts'
import { benchPropagation } from './propagation.ts'
import { benchRemote } from './remote.ts'
import { benchResources } from './resources.ts'
import type { Say } from './say.ts'
import { benchStarts } from './starts.ts'

export const sections = ['calls', 'propagation', 'starts', 'loop', 'remote', 'resources'] as const

/**
 * Quick counts show that the bench works and nothing else; their figures are not worth a word. `equipped` is with secrets in the servers and
 * the metrics of both programs read each second; the audit trail is always on.
 */
export async function runBench(
  { chosen, isQuick, equipped = false }: { chosen: string[]; isQuick: boolean; equipped?: boolean },
  say: Say,
) {
  const before = machine()
  const run: Record<(typeof sections)[number], () => Promise<{ goals: Goal[] }>> = {
    calls: () =>
      benchCalls(
        isQuick
          ? { rounds: 2, clients: [1, 8], durationMs: 500, warmupMs: 1_000, equipped }
          : { rounds: 5, clients: [1, 8, 64], durationMs: 1_500, warmupMs: 500, equipped },
        say,
      ),
    propagation: () =>
      benchPropagation(
        isQuick
          ? { gateways: 10, rounds: 2, documentBytes: 2_000, equipped }
          : { gateways: 100, rounds: 7, documentBytes: 8_192, equipped },
        say,
      ),
    starts: () => benchStarts(isQuick ? { rounds: 1, idleSeconds: 1, equipped } : { rounds: 5, idleSeconds: 20, equipped }, say),
    loop: () =>
      benchLoop(
        isQuick
          ? { gateways: 2, rounds: 1, objects: 100, auditSeconds: 1, auditRowsPerSecond: 5_000, equipped }
          : { gateways: 20, rounds: 5, objects: 1_000, auditSeconds: 10, auditRowsPerSecond: 5_000, equipped },
        say,
      ),
    remote: () =>
      benchRemote(
        isQuick ? { pairs: 200, cancels: 5, answers: 20, applies: 5 } : { pairs: 3_000, cancels: 50, answers: 100, applies: 50 },
        say,
      ),
    resources: () =>
      benchResources(
        isQuick
          ? { objects: 200, perApply: 100, pages: 10, changes: 5, updates: 300 }
          : { objects: 10_000, perApply: 1_000, pages: 400, changes: 200, updates: 100_000 },
        say,
      ),
  }
  const results: Record<string, unknown> = {}
  const goals: Goal[] = []
  for (const name of sections.filter((section) => chosen.includes(section))) {
    say(`${name}:`)
    const result = await run[name]()
    // Programs of one section would disturb the next.
    await closeAll()
    results[name] = result
    goals.push(...result.goals)
  }
  return {
    at: new Date().toISOString(),
    quick: isQuick,
    equipped,
    machine: before,
    loadAverageAfter: machine().loadAverage,
    goals,
    ...results,
  }
}
