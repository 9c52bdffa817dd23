import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { McpgError } from '@mcpg/proto/errors'
import { kinds } from '@mcpg/proto/kinds'
import type { Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import { problemOf } from '@mcpg/proto/problem'
import type { ApplyRequest, ApplyResult } from '@mcpg/proto/rest/apply'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import { parseSelector, selects } from '@mcpg/proto/selectors'
import { onTestFinished } from 'vitest'

type Failure = { status: number; headers?: Record<string, string>; error?: McpgError }
type Seen = { method: string; path: string; query: URLSearchParams; headers: IncomingMessage['headers']; body: unknown }

const scope = '/v1/orgs/default/workspaces/default'

/**
 * The part of the REST API that the CLI talks to, in memory: objects, apply with diffs of whole fields, watch with resume, enrollments,
 * actions. `failNext` refuses the next request, `cut` ends every open stream, `seen` is what was asked.
 */
export async function fakeRest() {
  const objects = new Map<string, Resource>()
  const streams = new Set<ServerResponse>()
  const logs = new Map<string, LogEntry[]>()
  const followers = new Map<ServerResponse, string>()
  const log: { type: string; object: Resource }[] = []
  const failures: Failure[] = []
  const seen: Seen[] = []
  let version = 0
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url,
    variables: { MCPG_CP_URL: url, MCPG_STATE_DIR: '/nonexistent/state' },
    seen,
    put,
    setStatus: (kind: string, name: string, status: Record<string, unknown>) => change('STATUS', { ...found(kind, name), status }),
    remove,
    get: (kind: string, name: string) => objects.get(`${kind}/${name}`),
    failNext: (...next: Failure[]) => failures.push(...next),
    cut: () => [...streams, ...followers.keys()].forEach((stream) => stream.destroy()),
    /** What is written to the log at a path below the workspace, or at a whole one. */
    writeLog,
    followers: () => followers.size,
    watchers: () => streams.size,
  }

  function writeLog(path: string, ...entries: LogEntry[]): void {
    const whole = path.startsWith('/v1/') ? path : `${scope}/${path}`
    logs.set(whole, [...(logs.get(whole) ?? []), ...entries.filter(({ type }) => type === 'log')])
    for (const [response, followed] of followers)
      if (followed === whole) response.write(entries.map((entry) => `event: ${entry.type}\ndata: ${JSON.stringify(entry)}\n\n`).join(''))
  }

  function sendLog(path: string, query: URLSearchParams, response: ServerResponse): void {
    const since = /^\d{4}-/.test(query.get('since') ?? '') ? query.get('since')! : ''
    const entries = (logs.get(path) ?? []).filter((entry) => entry.type === 'log' && entry.time >= since)
    if (query.get('follow') !== 'true') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      return void response.end(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(entries.map((entry) => `event: log\ndata: ${JSON.stringify(entry)}\n\n: keep-alive\n\n`).join(''))
    response.flushHeaders()
    followers.set(response, path)
    response.on('close', () => followers.delete(response))
  }

  function put({ kind = 'Server', metadata, spec }: ResourceInput, status: Record<string, unknown> = {}): Resource {
    const before = objects.get(`${kind}/${metadata.name}`)
    version++
    const resource: Resource = {
      kind,
      metadata: {
        uid: before?.metadata.uid ?? `uid-${version}`,
        org: 'default',
        workspace: 'default',
        annotations: {},
        createdAt: '2026-01-01T00:00:00.000Z',
        updatedAt: '2026-01-01T00:00:00.000Z',
        ...metadata,
        labels: metadata.labels ?? {},
        ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
        generation: (before?.metadata.generation ?? 0) + 1,
        resourceVersion: String(version),
      },
      spec,
      status: before?.status ?? status,
    }
    change(before ? 'MODIFIED' : 'ADDED', resource)
    return resource
  }

  function remove(kind: string, name: string): void {
    const object = found(kind, name)
    objects.delete(`${kind}/${name}`)
    tell('DELETED', object)
  }

  function change(type: string, object: Resource): void {
    objects.set(`${object.kind}/${object.metadata.name}`, object)
    tell(type, object)
  }

  function tell(type: string, object: Resource): void {
    log.push({ type, object })
    streams.forEach((stream) => send(stream, type, object))
  }

  function send(stream: ServerResponse, type: string, object?: Resource): void {
    stream.write(`event: ${type}\nid: c${log.length}\ndata: ${JSON.stringify({ type, object })}\n\n`)
  }

  function found(kind: string, name: string): Resource {
    const object = objects.get(`${kind}/${name}`)
    if (!object) throw new McpgError('not_found', 'object_unknown', `There is no ${kind} ${name}.`)
    return object
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', url)
    const text = (await request.toArray()).join('')
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    seen.push({ method: request.method ?? '', path, query, headers: request.headers, body })
    try {
      const failure = failures.shift()
      if (failure) throw Object.assign(failure.error ?? new McpgError('internal', 'planted', 'Planted.'), { planted: failure })
      if (path === '/v1/watch') return watch(request, response)
      if (path.endsWith('/logs')) return sendLog(path, query, response)
      const result = route(request.method ?? '', path, query, body, request.headers)
      reply(response, result === undefined ? 204 : 200, result)
    } catch (error) {
      if (!(error instanceof McpgError)) throw error
      const planted = (error as { planted?: Failure }).planted
      reply(response, planted?.status ?? error.status, problemOf(error, { requestId: 'req_1' }), planted?.headers)
    }
  }

  function watch(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    streams.add(response)
    response.on('close', () => streams.delete(response))
    const after = Number(/^c(\d+)$/.exec(String(request.headers['last-event-id'] ?? ''))?.[1] ?? -1)
    if (after >= 0) log.slice(after).forEach(({ type, object }) => send(response, type, object))
    else objects.forEach((object) => send(response, 'ADDED', object))
    send(response, 'BOOKMARK')
  }

  function route(method: string, path: string, query: URLSearchParams, body: unknown, headers: IncomingMessage['headers']): unknown {
    if (path === '/v1/version') return { version: '9.9.9', protocol: { min: 1, max: 1 } }
    if (path === `${scope}/apply`) return apply(body as ApplyRequest, query.get('dryRun') === 'true')
    if (path === `${scope}/environments/default/enrollments`)
      return {
        name: 'enr-1',
        url: `${url}/enroll/mcpg_enr_secret`,
        command: "mcpg-ctl gateway --enrollment-url 'x'",
        expiresAt: '2026-01-01T00:15:00.000Z',
      }
    const gateway = /^\/environments\/default\/gateways\/([^/]+)\/(configs|rollback|resume)$/.exec(path.slice(scope.length))
    if (gateway) return gateway[2] === 'configs' ? { items: [] } : found('Gateway', gateway[1]!)
    const [plural = '', name, action] = path
      .slice(scope.length + 1)
      .split('/')
      .map(decodeURIComponent)
    const kind = kinds.find((one) => one.plural === plural)
    if (!path.startsWith(`${scope}/`) || !kind) throw new McpgError('not_found', 'path_unknown', `There is nothing at ${path}.`)
    if (!name) return list(kind.kind, query)
    const object = found(kind.kind, name)
    if (method === 'POST') return action ? object : undefined
    if (method === 'DELETE') return remove(kind.kind, name)
    if (method === 'PUT') return replace(object, body as ResourceInput, headers['if-match'])
    return object
  }

  function list(kind: string, query: URLSearchParams) {
    const terms = parseSelector(query.get('labelSelector') ?? '')
    const all = [...objects.values()].filter((one) => one.kind === kind && selects(terms, one.metadata.labels))
    const start = Number(query.get('cursor') ?? 0)
    const end = start + Number(query.get('limit') ?? 100)
    return { items: all.slice(start, end), ...(end < all.length ? { nextCursor: String(end) } : {}) }
  }

  function replace(object: Resource, input: ResourceInput, ifMatch: string | undefined): Resource {
    if (ifMatch !== undefined && ifMatch !== `"${object.metadata.resourceVersion}"`)
      throw new McpgError('conflict', 'stale', 'It was changed in between.', { status: 412 })
    return put(input)
  }

  function apply({ objects: wanted }: ApplyRequest, dryRun: boolean) {
    const violations = wanted.flatMap(({ spec }, index) =>
      spec['command'] === 'refused' ? [{ pointer: `/objects/${index}/spec/command`, detail: 'is refused' }] : [],
    )
    if (violations.length > 0) throw new McpgError('invalid', 'invalid_objects', 'Some objects are invalid.', { violations })
    const results = wanted.map((input): ApplyResult => {
      const before = objects.get(`${input.kind}/${input.metadata.name}`)
      const fields = before ? [...new Set([...Object.keys(before.spec), ...Object.keys(input.spec)])] : []
      const diffs = fields
        .filter((field) => !isDeepStrictEqual(before?.spec[field], input.spec[field]))
        .map((field) => ({
          path: `/spec/${field}`,
          ...(before && field in before.spec ? { before: before.spec[field] } : {}),
          ...(field in input.spec ? { after: input.spec[field] } : {}),
        }))
      const result = !before ? 'created' : diffs.length > 0 ? 'configured' : 'unchanged'
      if (!dryRun && result !== 'unchanged') put(input as ResourceInput)
      return { kind: input.kind, name: input.metadata.name, result, diffs }
    })
    return { dryRun, results }
  }
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
