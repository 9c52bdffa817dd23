import { create } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { InventoryRequestSchema } from '@mcpg/proto/gen/delivery'
import { CommandSchema, ConfigOfferSchema, HeartbeatAckSchema } from '@mcpg/proto/gen/gateway'
import { outbox, outboxLimits, type Frame } from './outbox.ts'

const ack: Frame = { case: 'heartbeatAck', value: create(HeartbeatAckSchema) }
const command: Frame = { case: 'command', value: create(CommandSchema) }
const request: Frame = { case: 'inventoryRequest', value: create(InventoryRequestSchema) }
const offer = (bytes: number): Frame => ({ case: 'configOffer', value: create(ConfigOfferSchema, { configBytes: new Uint8Array(bytes) }) })

/** A transport that takes frames only when it is told to. */
function stuck() {
  const passed: Frame['case'][] = []
  const waiting: (() => void)[] = []
  let overflows = 0
  const box = outbox({
    send: (frame, taken) => {
      passed.push(frame.case)
      waiting.push(taken)
    },
    overflow: () => overflows++,
  })
  return { box, passed, overflows: () => overflows, take: (count: number) => waiting.splice(0, count).forEach((taken) => taken()) }
}

describe('the outbox', () => {
  it('passes frames on at once while the gateway reads', () => {
    const { box, passed, take } = stuck()
    for (const frame of [offer(10), ack, command]) {
      box.push(frame)
      take(1)
    }
    expect(passed).toEqual(['configOffer', 'heartbeatAck', 'command'])
  })

  it('lets heartbeats go before commands, commands before configs and questions last when several wait', () => {
    const { box, passed, take } = stuck()
    for (let index = 0; index < 4; index++) box.push(request)
    for (const frame of [offer(10), command, ack, request]) box.push(frame)
    take(8)
    take(8)
    expect(passed.slice(4)).toEqual(['heartbeatAck', 'command', 'configOffer', 'inventoryRequest'])
  })

  it('overflows once when too many frames wait, and holds nothing then', () => {
    const { box, passed, overflows, take } = stuck()
    for (let index = 0; index < outboxLimits.frames + 4; index++) box.push(ack)
    expect(overflows()).toBe(0)
    box.push(ack)
    box.push(ack)
    expect([overflows(), box.waiting()]).toEqual([1, 0])
    take(4)
    expect(passed).toHaveLength(4)
  })

  it('overflows when too many bytes wait', () => {
    const { box, overflows } = stuck()
    for (let index = 0; index < 4; index++) box.push(ack)
    box.push(offer(1024 * 1024))
    expect(overflows()).toBe(0)
    box.push(offer(1024 * 1024))
    expect(overflows()).toBe(1)
  })
})
