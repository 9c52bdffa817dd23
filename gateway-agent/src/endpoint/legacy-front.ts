import type { From } from '../audit/witness.ts'
import type { McpFailure } from '../mcp/connection.ts'
import { isObject, newestLegacy, rpcCodes, type Params } from '../mcp/protocol.ts'
import type { Forward } from './forward.ts'
import { kindOfMethod } from './lists.ts'
import { admits, isLogLevel } from './log-levels.ts'
import type { LogWishes } from './log-wishes.ts'
import { declaredBy } from './asking/declared.ts'
import { fromOf } from './from.ts'
import type { SessionAsks } from './asking/session-asks.ts'
import type { SessionChildren } from './asking/session-children.ts'
import { sessionViewer } from './asking/viewers.ts'
import { answerList } from './modern-front.ts'
import { isLegacy } from './modern-rules.ts'
import type { Post, RpcRequest } from './post.ts'
import { acceptsOf, errorText, httpReply, openStream, sendJson, type Reply, type Streams } from './reply.ts'
import type { ResourceWatch } from './resource-watch.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { Route, Routed } from './target.ts'

const forwarded = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])
/** Messages of one batch; only 2025-03-26 knows batches. */
const maxBatch = 100

type Parts = {
  forward: Forward
  children: SessionChildren
  asks: SessionAsks
  sessions: Sessions
  watch: ResourceWatch
  streams: Streams
  levels: LogWishes
}

/** Serves clients up to 2025-11-25: initialize, a session, requests in it, and a GET stream for what belongs to no request. */
export function legacyFront({ forward, children, asks, sessions, watch, streams, levels }: Parts) {
  return { serve, serveBatch, accept, get, end }

  /** One request. */
  function serve(post: Post, message: RpcRequest): Promise<void> | void {
    const { request, response } = post
    const id = JSON.stringify(message.id)
    const reply = httpReply(response, id, acceptsOf(request.headers.accept), streams)
    if (message.method === 'initialize') {
      const params = message.params ?? {}
      return initialize(reply, post, params, fromOf(post, params['clientInfo']))
    }
    const session = sessionOf(post, id)
    if (session) return dispatch(session, id, message, reply, fromOf(post, undefined))
  }

  /** What wants no answer: notifications, and answers to what servers have asked. */
  function accept(post: Post, message: Params): void {
    const session = sessionOf(post, 'null')
    if (!session) return
    note(session, message)
    post.response.writeHead(202, { 'content-length': 0 }).end()
  }

  async function serveBatch(post: Post, messages: unknown[]): Promise<void> {
    const { response } = post
    const session = sessionOf(post, 'null')
    if (!session) return
    if (session.protocolVersion !== '2025-03-26' || messages.length === 0 || messages.length > maxBatch)
      return sendJson(
        response,
        400,
        errorText('null', { code: rpcCodes.invalidRequest, message: 'Batches are not part of this protocol version.' }),
      )
    const answers: string[] = []
    await Promise.all(messages.map(async (message) => one(message)))
    if (answers.length > 0) sendJson(response, 200, `[${answers.join(',')}]`)
    else response.writeHead(202, { 'content-length': 0 }).end()

    function one(message: unknown): Promise<void> | void {
      if (!isRequest(message)) return void (isNote(message) ? note(session!, message) : answers.push(errorText('null', notJsonRpc)))
      const id = JSON.stringify(message.id)
      if (message.method === 'initialize')
        return void answers.push(errorText(id, { code: rpcCodes.invalidRequest, message: 'initialize comes alone.' }))
      return dispatch(session!, id, message, collecting(answers, id), { ...fromOf(post, undefined), bytes: 0 })
    }
  }

  async function initialize(reply: Reply, { response, target, principal, shown }: Post, params: Params, from: From): Promise<void> {
    const asked = params['protocolVersion']
    if (typeof asked !== 'string') return reply.error({ code: rpcCodes.invalidParams, message: 'initialize needs a protocolVersion.' })
    const facts = await target.facts('legacy')
    if ('unavailable' in facts) {
      response.setHeader('retry-after', '5')
      return reply.error({ code: rpcCodes.internal, message: facts.unavailable }, 503)
    }
    const protocolVersion = isLegacy(asked) ? asked : newestLegacy
    const session = sessions.create({ target, principal, shown }, protocolVersion, declaredBy(params['capabilities']), from)
    if (!session) {
      response.setHeader('retry-after', '30')
      return reply.error({ code: rpcCodes.internal, message: 'Too many sessions are open; try again later.' }, 503)
    }
    response.setHeader('mcp-session-id', session.id)
    const { capabilities, serverInfo } = facts
    const instructions = withNotice(facts.instructions, children.reserve(session))
    reply.result(JSON.stringify({ protocolVersion, capabilities, serverInfo, instructions }))
  }

  function dispatch(session: Session, id: string, { method, params = {} }: RpcRequest, reply: Reply, from: From): Promise<void> | void {
    if (forwarded.has(method)) {
      return call(session, id, method, params, { reply, from: { ...from, client: session.from.client } })
    }
    const list = kindOfMethod.get(method)
    if (list) return answerList(reply, session.target, list, params['cursor'], 'legacy', sessionViewer(session, children))
    if (method === 'ping') return reply.result('{}')
    if (method === 'logging/setLevel') return setLevel(session, params['level'], reply)
    if (method === 'resources/subscribe') return subscribe(session, params, reply)
    if (method === 'resources/unsubscribe') return unsubscribe(session, params, reply)
    reply.error({ code: rpcCodes.methodNotFound, message: `Method not found: ${method}` })
  }

  /** A client that goes away has not cancelled, says the legacy era; the call runs on until its timeout. */
  function call(
    session: Session,
    id: string,
    method: string,
    params: Params,
    { reply, from }: { reply: Reply; from: From },
  ): Promise<void> | void {
    const { level } = session
    return forward.forward(
      {
        era: 'legacy',
        method,
        params,
        reply,
        from,
        declared: session.declared,
        session,
        caller: () => session.id,
        notify: (name, details) => {
          if (name !== 'notifications/message' || level === undefined || admits(level, details['level'])) reply.notify(name, details)
        },
        started(started) {
          session.calls.set(id, started)
          session.legs.add(reply)
        },
        ended() {
          session.calls.delete(id)
          session.legs.delete(reply)
        },
      },
      session.target,
    )
  }

  function setLevel(session: Session, level: unknown, reply: Reply): void {
    if (!isLogLevel(level)) return reply.error({ code: rpcCodes.invalidParams, message: `Unknown log level: ${JSON.stringify(level)}` })
    session.level = level
    levels.ask(session.target, level)
    children.setLevel(session)
    reply.result('{}')
  }

  async function subscribe(session: Session, params: Params, reply: Reply): Promise<void> {
    const route = await session.target.route('resources/subscribe', params)
    if (!('book' in route)) return reply.error(refusalOf(route))
    const failure = await watch.watch(route.book, String(route.params['uri']), session.watcher)
    if (failure) reply.error(failure)
    else reply.result('{}')
  }

  async function unsubscribe(session: Session, params: Params, reply: Reply): Promise<void> {
    const route = await session.target.route('resources/unsubscribe', params)
    if ('book' in route) watch.unwatch(route.book.name, String(route.params['uri']), session.watcher)
    reply.result('{}')
  }

  function note(session: Session, message: Params): void {
    const { method, params } = message
    if (method === undefined) return void asks.answered(session, message)
    if (!isObject(params)) return
    if (method === 'notifications/progress') return asks.progressed(session, params)
    if (method !== 'notifications/cancelled') return
    session.calls
      .get(JSON.stringify(params['requestId']))
      ?.cancel?.(typeof params['reason'] === 'string' ? params['reason'] : 'The client cancelled.')
  }

  /** The stream for what belongs to no request. */
  function get(post: Post): void {
    const { response } = post
    const session = sessionOf(post, 'null')
    if (!session) return
    openStream(response, streams)
    session.streams.add(response)
    response.once('close', () => session.streams.delete(response))
  }

  function end(post: Post): void {
    const session = sessionOf(post, 'null')
    if (!session) return
    sessions.close(session)
    post.response.writeHead(200, { 'content-length': 0 }).end()
  }

  /** Undefined after it has answered: 400 without a session or with a wrong version, 404 so that the client initialises again. */
  function sessionOf({ request: { headers }, response, target, principal, shown }: Post, id: string): Session | undefined {
    const asked = headers['mcp-session-id']
    const version = headers['mcp-protocol-version']
    if (version !== undefined && !isLegacy(version)) {
      const message = `Unsupported protocol version: ${String(version)}`
      sendJson(response, 400, errorText(id, { code: rpcCodes.invalidRequest, message }))
      return undefined
    }
    if (typeof asked !== 'string') {
      sendJson(
        response,
        400,
        errorText(id, { code: rpcCodes.invalidRequest, message: 'Mcp-Session-Id is missing: send initialize first.' }),
      )
      return undefined
    }
    const session = sessions.find(asked, { target, principal, shown })
    if (!session)
      sendJson(
        response,
        404,
        errorText(id, { code: rpcCodes.invalidRequest, message: 'The session is unknown or has ended: send initialize again.' }),
      )
    return session
  }
}

