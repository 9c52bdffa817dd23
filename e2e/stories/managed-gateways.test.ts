import { expect, it } from 'vitest'
import { allocate } from '../scenarios/allocation.ts'
import { cutEverywhere } from '../scenarios/cut-everywhere.ts'
import { crashAt, crashPoints } from '../scenarios/managed-crashes.ts'
import { liveManaged } from '../scenarios/managed-lives.ts'

it('a quickstart and two gateways, one after the other: ready, called, in the history, and deleted without a trace', async () => {
  const { readyMs, wrong } = await liveManaged({ times: 2 })
  expect([readyMs.length, wrong]).toEqual([2, []])
}, 240_000)

it('a hundred creations at once where there is room for sixty: never one too many, and every loser is told why', async () => {
  const { wrong, together } = await allocate({ postgres: serverOfRun(), rounds: 2 })
  expect(wrong).toEqual([])
  expect(together.length).toBeGreaterThanOrEqual(2 * 100)
}, 120_000)

// `npm run prove -- 30` has all of them.
it.each([
  'create/workload/before',
  'create/rollout/after',
  'update/workload/after',
  'grow/workload/undo/after',
  'shrink/surplus_removed/before',
  'delete/drained/after',
  'create/workload/undo/after',
])(
  'killed with -9 at %s, the next control plane ends it once, and nothing is left over',
  async (point) => {
    expect(crashPoints).toContain(point)
    expect(await crashAt(point)).toEqual([])
  },
  180_000,
)

it('a stream that is cut after every event is seen once and in order, over requests and the command line', async () => {
  const { wrong, cuts, exits } = await cutEverywhere({ rounds: 1 })
  expect([wrong, exits]).toEqual([[], [0, 7, 130]])
  expect(cuts).toBeGreaterThan(20)
}, 240_000)

/** PostgreSQL only where the run is about it. */
function serverOfRun(): string | null {
  return process.env['MCPG_TEST_DATABASE'] === 'postgresql' ? (process.env['MCPG_TEST_PG_URL'] ?? null) : null
}
