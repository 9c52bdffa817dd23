import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import { McpgError } from '@mcpg/proto/errors'
import { failuresNow } from '../allocator/placement.ts'
import type { Db } from '../db/db.ts'
import type { Driver } from './drivers/driver.ts'
import type { ClusterRow, ClusterStore } from './store.ts'

/** A cluster that fails again and again is left alone twice as long each time, and no longer than this. */
const longestBackoffMs = 600_000

/** Asks clusters what they have, now and then. One that does not answer gets nothing new until it does. */
export function clusterProber({
  db,
  store,
  drivers,
  clock,
  periodMs,
  log,
}: {
  db: Pick<Db, 'write'>
  store: ClusterStore
  drivers: readonly Driver[]
  clock: Clock
  periodMs: number
  log: Pick<Log, 'warn'>
}): Part {
  return periodically({
    name: 'probes of clusters',
    clock,
    everyMs: periodMs,
    work: probeAll,
    failed: (error) => log.warn({ err: error }, 'clusters could not be probed'),
  })

  async function probeAll(stopping: AbortSignal): Promise<void> {
    for (const row of await store.list()) {
      if (stopping.aborted) return
      const driver = drivers.find(({ kind }) => kind === row.driver)
      const isLeftAlone = row.backoffUntil !== null && Date.parse(row.backoffUntil) > clock.now()
      const isUnknown = driver?.needsCredentials && row.credentialsRef === null
      if (driver && row.state !== 'decommissioned' && !isLeftAlone && !isUnknown) await probe(row, driver)
    }
  }

  async function probe(row: ClusterRow, driver: Driver): Promise<void> {
    try {
      const totals = await driver.on(row).probe()
      await db.write((tx) => store.setTotals(tx, row.id, totals, iso(clock.now())))
    } catch (error) {
      log.warn({ err: error, cluster: row.name }, 'a cluster does not answer')
      const now = clock.now()
      const failedAt = row.failedAt === null ? null : Date.parse(row.failedAt)
      const failureScore = failuresNow({ failureScore: row.failureScore, failedAt }, now) + 1
      const waitMs = Math.min(longestBackoffMs, periodMs * 2 ** Math.floor(failureScore))
      const message = error instanceof McpgError ? told(error) : 'It could not be probed; the log of the control plane says why.'
      await db.write((tx) => store.setFailure(tx, row.id, { message, failureScore, backoffUntil: iso(now + waitMs), now: iso(now) }))
    }
  }
}

/** With the way out. */
const told = ({ message, hint }: McpgError): string => (hint ? `${message} ${hint}` : message)

const iso = (ms: number): string => new Date(ms).toISOString()
