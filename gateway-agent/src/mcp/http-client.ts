import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '@mcpg/core/clock'
import { responseReader, type ResponseHeaders } from './http-response.ts'

/** Told to whom belongs what came, so that one set of functions serves all requests. */
export type ResponseHandler<T> = {
  onStart(of: T, status: number, headers: ResponseHeaders): void
  /** The bytes are only lent. */
  onData(of: T, chunk: Buffer): void
  onEnd(of: T): void
  /** Instead of onEnd; never after an abort. */
  onError(of: T, error: Error): void
}

/** A request that was sent or waits for a connection. */
export type Sent<T> = { readonly of: T; text: string; connection: Connection<T> | undefined; isOver: boolean }

type Connection<T> = { socket: Socket; sent: Sent<T> | undefined; idleUntil: number; keepAliveMs: number; hasConnected: boolean }

/** How long an unused connection is kept when the server does not say; most servers wait at least 5 s. */
const keepAliveMs = 4_000
const longestKeepAliveMs = 600_000
/** What a server announces is cut by this, for the time its end needs to reach us. */
const keepAliveMarginMs = 1_000
const sweepMs = 1_000

export type HttpClient<T> = ReturnType<typeof httpClient<T>>

/**
 * HTTP/1.1 to one origin over connections that stay: one request at a time on each, no more than `maxConnections`, no redirects, no
 * second try. A call through a general client costs as much as the rest of the gateway; this one writes a request and reads a response.
 */
