// What a call through the gateway costs beside the same call without it, in one run, path after path in every round.
import { serverFile, startHttpServer } from '../fixtures/start.ts'
import { closeLater } from '../harness/cleanup.ts'
import type { Target } from './echo-clients.ts'
import { runServers, startFleet } from '../scenarios/fleet.ts'
import { fromSecret, scrape, storeSecret } from './equipped.ts'
import type { Measure, Measured } from './load.ts'
import { startPeer, type Peer } from './peer.ts'
import { spread } from './percentile.ts'
import type { Say } from './say.ts'

type Path = { name: string; target: Target; beside: string | null }

export type CallsSettings = {
  rounds: number
  clients: number[]
  durationMs: number
  warmupMs: number
  directOnly?: boolean
  /** With secrets in the servers and somebody who reads the metrics of both programs. */
  equipped?: boolean
}

/** `beside` names the direct path a path through the gateway is compared with. */
export async function benchCalls({ rounds, clients, durationMs, warmupMs, directOnly = false, equipped = false }: CallsSettings, say: Say) {
  const stdio = [process.execPath, serverFile('raw-stdio')]
  const [legacy, modern] = await Promise.all(['legacy', 'modern'].map((era) => startHttpServer(serverFile('raw-http'), ['--era', era])))
  if (!legacy || !modern) throw new Error('unreachable')
  for (const server of [legacy, modern]) closeLater(server.stop)

  const paths: Path[] = [
    { name: 'direct stdio, legacy', target: { transport: 'stdio', command: stdio }, beside: null },
    { name: 'direct HTTP, legacy', target: { transport: 'http', url: legacy.url, era: 'legacy' }, beside: null },
    { name: 'direct HTTP, modern', target: { transport: 'http', url: modern.url, era: 'modern' }, beside: null },
  ]
  let gatewayPid = 0
  let scraped: ReturnType<typeof scrape> | undefined
  if (!directOnly) {
    const { gateway, controlPlane, rest } = await startFleet([])
    if (equipped) await storeSecret(rest)
    const headers = equipped ? fromSecret.map(({ valueFrom }) => ({ name: 'X-Bench-Token', valueFrom })) : []
    await runServers({ rest, gateway }, [
      { name: 'raw-stdio', spec: { command: stdio, env: equipped ? fromSecret : [] } },
      { name: 'raw-http-legacy', spec: { url: { url: legacy.url, headers } } },
      { name: 'raw-http-modern', spec: { url: { url: modern.url, headers } } },
    ])
    if (equipped) scraped = scrape([controlPlane.http, new URL(gateway.endpoint).origin])
    gatewayPid = gateway.pid
    const through = (name: string, server: string, era: 'legacy' | 'modern', beside: string): Path => ({
      name,
      target: { transport: 'http', url: `${gateway.endpoint}/servers/${server}`, era },
      beside,
    })
    paths.push(
      through('gateway to stdio, legacy', 'raw-stdio', 'legacy', 'direct stdio, legacy'),
      through('gateway to stdio, modern', 'raw-stdio', 'modern', 'direct stdio, legacy'),
      through('gateway to HTTP, legacy', 'raw-http-legacy', 'legacy', 'direct HTTP, legacy'),
      through('gateway to HTTP, modern', 'raw-http-modern', 'modern', 'direct HTTP, modern'),
    )
  }

  const load = await startPeer(new URL('./load.ts', import.meta.url).pathname)
  const verified: Record<string, number> = {}
  for (const { name, target } of paths) {
    await load.ask('openPath', { path: name, target, clients: Math.max(...clients) })
    verified[name] = await load.ask<number>('check', { path: name })
  }
  say(`calls: ${Object.keys(verified).length} paths answer correctly`)

  const results = []
  for (const count of clients) {
    const measured = await measureRounds(load, paths, { rounds, clients: count, durationMs, warmupMs, gatewayPid }, say)
    for (const { name, beside } of paths) results.push(summary(name, beside, count, measured))
  }
  await load.ask('close')
  return { verified, results, ...(scraped && { scrapes: await scraped.end() }), goals: goals(results) }
}

type Rounds = Map<string, Measured[]>

/** Every round takes all paths, and begins with another one, so that a slow second of the machine falls on all alike. */
async function measureRounds(
  load: Peer,
  paths: Path[],
  { rounds, gatewayPid, ...one }: { rounds: number; gatewayPid: number; clients: number; durationMs: number; warmupMs: number },
  say: Say,
): Promise<Rounds> {
  const measured: Rounds = new Map(paths.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < paths.length; turn++) {
      const path = paths[(turn + round) % paths.length]
      if (!path) continue
      const watchPid = path.beside === null ? 0 : gatewayPid
      measured.get(path.name)?.push(await load.ask<Measured>('measure', { path: path.name, watchPid, ...one } satisfies Measure))
    }
    say(`calls: ${one.clients} clients, round ${round + 1} of ${rounds}`)
  }
  return measured
}

export type CallsReport = Awaited<ReturnType<typeof benchCalls>>

function summary(name: string, beside: string | null, clients: number, measured: Rounds) {
  const rounds = measured.get(name) ?? []
  const direct = (beside === null ? undefined : measured.get(beside)) ?? []
  const of = (field: keyof Measured, digits = 3) =>
    spread(
      rounds.map((round) => round[field]),
      digits,
    )
  return {
    path: name,
    clients,
    calls: rounds.reduce((sum, round) => sum + round.calls, 0),
    p50Ms: of('p50'),
    p99Ms: of('p99'),
    rps: of('rps', 0),
    loadCpuMicros: of('loadCpuMicros', 1),
    ...(beside === null
      ? {}
      : {
          beside,
          gatewayCpuMicros: of('cpuMicros', 1),
          // Of the same round, so that both were measured within seconds of each other.
          addedP50Ms: spread(rounds.map((round, index) => round.p50 - (direct[index]?.p50 ?? Number.NaN))),
        }),
  }
}

/** Over direct stdio for the paths to the stdio server; the HTTP paths are shown beside direct HTTP and judged by CPU alone. */
function goals(results: ReturnType<typeof summary>[]) {
  const through = results.filter((result) => result.beside !== undefined)
  return [
    ...through
      .filter((result) => result.clients === 1 && result.path.includes('stdio'))
      .map((result) => goal(`p50 added at one client, ${result.path}`, 'ms', result.addedP50Ms?.median, 0.3)),
    ...through
      .filter((result) => result.clients === 8)
      .map((result) => goal(`gateway CPU per call at eight clients, ${result.path}`, 'µs', result.gatewayCpuMicros?.median, 100)),
  ]
}

export type Goal = { goal: string; limit: number; unit: string; measured: number; ok: boolean }

export function goal(name: string, unit: string, measured: number | undefined, limit: number): Goal {
  return {
    goal: name,
    limit,
    unit,
    measured: measured === undefined ? Number.NaN : Number(measured.toFixed(3)),
    ok: measured !== undefined && measured <= limit,
  }
}