/** Says which servers cannot ask this client anything because too many others can be asked already. */
function withNotice(instructions: string | undefined, full: string[]): string | undefined {
  if (full.length === 0) return instructions
  const notice = `Too many clients use ${full.join(', ')}: in this session no server of these can ask for input, and it shares its process.`
  return instructions === undefined ? notice : `${instructions}\n\n${notice}`
}

/** Of a path that does not lead to a server. */
function refusalOf(route: Exclude<Routed, Route>): McpFailure {
  if ('failure' in route) return route.failure
  return { code: rpcCodes.internal, message: 'unavailable' in route ? route.unavailable : 'Nothing here tells of changes.' }
}

const notJsonRpc = { code: rpcCodes.invalidRequest, message: 'Not a JSON-RPC message.' }

export function isRequest(message: unknown): message is RpcRequest {
  if (!isObject(message) || typeof message['method'] !== 'string') return false
  return (
    (typeof message['id'] === 'string' || typeof message['id'] === 'number') &&
    (message['params'] === undefined || isObject(message['params']))
  )
}

/** A notification, or an answer. */
function isNote(message: unknown): message is Params {
  return isObject(message) && (typeof message['method'] === 'string' || message['result'] !== undefined || message['error'] !== undefined)
}

/** Answers of a batch, sent together; it has no place for notifications. */
function collecting(answers: string[], id: string): Reply {
  return {
    notify: () => {},
    send: () => false,
    result: (json) => answers.push(`{"jsonrpc":"2.0","id":${id},"result":${json}}`),
    error: (failure) => answers.push(errorText(id, failure)),
    nothing: () => {},
  }
}