export function httpClient<T>({
  origin,
  handler,
  clock,
  connectMs,
  maxConnections,
}: {
  origin: URL
  handler: ResponseHandler<T>
  clock: Clock
  connectMs: number
  maxConnections: number
}) {
  const open = new Set<Connection<T>>()
  // The one used last is used first, so that the others may be given up.
  const idle: Connection<T>[] = []
  let waiting: Sent<T>[] = []
  let connecting = 0
  let cancelSweep: (() => void) | undefined
  let isClosed = false
  /** Of the latest TLS connection, which makes the next one cheaper. */
  let session: Buffer | undefined
  // All connections read into the same memory: what arrives is used up before the next read.
  const memory = Buffer.allocUnsafeSlow(64 * 1024)
  return { send, abort, close }

  /** `head` is complete but for the length of `body` and the empty line. */
  function send(head: string, body: string | undefined, of: T): Sent<T> {
    const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
    const sent: Sent<T> = { of, text: `${head}${length}\r\n${body ?? ''}`, connection: undefined, isOver: false }
    const free = takeIdle()
    if (free) write(free, sent)
    else if (isClosed) queueMicrotask(() => fail(sent, new Error('the connection was closed')))
    else {
      waiting.push(sent)
      reach()
    }
    return sent
  }

  /** Nothing is told about it any more; its connection ends with it. */
  function abort(sent: Sent<T>): void {
    if (sent.isOver) return
    sent.isOver = true
    if (sent.connection) sent.connection.socket.destroy()
    else waiting = waiting.filter((one) => one !== sent)
  }

  function close(): void {
    isClosed = true
    cancelSweep?.()
    for (const { socket } of open) socket.destroy()
    for (const sent of waiting.splice(0)) fail(sent, new Error('the connection was closed'))
  }

  function takeIdle(): Connection<T> | undefined {
    const now = clock.monotonic()
    for (let free = idle.pop(); free; free = idle.pop()) {
      if (now < free.idleUntil && free.socket.writable) return free
      free.socket.destroy()
    }
    return undefined
  }

  function write(connection: Connection<T>, sent: Sent<T>): void {
    connection.sent = sent
    sent.connection = connection
    connection.socket.write(sent.text, 'utf8')
    sent.text = ''
  }

  function reach(): void {
    while (connecting < waiting.length && open.size < maxConnections) connect()
  }

  function connect(): void {
    const connection: Connection<T> = { socket: dial(onread), sent: undefined, idleUntil: 0, keepAliveMs, hasConnected: false }
    const { socket } = connection
    const reader = responseReader({
      onStart(status, headers) {
        connection.keepAliveMs = announced(headers['keep-alive'])
        handler.onStart(connection.sent!.of, status, headers)
      },
      onData: (chunk) => connection.sent!.isOver || handler.onData(connection.sent!.of, chunk),
      onEnd: (keepsAlive) => ended(connection, keepsAlive),
    })
    let failure: Error | undefined
    open.add(connection)
    connecting++
    const cancelPatience = clock.after(connectMs, () => socket.destroy(new Error(`no connection within ${connectMs / 1000} s`)))
    socket.setNoDelay(true)
    socket.once(origin.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      cancelPatience()
      connecting--
      connection.hasConnected = true
      use(connection)
    })
    socket.on('error', (error) => (failure = error))
    socket.once('close', () => {
      cancelPatience()
      open.delete(connection)
      const at = idle.indexOf(connection)
      if (at !== -1) idle.splice(at, 1)
      lost(connection, reader.close, failure)
    })

    function onread(length: number): boolean {
      // Nobody has asked for it: whatever comes later cannot be told from an answer.
      if (!connection.sent) socket.destroy()
      else
        try {
          reader.push(memory.subarray(0, length))
        } catch (error) {
          socket.destroy(error as Error)
        }
      return true
    }
  }

  function dial(onRead: (length: number) => boolean): Socket {
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80)
    const onread = { buffer: memory, callback: onRead }
    if (origin.protocol !== 'https:') return connectTcp({ host, port, onread })
    // A name is not sent for an address; the types do not know `onread` here.
    const named = isIP(host) ? {} : { servername: host }
    const options = { host, port, onread, ALPNProtocols: ['http/1.1'], ...named, ...(session ? { session } : {}) }
    return connectTls(options).on('session', (next) => (session = next))
  }

  /** A connection that can take a request. */
  function use(connection: Connection<T>): void {
    const next = waiting.shift()
    if (next) return write(connection, next)
    connection.idleUntil = clock.monotonic() + connection.keepAliveMs
    idle.push(connection)
    cancelSweep ??= clock.after(sweepMs, sweep)
  }

  function ended(connection: Connection<T>, keepsAlive: boolean): void {
    const sent = connection.sent!
    connection.sent = undefined
    sent.connection = undefined
    // An answer before the request was taken in is no base for the next one.
    if (!keepsAlive || sent.isOver || connection.socket.writableLength > 0) connection.socket.destroy()
    else use(connection)
    if (sent.isOver) return
    sent.isOver = true
    handler.onEnd(sent.of)
  }

  function lost(connection: Connection<T>, closeReader: () => boolean, failure: Error | undefined): void {
    const { sent, hasConnected } = connection
    if (sent && (failure !== undefined || !closeReader())) fail(sent, failure ?? new Error('it closed the connection'))
    if (!hasConnected) connecting--
    if (isClosed || waiting.length === 0) return
    // One that could not be made fails the request it was made for; the others try for themselves.
    if (!hasConnected) fail(waiting.shift()!, failure ?? new Error('it closed the connection'))
    reach()
  }

  function fail(sent: Sent<T>, error: Error): void {
    if (sent.isOver) return
    sent.isOver = true
    handler.onError(sent.of, error)
  }

  function sweep(): void {
    cancelSweep = undefined
    const now = clock.monotonic()
    // Each takes itself from the list when it has closed.
    for (const connection of idle) if (now >= connection.idleUntil) connection.socket.destroy()
    if (idle.length > 0) cancelSweep = clock.after(sweepMs, sweep)
  }
}

/** Milliseconds that a server keeps an unused connection, less what its end needs to reach us. */
function announced(header: string | undefined): number {
  const seconds = header === undefined ? undefined : /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(header)?.[1]
  if (seconds === undefined) return keepAliveMs
  return Math.max(0, Math.min(longestKeepAliveMs, Number(seconds) * 1_000) - keepAliveMarginMs)
}
