import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import { McpgError } from '@mcpg/proto/errors'
import type { OperationEvent, OperationState } from '@mcpg/proto/rest/operations'
import type { Db, Tx } from '../db/db.ts'
import type { PlanOf, Plan, Step, Work } from './steps.ts'
import type { EventRow, OperationRow, OperationStore, Progress } from './store.ts'

/** Of one step, before what was done is taken back. */
const mostAttempts = 5
/** At work at the same time; the others wait with their lease. */
const mostAtWork = 32
const pollMs = 100

/** Where a test can end the process: before or after a step of an operation, done or undone. */
export type AtStep = (operation: OperationRow, step: string, when: 'before' | 'after') => Promise<void>

export type OperationEngine = ReturnType<typeof operationEngine>

/**
 * Does operations step by step. What it does is written before and after each step, under a lease, so that another process, or this one
 * after its restart, goes on where it ended. A step that fails five times, or whose failure is final, leads to all steps being undone in
 * reverse.
 */
export function operationEngine({
  db,
  store,
  owner,
  planOf,
  told,
  clock,
  leaseMs,
  retryMs,
  log,
  atStep = async () => {},
  random = Math.random,
}: {
  db: Pick<Db, 'write'>
  store: OperationStore
  /** Of this installation, so that it takes its own leases back after a restart. */
  owner: string
  planOf: PlanOf
  /** Hears of every event once it is on disk. */
  told: (operationId: string) => void
  clock: Clock
  leaseMs: number
  retryMs: number
  log: Pick<Log, 'warn' | 'error'>
  atStep?: AtStep
  random?: () => number
}) {
  const retry = { baseMs: retryMs, maxMs: 30 * retryMs }
  const atWork = new Map<string, { cancel: AbortController; done: Promise<void> }>()
  const waiting: OperationRow[] = []
  const stopping = new AbortController()
  const looks = periodically({
    name: 'leases of operations',
    clock,
    everyMs: leaseMs / 3,
    work: look,
    failed: (error) => log.warn({ err: error }, 'leases of operations could not be renewed'),
  })
  const part: Part = { name: 'operations', start, stop }
  return { part, take, cancel: (id: string) => atWork.get(id)?.cancel.abort('cancelled'), lease }

  /** What an operation that this process begins is written with. */
  function lease(): { leaseOwner: string; leaseUntil: string } {
    return { leaseOwner: owner, leaseUntil: iso(clock.now() + leaseMs) }
  }

  /** Begins to work on an operation that was just written with the lease of this process. */
  async function take(id: string): Promise<void> {
    const row = await store.find(id)
    if (row?.state === 'running') enqueue(row)
  }

  async function start(): Promise<void> {
    await claim(true)
    await looks.start()
  }

  async function stop(): Promise<void> {
    stopping.abort('stopping')
    await looks.stop()
    const ids = [...atWork.keys(), ...waiting.map(({ id }) => id)]
    await Promise.all([...atWork.values()].map(({ done }) => done))
    if (ids.length > 0) await db.write((tx) => store.leave(tx, owner, ids)).catch(() => {})
  }

  async function look(): Promise<void> {
    const ids = [...atWork.keys(), ...waiting.map(({ id }) => id)]
    if (ids.length > 0) {
      await db.write((tx) => store.renew(tx, owner, ids, lease().leaseUntil))
      for (const id of await store.cancelled(ids)) atWork.get(id)?.cancel.abort('cancelled')
    }
    await claim(false)
  }

  async function claim(own: boolean): Promise<void> {
    const except = [...atWork.keys(), ...waiting.map(({ id }) => id)]
    const now = iso(clock.now())
    const rows = await db.write((tx) => store.claim(tx, { owner, now, until: lease().leaseUntil, own, except }))
    for (const row of rows) enqueue(row)
  }

  function enqueue(row: OperationRow): void {
    if (stopping.signal.aborted || atWork.has(row.id) || waiting.some(({ id }) => id === row.id)) return
    if (atWork.size >= mostAtWork) return void waiting.push(row)
    const cancel = new AbortController()
    if (row.cancelRequestedAt !== null) cancel.abort('cancelled')
    const done = perform(row, cancel)
      .catch((error: unknown) => {
        if (!(error instanceof Left)) log.error({ err: error, operationId: row.id }, 'an operation broke off; it is taken up again')
      })
      .finally(() => {
        atWork.delete(row.id)
        const next = waiting.shift()
        if (next) enqueue(next)
      })
    atWork.set(row.id, { cancel, done })
  }

  async function perform(row: OperationRow, cancel: AbortController): Promise<void> {
    const plan = planOf(row.kind)
    let at = Math.max(
      0,
      plan.steps.findIndex(({ name }) => name === row.step),
    )
    if (!row.compensating) {
      const failure = (await forward()) ?? (await succeed(row, plan, workOf(row, stopping.signal)))
      if (failure === null) return
      at = Math.min(at, plan.steps.length - 1)
      await write(row, {
        ...eventOf(row, plan.steps[at]!, 'failed', textOf(failure)),
        progress: { compensating: true, attempt: 1, ...errorOf(failure) },
      })
    }
    await backward(row, plan, at)

    async function forward(): Promise<unknown> {
      const cancellable = AbortSignal.any([stopping.signal, cancel.signal])
      for (; at < plan.steps.length; at++) {
        const step = plan.steps[at]!
        const signal = plan.cancellable && !step.final ? cancellable : stopping.signal
        // The attempts of a process that ended in a step count.
        let attempt = step.name === row.step ? row.attempt : 1
        let why = ''
        for (;;) {
          try {
            signal.throwIfAborted()
            await write(row, {
              ...eventOf(
                row,
                step,
                attempt === 1 ? 'doing' : 'retrying',
                attempt === 1 ? '' : `attempt ${attempt} of ${mostAttempts}${why}`,
              ),
              progress: { phase: step.phase, step: step.name, attempt },
            })
            await atStep(row, step.name, 'before')
            const message = await step.run(workOf(row, signal))
            await atStep(row, step.name, 'after')
            await write(row, { ...eventOf(row, step, 'done', message), progress: { attempt: 1 } })
            break
          } catch (error) {
            if (error instanceof Left || stopping.signal.aborted) throw new Left()
            if (signal.aborted) return cancelledError()
            if (attempt >= mostAttempts || isFinal(error)) {
              if (!step.final) return error
              log.warn({ err: error, operationId: row.id, step: step.name }, 'the last part of an operation was not done')
              await write(row, { ...eventOf(row, step, 'failed', textOf(error)), progress: { attempt: 1 } })
              break
            }
            log.warn({ err: error, operationId: row.id, step: step.name, attempt }, 'a step failed and is tried again')
            attempt++
            why = `: ${textOf(error)}`
            await pause(fullJitter(attempt - 2, retry, random), signal)
          }
        }
      }
      return null
    }
  }

  async function backward(row: OperationRow, plan: Plan, from: number): Promise<void> {
    for (let at = from; at >= 0; at--) {
      const step = plan.steps[at]!
      if (!step.undo) continue
      for (let attempt = 1; ; attempt++)
        try {
          await write(row, { ...eventOf(row, step, 'undoing', ''), progress: { phase: step.phase, step: step.name, attempt } })
          await atStep(row, step.name, 'before')
          const message = await step.undo(workOf(row, stopping.signal))
          await atStep(row, step.name, 'after')
          await write(row, { ...eventOf(row, step, 'undone', message), progress: {} })
          break
        } catch (error) {
          if (error instanceof Left || stopping.signal.aborted) throw new Left()
          log.warn({ err: error, operationId: row.id, step: step.name, attempt }, 'a step could not be taken back')
          if (attempt >= mostAttempts) {
            await write(row, { ...eventOf(row, step, 'failed', `could not be taken back: ${textOf(error)}`), progress: {} })
            break
          }
          await pause(fullJitter(attempt - 1, retry, random), stopping.signal)
        }
    }
    const error = { reason: row.errorReason ?? 'internal', message: row.errorMessage ?? '' }
    await finish(row, {
      state: error.reason === 'cancelled' ? 'cancelled' : 'failed',
      event: { ...eventOf(row, { phase: 'failed', name: row.step }, 'failed', error.message), data: { error } },
      commit: (tx) => plan.failed(tx, workOf(row, stopping.signal)),
    })
  }

  /** Null; or why it is no success after all, as its cluster was given up at the last moment. */
  async function succeed(row: OperationRow, plan: Plan, work: Work): Promise<McpgError | null> {
    const { step, message, endpoints } = plan.outcome(work)
    try {
      await finish(row, {
        state: 'succeeded',
        event: {
          ...eventOf(row, { phase: 'ready', name: step }, 'done', message),
          data: { gateway: { name: row.gateway, instanceUid: row.gatewayUid, endpoints } } satisfies Partial<OperationEvent>,
        },
        commit: (tx) => plan.succeeded(tx, work),
      })
      return null
    } catch (error) {
      if (error instanceof McpgError && isFinal(error)) return error
      throw error
    }
  }

  async function finish(
    row: OperationRow,
    { state, event, commit }: { state: OperationState; event: EventRow; commit: (tx: Tx) => Promise<void> },
  ): Promise<void> {
    await write(row, { ...event, commit, progress: { state, phase: event.phase, step: event.step, finishedAt: event.at } })
  }

  /** On disk before anybody hears of it. Throws Left when somebody else has the lease. */
  async function write(
    row: OperationRow,
    { progress, commit, ...event }: EventRow & { progress: Progress; commit?: (tx: Tx) => Promise<void> },
  ): Promise<void> {
    const isOurs = await db.write(async (tx) => {
      if (!(await store.advance(tx, owner, event, progress))) return false
      await commit?.(tx)
      return true
    })
    if (!isOurs) throw new Left()
    Object.assign(row, progress, { seq: event.seq })
    told(row.id)
  }

  function eventOf(
    row: OperationRow,
    { phase, name }: Pick<Step, 'name'> & { phase: EventRow['phase'] },
    status: EventRow['status'],
    message: string,
  ): EventRow {
    return { operationId: row.id, seq: row.seq + 1, phase, step: name, status, message, data: null, at: iso(clock.now()) }
  }

  function workOf(row: OperationRow, signal: AbortSignal): Work {
    const { id, kind, org, workspace, environment, gateway, gatewayUid, clusterId, input } = row
    return {
      id,
      kind,
      org,
      workspace,
      environment,
      gateway,
      gatewayUid,
      clusterId,
      input,
      signal,
      get data() {
        return row.data
      },
      async note(values) {
        const data = { ...row.data, ...values }
        if (!(await db.write((tx) => store.note(tx, owner, id, data)))) throw new Left()
        row.data = data
      },
      async until(look, { timeoutMs, waitingFor }) {
        const deadline = clock.monotonic() + timeoutMs
        for (;;) {
          signal.throwIfAborted()
          const found = await look()
          if (found !== null) return found
          if (clock.monotonic() > deadline)
            throw new McpgError('timeout', 'step_timeout', `Waited ${Math.round(timeoutMs / 1000)} s in vain: ${waitingFor()}.`)
          await pause(pollMs, signal)
        }
      },
    }
  }

  /** Rejects when the signal aborts. */
  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(ms, () => {
        signal.removeEventListener('abort', aborted)
        resolve()
      })
      const aborted = () => {
        cancel()
        reject(new Error('aborted'))
      }
      signal.addEventListener('abort', aborted, { once: true })
    })
  }
}

/** The work goes on elsewhere or later: nothing more is written here. */
class Left extends Error {}

/** Trying again would lead to the same. */
const finalCodes = new Set(['invalid', 'unsupported', 'forbidden', 'not_found', 'conflict', 'failed_precondition', 'gone', 'timeout'])
const isFinal = (error: unknown): boolean => error instanceof McpgError && finalCodes.has(error.code)

const cancelledError = () => new McpgError('failed_precondition', 'cancelled', 'It was cancelled.')

/** What was thrown by our own code is meant for people; the rest may hold anything. */
function textOf(error: unknown): string {
  return error instanceof McpgError
    ? `${error.message}${error.hint ? ` ${error.hint}` : ''}`
    : 'An unexpected error; the log of the control plane has it.'
}

const errorOf = (error: unknown) => ({
  errorReason: error instanceof McpgError ? error.reason : 'internal',
  errorMessage: textOf(error),
})

const iso = (ms: number): string => new Date(ms).toISOString()
