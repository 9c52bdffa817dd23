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
const tenancyPath = /^\/v1\/orgs(\/[^/]+(\/workspaces(\/[^/]+(\/environments(\/[^/]+)?)?)?)?)?$/

/**
 * The part of the REST API that the CLI talks to, in memory: objects, apply with diffs of whole fields, watch with resume, enrollments,
 * actions. `failNext` refuses the next request, `failWhen` those that are meant, `cut` ends every open stream, `seen` is what was asked.
 */
export async function fakeRest() {
  const objects = new Map<string, Resource>()
  const streams = new Set<ServerResponse>()
  const logs = new Map<string, LogEntry[]>()
  const followers = new Map<ServerResponse, string>()
  const log: { type: string; object: Resource }[] = []
  const tenancies = new Map<string, { name: string; createdAt: string }>()
  const failures: Failure[] = []
  const configs: object[] = []
  const conditional: { isMeant: (seen: Seen) => boolean; failure: Failure }[] = []
  const seen: Seen[] = []
  let version = 0
  let authMode = 'local'
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
    /** The same object in another project; answers how many there are now. */
    twin: (kind: string, name: string, project: string) => {
      const object = found(kind, name)
      objects.set(`${kind}/${project}/${name}`, { ...object, metadata: { ...object.metadata, project } })
      return [...objects.values()].filter((one) => one.kind === kind && one.metadata.name === name).length
    },
    get: (kind: string, name: string) => objects.get(`${kind}/${name}`),
    failWhen: (isMeant: (seen: Seen) => boolean, failure: Failure) => void conditional.push({ isMeant, failure }),
    failNext: (...next: Failure[]) => failures.push(...next),
    /** Of every gateway, newest first. */
    configs: (...entries: { generation: number; [field: string]: unknown }[]) =>
      configs.push(
        ...entries.map((one) => ({ hash: `h${one.generation}`, force: false, servers: [], createdAt: '2026-01-01T00:00:00.000Z', ...one })),
      ),
    signInBy: (mode: string) => (authMode = mode),
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
      const failure = failures.shift() ?? conditional.find(({ isMeant }) => isMeant(seen.at(-1)!))?.failure
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

  function route(method: string, whole: string, query: URLSearchParams, body: unknown, headers: IncomingMessage['headers']): unknown {
    const path = ofWorkspace(whole)
    if (path === '/v1/version') return { version: '9.9.9', protocol: { min: 1, max: 1 } }
    if (path === '/v1/auth/status') return { mode: authMode, needsSetup: false }
    if (path === `${scope}/apply`) return apply(body as ApplyRequest, query.get('dryRun') === 'true')
    if (path === `${scope}/environments/default/enrollments`)
      return {
        name: 'enr-1',
        url: `${url}/enroll/mcpg_enr_secret`,
        command: "mcpg-ctl gateway --enrollment-url 'x'",
        expiresAt: '2026-01-01T00:15:00.000Z',
      }
    const gateway = /^\/environments\/default\/gateways\/([^/]+)\/(configs|rollback|resume)$/.exec(path.slice(scope.length))
    if (gateway) return gateway[2] === 'configs' ? { items: configs } : found('Gateway', gateway[1]!)
    if (tenancyPath.test(path)) return tenancy(method, path, body as { name: string })
    const [plural = '', name, action] = path
      .slice(scope.length + 1)
      .split('/')
      .map(decodeURIComponent)
    const kind = kinds.find((one) => one.plural === plural)
    if (!path.startsWith(`${scope}/`) || !kind) throw new McpgError('not_found', 'path_unknown', `There is nothing at ${path}.`)
    if (!name) return method === 'POST' ? create(body as ResourceInput, query.get('dryRun') === 'true') : list(kind.kind, query)
    const inProject = kind.kind === 'Project' ? kinds.find((one) => one.plural === action) : undefined
    const inside = inProject && path.slice(scope.length).split('/')[4]
    if (inProject) return inside ? found(inProject.kind, inside) : listOfProject(inProject.kind, name)
    const object = found(kind.kind, name)
    if (action === 'instantiate') return instantiate(object, body as { name: string; parameters: object })
    if (method === 'POST') return action ? object : undefined
    if (method === 'DELETE') return deleteOne(kind.kind, name, query)
    if (method === 'PATCH') return patch(object, body as Partial<ResourceInput>, query.get('dryRun') === 'true')
    if (method === 'PUT') return replace(object, body as ResourceInput, headers['if-match'])
    return object
  }

  /** Organizations, workspaces and environments by their paths; what others are below is not empty. */
  function tenancy(method: string, path: string, body: { name: string }): unknown {
    const isList = /^(orgs|workspaces|environments)$/.test(path.split('/').at(-1) ?? '')
    if (method === 'POST') {
      tenancies.set(`${path}/${body.name}`, { ...body, createdAt: '2026-01-01T00:00:00.000Z' })
      return tenancies.get(`${path}/${body.name}`)
    }
    if (isList)
      return {
        items: [...tenancies].flatMap(([at, one]) => (at.startsWith(`${path}/`) && !at.slice(path.length + 1).includes('/') ? [one] : [])),
      }
    if (!tenancies.has(path)) throw new McpgError('not_found', 'org_unknown', `There is no ${path}.`)
    if (method !== 'DELETE') return tenancies.get(path)
    const inside = [...tenancies.keys()].filter((at) => at.startsWith(`${path}/`))
    if (inside.length > 0) throw new McpgError('conflict', 'not_empty', `${path} is not empty: ${inside.join(', ')}.`)
    tenancies.delete(path)
    return undefined
  }

  function create(input: ResourceInput, dryRun: boolean): Resource {
    const { kind = '', metadata } = input
    if (objects.has(`${kind}/${metadata.name}`))
      throw new McpgError('conflict', 'already_exists', `${kind} ${metadata.name} exists already.`)
    if (input.spec['command'] === 'refused')
      throw new McpgError('invalid', 'invalid_object', 'It is invalid.', {
        violations: [{ pointer: '/spec/command', detail: 'is refused' }],
      })
    const made = put(input)
    if (dryRun) objects.delete(`${kind}/${metadata.name}`)
    return made
  }

  /** What another one names in its spec stays, unless that one goes too. */
  function deleteOne(kind: string, name: string, query: URLSearchParams): void {
    const user = [...objects.values()].find(({ spec }) => JSON.stringify(spec).includes(`"uses":"${name}"`))
    if (user && query.get('cascade') !== 'true')
      throw new McpgError('conflict', 'in_use', `${kind} ${name} is used by ${user.kind} ${user.metadata.name}.`)
    if (query.get('dryRun') !== 'true') remove(kind, name)
  }

  function patch({ kind, metadata, spec, ...rest }: Resource, change: Partial<ResourceInput>, dryRun: boolean): Resource {
    const merged = mergePatch({ metadata: { name: metadata.name, labels: metadata.labels }, spec }, change) as ResourceInput
    if (isDeepStrictEqual([merged.metadata.labels, merged.spec], [metadata.labels, spec])) return { kind, metadata, spec, ...rest }
    if (merged.spec['command'] === 'refused')
      throw new McpgError('invalid', 'invalid_object', 'It is invalid.', {
        violations: [{ pointer: '/spec/command', detail: 'is refused' }],
      })
    if (dryRun) return { kind, metadata: { ...metadata, resourceVersion: 'planned' }, spec: merged.spec, ...rest }
    return put({ ...merged, kind })
  }

  /** The server of a template as it stands there, with its parameters as annotation. */
  function instantiate({ spec }: Resource, { name, parameters }: { name: string; parameters: object }): Resource {
    const [{ server = {} } = {}] = (spec as { versions: { server?: Record<string, unknown> }[] }).versions
    const annotations = { 'mcpg.dev/template-parameters': JSON.stringify(parameters) }
    return create({ kind: 'Server', metadata: { name, annotations }, spec: server }, true)
  }

  function list(kind: string, query: URLSearchParams) {
    const terms = parseSelector(query.get('labelSelector') ?? '')
    const all = [...objects.values()].filter((one) => one.kind === kind && selects(terms, one.metadata.labels))
    const start = Number(query.get('cursor') ?? 0)
    const end = start + Number(query.get('limit') ?? 100)
    return { items: all.slice(start, end), ...(end < all.length ? { nextCursor: String(end) } : {}) }
  }

  function listOfProject(kind: string, project: string) {
    return { items: [...objects.values()].filter((one) => one.kind === kind && one.metadata.project === project) }
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
    const there = wanted.find(({ kind, metadata }) => metadata.resourceVersion === '' && objects.has(`${kind}/${metadata.name}`))
    if (there) throw new McpgError('conflict', 'version_stale', '1 of 1 objects were changed.')
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

/** Objects of the organization are kept beside the others. */
function ofWorkspace(path: string): string {
  const [, plural = '', rest = ''] = /^\/v1\/orgs\/default\/([^/]+)(.*)$/.exec(path) ?? []
  return kinds.some((one) => one.scope === 'org' && one.plural === plural) ? `${scope}/${plural}${rest}` : path
}

/** RFC 7396 */
function mergePatch(target: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change
  const merged: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) }
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
