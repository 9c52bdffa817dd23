import type { IncomingHttpHeaders } from 'node:http'
import type { McpCall } from '../mcp/connection.ts'
import { metaKeys, metaOf, modernVersions, rpcCodes, type Params } from '../mcp/protocol.ts'
import { callerOf } from './asking/caller.ts'
import { declaredBy } from './asking/declared.ts'
import { fromOf } from './from.ts'
import type { Viewer } from './asking/viewer.ts'
import { callerViewer } from './asking/viewers.ts'
import type { Forward } from './forward.ts'
import type { Listens } from './listens.ts'
import { kindOfMethod, type ListKind } from './lists.ts'
import { admits, isLogLevel } from './log-levels.ts'
import type { LogWishes } from './log-wishes.ts'
import { checkModern, checkParamHeaders, type Refused } from './modern-rules.ts'
import type { Post, RpcRequest } from './post.ts'
import { acceptsOf, httpReply, type Reply, type Streams } from './reply.ts'
import { serverMeta } from './result-text.ts'
import type { Routed, Target } from './target.ts'

const forwarded = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

/** Serves clients of 2026-07-28: no sessions, every request carries what it needs, the end of the connection cancels. */
export function modernFront({
  forward,
  listens,
  streams,
  levels,
}: {
  forward: Forward
  listens: Listens
  streams: Streams
  levels: LogWishes
}) {
  return { serve }

  function serve(post: Post, message: RpcRequest): Promise<void> | void {
    const { request, response, target, principal } = post
    const { method, params = {} } = message
    const id = JSON.stringify(message.id)
    const reply = httpReply(response, id, acceptsOf(request.headers.accept), streams)
    const refused = checkModern(method, message.params, request.headers)
    if (refused) return reply.error(refused.failure, refused.status)
    const list = kindOfMethod.get(method)
    if (list) return answerList(reply, target, list, params['cursor'], 'modern', viewerOf(principal, params))
    if (method === 'server/discover') return discover(reply, target)
    if (method === 'subscriptions/listen') return listens.serve(response, target, id, params)
    if (!forwarded.has(method)) return reply.error({ code: rpcCodes.methodNotFound, message: `Method not found: ${method}` }, 404)
    if (method !== 'tools/call') return call(reply, post, method, params)
    const checked = checkToolHeaders(target, params, request.headers)
    const go = (disagreement: Refused | null) =>
      disagreement ? reply.error(disagreement.failure, disagreement.status) : call(reply, post, method, params)
    return checked instanceof Promise ? checked.then(go) : go(checked)
  }

  function call(reply: Reply, post: Post, method: string, params: Params): Promise<void> | void {
    const { response, target, principal } = post
    const meta = metaOf(params)
    const level = meta?.[metaKeys.logLevel]
    const wantsProgress = meta?.['progressToken'] !== undefined
    if (isLogLevel(level)) levels.ask(target, level)
    let current: McpCall | undefined
    const onClose = () => current?.cancel?.('The client closed the connection.')
    response.once('close', onClose)
    return forward.forward(
      {
        era: 'modern',
        method,
        params,
        reply,
        from: fromOf(post, meta?.[metaKeys.clientInfo]),
        declared: declaredBy(meta?.[metaKeys.clientCapabilities]),
        session: undefined,
        caller: () => callerOf(principal, meta?.[metaKeys.clientInfo]),
        notify: wantsProgress || isLogLevel(level) ? notify : undefined,
        started: (started) => {
          current = started
          // It may have gone while the route was looked up.
          if (response.destroyed) queueMicrotask(onClose)
        },
        ended: () => response.off('close', onClose),
      },
      target,
    )

    function notify(name: string, details: Params): void {
      if (name === 'notifications/message' && !(isLogLevel(level) && admits(level, details['level']))) return
      reply.notify(name, details)
    }
  }
}

export async function answerList(
  reply: Reply,
  target: Target,
  kind: ListKind,
  cursor: unknown,
  client: 'modern' | 'legacy',
  viewer: Viewer | undefined,
): Promise<void> {
  const listed = await target.list(kind, cursor, client, viewer)
  if ('json' in listed) reply.result(listed.json)
  else reply.error('failure' in listed ? listed.failure : { code: rpcCodes.internal, message: listed.unavailable })
}

/** Answered here: what a server supports says nothing about what works through us. */
async function discover(reply: Reply, target: Target): Promise<void> {
  const facts = await target.facts('modern')
  if ('unavailable' in facts) return reply.error({ code: rpcCodes.internal, message: facts.unavailable }, 503)
  const { capabilities, instructions, serverInfo } = facts
  const result = { resultType: 'complete', supportedVersions: modernVersions, capabilities, instructions, ttlMs: 0, cacheScope: 'private' }
  reply.result(`${JSON.stringify(result).slice(0, -1)},"_meta":${serverMeta(serverInfo)}}`)
}

/** The name is resolved as the call itself does, on a copy: resolving rewrites it. */
function checkToolHeaders(target: Target, params: Params, headers: IncomingHttpHeaders): Refused | null | Promise<Refused | null> {
  const routed = target.route('tools/call', { name: params['name'] })
  return routed instanceof Promise ? routed.then(check) : check(routed)

  function check(route: Routed): Refused | null {
    const declared = 'book' in route ? route.book.headersOf(String(route.params['name'])) : []
    return declared.length === 0 ? null : checkParamHeaders(declared, params['arguments'], headers)
  }
}

function viewerOf(principal: string, params: Params): Viewer | undefined {
  const meta = metaOf(params)
  return callerViewer(declaredBy(meta?.[metaKeys.clientCapabilities]), () => callerOf(principal, meta?.[metaKeys.clientInfo]))
}
