import type { IncomingMessage, ServerResponse } from 'node:http'
import { acceptsBody, checkRequest, type GuardRules } from '@mcpg/core/http-guard'
import type { Log } from '@mcpg/core/log'
import { isObject, rpcCodes } from '../mcp/protocol.ts'
import { readBody } from './body.ts'
import type { Health } from './health.ts'
import { isRequest, type legacyFront } from './legacy-front.ts'
import type { modernFront } from './modern-front.ts'
import { eraOf, isModern } from './modern-rules.ts'
import type { Post } from './post.ts'
import { errorText, sendJson } from './reply.ts'
import type { Target } from './target.ts'

const maxBodyBytes = 4 * 1024 * 1024

type Parts = {
  rules: () => GuardRules
  health: Health
  /** The target of an MCP path; null when there is none. */
  targetOf: (path: string) => Target | null
  modern: ReturnType<typeof modernFront>
  legacy: ReturnType<typeof legacyFront>
  log: Log
}

/** From a raw request to its front: guard, path, one read, one parse, era. */
export function listener({ rules, health, targetOf, modern, legacy, log }: Parts) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => {})
    handle(request, response).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'a request failed in a way nobody expected')
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, errorText('null', { code: rpcCodes.internal, message: 'Internal error.' }))
    })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]!
    if (path === '/healthz' || path === '/readyz') return probe(path, request, response)
    const refusal = refused(request)
    if (refusal) return sendProblem(response, 403, 'forbidden', refusal.reason, `${refusal.message} ${refusal.hint}`)
    if (allowCrossOrigin(request, response)) return
    if (path === '/metrics') return metrics(request, response)
    const target = targetOf(path)
    if (!target)
      return sendJson(response, 404, errorText('null', { code: rpcCodes.invalidRequest, message: `Nothing is served at ${path}.` }))
    const post: Post = { request, response, target }
    if (request.method === 'POST') return receive(post)
    if (isSessionless(request))
      return sendJson(response, 405, errorText('null', { code: rpcCodes.invalidRequest, message: 'Only POST is allowed here.' }), {
        allow: 'POST',
      })
    if (request.method === 'GET') return legacy.get(post)
    legacy.end(post)
  }

  /** GET and DELETE mean something in a legacy session only. */
  function isSessionless({ method, headers }: IncomingMessage): boolean {
    const isMethod = method === 'GET' || method === 'DELETE'
    return !isMethod || headers['mcp-session-id'] === undefined || isModern(headers['mcp-protocol-version'])
  }

  async function receive(post: Post): Promise<void> {
    const { request, response } = post
    if (!acceptsBody('POST', request.headers['content-type'], true))
      return sendJson(response, 415, errorText('null', { code: rpcCodes.invalidRequest, message: 'The body must be application/json.' }))
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > maxBodyBytes
    const text = isTooLarge ? null : await readBody(request, maxBodyBytes)
    if (text === undefined) return
    if (text === null) {
      // What is still on its way is not read.
      response.once('finish', () => request.destroy())
      return sendJson(
        response,
        413,
        errorText('null', { code: rpcCodes.invalidParams, message: `The request has more than ${maxBodyBytes} bytes.` }),
        { connection: 'close' },
      )
    }
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return sendJson(response, 400, errorText('null', { code: rpcCodes.parseError, message: 'The body is not JSON.' }))
    }
    return dispatch(post, message)
  }

  function dispatch(post: Post, message: unknown): Promise<void> | void {
    const { request, response } = post
    const version = request.headers['mcp-protocol-version'] as string | undefined
    if (Array.isArray(message)) {
      if (isModern(version)) return refuseShape(response, 'Batches are not part of this protocol version.')
      return legacy.serveBatch(post, message)
    }
    if (isRequest(message)) {
      return eraOf(message.method, message.params, version) === 'modern' ? modern.serve(post, message) : legacy.serve(post, message)
    }
    if (!isObject(message)) return refuseShape(response, 'Not a JSON-RPC message.')
    const params = isObject(message['params']) ? message['params'] : undefined
    const isNotification = typeof message['method'] === 'string' && message['id'] === undefined
    if (isNotification && eraOf(message['method'] as string, params, version) === 'modern')
      return void response.writeHead(202, { 'content-length': 0 }).end()
    const isAnswer =
      message['method'] === undefined && message['id'] !== undefined && (message['result'] !== undefined || message['error'] !== undefined)
    if (isNotification || (isAnswer && !isModern(version))) return legacy.accept(post, message)
    refuseShape(response, 'Not a JSON-RPC message.')
  }

  function refuseShape(response: ServerResponse, message: string): void {
    sendJson(response, 400, errorText('null', { code: rpcCodes.invalidRequest, message }))
  }

  function refused({ method = '', headers }: IncomingMessage) {
    return checkRequest(
      {
        method,
        host: headers.host,
        origin: headers.origin,
        secFetchSite: headers['sec-fetch-site'] as string | undefined,
        secFetchMode: headers['sec-fetch-mode'] as string | undefined,
        secFetchDest: headers['sec-fetch-dest'] as string | undefined,
      },
      rules(),
    )
  }

  /** A page whose origin the operator has named may read the answers. True when the request was its preflight. */
  function allowCrossOrigin({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
    if (headers.origin === undefined || !rules().allowedOrigins.some((allowed) => allowed.replace(/\/$/, '') === headers.origin))
      return false
    response.setHeader('access-control-allow-origin', headers.origin)
    response.setHeader('vary', 'origin')
    response.setHeader('access-control-expose-headers', 'mcp-session-id')
    if (method !== 'OPTIONS') return false
    const asked = headers['access-control-request-headers']
    response
      .writeHead(204, {
        'access-control-allow-methods': 'GET, POST, DELETE',
        ...(asked ? { 'access-control-allow-headers': asked } : {}),
        'access-control-max-age': '600',
      })
      .end()
    return true
  }

  function probe(path: string, { method }: IncomingMessage, response: ServerResponse): void {
    if (method !== 'GET' && method !== 'HEAD')
      return sendProblem(response, 405, 'unsupported', 'method_not_allowed', 'Only GET is allowed here.')
    const { status, body } = path === '/healthz' ? health.healthz() : health.readyz()
    sendJson(response, status, JSON.stringify(body))
  }

  async function metrics({ method }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method !== 'GET' && method !== 'HEAD')
      return sendProblem(response, 405, 'unsupported', 'method_not_allowed', 'Only GET is allowed here.')
    const { contentType, text } = await health.metrics()
    response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }).end(text)
  }
}

function sendProblem(response: ServerResponse, status: number, code: string, reason: string, detail: string): void {
  const text = JSON.stringify({ type: `urn:mcpg:${code}:${reason}`, status, detail, code, reason })
  response.writeHead(status, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(text) }).end(text)
}
