import { createParser } from 'eventsource-parser'
import { ApiError, errorOfResponse } from '../../../lib/api.ts'
import { spellBytes } from '../../../lib/format.ts'
import { workspacePath, type Workspace } from '../../../lib/paths.ts'
import { findNumber, recordOf, textOf } from '../../../lib/objects/reported.ts'
import { toolRequest, type ToolRequest } from './request.ts'

/** What came of one request. `gateway` is the one that answered, empty if it was not said. `failed` is the protocol's word, `refused` the control plane's; a tool that failed is a result. */
export type Outcome =
  | { kind: 'result'; result: Record<string, unknown>; bytes: number; gateway: string }
  | { kind: 'failed'; code: number; message: string; data: unknown; gateway: string }
  | { kind: 'refused'; error: Error }
  | { kind: 'cancelled' }

/** Progress or a log line while the call runs. */
export type Notice = { at: number; text: string; progress: number | undefined }

export type CallTarget = { scope: Workspace; server: string; gateway: string }

export const mcpPath = ({ scope, server, gateway }: CallTarget) =>
  `${workspacePath(scope)}/mcp/servers/${encodeURIComponent(server)}${gateway ? `?gateway=${encodeURIComponent(gateway)}` : ''}`

/** Calls a tool through the control plane. Ending the signal ends the request, which cancels the call at the server. */
export async function callTool(
  target: CallTarget,
  request: ToolRequest,
  { signal, onNotice }: { signal: AbortSignal; onNotice: (notice: Notice) => void },
): Promise<Outcome> {
  let received = 0
  try {
    const { headers, body } = toolRequest(request)
    const response = await fetch(mcpPath(target), {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'x-mcpg-request': '1',
        ...headers,
      },
      body: JSON.stringify(body),
      signal,
    })
    const type = response.headers.get('content-type') ?? ''
    if (type.startsWith('application/problem+json')) return { kind: 'refused', error: await errorOfResponse(response) }
    const message = await (type.startsWith('text/event-stream') ? lastMessage : jsonMessage)(texts(response), onNotice)
    return message ? outcomeOf(message, response.headers.get('mcpg-gateway') ?? '') : { kind: 'refused', error: noAnswer(response.status) }
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' }
    return { kind: 'refused', error: error instanceof ApiError ? error : broken(error, received) }
  }

  async function* texts({ body }: Response): AsyncGenerator<string> {
    const decoder = new TextDecoder()
    const reader = body!.getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        received += value.length
        yield decoder.decode(value, { stream: true })
      }
    } finally {
      // Also when the answer was in the stream and nobody waits for its end.
      await reader.cancel().catch(() => {})
    }
  }
}

type Message = { message: Record<string, unknown>; bytes: number }

async function jsonMessage(texts: AsyncIterable<string>): Promise<Message | undefined> {
  let whole = ''
  for await (const text of texts) whole += text
  const message = parsed(whole)
  return message && { message, bytes: whole.length }
}

/** Reads a stream to the response in it; what comes before are notices. */
async function lastMessage(texts: AsyncIterable<string>, onNotice: (notice: Notice) => void): Promise<Message | undefined> {
  let answer: Message | undefined
  const parser = createParser({
    onEvent: ({ data }) => {
      const message = parsed(data)
      if (!message) return
      if ('result' in message || 'error' in message) answer = { message, bytes: data.length }
      else onNotice(noticeOf(message))
    },
  })
  for await (const text of texts) {
    parser.feed(text)
    if (answer) return answer
  }
  return undefined
}

function noticeOf(message: Record<string, unknown>): Notice {
  const params = recordOf(message['params'])
  const [done, total] = [findNumber(params['progress']), findNumber(params['total'])]
  const data = params['data']
  const text = textOf(params['message']) || (data === undefined ? '' : typeof data === 'string' ? data : JSON.stringify(data))
  const count = done === undefined ? '' : total ? `${done} of ${total}` : String(done)
  return {
    at: Date.now(),
    text: [count, text].filter(Boolean).join(' – ') || textOf(message['method']),
    progress: done !== undefined && total ? Math.min(1, done / total) : undefined,
  }
}

function outcomeOf({ message, bytes }: Message, gateway: string): Outcome {
  if (!('error' in message)) return { kind: 'result', result: recordOf(message['result']), bytes, gateway }
  const error = recordOf(message['error'])
  return { kind: 'failed', code: findNumber(error['code']) ?? 0, message: textOf(error['message']), data: error['data'], gateway }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = recordOf(JSON.parse(text))
    return value['jsonrpc'] === '2.0' ? value : undefined
  } catch {
    return undefined
  }
}

const noAnswer = (status: number) =>
  new ApiError(status, {
    code: 'unavailable',
    reason: 'no_answer',
    detail: 'The stream ended without an answer. Whether the tool had any effect is unknown.',
  })

/** A connection that breaks near the limit broke because of it: the head had left before anybody knew. */
const nearLimit = 3.5 * 1024 * 1024

function broken(cause: unknown, received: number): ApiError {
  const isTooLarge = received > nearLimit
  const what = received > 0 ? `The answer broke off after ${spellBytes(received)}` : 'The connection to the control plane broke'
  return new ApiError(0, {
    code: isTooLarge ? 'too_large' : 'unavailable',
    reason: isTooLarge ? 'answer_too_large' : 'unreachable',
    detail: isTooLarge
      ? `${what}: at most 4 MiB go through the control plane. The endpoint of the gateway gives more.`
      : `${what} (${(cause as Error).message}). Whether the tool had any effect is unknown.`,
    hint: isTooLarge ? 'mcpg-ctl mcp' : 'mcpg-ctl status',
  })
}
