import type { ServerResponse } from 'node:http'
import type { McpFailure } from '../mcp/connection.ts'
import type { Params } from '../mcp/protocol.ts'

/** A client that reads nothing is cut off when this much waits for it. */
const maxUnreadBytes = 32 * 1024 * 1024
/** Of one result; `docs/protocol.md`. */
const maxResultBytes = 16 * 1024 * 1024

/** The answer to one request. Whatever comes after the answer, or after the client has gone, is dropped. */
export type Reply = {
  /** Turns the answer into a stream of events, where the client takes one. */
  notify(method: string, params: Params): void
  /** One message to the client before the answer, on one line; false when the answer is over or takes no events. */
  send(text: string): boolean
  /** `json` is the text of the result. */
  result(json: string): void
  error(failure: McpFailure, status?: number): void
  /** Ends without an answer: the client has cancelled. */
  nothing(): void
}

export type Accepts = { json: boolean; events: boolean }

/** No header means anything goes, as MCP clients older than the rule assume. */
export function acceptsOf(accept: string | undefined): Accepts {
  if (accept === undefined || accept.includes('*/*'))
    return { json: true, events: accept === undefined || accept.includes('text/event-stream') }
  return { json: accept.includes('application/json') || accept.includes('application/*'), events: accept.includes('text/event-stream') }
}

const eventHeaders = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }

/** Open event streams, which get a comment now and then so that nobody between us takes them for dead. */
export type Streams = { add(response: ServerResponse): void; end(): void }

export function httpReply(response: ServerResponse, id: string, accepts: Accepts, streams: Streams): Reply {
  let done = false
  return { notify, send, result, error, nothing }

  function notify(method: string, params: Params): void {
    if (!done && accepts.events) send(`{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`)
  }

  function send(text: string): boolean {
    if (done || !accepts.events || response.destroyed) return false
    openStream(response, streams)
    writeEvent(response, text)
    return true
  }

  function result(json: string): void {
    const length = json.length > maxResultBytes / 3 ? Buffer.byteLength(json) : 0
    if (length > maxResultBytes)
      error({ code: -32602, message: `The result has ${length} bytes; at most ${maxResultBytes} are let through.` })
    else finish(`{"jsonrpc":"2.0","id":${id},"result":${json}}`, 200)
  }

  function error(failure: McpFailure, status = 200): void {
    finish(errorText(id, failure), status)
  }

  function nothing(): void {
    if (done) return
    done = true
    if (response.headersSent) response.end()
    else if (accepts.events) response.writeHead(200, { ...eventHeaders, 'content-length': 0 }).end()
    else response.writeHead(202, { 'content-length': 0 }).end()
  }

  function finish(text: string, status: number): void {
    if (done) return
    done = true
    if (response.headersSent) response.end(`event: message\ndata: ${text}\n\n`)
    else if (accepts.json || status !== 200) sendJson(response, status, text)
    else response.writeHead(200, eventHeaders).end(`event: message\ndata: ${text}\n\n`)
  }
}

export function errorText(id: string, { code, message, data }: McpFailure): string {
  const more = data === undefined ? '' : `,"data":${JSON.stringify(data)}`
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${JSON.stringify(message)}${more}}}`
}

export function sendJson(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  response.end(text)
}

export function openStream(response: ServerResponse, streams: Streams): void {
  if (response.headersSent) return
  response.writeHead(200, eventHeaders)
  response.flushHeaders()
  streams.add(response)
}

/** `text` is one JSON-RPC message on one line. */
export function writeEvent(response: ServerResponse, text: string): void {
  if (response.destroyed) return
  if (response.writableLength > maxUnreadBytes) response.destroy()
  else response.write(`event: message\ndata: ${text}\n\n`)
}
