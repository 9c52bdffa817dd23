/*
 * MCP requests over the streams of gateways: McpOpen with the first piece of the message, McpData with the rest as the gateway grants it,
 * and back McpHead, McpData … as we grant it. At most one frame of a request waits in the outbox, made when it leaves, so requests take
 * turns; what was not granted stays with whoever has it, so a client that does not read fills the memory of nobody.
 */
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import { creditedBytes, grantedWindow, pieceBytes } from '@mcpg/core/credited-bytes'
import { McpCloseSchema, McpDataSchema, McpOpenSchema, McpWindowSchema, type Caller } from '@mcpg/proto/gen/delivery'
import type { Line, Talk } from '../link/service.ts'
import type { Frame } from '../link/outbox.ts'

/** Of one answer; more is for the endpoint itself. */
export const maxAnswerBytes = 4 * 1024 * 1024
/** Of an answer that may be under way and not taken by the client. */
const windowBytes = 256 * 1024

/** Why a request came to nothing: a word of the gateway (`McpClose`), or what happened to the request here. */
export type Failure = { reason: string; message: string }

/** Who waits for an answer. `failed` or `end` is the last that is called, once. */
export type Answer = {
  head(status: number, headers: Record<string, string>): void
  /** `taken` is called when there is room for as much again. */
  data(bytes: Uint8Array, taken: () => void): void
  end(): void
  failed(failure: Failure): void
}

export type McpRequest = { path: string; headers: Record<string, string>; body: Uint8Array; caller: Omit<Caller, '$typeName'> }

type Open = { received(frame: GatewayFrame): void; fail(failure: Failure): void }
type GatewayFrame = Parameters<Talk['heard']>[1]

export type McpLines = ReturnType<typeof mcpLines>

export function mcpLines({ clock, deadlineMs }: { clock: Clock; deadlineMs: number }) {
  const open = new Map<Line, Map<string, Open>>()
  let last = 0
  const talk: Talk = {
    frames: ['mcpHead', 'mcpData', 'mcpWindow', 'mcpClose'],
    heard: (line, frame) => {
      if (frame.case === 'mcpHead' || frame.case === 'mcpData' || frame.case === 'mcpWindow' || frame.case === 'mcpClose')
        open.get(line)?.get(frame.value.streamId)?.received(frame)
    },
    closed: (line) => {
      const requests = Array.from(open.get(line)?.values() ?? [])
      open.delete(line)
      for (const request of requests) request.fail({ reason: 'gateway_lost', message: '' })
    },
  }
  return { talk, send, openOn: (line: Line) => open.get(line)?.size ?? 0 }

  /** The answer cancels. */
  function send(line: Line, { path, headers, body, caller }: McpRequest, answer: Answer): (reason: 'cancelled' | 'access_ended') => void {
    const streamId = String(++last)
    const message = creditedBytes()
    const window = grantedWindow(windowBytes, (bytes) => {
      granting += bytes
      ask()
    })
    const first = body.subarray(0, pieceBytes)
    let isOpened = false
    let granting = 0
    let received = 0
    let closing: string | null = null
    let isQueued = false
    let isOver = false
    message.add(body.subarray(first.length))
    let requests = open.get(line)
    if (!requests) open.set(line, (requests = new Map()))
    requests.set(streamId, { received: heard, fail: finish })
    const cancelDeadline = clock.after(deadlineMs, () => giveUp({ reason: 'timeout', message: '' }))
    ask()
    return (reason) => giveUp({ reason, message: '' })

    function heard(frame: GatewayFrame): void {
      switch (frame.case) {
        case 'mcpHead':
          return answer.head(frame.value.status, frame.value.headers)
        case 'mcpData':
          return take(frame.value.data, frame.value.last)
        case 'mcpWindow':
          message.grant(frame.value.addBytes)
          return ask()
        case 'mcpClose':
          return finish({ reason: frame.value.reason, message: frame.value.message })
        default:
      }
    }

    function take(bytes: Uint8Array, isLast: boolean): void {
      received += bytes.length
      if (!window.received(bytes.length) || received > maxAnswerBytes)
        return giveUp({ reason: 'broken', message: 'The gateway sent more than it was granted.' })
      if (bytes.length > 0) answer.data(bytes, () => window.taken(bytes.length))
      if (!isLast) return
      leave()
      answer.end()
    }

    /** From our side: the gateway is told, so that the call does not go on. */
    function giveUp(failure: Failure): void {
      if (isOver) return
      closing = failure.reason
      finish(failure)
      ask()
    }

    function finish(failure: Failure): void {
      if (isOver) return
      leave()
      answer.failed(failure)
    }

    function leave(): void {
      isOver = true
      cancelDeadline()
      const requests = open.get(line)
      requests?.delete(streamId)
      if (requests?.size === 0) open.delete(line)
    }

    function ask(): void {
      if (isQueued || (isOver && closing === null)) return
      // The frame may be made before this returns.
      isQueued = true
      if (line.pushStream('mcp', make)) return
      isQueued = false
      // Far more requests than a gateway takes are open; nothing of this one has left yet.
      if (!isOpened) queueMicrotask(() => finish({ reason: 'busy', message: '' }))
    }

    function make(): Frame | null {
      isQueued = false
      const frame = next()
      if (frame) ask()
      return frame
    }

    function next(): Frame | null {
      // Of what never opened there is nothing to close.
      if (closing !== null) {
        const reason = closing
        closing = null
        return isOpened ? { case: 'mcpClose', value: create(McpCloseSchema, { streamId, reason }) } : null
      }
      if (isOver) return null
      if (!isOpened) {
        isOpened = true
        const deadline = timestampFromMs(clock.now() + deadlineMs)
        const more = message.waiting() > 0
        return {
          case: 'mcpOpen',
          value: create(McpOpenSchema, { streamId, path, headers, body: first, caller, deadline, windowBytes, more }),
        }
      }
      if (granting > 0) {
        const addBytes = granting
        granting = 0
        return { case: 'mcpWindow', value: create(McpWindowSchema, { streamId, addBytes }) }
      }
      const data = message.take()
      return data && { case: 'mcpData', value: create(McpDataSchema, { streamId, data, last: message.waiting() === 0 }) }
    }
  }
}
