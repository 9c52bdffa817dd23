// The load of the bench, as a process of its own: clients stay open over all rounds, so that neither they nor the servers start cold.
import { openClients, type EchoClient, type Target } from './echo-clients.ts'
import { answerAsks } from './peer.ts'
import { percentile } from './percentile.ts'
import { cpuSeconds } from './process-cost.ts'

export type Measured = { calls: number; rps: number; p50: number; p99: number; cpuMicros: number; loadCpuMicros: number }
/** With `callsPerSecond` of all clients together each call has its time, and one that the call before held up counts from then; without it each follows the one before. */
type How = { clients: number; warmupMs: number; durationMs: number; watchPid: number; callsPerSecond?: number }
export type Measure = How & { path: string }
/** `durationMs` is of one slice. */
export type Alternate = How & { paths: string[]; slices: number }
type Sample = { latencies: number[]; seconds: number; watchedSeconds: number; ownMicros: number }

const open = new Map<string, EchoClient[]>()

answerAsks({ openPath, check, measure, alternate, close })

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

async function measure({ path, ...how }: Measure): Promise<Measured> {
  return summed([await sample(path, how)])
}

/** Each path for a slice of time, in turn, so that what else happens on the machine meets all of them; a figure is of all slices together. */
async function alternate({ paths, slices, ...how }: Alternate): Promise<Record<string, Measured>> {
  const samples = new Map<string, Sample[]>(paths.map((path) => [path, []]))
  for (let slice = 0; slice < slices; slice++)
    for (const path of slice % 2 === 0 ? paths : paths.toReversed()) samples.get(path)!.push(await sample(path, how))
  return Object.fromEntries([...samples].map(([path, of]) => [path, summed(of)]))
}

async function sample(path: string, { clients, warmupMs, durationMs, watchPid, callsPerSecond }: How): Promise<Sample> {
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
  const watchedSeconds = watchPid ? cpuSeconds(watchPid) - before.watched : 0
  const { user, system } = process.cpuUsage(before.own)
  await failed
  return { latencies, seconds, watchedSeconds, ownMicros: user + system }
}

function summed(samples: Sample[]): Measured {
  const latencies = samples.flatMap((one) => one.latencies)
  const sum = (of: (one: Sample) => number) => samples.reduce((total, one) => total + of(one), 0)
  const calls = latencies.length
  return {
    calls,
    rps: calls / sum(({ seconds }) => seconds),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuMicros: (sum(({ watchedSeconds }) => watchedSeconds) * 1e6) / calls,
    loadCpuMicros: sum(({ ownMicros }) => ownMicros) / calls,
  }
}

async function close(): Promise<void> {
  for (const clients of open.values()) await Promise.all([...new Set(clients)].map((client) => client.close()))
  open.clear()
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
