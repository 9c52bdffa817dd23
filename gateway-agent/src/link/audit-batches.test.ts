import { create, fromBinary } from '@bufbuild/protobuf'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { AuditAckSchema, AuditEventSchema, AuditKind, AuditOutcome, type AuditBatch } from '@mcpg/proto/gen/delivery'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { until } from '../../test/until.ts'
import { auditQueue, type AuditQueue } from '../audit/queue.ts'
import { auditBatches } from './audit-batches.ts'
import { createOutbox } from './outbox.ts'

let folder: string
let queue: AuditQueue
const log = { warn: () => {} } as never
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpg-audit-'))
  queue = auditQueue({ folder, clock: systemClock, log })
  await queue.part.start(() => {})
})
afterEach(async () => {
  await queue.part.stop()
  await rm(folder, { recursive: true, force: true })
})

const tell = (target: string) =>
  queue.record({
    atMs: 1_000,
    kind: AuditKind.TOOL_CALL,
    level: 'full',
    requestId: '',
    sessionId: '',
    subject: '',
    tokenId: '',
    client: '',
    project: '',
    server: 's',
    target,
    instance: '',
    outcome: AuditOutcome.OK,
    reason: '',
    durationMs: 1,
    requestBytes: 0,
    resultBytes: 0,
    args: undefined,
    traceparent: '',
  })

/** One stream to a control plane that acknowledges when the test does. */
function stream(capabilities = [GatewayCapability.AUDIT]) {
  const outbox = createOutbox()
  const batches: AuditBatch[] = []
  void (async () => {
    for await (const { frame } of outbox.frames())
      if (frame.case === 'auditBatch' && frame.value.events.length > 0) batches.push(frame.value)
  })()
  const talk = auditBatches({ queue, outbox, welcome: { capabilities }, clock: systemClock, log })
  return {
    batches,
    names: () => batches.map(({ events }) => events.map((event) => fromBinary(AuditEventSchema, event).target)),
    acknowledge: (through: number) => talk.receive?.({ case: 'auditAck', value: create(AuditAckSchema, { throughSeq: BigInt(through) }) }),
    close() {
      talk.close()
      outbox.end()
    },
  }
}

describe('delivery of audit events', () => {
  it('begins where the control plane says, and sends one batch at a time', async () => {
    for (const name of ['a', 'b', 'c']) tell(name)
    await until('they are on disk', async () => (await queue.take(1)) !== null)
    const one = stream()
    one.acknowledge(1)
    await until('a batch', () => one.batches.length === 1)
    tell('d')
    await until('all wait', () => queue.figures().waiting === 3)
    expect(one.names()).toEqual([['b', 'c']])
    one.acknowledge(3)
    await until('the next one', () => one.batches.length === 2)
    expect(one.names()).toEqual([['b', 'c'], ['d']])
    one.acknowledge(4)
    await until('nothing waits', () => queue.figures().waiting === 0)
    one.close()
  })

  it('sends again what an outage swallowed, and only that', async () => {
    tell('a')
    const before = stream()
    before.acknowledge(0)
    await until('a batch', () => before.batches.length === 1)
    before.close()
    for (const name of ['b', 'c']) tell(name)
    await until('all wait', () => queue.figures().waiting === 3)
    const after = stream()
    // The acknowledgement was lost on the way: the control plane has it.
    after.acknowledge(1)
    await until('the rest', () => after.names().flat().length === 2)
    expect(after.names().flat()).toEqual(['b', 'c'])
    after.close()
  })

  it('says nothing to a control plane that does not take them', async () => {
    const old = stream([])
    tell('a')
    await until('it waits', async () => (await queue.take(1)) !== null)
    expect(old.batches).toEqual([])
    old.close()
  })
})
