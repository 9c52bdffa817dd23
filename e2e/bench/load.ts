// The load of the bench, as a process of its own: clients stay open over all rounds, so that neither they nor the servers start cold.
import { openClients, type EchoClient, type Target } from './echo-clients.ts'
import { answerAsks } from './peer.ts'
import { percentile } from './percentile.ts'
import { cpuSeconds } from './process-cost.ts'

export type Measured = { calls: number; rps: number; p50: number; p99: number; cpuMicros: number; loadCpuMicros: number }
/** With `callsPerSecond` of all clients together each call has its time, and one that the call before held up counts from then; without it each follows the one before. */
export type Measure = { path: string; clients: number; warmupMs: number; durationMs: number; watchPid: number; callsPerSecond?: number }

const open = new Map<string, EchoClient[]>()

answerAsks({ openPath, check, measure, close })

async function openPath({ path, target, clients }: { path: string; target: Target; clients: number }): Promise<void> {
  open.set(path, await openClients(target, clients))
}

/** Every client sees the tool and gets its own texts back, some at a time. */
async function check({ path }: { path: string }): Promise<number> {
  const clients = open.get(path) ?? []
  for (const client of new Set(clients))
    if (!(await client.tools()).includes('echo')) throw new Error(`${path}: tools/list does not hold echo`)
  const texts = clients.flatMap((client, index) =>
    Array.from({ length: 5 }, (_, round) => ({ client, text: `${path} ${index} ${round} "é\\` })),
  )
  await Promise.all(texts.map(({ client, text }) => client.echo(text)))
  return texts.length
}

async function measure({ path, clients, warmupMs, durationMs, watchPid, callsPerSecond }: Measure): Promise<Measured> {
  const latencies: number[] = []
  const window: { state: 'warm up' | 'open' | 'over' } = { state: 'warm up' }
  const everyMs = callsPerSecond === undefined ? 0 : (clients * 1000) / callsPerSecond
  const began = performance.now()
  const loops = (open.get(path) ?? []).slice(0, clients).map(async (client, index) => {
    for (let n = 0; window.state !== 'over'; n++) {
      const due = everyMs > 0 ? began + (n + index / clients) * everyMs : performance.now()
      const early = due - performance.now()
      if (early > 0) await later(early)
      // A timer that was late is not the path's; a call before this one that took too long is.
      const started = early > 0 ? performance.now() : due
      await client.echo(`${index}-${n}`)
      if (window.state === 'open') latencies.push(performance.now() - started)
    }
  })
  const failed = Promise.all(loops)
  await Promise.race([failed, later(warmupMs)])
  const before = { wall: performance.now(), watched: watchPid ? cpuSeconds(watchPid) : 0, own: process.cpuUsage() }
  window.state = 'open'
  await Promise.race([failed, later(durationMs)])
  window.state = 'over'
  const seconds = (performance.now() - before.wall) / 1000
  const watched = watchPid ? cpuSeconds(watchPid) - before.watched : 0
  const own = process.cpuUsage(before.own)
  await failed
  const calls = latencies.length
  return {
    calls,
    rps: calls / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuMicros: (watched * 1e6) / calls,
    loadCpuMicros: (own.user + own.system) / calls,
  }
}

async function close(): Promise<void> {
  for (const clients of open.values()) await Promise.all([...new Set(clients)].map((client) => client.close()))
  open.clear()
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
