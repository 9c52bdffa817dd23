/*
 * One MCP request that came over the stream, from McpOpen to its last frame. At most one of its frames waits in the outbox, made when it
 * leaves, so calls take turns and an answer stays where it is until it was granted.
 *
 *   McpOpen ─▶ inner door ─▶ response ─▶ McpHead, McpData … (last)
 *     McpData (the rest of the message), answered by McpWindow         McpClose from there cancels the call, from here says why it failed
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { creditedBytes, grantedWindow, pieceBytes } from '@mcpg/core/credited-bytes'
import { AccessGrant } from '@mcpg/proto/access-document'
import type { Caller, McpData, McpOpen } from '@mcpg/proto/gen/delivery'
import type { InnerDoor, InnerRequest } from '../endpoint/inner-door.ts'
import type { Frame, Outbox } from './outbox.ts'

/** Of one answer; more is for the endpoint itself. `docs/protocol.md`. */
const maxAnswerBytes = 4 * 1024 * 1024
/** Of the message, beyond its first piece. */
const messageWindowBytes = 256 * 1024

export type CloseReason = 'policy_denied' | 'too_large' | 'busy' | 'refused' | 'broken'
export type RemoteCall = {
  data(data: McpData): void
  grant(bytes: number): void
  /** The control plane has no use for the answer any more. */
  cancel(reason: string): void
}

export function remoteCall(
  open: McpOpen,
  { door, stateKeyId, outbox, ended }: { door: Pick<InnerDoor, 'open'>; stateKeyId: string; outbox: Outbox; ended: () => void },
) {
  const { streamId, path, body, more } = open
  const answer = creditedBytes()
  const window = grantedWindow(messageWindowBytes, (bytes) => {
    granting += bytes
    ask()
  })
  /** A legacy session is told of a cancelled request by a message that names its id. */
  const kept: Uint8Array[] | null = open.headers['mcp-session-id'] === undefined ? null : [body]
  let granting = more ? messageWindowBytes : 0
  let head: Frame | null = null
  let response: IncomingMessage | null = null
  let answered = 0
  let isWhole = false
  let closing: { reason: CloseReason; message: string } | null = null
  let isQueued = false
  let isOver = false
  let request: ClientRequest | null = null
  answer.grant(open.windowBytes)
  start()
  return { data, grant, cancel } satisfies RemoteCall

  function start(): void {
    try {
      const inner = innerRequest(open)
      const started = door.open(more ? inner : { ...inner, headers: { ...inner.headers, 'content-length': String(body.length) } })
      request = started
      started.on('response', receive)
      started.on('error', (error) => fail('broken', `The endpoint did not answer: ${error.message}.`))
      if (more) started.write(body)
      else started.end(body)
      ask()
    } catch (error) {
      // A header that no HTTP request may carry, or grants that this version does not know.
      fail('refused', error instanceof Error ? error.message : String(error))
    }
  }

  function data({ data: bytes, last }: McpData): void {
    if (isOver || !request || request.writableEnded) return
    if (!window.received(bytes.length)) return fail('refused', 'The message came faster than it was granted.')
    kept?.push(bytes)
    request.write(bytes, () => window.taken(bytes.length))
    if (last) request.end()
  }

  function grant(bytes: number): void {
    answer.grant(bytes)
    ask()
  }

  function cancel(reason: string): void {
    if (isOver) return
    finish()
    request?.destroy()
    if (kept) cancelInSession(Buffer.concat(kept), reason)
  }

  function receive(message: IncomingMessage): void {
    if (isOver) return void message.destroy()
    const length = Number(message.headers['content-length'] ?? 0)
    if (length > maxAnswerBytes) return fail('too_large', tooLarge(`has ${length} bytes`))
    response = message
    head = {
      case: 'mcpHead',
      value: { streamId, status: message.statusCode ?? 502, headers: { ...headersOf(message), 'mcpg-state-key': stateKeyId } },
    }
    message.on('data', (chunk: Buffer) => {
      answered += chunk.length
      if (answered > maxAnswerBytes) return fail('too_large', tooLarge(`has more than ${maxAnswerBytes} bytes`))
      answer.add(chunk)
      // The rest stays where it is until this has been granted.
      if (answer.waiting() > pieceBytes) message.pause()
      ask()
    })
    message.on('end', () => {
      isWhole = true
      ask()
    })
    message.on('error', () => fail('broken', 'The endpoint broke the answer off.'))
    ask()
  }

  function fail(reason: CloseReason, message: string): void {
    if (isOver || closing) return
    closing = { reason, message: message.slice(0, 1024) }
    request?.destroy()
    ask()
  }

  /** There is something to send, as soon as it is this call's turn. */
  function ask(): void {
    if (isQueued || isOver || !hasFrame()) return
    isQueued = true
    outbox.push('mcp', make)
  }

  function hasFrame(): boolean {
    return closing !== null || granting > 0 || head !== null || (response !== null && (answer.waiting() > 0 || isWhole))
  }

  function make(): Frame | null {
    isQueued = false
    if (isOver) return null
    const frame = next()
    if (frame) ask()
    return frame
  }

  function next(): Frame | null {
    if (closing) {
      const { reason, message } = closing
      finish()
      return { case: 'mcpClose', value: { streamId, reason, message } }
    }
    if (granting > 0) {
      const addBytes = granting
      granting = 0
      return { case: 'mcpWindow', value: { streamId, addBytes } }
    }
    if (head) {
      const frame = head
      head = null
      return frame
    }
    const piece = answer.take()
    if (answer.waiting() <= pieceBytes) response?.resume()
    const last = isWhole && answer.waiting() === 0
    if (!piece && !last) return null
    if (last) finish()
    return { case: 'mcpData', value: { streamId, data: piece ?? new Uint8Array(), last } }
  }

  function finish(): void {
    isOver = true
    ended()
  }

  function cancelInSession(message: Buffer, reason: string): void {
    const id = idOf(message)
    if (id === undefined) return
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } })
    const notice = door.open({ ...innerRequest(open), path })
    notice.on('response', (answered) => answered.resume())
    notice.on('error', () => {})
    notice.end(text)
  }
}

