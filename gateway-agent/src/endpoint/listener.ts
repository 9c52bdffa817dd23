import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkRequest, type GuardRules } from '@mcpg/core/http-guard'
import type { Log } from '@mcpg/core/log'
import type { Shown } from '../access/access.ts'
import type { Admitted, Turned } from '../access/gate.ts'
import { rpcCodes } from '../mcp/protocol.ts'
import type { Health } from './health.ts'
import type { legacyFront } from './legacy-front.ts'
import type { modernFront } from './modern-front.ts'
import { isModern } from './modern-rules.ts'
import type { Post } from './post.ts'
import { receiver } from './receive.ts'
import { errorText, sendJson } from './reply.ts'
import type { Target } from './target.ts'

type Parts = {
  rules: () => GuardRules
  health: Health
  /** The target of an MCP path, as somebody with these rights sees it; null when there is none for them. */
  targetOf: (path: string, admitted: Admitted) => Target | null
  /** Who makes a request, or why they are not let in. */
  admit: (request: IncomingMessage) => Admitted | Turned | Promise<Admitted | Turned>
  /** An answer that ends with what let somebody in. */
  hold: (shown: Shown, response: ServerResponse) => void
  /** Somebody showed a token that does not hold. */
  refusedToken: (path: string, source: string) => void
  modern: ReturnType<typeof modernFront>
  legacy: ReturnType<typeof legacyFront>
  log: Log
}

/** Everything before a message is read: guard, path, probes, methods. */
export function listener({ rules, health, targetOf, admit, hold, refusedToken, modern, legacy, log }: Parts) {
  const receive = receiver({ modern, legacy }, guarded)
  /** The last Host that was found to be ours: nearly every request names the same one and no Origin. */
  let knownHost: string | undefined
  return (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', ignore)
    guarded({ request, response }, () => handle(request, response))
  }

  /** Answers for what fails in a way nobody expected. */
  function guarded({ request, response }: Pick<Post, 'request' | 'response'>, run: () => Promise<void> | void): void {
    try {
      run()?.catch(broken)
    } catch (error) {
      broken(error)
    }

    function broken(error: unknown): void {
      log.error({ err: error, path: request.url }, 'a request failed in a way nobody expected')
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, errorText('null', { code: rpcCodes.internal, message: 'Internal error.' }))
    }
  }

  function handle(request: IncomingMessage, response: ServerResponse): Promise<void> | void {
    const path = (request.url ?? '/').split('?', 1)[0]!
    if (path === '/healthz' || path === '/readyz') return probe(path, request, response)
    const refusal = refused(request)
    if (refusal) return sendProblem(response, 403, 'forbidden', refusal.reason, `${refusal.message} ${refusal.hint}`)
    if (allowCrossOrigin(request, response)) return
    const admitted = admit(request)
    return admitted instanceof Promise
      ? admitted.then((known) => enter(path, request, response, known))
      : enter(path, request, response, admitted)
  }

  function enter(path: string, request: IncomingMessage, response: ServerResponse, admitted: Admitted | Turned): Promise<void> | void {
    if ('status' in admitted) {
      if (admitted.isRefusal) refusedToken(path, plainAddress(request.socket.remoteAddress ?? ''))
      return turnAway(response, admitted)
    }
    if (path === '/metrics') return metrics(request, response)
    const { principal, tokenId, subject, impersonator, shown } = admitted
    if (shown) hold(shown, response)
    const target = targetOf(path, admitted)
    if (!target)
      return sendJson(response, 404, errorText('null', { code: rpcCodes.invalidRequest, message: `Nothing is served at ${path}.` }))
    const post: Post = { request, response, target, principal, tokenId, subject, impersonator, shown }
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

  function refused({ method = '', headers }: IncomingMessage) {
    const isPlain = headers.origin === undefined && headers['sec-fetch-site'] === undefined
    if (isPlain && headers.host !== undefined && headers.host === knownHost) return null
    const refusal = checkRequest(
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
    if (!refusal) knownHost = headers.host
    return refusal
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

const codes = { 401: 'unauthenticated', 403: 'forbidden', 503: 'unavailable' } as const

function turnAway(response: ServerResponse, { status, reason, detail, challenge }: Turned): void {
  if (challenge !== '') response.setHeader('www-authenticate', challenge)
  if (status === 503) response.setHeader('retry-after', '30')
  sendProblem(response, status, codes[status], reason, detail)
}

function sendProblem(response: ServerResponse, status: number, code: string, reason: string, detail: string): void {
  const text = JSON.stringify({ type: `urn:mcpg:${code}:${reason}`, status, detail, code, reason })
  response.writeHead(status, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(text) }).end(text)
}

/** IPv4 peers of a dual-stack socket come as ::ffff:a.b.c.d. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

/** A client that went away is no error of ours. */
function ignore(): void {}
