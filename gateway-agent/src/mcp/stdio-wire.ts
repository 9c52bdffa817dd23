import type { Readable, Writable } from 'node:stream'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { failureOf, readAnswer } from './answer-text.ts'
import { serverAsks } from './asks.ts'
import type { McpCall, McpClient, McpOutcome } from './connection.ts'
import { legacyParams, modernParams } from './envelope.ts'
import { lineReader } from './lines.ts'
import { pendingCalls, type PendingCall } from './pending-calls.ts'
import { isObject, metaKeys, metaOf, type Implementation, type Params } from './protocol.ts'

/** What a server that does not read its input may make us hold before its calls are refused. */
const maxUnreadBytes = 64 * 1024 * 1024

export type StdioWire = ReturnType<typeof stdioWire>

/** JSON-RPC lines over two pipes, whatever the era: ids, answers, progress, cancellation, and everything a broken server may print. */
export function stdioWire({
  stdin,
  stdout,
  maxLineBytes,
  onJunk,
  client,
  clock,
}: {
  stdin: Writable
  stdout: Readable
  maxLineBytes: number
  onJunk: (line: string) => void
  client?: McpClient | undefined
  clock: Clock
}) {
  const pending = pendingCalls({ clock })
  const asks = serverAsks({
    client,
    send: (message) => (over ? undefined : write(message)),
    onRefused: (method) => pending.noteRefused(method),
  })
  const listeners = new Set<(method: string, params: Params) => void>()
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<{ reason: string; message: string }>()
  let over: { reason: string; message: string } | undefined
  const lines = lineReader({
    maxBytes: maxLineBytes,
    onLine,
    onTooLong: () => end('LineTooLong', `The server printed a line longer than ${maxLineBytes} bytes.`),
  })
  stdout.setEncoding('utf8')
  stdout.on('data', lines.push)
  stdout.once('end', () => end('StreamEnded', 'The server closed its output.'))
  stdout.once('close', () => end('StreamEnded', 'The server closed its output.'))
  stdout.on('error', (error) => end('StreamFailed', `Its output could not be read: ${error.message}.`))
  // EPIPE of a process that is going away: its end is reported by its output and its exit.
  stdin.on('error', () => {})
  return { request, notify, deliver, onNotification, inFlight: pending.inFlight, closed, close, end }

  /** With `clientInfo` the params get the modern envelope, else the legacy one. */
  function request(call: McpCall, clientInfo?: Implementation): Promise<McpOutcome> {
    return new Promise((resolve, reject) => {
      if (over) return reject(endedError(over.message))
      if (stdin.writableLength > maxUnreadBytes)
        return reject(new McpgError('unavailable', 'input_not_read', 'The server has stopped reading its input.'))
      const { id } = pending.start(call, { timeoutMs: call.timeoutMs ?? Infinity, abandon: tellCancelled, resolve, reject })
      const { method, params } = call
      const sent = clientInfo ? modernParams(params, id, clientInfo) : legacyParams(params, id)
      const text = sent === undefined ? '' : `,"params":${JSON.stringify(sent)}`
      stdin.write(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}${text}}\n`)
    })
  }

  function tellCancelled(entry: PendingCall, reason: string): void {
    // initialize must not be cancelled.
    if (entry.method !== 'initialize') notify('notifications/cancelled', { requestId: entry.id, reason })
  }

  function notify(method: string, params?: Params): void {
    if (!over) write({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) })
  }

  function write(message: object): void {
    stdin.write(`${JSON.stringify(message)}\n`)
  }

  function onLine(line: string): void {
    const answer = readAnswer(line)
    if (answer) pending.settle(answer.id, answer)
    else if (line.trim() !== '') onOtherLine(line)
  }

  function onOtherLine(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      return onJunk(line)
    }
    // Servers of 2025-03-26 may answer in batches.
    for (const one of Array.isArray(message) ? (message as unknown[]) : [message]) if (!onMessage(one)) onJunk(line)
  }

  /** False for what is no message at all. Answers nobody waits for are messages too, and are dropped. */
  function onMessage(message: unknown): boolean {
    if (!isObject(message)) return false
    const { id, method, result, error } = message
    if (typeof method === 'string') {
      if (id !== undefined && id !== null) asks.ask(id, method, message['params'])
      else onServerNotification(method, isObject(message['params']) ? message['params'] : {})
      return true
    }
    if (result === undefined && error === undefined) return false
    const known = typeof id === 'string' ? Number(id) : id
    if (typeof known === 'number') {
      if (isObject(result)) pending.settle(known, { result })
      else pending.settle(known, { error: failureOf(error) })
    }
    return true
  }

  function onServerNotification(method: string, params: Params): void {
    if (method === 'notifications/progress') return onProgress(params)
    if (method === 'notifications/cancelled') return asks.withdraw(params['requestId'], params['reason'])
    const subscription = metaOf(params)?.[metaKeys.subscriptionId]
    const owner = typeof subscription === 'number' ? pending.calls.get(subscription) : undefined
    if (owner) return owner.onNotification?.(method, params)
    if (method === 'notifications/message') return onLog(params)
    deliver(method, params)
  }

  /** A log line names no call. Only a call that is alone can be its cause; with several in flight it could reach a stranger. */
  function onLog(params: Params): void {
    const [call, ...others] = pending.ofClients()
    if (!call) deliver('notifications/message', params)
    else if (others.length === 0) call.onNotification?.('notifications/message', params)
  }

  function onProgress(params: Params): void {
    const call = pending.calls.get(params['progressToken'] as number)
    if (!call || call.progressToken === undefined) return
    pending.touch(call)
    call.onNotification?.('notifications/progress', { ...params, progressToken: call.progressToken })
  }

  function deliver(method: string, params: Params): void {
    for (const listener of listeners) listener(method, params)
  }

  function onNotification(listener: (method: string, params: Params) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function end(reason: string, message: string): void {
    if (over) return
    over = { reason, message }
    lines.stop()
    stdout.off('data', lines.push)
    // A pipe nobody reads blocks the server while it is being stopped.
    stdout.resume()
    pending.failAll(() => endedError(message))
    asks.endAll(message)
    listeners.clear()
    resolveClosed(over)
  }

  async function close(): Promise<void> {
    end('Closed', 'The gateway closed the connection.')
    stdin.end()
  }
}

function endedError(message: string): McpgError {
  return new McpgError('unavailable', 'connection_ended', message)
}
