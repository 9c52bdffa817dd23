import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { isLastPhase, type Operation, type OperationEvent, type OperationQuery } from '@mcpg/proto/rest/operations'
import type { GatewayParameters } from '@mcpg/proto/rest/provisioning'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import { turn } from '../turns.ts'
import type { EventRow, OperationRow, OperationStore } from './store.ts'

export type Operations = ReturnType<typeof operationService>

/** A reader that missed a word (another process may be at work) looks again after this. */
const lookAgainMs = 1_000
/** Rows read at once while a page is filled with those that may be seen. */
const portion = 200

/** Operations as people see them: listed, followed, cancelled. */
export function operationService({
  db,
  store,
  audit,
  clock,
  cancelWork,
  isCancellable,
}: {
  db: Pick<Db, 'write' | 'read'>
  store: OperationStore
  audit: Audit
  clock: Clock
  cancelWork: (id: string) => void
  isCancellable: (operation: Pick<OperationRow, 'kind' | 'step'>) => boolean
}) {
  const readers = new Map<string, Set<() => void>>()
  return { get, list, cancel, events, isToldAll, told }

  async function get(caller: Caller, id: string): Promise<Operation> {
    return (await shown([await visible(caller, id)]))[0]!
  }

  async function list(
    caller: Caller,
    org: string,
    { limit, cursor, ...asked }: OperationQuery,
  ): Promise<{ items: Operation[]; nextCursor?: string }> {
    const rows: OperationRow[] = []
    let before = cursor
    for (;;) {
      const page = await store.page({ org, ...asked }, before, portion)
      for (const row of page) {
        if (rows.length > limit) break
        if (maySee(caller, row)) rows.push(row)
      }
      before = page.at(-1)?.id
      if (rows.length > limit || page.length < portion) break
      await turn()
    }
    const items = await shown(rows.slice(0, limit))
    return { items, ...(rows.length > limit && { nextCursor: items.at(-1)!.id }) }
  }

  /** What was done is taken back. Repeating it changes nothing. */
  async function cancel(caller: Caller, id: string): Promise<Operation> {
    const row = await visible(caller, id)
    const place = { org: row.org, workspace: row.workspace, environment: row.environment }
    if (!caller.can({ operation: 'provision' }, place))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not do this: it needs the operation provision.`, {
        hint: 'mcpg-ctl can-i --list',
      })
    if (row.state === 'running' && !isCancellable(row)) {
      const why = row.kind === 'delete' ? 'A deletion cannot be taken back.' : 'It is too far to be taken back.'
      throw new McpgError('failed_precondition', 'operation_not_cancellable', why, { hint: watchHint(id) })
    }
    if (row.state === 'running' && (row.compensating || row.cancelRequestedAt !== null)) return await get(caller, id)
    const requested = await db.write(async (tx) => {
      if (!(await store.requestCancel(tx, id, new Date(clock.now()).toISOString()))) return false
      await audit.record(tx, caller, 'operation.cancel', {
        org: row.org,
        workspace: row.workspace,
        kind: 'Gateway',
        name: row.gateway,
        uid: row.gatewayUid,
        detail: { operation: id },
      })
      return true
    })
    if (requested) cancelWork(id)
    const now = await visible(caller, id)
    if (!requested && now.state !== 'running') {
      const { org, workspace, environment, gatewayUid } = now
      const remove = `mcpg-ctl provision delete --org ${org} --workspace ${workspace} --env ${environment} --instance-uid ${gatewayUid}`
      throw new McpgError('failed_precondition', 'operation_finished', `The operation ${id} has ended already (${now.state}).`, {
        hint:
          now.state === 'succeeded' && now.kind !== 'delete'
            ? `take the gateway away: ${remove}`
            : `mcpg-ctl provision history --org ${org}`,
      })
    }
    return (await shown([now]))[0]!
  }

  async function isToldAll(id: string, after: number): Promise<boolean> {
    const row = await store.find(id)
    return row !== null && row.finishedAt !== null && after >= row.seq
  }

  /** From the database, so that it does not matter who is at work; ends after the last event or when `signal` aborts. */
  async function* events(id: string, after: number, signal: AbortSignal): AsyncGenerator<OperationEvent> {
    let seen = after
    while (!signal.aborted) {
      const word = nextWord(id, signal)
      const rows = await store.eventsAfter(id, seen)
      for (const row of rows) {
        seen = row.seq
        yield eventOf(row)
        if (isLastPhase(row.phase) && (await isToldAll(id, seen))) return word.forget()
      }
      await word.heard
    }
  }

  function told(id: string): void {
    for (const tell of readers.get(id) ?? []) tell()
  }

  /** Taken before the database is read, so that nothing told meanwhile is missed. */
  function nextWord(id: string, signal: AbortSignal): { heard: Promise<void>; forget: () => void } {
    let hear = () => {}
    const heard = new Promise<void>((resolve) => (hear = resolve))
    const cancelTimer = clock.after(lookAgainMs, forget)
    const mine = readers.get(id) ?? new Set()
    readers.set(id, mine.add(forget))
    signal.addEventListener('abort', forget, { once: true })
    return { heard, forget }

    function forget(): void {
      cancelTimer()
      signal.removeEventListener('abort', forget)
      mine.delete(forget)
      if (mine.size === 0 && readers.get(id) === mine) readers.delete(id)
      hear()
    }
  }

  /** Whoever may not see it gets the same answer as for one that is not there. */
  async function visible(caller: Caller, id: string): Promise<OperationRow> {
    const row = await store.find(id)
    if (row && maySee(caller, row)) return row
    throw new McpgError('not_found', 'operation_unknown', `There is no operation ${id}.`, {
      hint: 'mcpg-ctl provision history --org <org>',
    })
  }

  async function shown(rows: OperationRow[]): Promise<Operation[]> {
    const ids = [...new Set(rows.flatMap(({ clusterId }) => clusterId ?? []))]
    const clusters = await db.read.cluster.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } })
    const names = new Map(clusters.map(({ id, name }) => [id, name]))
    return rows.map((row) => operationOf(row, row.clusterId === null ? undefined : names.get(row.clusterId)))
  }
}

export const watchHint = (id: string): string => `mcpg-ctl provision watch ${id}`

const maySee = (caller: Caller, { org, workspace, environment, gateway }: OperationRow): boolean =>
  caller.can({ verb: 'view', on: 'gateways' }, { org, workspace, environment }, gateway)

function operationOf(row: OperationRow, cluster: string | undefined): Operation {
  const { id, kind, org, workspace, environment, state, phase, step, attempt, compensating, startedBy, createdAt, updatedAt } = row
  return {
    id,
    kind,
    org,
    workspace,
    environment,
    gateway: { name: row.gateway, instanceUid: row.gatewayUid },
    ...(cluster !== undefined && { cluster }),
    parameters: (row.input as { parameters: GatewayParameters }).parameters,
    state,
    phase,
    step,
    attempt,
    compensating,
    ...(row.errorReason !== null && { error: { reason: row.errorReason, message: row.errorMessage ?? '' } }),
    startedBy,
    createdAt,
    updatedAt,
    ...(row.finishedAt !== null && { finishedAt: row.finishedAt }),
  }
}

const eventOf = ({ data, ...event }: EventRow): OperationEvent => ({ ...event, ...(data as Partial<OperationEvent> | null) })
