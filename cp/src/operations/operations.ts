import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import type { Log } from '@mcpg/core/log'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import { operationEngine, type AtStep } from './engine.ts'
import { operationChore } from './retention.ts'
import { operationService } from './service.ts'
import type { PlanOf } from './steps.ts'
import { operationStore } from './store.ts'

export type { AtStep } from './engine.ts'
export type { Operations } from './service.ts'
export type { Plan, PlanOf, Step, Work } from './steps.ts'
export type OperationRoom = ReturnType<typeof operationRoom>

/** Long work in steps: done, told, listed. */
export function operationRoom({
  db,
  audit,
  clock,
  log,
  owner,
  leaseMs,
  retryMs,
  planOf,
  atStep,
}: {
  db: Db
  audit: Audit
  clock: Clock
  log: Log
  owner: string
  leaseMs: number
  retryMs: number
  planOf: PlanOf
  atStep?: AtStep | undefined
}) {
  const store = operationStore(db)
  const engine = operationEngine({
    db,
    store,
    owner,
    planOf,
    clock,
    leaseMs,
    retryMs,
    log,
    told: (id) => service.told(id),
    ...(atStep && { atStep }),
  })
  const service = operationService({
    db,
    store,
    audit,
    clock,
    cancelWork: engine.cancel,
    isCancellable: ({ kind, step }) => {
      const plan = planOf(kind)
      return plan.cancellable && !plan.steps.some((one) => one.name === step && one.final)
    },
  })
  return { service, engine, part: engine.part, chore: operationChore({ db, clock }) }
}

/** The name under which this installation holds leases, kept in a file so that it is the same after a restart. */
export async function replicaId(path: string): Promise<string> {
  try {
    const known = readFileSync(path, 'utf8').trim()
    if (/^[0-9a-f-]{36}$/.test(known)) return known
  } catch {
    // The first start.
  }
  const id = randomUUID()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  await writeFileAtomic(path, `${id}\n`)
  return id
}
