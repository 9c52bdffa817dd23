import { setTimeout as delay } from 'node:timers/promises'
import { ApplyResponse } from '@mcpg/proto/rest/apply'
import { ResourceList } from '@mcpg/proto/rest/list'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Api } from '../api/client.ts'
import { listObjects } from '../api/objects.ts'
import { listPath, workspacePath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { quickstartGateway } from '../commands/stop.ts'
import type { ladder } from '../output/ladder.ts'
import { oneLine } from '../output/table.ts'
import { phases, stateText, workloadsOf } from '../workloads.ts'
import { gatewayKind, type GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { starterServer } from './starter.ts'

/** Downloading a package over a slow line takes its time; the work goes on after that. */
const waitMs = 120_000
/** The list of tools comes a moment after a server is ready; one without tools is believed after this. */
const listWaitMs = 2_000

/** Gives an empty workspace its first server. */
export async function applyStarter(api: Api): Promise<void> {
  const { body } = await api.call('GET', listPath(api.settings, serverKind), { query: { limit: 1 }, schema: ResourceList })
  if (body.items.length > 0) return
  await api.call('POST', `${workspacePath(api.settings)}/apply`, { body: { objects: [starterServer] }, schema: ApplyResponse })
}

/**
 * Shows the gateway of this machine until it is connected, and its servers until each has ended up somewhere; what failed is told and
 * keeps nobody waiting.
 */
export async function showServers({ stopping }: Context, api: Api, progress: ReturnType<typeof ladder>): Promise<void> {
  const deadline = performance.now() + waitMs
  const readySince = new Map<string, number>()
  while (!stopping.aborted && performance.now() < deadline) {
    const [servers, gateways] = await Promise.all([listObjects(api, serverKind), listObjects(api, gatewayKind)])
    const byName = new Map(gateways.map((gateway) => [gateway.metadata.name, gateway]))
    const connection = (byName.get(quickstartGateway)?.status as Partial<GatewayStatus> | undefined)?.connection ?? 'unknown'
    const isOnline = connection === 'online'
    progress.set('gateway', isOnline ? 'done' : 'running', isOnline ? 'connected' : 'connecting')
    if (isOnline && showWorkloads(servers, byName, progress, readySince)) return
    await delay(100, undefined, { signal: stopping }).catch(() => {})
  }
}

/** True once none of them may still change by itself. */
function showWorkloads(
  servers: Resource[],
  gateways: ReadonlyMap<string, Resource>,
  progress: ReturnType<typeof ladder>,
  readySince: Map<string, number>,
): boolean {
  const workloads = servers.flatMap((server) =>
    workloadsOf(server, gateways).map((one) => ({ ...one, tools: Number(server.status['tools'] ?? 0) })),
  )
  const own = workloads.filter(({ gateway, verdict }) => gateway === quickstartGateway || (gateway === '' && verdict === 'pending'))
  for (const { server, verdict, state, reason, message, tools } of own) {
    const text =
      verdict === 'ok'
        ? tools > 0
          ? `${state}, ${tools} tools`
          : state
        : oneLine(stateText({ state, reason }) + (message && verdict !== 'pending' ? `: ${message}` : ''))
    progress.set(server, phases[verdict], text)
    if (verdict === 'ok' && !readySince.has(server)) readySince.set(server, performance.now())
  }
  return own.every(
    ({ server, verdict, tools }) =>
      verdict !== 'pending' && (verdict !== 'ok' || tools > 0 || performance.now() - (readySince.get(server) ?? 0) > listWaitMs),
  )
}
