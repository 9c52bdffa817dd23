import { createParser } from 'eventsource-parser'
import { ApiError, errorOfResponse } from '../../../lib/api.ts'
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
    const message = type.startsWith('text/event-stream') ? await lastMessage(response, onNotice) : await jsonMessage(response)
    return message ? outcomeOf(message, response.headers.get('mcpg-gateway') ?? '') : { kind: 'refused', error: noAnswer(response.status) }
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' }
    return { kind: 'refused', error: error instanceof ApiError ? error : unreachable(error) }
  }
}

type Message = { message: Record<string, unknown>; bytes: number }

async function jsonMessage(response: Response): Promise<Message | undefined> {
  const text = await response.text()
  const message = parsed(text)
  return message && { message, bytes: text.length }
}

/** Reads a stream to the response in it; what comes before are notices. */
async function lastMessage(response: Response, onNotice: (notice: Notice) => void): Promise<Message | undefined> {
  let answer: Message | undefined
  const parser = createParser({
    onEvent: ({ data }) => {
      const message = parsed(data)
      if (!message) return
      if ('result' in message || 'error' in message) answer = { message, bytes: data.length }
      else onNotice(noticeOf(message))
    },
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  while (!answer) {
    const { done, value } = await reader.read()
    if (done) return undefined
    parser.feed(value)
  }
  await reader.cancel()
  return answer
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

const unreachable = (cause: unknown) =>
  new ApiError(0, {
    code: 'unavailable',
    reason: 'unreachable',
    detail: `The connection to the control plane broke (${(cause as Error).message}). Whether the tool had any effect is unknown.`,
    hint: 'mcpg-ctl status',
  })
