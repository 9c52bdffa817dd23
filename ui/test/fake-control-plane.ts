import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { WatchType } from '@mcpg/proto/rest/watch'

/** What the control plane sends with the console's files. Nothing inline, nothing from elsewhere, and no string becomes script. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  'media-src data:',
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

export type Write = { method: string; path: string; query: string; headers: IncomingMessage['headers']; body: unknown }
type Answer = { status: number; body?: unknown }

/** What stories may turn; nothing is wrong at first. */
const calm = () => ({
  streams: 'ok' as 'ok' | 'cut' | 'silent',
  down: false,
  lists: 0,
  onWrite: (_write: Write): Answer => ({ status: 200, body: {} }),
  onRead: (_path: string, _search: URLSearchParams): Answer | undefined => undefined,
  onLog: (_log: { path: string; search: URLSearchParams }, response: ServerResponse): void => void response.writeHead(503).end(),
  onOperation: (_asked: { path: string; after: number }, response: ServerResponse): void => void response.writeHead(204).end(),
  onCall: (_call: Write, response: ServerResponse): void => void response.writeHead(503).end(),
})

/**
 * A control plane of a few objects for the stories of the console: its files under the real policy, lists, one watch with snapshot,
 * resume and expiry. Writes are recorded and answered by `onWrite`, calls of tools by `onCall`, logs by `onLog`, events of
 * operations by `onOperation`, what is no list of objects by `onRead`. `streams` is `ok`, `cut` (each ends at once) or `silent` (a head and nothing more, as behind a proxy that buffers); `down`
 * answers nothing at all.
 */
