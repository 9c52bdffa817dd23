import { create } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { InventoryRequestSchema, LogWindowSchema, McpDataSchema } from '@mcpg/proto/gen/delivery'
import { CommandSchema, ConfigOfferSchema, HeartbeatAckSchema } from '@mcpg/proto/gen/gateway'
import { outbox, outboxLimits, streamLimits, type Frame } from './outbox.ts'

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

  it('lets MCP go after configs and before logs, streams of one rank in turns, questions last', () => {
    const { box, passed, take } = stuck()
    for (let index = 0; index < 4; index++) box.push(ack)
    box.push(request)
    box.pushStream('logs', () => ({ case: 'logWindow', value: create(LogWindowSchema) }))
    box.pushStream('mcp', () => ({ case: 'mcpData', value: create(McpDataSchema) }))
    box.push(offer(10))
    for (let turn = 0; turn < 3; turn++) take(4)
    expect(passed.slice(4)).toEqual(['configOffer', 'mcpData', 'logWindow', 'inventoryRequest'])
  })

  it('never lets the next frame of a stream overtake the one that asked for it', () => {
    const order: number[] = []
    const box = outbox({
      send: (frame, taken) => {
        if (frame.case === 'mcpData') order.push(frame.value.data[0]!)
        taken()
      },
      overflow: () => {},
    })
    let next = 0
    const make = (): Frame => {
      const piece = next++
      if (piece < 9) box.pushStream('mcp', make)
      return { case: 'mcpData', value: create(McpDataSchema, { data: new Uint8Array([piece]) }) }
    }
    box.pushStream('mcp', make)
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('refuses more streams than may wait and counts them, without closing', () => {
    const { box, overflows } = stuck()
    for (let index = 0; index < 4; index++) box.push(ack)
    const idle = () => null
    for (let index = 0; index < streamLimits.logs; index++) expect(box.pushStream('logs', idle)).toBe(true)
    expect([box.pushStream('logs', idle), box.dropped('logs'), box.dropped('mcp'), overflows()]).toEqual([false, 1, 0, 0])
  })
})
