import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../harness/cleanup.ts'
import { fastTimers, startGateway } from '../harness/programs.ts'
import { isRunning } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { fixture, serverUrl, serving, settled, startFleet } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }
const cycles = join(import.meta.dirname, '../../gateway-agent/src/servers/cycles.prove.ts')

/** Shapes of `forks.ts`: ends on end of file; ignores SIGTERM and has a child; has daemons, too; leaves them behind. */
const shapes = ['A', 'C', 'E', 'G']

it('ends everything that servers started when they are removed, and when their agent is stopped or killed with -9', async () => {
  // 1 servers that fork, setsid, become daemons and ignore SIGTERM, each of which writes down what it started
  const folder = temporaryFolder()
  const fileOf = (shape: string) => join(folder, shape)
  const servers = shapes.map((shape) => fixture(`shape-${shape.toLowerCase()}`, 'forks', [shape, fileOf(shape)], { stopGrace: '200ms' }))
  const { rest, gateway, gatewayState } = await startFleet(servers, env)
  const started = () => shapes.flatMap((shape) => Object.values(JSON.parse(readFileSync(fileOf(shape), 'utf8')) as Record<string, number>))
  const isGone = (pids: number[]) => until('everything is gone', () => pids.every((pid) => !isRunning(pid)))
  const first = started()
  expect(first.length).toBeGreaterThan(8)
  expect(first.every(isRunning)).toBe(true)

  // 2 the agent is killed: nothing outlives it, whether or not another one is started
  await gateway.kill()
  await isGone(first)

  // 3 it is started again and stopped in order
  const second = await startGateway({ stateDir: gatewayState, env })
  for (const { name } of servers) await serving(serverUrl(second, name))
  const pids = started()
  expect(pids.filter((pid) => first.includes(pid))).toEqual([])
  expect(await second.stop()).toBe(0)
  await isGone(pids)

  // 4 it serves again, and the servers are taken away from it
  const third = await startGateway({ stateDir: gatewayState, env })
  for (const { name } of servers) await serving(serverUrl(third, name))
  const last = started()
  for (const { name } of servers) await rest.remove('servers', name)
  await settled(rest)
  await isGone(last)
})

it('leaves no process and no file descriptor behind over cycles of starts, stops, crashes and kills', async () => {
  const child = spawn(process.execPath, [cycles, '28', '5'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  const facts = JSON.parse(stdout) as Record<string, number>
  expect(facts).toMatchObject({ cycles: 28, leftAfterCycles: 0, kills: 5, leftAfterKills: 0 })
  expect(facts['fdAfter']).toBeLessThanOrEqual(facts['fdBefore'] ?? 0)
  expect(code).toBe(0)
})
