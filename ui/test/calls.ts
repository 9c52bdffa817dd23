import type { ServerResponse } from 'node:http'
import type { Write } from './fake-control-plane.ts'

/** What a gateway answers to calls of a tool, for `knobs.onCall`. */

export type Params = { name: string; arguments: Record<string, unknown>; inputResponses?: Record<string, unknown>; requestState?: string }
type Answer = { result: object } | { error: object }

const idOf = ({ body }: Write) => (body as { id: number }).id
export const paramsOf = ({ body }: Write) => (body as { params: Params }).params

/** One JSON answer. */
export const answering = (answer: (params: Params) => Answer) => (call: Write, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json', 'mcpg-gateway': 'lab' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: idOf(call), ...answer(paramsOf(call)) }))
}

/** Notifications in a stream; `end` brings the answer. */
export function streaming(call: Write, response: ServerResponse) {
  const send = (message: object) => response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  return {
    progress: (progress: number, total: number, message: string) =>
      send({ method: 'notifications/progress', params: { progressToken: idOf(call), progress, total, message } }),
    end: (result: object) => {
      send({ id: idOf(call), result })
      response.end()
    },
  }
}

export const text = (...texts: string[]) => ({ result: { content: texts.map((one) => ({ type: 'text', text: one })) } })

export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
/** A tenth of a second of silence. */
export const silence = Buffer.concat([
  Buffer.from('RIFF'),
  Buffer.from([0x44, 0x03, 0, 0]),
  Buffer.from('WAVEfmt '),
  Buffer.from([16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0]),
  Buffer.from('data'),
  Buffer.from([0x20, 0x03, 0, 0]),
  Buffer.alloc(800, 128),
]).toString('base64')
