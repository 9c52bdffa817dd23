// Counts what survives servers that fork, setsid, empty their environment and ignore SIGTERM.
//
//   node cycles.prove.ts [cycles 300] [kills 20] [tier: the best one]
//
// A cycle is a start and a stop, every third one with a crash between. A kill is an agent that is killed with -9 up to 600 ms after its
// start. Prints one line: {"tier","cycles","crashes","leftAfterCycles","fdBefore","fdAfter","kills","leftAfterKills","seconds"}.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ConfigServerInput } from '@mcpg/proto/gateway-config'
import type { Servers } from './supervision.ts'
import { leftIn } from './test-servers/left-in.ts'
import { apply, call, desired, fixture, openSupervisor } from './test-servers/open-supervisor.ts'
import { until } from './test-servers/until.ts'
import { probeSupervision, type Supervision } from './tree/probe.ts'

const allShapes = ['A', 'B', 'C', 'D', 'E', 'F', 'G']
const timers = { stdinGrace: 50, restartBase: 5, restartMax: 20, crashLoopWindow: 1 }

let shapes = allShapes

if (process.argv[2] === 'agent') await beAgent(process.argv[3] ?? '', process.argv[4] ?? '')
else {
  const [cycles = 300, kills = 20, tier = 2] = process.argv.slice(2).map(Number)
  const began = performance.now()
  const supervision = await supervisionOf(tier)
  const cycled = await runCycles(cycles, supervision)
  const { left: leftAfterKills, aliveAtKills } = await runKills(kills, supervision.active)
  const seconds = Math.round((performance.now() - began) / 100) / 10
  process.stdout.write(`${JSON.stringify({ tier: supervision.active, ...cycled, kills, aliveAtKills, leftAfterKills, seconds })}\n`)
  process.exitCode =
    cycled.leftAfterCycles + leftAfterKills === 0 && (kills === 0 || aliveAtKills > 0) && cycled.fdAfter <= cycled.fdBefore ? 0 : 1
}

async function supervisionOf(tier: number): Promise<Supervision> {
  const probed = await probeSupervision()
  const active = tier === 1 ? 1 : probed.active
  // An empty environment hides from the marker: F is what tier 1 does not promise.
  shapes = allShapes.filter((shape) => shape !== 'F' || active === 2)
  return { ...probed, active }
}

async function runCycles(cycles: number, supervision: Supervision) {
  const { servers, folder, close } = openSupervisor(timers, { supervision })
  let crashes = 0
  const rounds = Math.ceil(cycles / shapes.length)
  await apply(servers)
  // The first round opens what stays open: the watchdog's pipe, the event loop's own.
  await round(servers, 0)
  await until('the first round is gone', () => leftIn(folder).length === 0)
  const fdBefore = await openFiles()
  for (let number = 1; number <= rounds; number++) crashes += await round(servers, number)
  const leftAfterCycles = await settle(folder)
  const fdAfter = await openFiles()
  await close()
  return { cycles: rounds * shapes.length, crashes, leftAfterCycles, fdBefore, fdAfter }
}

/** Starts one server of every shape, crashes some of them and waits for their return, ends them all. */
async function round(servers: Servers, number: number): Promise<number> {
  await apply(servers, ...shapes.map((shape) => serverOf(shape, number)))
  const victims = shapes.filter((_, index) => (index + number) % 3 === 0).map((shape) => `shape-${shape.toLowerCase()}`)
  await Promise.all(victims.map((name, index) => crash(servers, name, index % 2 === 0)))
  await apply(servers)
  return victims.length
}

async function crash(servers: Servers, name: string, politely: boolean): Promise<void> {
  const pid = Number(await call(servers, name, 'pid'))
  if (politely) await call(servers, name, 'leave').catch(() => {})
  else process.kill(pid, 'SIGKILL')
  await until(`${name} is back`, () => {
    const report = servers.report().find((one) => one.name === name)
    return report?.state === 'ready' && report.restartCount > 0
  })
}

function serverOf(shape: string, restarts: number): ConfigServerInput {
  return { name: `shape-${shape.toLowerCase()}`, command: fixture('forks', shape), stopGraceMs: 50, restarts }
}

/** `aliveAtKills` counts processes that were there at the moment of a kill: without any, nothing would be proven. */
async function runKills(kills: number, tier: number): Promise<{ left: number; aliveAtKills: number }> {
  let left = 0
  let aliveAtKills = 0
  for (let index = 0; index < kills; index++) {
    const folder = mkdtempSync(join(tmpdir(), 'mcpg-kill-'))
    const agent = spawn(process.execPath, [fileURLToPath(import.meta.url), 'agent', folder, String(tier)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    })
    await once(agent.stdout, 'data')
    await sleep(Math.random() * 600)
    aliveAtKills += leftIn(folder).length
    agent.kill('SIGKILL')
    await once(agent, 'exit')
    left += await settle(folder)
    rmSync(folder, { recursive: true, force: true })
  }
  return { left, aliveAtKills }
}

/** How many are still there after ten seconds, or 0 at once; whatever it is, it is ended. */
async function settle(folder: string): Promise<number> {
  await until('nothing is left', () => leftIn(folder).length === 0, 10_000).catch(() => {})
  const left = leftIn(folder)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return left.length
}

async function beAgent(folder: string, tier: string): Promise<void> {
  const supervision = await supervisionOf(Number(tier))
  const { servers } = openSupervisor(timers, { supervision, stateDir: folder })
  process.stdout.write('starting\n')
  servers
    .change(
      shapes.map((shape) => desired(serverOf(shape, 0))),
      new Set(),
    )
    .commit()
}

/** The pipes of the last processes are closed a moment after them. */
async function openFiles(): Promise<number> {
  await sleep(500)
  return readdirSync('/proc/self/fd').length
}
