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
import { phases, stateText, workloadsOf, type Workload } from '../workloads.ts'
import { gatewayKind, type GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { starterServer } from './starter.ts'

/** Downloading a package over a slow line takes its time; the work goes on after that. */
const waitMs = 120_000
/** A gateway that is not connected after this is told, once. */
const patienceMs = 15_000
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
export async function showServers({ stopping, say }: Context, api: Api, progress: ReturnType<typeof ladder>): Promise<void> {
  const began = performance.now()
  const readySince = new Map<string, number>()
  let isTold = false
  while (!stopping.aborted && performance.now() - began < waitMs) {
    const [servers, gateways] = await Promise.all([listObjects(api, serverKind), listObjects(api, gatewayKind)])
    const byName = new Map(gateways.map((gateway) => [gateway.metadata.name, gateway]))
    const connection = (byName.get(quickstartGateway)?.status as Partial<GatewayStatus> | undefined)?.connection ?? 'unknown'
    const isOnline = connection === 'online'
    progress.set('gateway', isOnline ? 'done' : 'running', isOnline ? 'connected' : 'connecting')
    if (isOnline) {
      const own = showWorkloads(servers, byName, progress, readySince)
      if (own.every((one) => hasEnded(one, readySince))) return nextSteps(own).forEach((line) => say(line))
    } else if (!isTold && performance.now() - began > patienceMs) {
      isTold = true
      say(`the gateway does not connect: mcpg-ctl gateway-status --name ${quickstartGateway} says why`)
    }
    await delay(100, undefined, { signal: stopping }).catch(() => {})
  }
}

type Shown = Workload & { tools: number }

/** Those of this machine. */
function showWorkloads(
  servers: Resource[],
  gateways: ReadonlyMap<string, Resource>,
  progress: ReturnType<typeof ladder>,
  readySince: Map<string, number>,
): Shown[] {
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
  return own
}

/** It will not change by itself any more. */
function hasEnded({ server, verdict, tools }: Shown, readySince: ReadonlyMap<string, number>): boolean {
  return verdict !== 'pending' && (verdict !== 'ok' || tools > 0 || performance.now() - (readySince.get(server) ?? 0) > listWaitMs)
}

/** What a person does about those that did not come up. */
function nextSteps(own: Shown[]): string[] {
  return own.flatMap(({ server, verdict, state }) => {
    if (verdict !== 'failed') return []
    const why = `${server}: mcpg-ctl describe server/${server} says why`
    return state === 'HeldBack' ? `${why}; change it and apply, or try the same again: mcpg-ctl server restart ${server} --retry` : why
  })
}
