import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import { movesAtOnce } from '@mcpg/proto/managed-gateways'
import type { ClusterDrain } from '@mcpg/proto/rest/clusters'
import type { Clusters } from '../clusters/service.ts'
import type { Move } from './moves.ts'
import type { ManagedGateway, MoveRow, ProvisioningStore } from './store.ts'

const longestWaitMs = 600_000

export type Drainer = ReturnType<typeof clusterDrainer>

/**
 * Looks after clusters that are drained: what stands in their rows says what was asked for, so it goes on after a restart. A gateway
 * that cannot move stays and serves, and the row says why; one whose move failed is tried again later.
 */
export function clusterDrainer({
  clusters,
  store,
  move,
  clock,
  periodMs,
  log,
}: {
  clusters: Pick<Clusters, 'drains' | 'noteDrain'>
  store: Pick<ProvisioningStore, 'listOn' | 'movesFrom'>
  move: Move
  clock: Clock
  periodMs: number
  log: Pick<Log, 'warn'>
}) {
  const looks = periodically({
    name: 'drained clusters',
    clock,
    firstMs: 0,
    everyMs: periodMs,
    work: lookAtAll,
    failed: (error) => log.warn({ err: error }, 'drained clusters could not be looked after'),
  })
  const part: Part = looks
  /** `settled`: what is being begun now has begun. */
  return { part, look: looks.soon, settled: looks.settled }

  async function lookAtAll(stopping: AbortSignal): Promise<void> {
    for (const { id, drain } of await clusters.drains()) if (!stopping.aborted) await lookAt(id, drain, stopping)
  }

  async function lookAt(clusterId: string, drain: ClusterDrain, stopping: AbortSignal): Promise<void> {
    const [gateways, moves] = await Promise.all([store.listOn(clusterId), store.movesFrom(clusterId, drain.startedAt)])
    const moving = moves.filter(({ state }) => state === 'running')
    const staying = gateways.filter(({ instanceUid }) => !moving.some((one) => one.instanceUid === instanceUid))
    const isLate = drain.deadline !== undefined && clock.now() >= Date.parse(drain.deadline)
    const waiting: ClusterDrain['waiting'] = []
    let free = movesAtOnce(drain.total) - moving.length
    let away = moving.length
    for (const gateway of staying) {
      if (stopping.aborted) return
      const why = isLate ? (whyBefore(drain, gateway) ?? 'its turn did not come') : await begin(gateway, moves)
      if (why === null) away++
      else if (why !== undefined) waiting.push({ gateway: pathOf(gateway), why })
    }
    const left = staying.length - (away - moving.length)
    const isOver = away === 0 && (staying.length === 0 || isLate)
    const after = {
      ...drain,
      left,
      moving: away,
      waiting,
      expired: isLate && staying.length > 0,
      ...(isOver && { finishedAt: iso(clock.now()) }),
    }
    if (JSON.stringify(after) !== JSON.stringify(drain)) await clusters.noteDrain(clusterId, { before: drain, after })

    /** Null: it is on its way now. Undefined: its turn comes later. */
    async function begin(gateway: ManagedGateway, before: MoveRow[]): Promise<string | null | undefined> {
      const failed = before.filter(({ instanceUid, state }) => instanceUid === gateway.instanceUid && state !== 'running')
      const [last] = failed
      if (last?.finishedAt) {
        const waitMs = Math.min(longestWaitMs, periodMs * 2 ** failed.length)
        if (clock.now() - Date.parse(last.finishedAt) < waitMs) return `its move failed: ${last.errorMessage ?? last.state}`
      }
      if (free <= 0) return undefined
      const outcome = await move(gateway)
      if ('why' in outcome) return outcome.why
      free--
      return null
    }
  }
}

const pathOf = ({ org, workspace, environment, name }: ManagedGateway): string => `${org}/${workspace}/${environment}/${name}`
const whyBefore = (drain: ClusterDrain, gateway: ManagedGateway): string | undefined =>
  drain.waiting.find((one) => one.gateway === pathOf(gateway))?.why
const iso = (ms: number): string => new Date(ms).toISOString()
