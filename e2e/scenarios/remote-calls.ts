// Calls through the control plane beside the same calls at the gateway itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openClients, type Target } from '../bench/echo-clients.ts'
import { percentile, spread, type Spread } from '../bench/percentile.ts'
import { startPeer } from '../bench/peer.ts'
import { closeLater } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { applied, fixture, serverUrl, startFleet } from './fleet.ts'

export type RemoteFleet = Awaited<ReturnType<typeof startFleet>>

/** Path of MCP through the control plane. */
export const throughUrl = ({ controlPlane }: Pick<RemoteFleet, 'controlPlane'>, server: string, gateway?: string): string =>
  `${controlPlane.http}/v1/orgs/default/workspaces/default/mcp/servers/${server}${gateway === undefined ? '' : `?gateway=${gateway}`}`

/** A tool call by hand as a modern client makes it; `signal` hangs up, `more` stands beside the arguments. */
export function callTool(
  url: string,
  name: string,
  args: Record<string, unknown> = {},
  {
    signal,
    capabilities = {},
    more = {},
  }: { signal?: AbortSignal; capabilities?: Record<string, unknown>; more?: Record<string, unknown> } = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    signal: signal ?? null,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: args,
        ...more,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': capabilities,
          'io.modelcontextprotocol/clientInfo': { name: 'story', version: '1' },
        },
      },
    }),
  })
}

/** What the way through the control plane adds to a call: the difference of pairs, one call right after the other, in turn. */
export async function addedLatency({ pairs, env }: { pairs: number; env?: Record<string, string> }) {
  const fleet = await startFleet([fixture('echo', 'raw-stdio')], env)
  const target = (url: string): Target => ({ transport: 'http', url, era: 'modern' })
  const [direct] = await openClients(target(serverUrl(fleet.gateway, 'echo')), 1)
  const [through] = await openClients(target(throughUrl(fleet, 'echo')), 1)
  if (!direct || !through) throw new Error('unreachable')
  closeLater(() => Promise.all([direct.close(), through.close()]))
  const timed = async (call: () => Promise<void>) => {
    const at = performance.now()
    await call()
    return performance.now() - at
  }
  const measured: { direct: number; through: number }[] = []
  // The first ones warm both ways up.
  const warmup = Math.min(200, pairs)
  for (let pair = -warmup; pair < pairs; pair++) {
    const text = `pair ${pair}`
    const isDirectFirst = pair % 2 === 0
    const first = await timed(() => (isDirectFirst ? direct : through).echo(text))
    const second = await timed(() => (isDirectFirst ? through : direct).echo(text))
    if (pair >= 0) measured.push(isDirectFirst ? { direct: first, through: second } : { direct: second, through: first })
  }
  const half = (values: number[]) => Number(percentile(values, 0.5).toFixed(3))
  return {
    pairs,
    directP50Ms: half(measured.map((one) => one.direct)),
    throughP50Ms: half(measured.map((one) => one.through)),
    addedP50Ms: half(measured.map((one) => one.through - one.direct)),
  }
}

/**
 * A server is applied, and called through the control plane the moment that its config is: `refused` is what was answered instead. Every
 * round brings a new one and takes the one before away.
 */
export async function calledOnceApplied({ rounds, env }: { rounds: number; env: Record<string, string> }) {
  const fleet = await startFleet([fixture('first', 'far-away')], env)
  const refused: string[] = []
  for (let round = 1; round <= rounds; round++) {
    const name = `new-${round}`
    await applied(fleet.rest, () => fleet.rest.servers(fixture(name, 'far-away')))
    const answer = await callTool(throughUrl(fleet, name), 'echo', { text: name })
    const text = await answer.text()
    if (answer.status !== 200 || !text.includes(`"text":"${name}"`)) refused.push(`${answer.status} ${text}`)
    await applied(fleet.rest, () => fleet.rest.remove('servers', name))
  }
  return { rounds, refused }
}

