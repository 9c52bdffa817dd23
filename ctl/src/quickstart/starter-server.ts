import { setTimeout as delay } from 'node:timers/promises'
import { ApplyResponse } from '@mcpg/proto/rest/apply'
import { ResourceList } from '@mcpg/proto/rest/list'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Api } from '../api/client.ts'
import { listObjects } from '../api/objects.ts'
import { listPath, workspacePath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import type { ladder } from '../output/ladder.ts'
import { workloadsOf } from '../workloads.ts'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { starterServer } from './starter.ts'

/** Downloading a package over a slow line takes its time; the work goes on after that. */
const waitMs = 120_000

/** Gives an empty workspace its first server. */
export async function applyStarter(api: Api): Promise<void> {
  const { body } = await api.call('GET', listPath(api.settings, serverKind.plural), { query: { limit: 1 }, schema: ResourceList })
  if (body.items.length > 0) return
  await api.call('POST', `${workspacePath(api.settings)}/apply`, { body: { objects: [starterServer] }, schema: ApplyResponse })
}

/** Shows the servers of this gateway until each has ended up somewhere; what failed is told and keeps nobody waiting. */
export async function showServers({ stopping }: Context, api: Api, progress: ReturnType<typeof ladder>): Promise<void> {
  const deadline = performance.now() + waitMs
  while (!stopping.aborted && performance.now() < deadline) {
    const [servers, gateways] = await Promise.all([listObjects(api, serverKind), listObjects(api, gatewayKind)])
    const byName = new Map(gateways.map((gateway) => [gateway.metadata.name, gateway]))
    const workloads = servers.flatMap((server) => workloadsOf(server, byName).map((one) => ({ ...one, tools: server.status['tools'] })))
    for (const one of workloads) {
      const phase = one.verdict === 'ok' ? 'done' : one.verdict === 'pending' ? 'running' : one.verdict === 'failed' ? 'failed' : 'skipped'
      progress.set(
        one.server,
        phase,
        one.verdict === 'ok'
          ? `${one.state}, ${String(one.tools ?? 0)} tools`
          : [one.state, one.reason, one.message].filter(Boolean).join(' '),
      )
    }
    if (workloads.every(({ verdict }) => verdict !== 'pending')) return
    await delay(250, undefined, { signal: stopping }).catch(() => {})
  }
}
