// How long the programs need until they serve, and what they cost while nobody asks anything.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serverFile } from '../fixtures/start.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startGateway } from '../harness/programs.ts'
import { startQuickstart } from '../scenarios/quickstart.ts'
import { goal } from './calls.ts'
import { openClients } from './echo-clients.ts'
import { productTimers, runServers, serving, startFleet } from '../scenarios/fleet.ts'
import { fromSecret, scrape, storeSecret } from './equipped.ts'
import { spread } from './percentile.ts'
import { cpuSeconds, residentMebibytes } from './process-cost.ts'
import type { Say } from './say.ts'

/** `equipped`: the server of the gateway has a secret, and while it is idle its metrics are read. A quickstart is what it is. */
export type StartsSettings = { rounds: number; idleSeconds: number; equipped?: boolean }

export async function benchStarts(settings: StartsSettings, say: Say) {
  const quickstart = await laterQuickstarts(settings.rounds, say)
  const offline = await offlineStarts(settings, say)
  return { quickstart, ...offline, goals: [...quickstart.goals, ...offline.goals] }
}

/** The first start prepares the state dir and installs the package of the starter manifest; it is not counted. */
export async function laterQuickstarts(rounds: number, say: Say) {
  const stateDir = join(temporaryFolder(), 'state')
  const first = await startQuickstart(stateDir, 300_000)
  await first.interrupt()
  say(`starts: first quickstart, ${(first.toToolsMs / 1000).toFixed(1)} s to tools/list`)
  const ready: number[] = []
  const tools: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const later = await startQuickstart(stateDir)
    await later.interrupt()
    ready.push(later.toReadyMs)
    tools.push(later.toToolsMs)
    say(
      `starts: quickstart, round ${round} of ${rounds}: ${later.toReadyMs.toFixed(0)} ms to /readyz, ${later.toToolsMs.toFixed(0)} ms to tools/list`,
    )
  }
  const [toReadyMs, toToolsMs] = [spread(ready, 0), spread(tools, 0)]
  return {
    toReadyMs,
    toToolsMs,
    goals: [
      goal('a later quickstart, to /readyz of the control plane', 'ms', toReadyMs.max, 3_000),
      goal('a later quickstart, to tools/list', 'ms', toToolsMs.max, 6_000),
    ],
  }
}

/** A gateway whose control plane is gone starts from its last-known-good config; the same server started directly beside it. */
export async function offlineStarts({ rounds, idleSeconds, equipped = false }: StartsSettings, say: Say) {
  const command = [process.execPath, serverFile('echo')]
  const fleet = await startFleet([])
  const { controlPlane, gateway, gatewayState } = fleet
  if (equipped) await storeSecret(fleet.rest)
  await runServers(fleet, [{ name: 'echo', spec: { command, env: equipped ? fromSecret : [] } }])
  const scraped = equipped ? scrape([controlPlane.http, new URL(gateway.endpoint).origin]) : undefined
  await pause(5_000)
  const cpu = cpuSeconds(gateway.pid)
  await pause(idleSeconds * 1000)
  const idle = {
    residentMib: Math.round(residentMebibytes(gateway.pid)),
    cpuPercent: Number((((cpuSeconds(gateway.pid) - cpu) / idleSeconds) * 100).toFixed(2)),
  }
  say(`starts: idle gateway, ${idle.residentMib} MiB, ${idle.cpuPercent} % CPU`)
  await scraped?.end()
  await controlPlane.kill()
  await gateway.stop()

  const through: number[] = []
  const direct: number[] = []
  for (let round = 1; round <= rounds; round++) {
    through.push(await timed(() => startAndStop(gatewayState)))
    direct.push(await timed(() => startDirectly(command)))
    say(
      `starts: without a control plane, round ${round} of ${rounds}: ${through.at(-1)?.toFixed(0)} ms, directly ${direct.at(-1)?.toFixed(0)} ms`,
    )
  }
  const addedMs = spread(
    through.map((ms, index) => ms - (direct[index] ?? Number.NaN)),
    0,
  )
  return {
    gatewayIdle: idle,
    gatewayFromLastKnownGoodMs: spread(through, 0),
    sameServerDirectlyMs: spread(direct, 0),
    goals: [goal('serving from the last-known-good config, beyond the start of the server itself', 'ms', addedMs.max, 2_000)],
  }
}

const stopping: Promise<unknown>[] = []

/** Stops outside what is timed. */
async function startAndStop(stateDir: string): Promise<void> {
  const gateway = await startGateway({ stateDir, env: productTimers })
  await serving(`${gateway.endpoint}/servers/echo`)
  stopping.push(gateway.stop())
}

async function startDirectly(command: string[]): Promise<void> {
  const [client] = await openClients({ transport: 'stdio', command }, 1)
  await client?.tools()
  stopping.push(client?.close() ?? Promise.resolve())
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  const elapsed = performance.now() - started
  await Promise.all(stopping.splice(0))
  return elapsed
}
