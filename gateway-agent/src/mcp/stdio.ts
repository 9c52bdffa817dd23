import type { Readable, Writable } from 'node:stream'
import { systemClock, type Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Era, McpCall, McpClient, McpConnection, McpOutcome } from './connection.ts'
import { initializeParams, openedLegacy, openedModern, refused, type Opened } from './handshake.ts'
import { listedTools } from './listed-tools.ts'
import { listening } from './listening.ts'
import { stdioWire, type StdioWire } from './stdio-wire.ts'
import type { Implementation, Params } from './protocol.ts'

/** How long an unanswered `server/discover` holds `initialize` back: a server that is still starting answers neither. */
const probePatienceMs = 3_000
const defaultCallMs = 60_000

export type StdioOptions = {
  stdin: Writable
  stdout: Readable
  era: Era | 'auto'
  /** From now to the end of the handshake. */
  timeoutMs: number
  clientInfo: Implementation
  /** A longer line ends the connection (LineTooLong); 17 MiB holds the largest result that is let through. */
  maxLineBytes?: number
  /** Lines that are no JSON-RPC: a server that prints. */
  onJunk?: (line: string) => void
  /** Who can be asked; only a legacy server is told of it when the conversation begins. */
  client?: McpClient | undefined
  clock?: Clock
}

/**
 * Talks MCP over the pipes of a process that is already running; never starts or ends it. Rejects with McpgError: `timeout`
 * (`handshake_timeout`), `unavailable` (`died_on_discover` when it ended on a method it did not know: start it again with era `legacy`;
 * else `connection_ended`), `failed_precondition` when it refuses.
 */
export async function connectStdio(options: StdioOptions): Promise<McpConnection> {
  const { stdin, stdout, timeoutMs, clientInfo, maxLineBytes = 17 * 1024 * 1024, onJunk = () => {}, client, clock = systemClock } = options
  const wire = stdioWire({ stdin, stdout, maxLineBytes, onJunk, client, clock })
  try {
    const opened = await handshake(wire, options.era, { timeoutMs, clientInfo, client, clock })
    return opened.era === 'legacy' ? legacyConnection(wire, opened) : modernConnection(wire, opened, { clientInfo, clock })
  } catch (error) {
    wire.end('HandshakeFailed', error instanceof Error ? error.message : String(error))
    throw error
  }
}

type Handshake = { timeoutMs: number; clientInfo: Implementation; client: McpClient | undefined; clock: Clock }

async function handshake(wire: StdioWire, era: Era | 'auto', { timeoutMs, clientInfo, client, clock }: Handshake): Promise<Opened> {
  const until = clock.monotonic() + timeoutMs
  const left = () => Math.max(1, until - clock.monotonic())
  const discovered = era === 'legacy' ? undefined : discover()
  if (era === 'modern') {
    const outcome = await discovered!
    const opened = openedModern(outcome)
    if (opened) return opened
    throw 'error' in outcome
      ? refused('server/discover', outcome.error)
      : refused('server/discover', { code: -32022, message: 'it supports no version spoken here' })
  }
  if (discovered) {
    const early = await Promise.race([discovered, patience()])
    const opened = early && openedModern(early)
    if (opened) return opened
  }
  const outcome = await ask('initialize', initializeParams(clientInfo, client?.capabilities))
  if ('error' in outcome && discovered) {
    // The probe's answer may come late, from a server that is slow to start and knows no initialize.
    const late = await Promise.race([discovered, patience()])
    const opened = late && openedModern(late)
    if (opened) return opened
  }
  const opened = openedLegacy(outcome)
  wire.notify('notifications/initialized', undefined)
  return opened

  async function discover(): Promise<McpOutcome> {
    try {
      return await ask('server/discover', undefined, clientInfo)
    } catch (error) {
      if (error instanceof McpgError && error.code === 'unavailable' && era === 'auto')
        throw new McpgError(
          'unavailable',
          'died_on_discover',
          `${error.message} It was asked server/discover, which a server without the modern era may not survive.`,
          {
            hint: 'Set era: legacy on the server.',
            cause: error,
          },
        )
      throw error
    }
  }

  /** With `envelope` as a modern request. */
  async function ask(method: string, params: Params | undefined, envelope?: Implementation): Promise<McpOutcome> {
    try {
      return await wire.request({ method, params, timeoutMs: left() }, envelope)
    } catch (error) {
      if (error instanceof McpgError && error.code === 'timeout')
        throw new McpgError('timeout', 'handshake_timeout', `The server did not answer ${method} within ${timeoutMs / 1000} s.`, {
          cause: error,
        })
      throw error
    }
  }

  function patience(): Promise<undefined> {
    return new Promise((resolve) => {
      const cancel = clock.after(Math.min(probePatienceMs, timeoutMs / 3), () => resolve(undefined))
      discovered!.then(cancel, cancel)
    })
  }
}

function legacyConnection(wire: StdioWire, opened: Opened): McpConnection {
  const listed = listedTools()
  return {
    listedTools: listed.latest,
    ...opened,
    request,
    notify: wire.notify,
    onNotification: wire.onNotification,
    inFlight: wire.inFlight,
    closed: wire.closed,
    close: wire.close,
  }

  function request(call: McpCall): Promise<McpOutcome> {
    call.timeoutMs ??= defaultCallMs
    return listed.watch(call, wire.request(call))
  }
}

function modernConnection(
  wire: StdioWire,
  opened: Opened,
  { clientInfo, clock }: { clientInfo: Implementation; clock: Clock },
): McpConnection {
  const listen = listening({ request: send, capabilities: opened.capabilities, deliver: wire.deliver, clock })
  const listed = listedTools()
  listen.start()
  return {
    listedTools: listed.latest,
    ...opened,
    request,
    notify: wire.notify,
    onNotification: wire.onNotification,
    inFlight: wire.inFlight,
    closed: wire.closed,
    close,
  }

  function request(call: McpCall): Promise<McpOutcome> {
    const local = answeredHere(call, listen)
    return local
      ? Promise.resolve({ result: local })
      : send(call.method === 'ping' ? Object.assign(call, { method: 'server/discover' }) : call)
  }

  function send(call: McpCall): Promise<McpOutcome> {
    call.timeoutMs ??= defaultCallMs
    return listed.watch(call, wire.request(call, clientInfo))
  }

  function close(): Promise<void> {
    listen.stop()
    return wire.close()
  }
}

/** What a legacy method becomes on a modern connection: subscriptions are a wish for the listen stream, levels come with each request. */
export function answeredHere({ method, params }: McpCall, listen: ReturnType<typeof listening>): Params | undefined {
  const uri = String(params?.['uri'])
  if (method === 'resources/subscribe') listen.subscribe(uri)
  else if (method === 'resources/unsubscribe') listen.unsubscribe(uri)
  else if (method !== 'logging/setLevel') return undefined
  return {}
}
