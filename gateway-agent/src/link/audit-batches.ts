import { GatewayCapability } from '@mcpg/proto/gen/types'
import type { ConnectResponse, Welcome } from '@mcpg/proto/gen/gateway'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { AuditQueue } from '../audit/queue.ts'
import type { Talk } from './talking.ts'
import type { Outbox } from './outbox.ts'

/** Events of one frame; `AuditBatch` allows no more. */
const perBatch = 500
/** Events of this long go together, so that a gateway with little to say says it rarely. */
const gatherMs = 500
/** A batch that nobody acknowledged is sent again; the control plane knows it by its numbers. */
const patienceMs = 30_000

/**
 * Delivers the queue over one stream: the control plane is asked first what it has, then one batch after the other goes, each when the one
 * before is acknowledged. Nothing is sent to a control plane that does not take audit events.
 */
export function auditBatches({
  queue,
  outbox,
  welcome,
  clock,
  log,
}: {
  queue: AuditQueue
  outbox: Outbox
  welcome: Pick<Welcome, 'capabilities'>
  clock: Clock
  log: Pick<Log, 'warn'>
}): Talk {
  if (!welcome.capabilities.includes(GatewayCapability.AUDIT)) return { close() {} }
  /** `asking` what it has, `idle`, `gathering`, `sending` one batch. */
  let state: 'asking' | 'idle' | 'gathering' | 'sending' | 'closed' = 'asking'
  let cancel = () => {}
  /** More may be waiting than the last batch could hold. */
  let isFull = true
  const unsubscribe = queue.onWritten(() => {
    if (state === 'idle') gather()
  })
  // A batch without events asks; a control plane that has lost frames is asked again at the next stream.
  outbox.push('audit', () => ({ case: 'auditBatch', value: {} }))
  return { receive, close }

  function receive(frame: ConnectResponse['frame']): void {
    if (frame.case !== 'auditAck') return
    const through = Number(frame.value.throughSeq)
    void queue.acknowledge(through).then(() => (isFull ? send() : gather()))
  }

  function gather(): void {
    if (state === 'closed') return
    cancel()
    state = 'gathering'
    cancel = clock.after(gatherMs, () => void send())
  }

  async function send(): Promise<void> {
    if (state === 'closed') return
    cancel()
    state = 'sending'
    const batch = await queue.take(perBatch).catch((error: unknown) => {
      log.warn({ err: error }, 'audit events cannot be read from disk')
      return null
    })
    if (isClosed()) return
    if (!batch) return void (state = 'idle')
    const { first, before, events, dropped } = batch
    isFull = events.length === perBatch
    const value = { firstSeq: BigInt(first), prevHash: before, events, droppedTotal: BigInt(dropped) }
    outbox.push('audit', () => ({ case: 'auditBatch', value }))
    cancel = clock.after(patienceMs, () => void send())
  }

  // A function, so that the compiler does not think it knows the state after an await.
  function isClosed(): boolean {
    return state === 'closed'
  }

  function close(): void {
    state = 'closed'
    cancel()
    unsubscribe()
  }
}
