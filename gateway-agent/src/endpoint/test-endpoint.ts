import { request as httpRequest, type IncomingMessage } from 'node:http'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { defaultTimers, type Timers } from '@mcpg/core/timers'
import type { Witnessed } from '../audit/witnessed.ts'
import { modernVersion, type Params } from '../mcp/protocol.ts'
import type { Servers } from '../servers/supervision.ts'
import { catalogOf } from './catalog.ts'
import { endpoint, type EndpointOptions } from './endpoint.ts'
import { testServers } from './test-servers.ts'

export type RpcAnswer = {
  id?: unknown
  result?: Params
  error?: { code: number; message: string; data?: Params }
  method?: string
  params?: Params
}
export type HttpAnswer = { status: number; headers: IncomingMessage['headers']; text: string; messages: RpcAnswer[] }

/** Nobody is asked for a token. */
const openToAll: EndpointOptions['access'] = {
  admit: () => ({ principal: 'anonymous' }),
  environment: 'default',
  stillHolds: () => true,
  onChange: () => {},
}

/** A real endpoint over real servers. Everything is closed by `stop`. */
export async function startEndpoint({
  timers: changed = {},
  servers,
  ...more
}: Partial<Omit<EndpointOptions, 'timers'>> & { timers?: Partial<Timers>; servers?: Servers } = {}) {
  const timers = { ...defaultTimers, ...changed }
  const log = createLog({ level: 'silent', json: true })
  const fleet = testServers()
  const seen: Witnessed[] = []
  const offers = catalogOf({ servers: servers ?? fleet.servers, timers, clock: systemClock, log })
  const served = endpoint({
    bind: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    allowedOrigins: [],
    certificate: null,
    catalog: offers,
    projects: { list: () => [], onChange: () => {} },
    stateKey: Buffer.alloc(32, 1),
    access: openToAll,
    health: {
      healthz: () => ({ status: 200, body: { status: 'ok' } }),
      readyz: () => ({ status: 503, body: { waiting: [{ server: 'x', reason: 'starting' }] } }),
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'mcpg_up 1\n' }),
    },
    audit: { record: (event) => void seen.push(event) },
    gatewayName: 'test-gateway',
    version: '0.0.0',
    timers,
    clock: systemClock,
    log,
    ...more,
  })
  await offers.start()
  await served.start((error) => {
    throw error
  })
  const port = served.port()
  return { fleet, seen, catalog: offers, endpoint: served, port, http, legacy, modern, stop }

  /** One raw request, read to its end; `onMessage` sees events as they come, `signal` hangs up. */
  function http(
    path: string,
    {
      method = 'POST',
      headers = {},
      body,
      onMessage,
      signal,
    }: {
      method?: string
      headers?: Record<string, string>
      body?: unknown
      onMessage?: (message: RpcAnswer) => void
      signal?: AbortSignal
    } = {},
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
      const typed = text === undefined ? {} : { 'content-type': 'application/json' }
      const sent = httpRequest({ port, host: '127.0.0.1', path, method, headers: { ...typed, ...headers }, ...(signal ? { signal } : {}) })
      sent.on('error', reject).on('response', (response) => {
        let all = ''
        let seen = 0
        const messages: RpcAnswer[] = []
        const isStream = String(response.headers['content-type']).startsWith('text/event-stream')
        response.setEncoding('utf8').on('data', (chunk: string) => {
          all += chunk
          if (!isStream) return
          for (let end = all.indexOf('\n\n', seen); end !== -1; end = all.indexOf('\n\n', seen)) {
            const data = /^data: (.*)$/m.exec(all.slice(seen, end))?.[1]
            seen = end + 2
            if (!data) continue
            messages.push(JSON.parse(data) as RpcAnswer)
            onMessage?.(messages.at(-1)!)
          }
        })
        response.on('error', reject).on('end', () => {
          if (!isStream && all.startsWith('{')) messages.push(JSON.parse(all) as RpcAnswer)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: all, messages })
        })
      })
      sent.end(text)
    })
  }

  /** A legacy client that has initialized. */
  async function legacy(path = '/mcp', protocolVersion = '2025-11-25', capabilities: Params = {}) {
    let nextId = 1
    const clientInfo = { name: 'test', version: '1' }
    const opened = await http(path, {
      body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion, capabilities, clientInfo } },
    })
    const session = String(opened.headers['mcp-session-id'])
    const headers = { 'mcp-session-id': session, 'mcp-protocol-version': protocolVersion, accept: 'application/json, text/event-stream' }
    return { opened: opened.messages[0]!, session, headers, send, call, notify, answer, listen, textOf, end }

    function send(
      method: string,
      params?: Params,
      options: { id?: unknown; onMessage?: (message: RpcAnswer) => void; signal?: AbortSignal } = {},
    ) {
      const { id = nextId++, ...rest } = options
      return http(path, { headers, body: { jsonrpc: '2.0', id, method, params }, ...rest })
    }

    /** The answer itself, whatever notifications came before. */
    async function call(method: string, params?: Params): Promise<RpcAnswer> {
      return (await send(method, params)).messages.at(-1)!
    }

    async function textOf(name: string, args: Params = {}): Promise<string> {
      return textIn(await call('tools/call', { name, arguments: args }))
    }

    function notify(method: string, params?: Params) {
      return http(path, { headers, body: { jsonrpc: '2.0', method, params } })
    }

    /** Answers what was asked. */
    function answer(id: unknown, result: Params) {
      return http(path, { headers, body: { jsonrpc: '2.0', id, result } })
    }

    function end() {
      return http(path, { method: 'DELETE', headers })
    }

    /** Opens the GET stream; resolves when it is open. */
    async function listen(onMessage: (message: RpcAnswer) => void) {
      const hangUp = new AbortController()
      const ended = http(path, { method: 'GET', headers, onMessage, signal: hangUp.signal }).catch(() => undefined)
      // The answer's headers come at once, but only a message shows that the stream is read: a ping passes it.
      await call('ping')
      return { close: () => hangUp.abort(), ended }
    }
  }

  function modern(path = '/mcp') {
    let nextId = 1
    return { send, call, envelope }

    function envelope(meta: Params = {}): Params {
      return { 'io.modelcontextprotocol/protocolVersion': modernVersion, 'io.modelcontextprotocol/clientCapabilities': {}, ...meta }
    }

    function send(
      method: string,
      params: Params = {},
      {
        meta = {},
        headers = {},
        ...rest
      }: { meta?: Params; headers?: Record<string, string>; onMessage?: (message: RpcAnswer) => void; signal?: AbortSignal } = {},
    ) {
      const named = params['name'] ?? params['uri']
      const own = {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': modernVersion,
        'mcp-method': method,
        ...(typeof named === 'string' && /^(tools\/call|prompts\/get|resources\/read)$/.test(method) ? { 'mcp-name': named } : {}),
      }
      return http(path, {
        headers: { ...own, ...headers },
        body: { jsonrpc: '2.0', id: nextId++, method, params: { ...params, _meta: envelope(meta) } },
        ...rest,
      })
    }

    async function call(method: string, params: Params = {}, meta: Params = {}): Promise<RpcAnswer> {
      return (await send(method, params, { meta })).messages.at(-1)!
    }
  }

  async function stop(): Promise<void> {
    await served.stop()
    await offers.stop()
    await fleet.stop()
  }
}

export function textIn(answer: RpcAnswer): string {
  return (answer.result?.['content'] as { text: string }[] | undefined)?.[0]?.text ?? JSON.stringify(answer)
}

/** Names of what a list answered. */
export function keysIn(answer: RpcAnswer, kind: string, key = 'name'): string[] {
  return ((answer.result?.[kind] ?? []) as Params[]).map((one) => String(one[key]))
}

/** Waits for a condition with a deadline. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`It did not become true within ${ms} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