export async function fakeControlPlane(consoleFolder: string) {
  const objects = new Map<string, Resource>()
  const history: { id: number; type: WatchType; object: Resource }[] = []
  const watchers = new Set<ServerResponse>()
  const writes: Write[] = []
  const watches: { cursor: string | undefined }[] = []
  let lastId = 0
  let oldestId = 0
  const knobs = calm()

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return { url, knobs, writes, watches, put, remove, cutStreams, forgetHistory, clear, close }

  /** Creates or changes an object and tells the watchers. */
  function put(object: Resource, type?: WatchType): void {
    const key = keyOf(object)
    const known = objects.has(key)
    objects.set(key, object)
    tell(type ?? (known ? 'STATUS' : 'ADDED'), object)
  }

  function remove(object: Resource): void {
    objects.delete(keyOf(object))
    tell('DELETED', object)
  }

  function clear(): void {
    objects.clear()
    writes.length = 0
    watches.length = 0
    Object.assign(knobs, calm())
    cutStreams()
    forgetHistory()
  }

  function cutStreams(): void {
    for (const watcher of watchers) watcher.destroy()
    watchers.clear()
  }

  /** Every cursor handed out so far is too old from now on. */
  function forgetHistory(): void {
    history.length = 0
    oldestId = ++lastId
  }

  async function close(): Promise<void> {
    cutStreams()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  function tell(type: WatchType, object: Resource): void {
    const event = { id: ++lastId, type, object }
    history.push(event)
    for (const watcher of watchers) send(watcher, event.type, event.id, object)
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (knobs.down) return void request.socket.destroy()
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    response.setHeader('content-security-policy', contentSecurityPolicy)
    if (!pathname.startsWith('/v1/')) return sendFile(pathname, response)
    if (pathname === '/v1/watch') return watch(request, response)
    if (request.method !== 'GET') return write(request, response, pathname, searchParams.toString())
    if (pathname.endsWith('/logs')) return knobs.onLog({ path: pathname, search: searchParams }, response)
    if (/^\/v1\/operations\/[^/]+\/events$/.test(pathname))
      return knobs.onOperation({ path: pathname, after: Number(request.headers['last-event-id'] ?? 0) }, response)
    const told = knobs.onRead(pathname, searchParams)
    if (told) return json(response, told.status, told.body)
    if (pathname === '/v1/auth/me') return json(response, 200, { kind: 'local', subject: 'local', groups: [], platformAdmin: true })
    if (pathname === '/v1/access/can-i') return json(response, 200, { allowed: true, subject: 'local', place: {} })
    if (/^\/v1\/admin\/clusters\/[^/]+\/gateways$/.test(pathname)) return json(response, 200, { items: [], moves: [] })
    if (/^\/v1\/orgs\/[^/]+\/domains$/.test(pathname)) return json(response, 200, { items: [] })
    if (pathname === '/v1/clusters' || pathname.endsWith('/operations')) return json(response, 200, { items: [] })
    knobs.lists++
    const plural = pathname.split('/').at(-1)!
    const kind = {
      servers: 'Server',
      gateways: 'Gateway',
      instances: 'Instance',
      tools: 'Tool',
      enrollments: 'Enrollment',
      events: 'Event',
      secrets: 'Secret',
      projects: 'Project',
      prompts: 'Prompt',
      promptrequests: 'PromptRequest',
      tokens: 'McpToken',
    }[plural]
    if (kind)
      return json(
        response,
        200,
        pageOf(
          [...objects.values()].filter((one) => one.kind === kind),
          searchParams,
        ),
      )
    if (['orgs', 'workspaces', 'environments'].includes(plural)) {
      const names = plural === 'environments' ? ['default', 'us'] : ['default']
      return json(response, 200, { items: names.map((name) => ({ name, createdAt: '2026-01-01T00:00:00Z' })) })
    }
    return json(response, 404, { code: 'not_found', reason: 'path_unknown', detail: `There is nothing at ${pathname}` })
  }

  function watch(request: IncomingMessage, response: ServerResponse): void {
    const cursor = request.headers['last-event-id'] as string | undefined
    watches.push({ cursor })
    if (cursor !== undefined && Number(cursor) < oldestId)
      return json(response, 410, { code: 'gone', reason: 'cursor_expired', detail: 'The cursor is too old' })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    if (knobs.streams === 'cut') return void response.destroy()
    response.flushHeaders()
    if (knobs.streams === 'silent') return
    if (cursor === undefined) {
      for (const object of objects.values()) send(response, 'ADDED', undefined, object)
      send(response, 'BOOKMARK', lastId)
    } else for (const event of history.filter((one) => one.id > Number(cursor))) send(response, event.type, event.id, event.object)
    watchers.add(response)
    response.on('close', () => watchers.delete(response))
  }

  async function write(request: IncomingMessage, response: ServerResponse, path: string, query: string): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const one = {
      method: request.method ?? '',
      path,
      query,
      headers: request.headers,
      body: text ? (JSON.parse(text) as unknown) : undefined,
    }
    writes.push(one)
    if (/\/mcp\/servers\/[^/]+$/.test(path)) return knobs.onCall(one, response)
    const { status, body } = knobs.onWrite(one)
    json(response, status, body)
  }

  async function sendFile(pathname: string, response: ServerResponse): Promise<void> {
    // Names of objects may have dots.
    const path = extname(pathname) in mediaTypes ? normalize(pathname) : '/index.html'
    const body = await readFile(join(consoleFolder, path)).catch(() => null)
    if (!body) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': mediaTypes[extname(path)] ?? 'application/octet-stream' }).end(body)
  }
}

export type FakeControlPlane = Awaited<ReturnType<typeof fakeControlPlane>>

const keyOf = ({ kind, metadata }: Resource) => `${kind}/${metadata.uid}`

function send(response: ServerResponse, type: WatchType, id: number | undefined, object?: Resource): void {
  const lines = [`event: ${type}`, ...(id === undefined ? [] : [`id: ${id}`]), `data: ${JSON.stringify({ type, object })}`]
  response.write(`${lines.join('\n')}\n\n`)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' })
  response.end(body === undefined ? '' : JSON.stringify(body))
}

/** Two objects a page whatever is asked, so that every story goes over pages. */
function pageOf(items: Resource[], search: URLSearchParams) {
  const start = Number(search.get('cursor') ?? 0)
  const end = start + 2
  return { items: items.slice(start, end), ...(end < items.length ? { nextCursor: String(end) } : {}), total: items.length }
}
