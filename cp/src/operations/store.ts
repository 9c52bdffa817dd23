import type { OperationKind, OperationPhase, OperationQuery, OperationState, StepStatus } from '@mcpg/proto/rest/operations'
import type { Db, Tx } from '../db/db.ts'

/** A row of `operations`, JSON columns read. */
export type OperationRow = {
  id: string
  org: string
  workspace: string
  environment: string
  kind: OperationKind
  gateway: string
  gatewayUid: string
  clusterId: string | null
  state: OperationState
  phase: OperationPhase
  step: string
  attempt: number
  compensating: boolean
  cancelRequestedAt: string | null
  input: unknown
  data: Record<string, unknown>
  seq: number
  errorReason: string | null
  errorMessage: string | null
  startedBy: string
  createdAt: string
  updatedAt: string
  finishedAt: string | null
}

export type EventRow = {
  operationId: string
  seq: number
  phase: OperationPhase
  step: string
  status: StepStatus
  message: string
  data: Record<string, unknown> | null
  at: string
}

/** What a step changes of its operation. */
export type Progress = Partial<
  Pick<OperationRow, 'state' | 'phase' | 'step' | 'attempt' | 'compensating' | 'errorReason' | 'errorMessage' | 'finishedAt'>
>

export type OperationStore = ReturnType<typeof operationStore>

export function operationStore({ read }: Pick<Db, 'read'>) {
  return { find, page, eventsAfter, claim, renew, leave, cancelled, advance, note, requestCancel }

  async function find(id: string): Promise<OperationRow | null> {
    const row = await read.operation.findUnique({ where: { id } })
    return row && rowOf(row)
  }

  /** Newest first; the ids sort by time. */
  async function page(
    { org, gateway, kind, state }: { org: string } & Pick<OperationQuery, 'gateway' | 'kind' | 'state'>,
    before: string | undefined,
    take: number,
  ): Promise<OperationRow[]> {
    const rows = await read.operation.findMany({
      where: {
        org,
        ...(gateway !== undefined && { gateway }),
        ...(kind !== undefined && { kind }),
        ...(state !== undefined && { state }),
        ...(before !== undefined && { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take,
    })
    return rows.map(rowOf)
  }

  async function eventsAfter(operationId: string, seq: number): Promise<EventRow[]> {
    const rows = await read.operationEvent.findMany({ where: { operationId, seq: { gt: seq } }, orderBy: { seq: 'asc' } })
    return rows.map((row) => ({
      ...row,
      phase: row.phase as OperationPhase,
      status: row.status as StepStatus,
      data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
    }))
  }

  /** Takes the running ones that nobody is at work on, or that `owner` left behind (`own`). */
  async function claim(
    tx: Tx,
    { owner, now, until, own, except }: { owner: string; now: string; until: string; own: boolean; except: string[] },
  ): Promise<OperationRow[]> {
    const free = [{ leaseUntil: null }, { leaseUntil: { lt: now } }, ...(own ? [{ leaseOwner: owner }] : [])]
    const rows = await tx.operation.findMany({ where: { state: 'running', id: { notIn: except }, OR: free } })
    const claimed: OperationRow[] = []
    for (const row of rows) {
      const { count } = await tx.operation.updateMany({
        where: { id: row.id, state: 'running', leaseOwner: row.leaseOwner, leaseUntil: row.leaseUntil },
        data: { leaseOwner: owner, leaseUntil: until },
      })
      if (count === 1) claimed.push(rowOf(row))
    }
    return claimed
  }

  async function renew(tx: Tx, owner: string, ids: string[], until: string): Promise<void> {
    await tx.operation.updateMany({ where: { id: { in: ids }, leaseOwner: owner, state: 'running' }, data: { leaseUntil: until } })
  }

  /** Lets somebody else go on at once. */
  async function leave(tx: Tx, owner: string, ids: string[]): Promise<void> {
    await tx.operation.updateMany({ where: { id: { in: ids }, leaseOwner: owner, state: 'running' }, data: { leaseUntil: null } })
  }

  /** Those of some operations that somebody asked to cancel. */
  async function cancelled(ids: string[]): Promise<string[]> {
    const rows = await read.operation.findMany({ where: { id: { in: ids }, cancelRequestedAt: { not: null } }, select: { id: true } })
    return rows.map(({ id }) => id)
  }

  /** One event and what it changes; false when the lease belongs to somebody else by now, and then nothing is written. */
  async function advance(tx: Tx, owner: string, { data, ...event }: EventRow, progress: Progress): Promise<boolean> {
    const { count } = await tx.operation.updateMany({
      where: { id: event.operationId, leaseOwner: owner, state: 'running', seq: event.seq - 1 },
      data: {
        ...progress,
        seq: event.seq,
        updatedAt: event.at,
        ...(progress.finishedAt !== undefined && { activeKey: null, leaseOwner: null, leaseUntil: null }),
      },
    })
    if (count === 0) return false
    await tx.operationEvent.create({ data: { ...event, data: data && JSON.stringify(data) } })
    return true
  }

  async function note(tx: Tx, owner: string, id: string, data: Record<string, unknown>): Promise<boolean> {
    const { count } = await tx.operation.updateMany({
      where: { id, leaseOwner: owner, state: 'running' },
      data: { data: JSON.stringify(data) },
    })
    return count === 1
  }

  /** False when it has ended, or is being taken back already. */
  async function requestCancel(tx: Tx, id: string, now: string): Promise<boolean> {
    const { count } = await tx.operation.updateMany({
      where: { id, state: 'running', compensating: false, cancelRequestedAt: null },
      data: { cancelRequestedAt: now },
    })
    return count === 1
  }
}

type Stored = Omit<OperationRow, 'kind' | 'state' | 'phase' | 'input' | 'data'> & {
  kind: string
  state: string
  phase: string
  input: string
  data: string
}

function rowOf(row: Stored): OperationRow {
  return {
    ...row,
    kind: row.kind as OperationKind,
    state: row.state as OperationState,
    phase: row.phase as OperationPhase,
    input: JSON.parse(row.input) as unknown,
    data: JSON.parse(row.data) as Record<string, unknown>,
  }
}