/** From the moment a client hangs up to the moment the server has heard of it. */
export async function cancelTimes({ rounds, env }: { rounds: number; env?: Record<string, string> }): Promise<Spread> {
  const fleet = await startFleet([fixture('far', 'far-away')], env)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const file = join(fleet.folder, `cancelled-${round}`)
    const said = () => readFileSync(file, 'utf8')
    const hangUp = new AbortController()
    const call = callTool(throughUrl(fleet, 'far'), 'wait', { file }, { signal: hangUp.signal }).catch(() => null)
    await until('the call is at the server', () => said() === 'waiting')
    const at = Date.now()
    hangUp.abort()
    await call
    times.push((await until('it is cancelled there', () => Number(said()))) - at)
  }
  return spread(times, 0)
}

export type Herd = { answers: number; bytes: number; seconds: number; bystander: Pulse; gateway: { beats: number; p99Ms: number } }
type Pulse = { beats: number; unanswered: number; p50Ms: number; p99Ms: number; maxMs: number }

/**
 * Many big answers at once, while a bystander and the gateway that answers wait for the acknowledgements of their heartbeats. `p99Ms` of the
 * gateway is the bucket of its own histogram that holds it.
 */
export async function bigAnswers({ calls, bytes }: { calls: number; bytes: number }): Promise<Herd> {
  // Often enough that a short time holds many beats.
  const fleet = await startFleet([fixture('far', 'far-away')], { MCPG_TIMERS: 'heartbeat=25' })
  const { url: enrollmentUrl } = await fleet.rest.enroll({ name: 'bystander' })
  const pulse = await startPeer(new URL('../bench/pulse.ts', import.meta.url).pathname)
  await pulse.ask('join', { enrollmentUrl, grpc: fleet.controlPlane.grpc, uid: 'bystander' })
  await callTool(throughUrl(fleet, 'far', 'here'), 'big', { bytes: 1_000 }).then((answer) => answer.text())
  const before = await ackBuckets(fleet.gateway.endpoint)
  await pulse.ask('begin', {})
  const at = performance.now()
  const sizes = await Promise.all(
    Array.from({ length: calls }, async () => {
      const answer = await callTool(throughUrl(fleet, 'far', 'here'), 'big', { bytes })
      if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
      return (await answer.arrayBuffer()).byteLength
    }),
  )
  const seconds = (performance.now() - at) / 1000
  const bystander = await pulse.ask<Pulse>('end', {})
  // What is never acknowledged is in no percentile.
  if (bystander.unanswered > 0) throw new Error(`${bystander.unanswered} heartbeats of the bystander were never acknowledged`)
  const after = await ackBuckets(fleet.gateway.endpoint)
  const small = sizes.find((size) => size < bytes)
  if (small !== undefined) throw new Error(`an answer has ${small} bytes`)
  return { answers: calls, bytes, seconds: Number(seconds.toFixed(1)), bystander, gateway: bucketOf(before, after, 0.99) }
}

type Buckets = { le: number; count: number }[]

async function ackBuckets(endpoint: string): Promise<Buckets> {
  const text = await fetch(new URL('/metrics', endpoint)).then((answer) => answer.text())
  const found = [...text.matchAll(/^mcpg_gateway_heartbeat_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)]
  return found.map(([, le, count]) => ({ le: Number(le === '+Inf' ? Infinity : le), count: Number(count) }))
}

function bucketOf(before: Buckets, after: Buckets, share: number): { beats: number; p99Ms: number } {
  const counts = after.map(({ le, count }, index) => ({ le, count: count - (before[index]?.count ?? 0) }))
  const beats = counts.at(-1)?.count ?? 0
  // Of no heartbeat at all every bucket holds the whole.
  const bucket = beats > 0 ? counts.find(({ count }) => count >= share * beats) : undefined
  return { beats, p99Ms: (bucket?.le ?? Number.NaN) * 1000 }
}