function innerRequest({ path, headers, caller }: McpOpen): InnerRequest {
  const passed = Object.entries(headers).filter(([name]) => name === 'accept' || name.startsWith('mcp-'))
  return {
    path,
    headers: {
      ...Object.fromEntries(passed),
      'content-type': 'application/json',
      ...(caller?.requestId && { 'x-request-id': caller.requestId }),
    },
    admitted: {
      ...whoOf(caller),
      ...(caller?.restricted && { grants: caller.grants.map((text) => AccessGrant.parse(JSON.parse(text))) }),
    },
  }
}

/** Whoever acts for somebody else shares no process and no session with them. */
function whoOf({ subject = '', impersonator = '', tokenId = '' }: Partial<Pick<Caller, 'subject' | 'impersonator' | 'tokenId'>> = {}) {
  return {
    principal: impersonator === '' ? `control-plane:${subject}` : `control-plane:${subject} by ${impersonator}`,
    subject,
    ...(tokenId !== '' && { tokenId }),
    ...(impersonator !== '' && { impersonator }),
  }
}

/** What a client of the endpoint gets to see of its answer. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const passed = Object.entries(headers).filter(
    ([name]) => name === 'content-type' || name === 'content-length' || name === 'retry-after' || name.startsWith('mcp-'),
  )
  return Object.fromEntries(passed.map(([name, value]) => [name, String(value)]))
}

function tooLarge(what: string): string {
  return `The answer ${what}; at most ${maxAnswerBytes} go through the control plane, the endpoint of the gateway itself gives more.`
}

function idOf(message: Buffer): unknown {
  try {
    const { id } = JSON.parse(message.toString()) as { id?: unknown }
    return id
  } catch {
    return undefined
  }
}
