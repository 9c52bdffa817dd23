import { percentile } from '../bench/percentile.ts'
import { residentMebibytes } from '../bench/process-cost.ts'
import { legacySession } from '../harness/mcp.ts'
import { startReading } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { startCalling } from './calling.ts'
import { fixture, serverUrl, startFleet } from './fleet.ts'

/** A line of `chatty.ts`. */
const lineBytes = 100
/** Often enough to say something about one heartbeat in a hundred. */
const beating = 'heartbeat=50'
const sampleMs = 100

/** Resident MiB: the medians of the first and of the last third of the flood, and how far all samples lie apart. */
export type Memory = { first: number; last: number; min: number; max: number }

export type Flooded = {
  /** Lines the server wrote; of those its reader got some and was told how many are missing. */
  written: number
  received: number
  dropped: number
  /** What the server got rid of, not what it was asked for. */
  megabytesPerSecond: number
  /** Heartbeats of the gateway whose log it is, and how many of them were answered within a tenth of a second. */
  acks: { count: number; quick: number }
  memory: { agent: Memory; controlPlane: Memory }
  calls: { calls: number; failures: string[] }
}

/** A server floods its log while `mcpg-ctl logs -f` follows it and others call another server of the same gateway. */
export async function floodedLog({
  megabytes,
  seconds,
  timers = '',
}: {
  megabytes: number
  seconds: number
  timers?: string
}): Promise<Flooded> {
  const env = { MCPG_TIMERS: [timers, beating].filter(Boolean).join(',') }
  const servers = [fixture('chatty', 'chatty', [], { callTimeout: `${seconds + 120}s` }), fixture('echo', 'echo')]
  const { controlPlane, gateway } = await startFleet(servers, env)
  const session = await legacySession(serverUrl(gateway, 'chatty'))
  const chat = async (args: { megabytes: number; seconds: number }) => Number(textOf(await session.call('chat', args)))
  // The last line of it says that the log is followed from before the flood on.
  await chat({ megabytes: 0.01, seconds: 0.02 })
  const heard = { received: 0, dropped: 0 }
  const reader = startReading(['logs', 'chatty', '-f', '--tail', '1', '-o', 'ndjson'], { stateDir: controlPlane.stateDir, env }, (line) => {
    const entry = JSON.parse(line) as { type: string; source?: string; lines?: number }
    if (entry.type === 'dropped') heard.dropped += entry.lines ?? 0
    if (entry.type === 'log' && entry.source === 'stderr') heard.received++
  })
  await until('the log is followed', () => heard.received > 0)
  heard.received = 0
  const calling = await startCalling(serverUrl(gateway, 'echo'), { callsPerSecond: 20 })
  const memory = { agent: [] as number[], controlPlane: [] as number[] }
  const sampling = setInterval(() => {
    memory.agent.push(residentMebibytes(gateway.pid))
    memory.controlPlane.push(residentMebibytes(controlPlane.pid))
  }, sampleMs)
  const before = await acksOf(gateway.endpoint)
  const started = performance.now()
  let written = await chat({ megabytes, seconds })
  const megabytesPerSecond = (written * lineBytes) / 1e6 / ((performance.now() - started) / 1_000)
  clearInterval(sampling)
  const after = await acksOf(gateway.endpoint)
  const { calls, failures } = await calling.stop()
  // Lines after a silence: whatever is missing before them is told then.
  await until('every line was printed or counted', async () => {
    if (heard.received + heard.dropped >= written) return true
    written += await chat({ megabytes: 0.01, seconds: 0.02 })
    return false
  })
  await reader.stop()
  return {
    written,
    ...heard,
    megabytesPerSecond,
    acks: { count: after.count - before.count, quick: after.quick - before.quick },
    memory: { agent: grown(memory.agent), controlPlane: grown(memory.controlPlane) },
    calls: { calls, failures },
  }
}

function textOf(result: Record<string, unknown>): string {
  return (result['content'] as { text: string }[])[0]?.text ?? ''
}

/** From the agent's own figures. */
async function acksOf(endpoint: string): Promise<{ count: number; quick: number }> {
  const text = await (await fetch(new URL('/metrics', endpoint))).text()
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  return {
    count: value(/^mcpg_gateway_heartbeat_seconds_count (\d+)$/m),
    quick: value(/^mcpg_gateway_heartbeat_seconds_bucket\{le="0\.1"\} (\d+)$/m),
  }
}

function grown(samples: number[]): Memory {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const round = (value: number) => Math.round(value * 10) / 10
  return {
    first: round(percentile(samples.slice(0, third), 0.5)),
    last: round(percentile(samples.slice(-third), 0.5)),
    min: round(Math.min(...samples)),
    max: round(Math.max(...samples)),
  }
}
