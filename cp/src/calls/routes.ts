import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import { actForHeader, actForOrgHeader } from '@mcpg/proto/rest/auth'
import type { Caller } from '../access/caller.ts'
import { callerOf } from '../http/access-rules.ts'
import { mayCall, type CallPath } from './rights.ts'
import type { Calls, Client } from './service.ts'
import type { Standing } from './standing.ts'

const base = '/v1/orgs/:org/workspaces/:workspace/mcp'
const WorkspacePath = z.object({ org: z.string(), workspace: z.string() })
const ServerPath = WorkspacePath.extend({ server: z.string() })
const ProjectPath = WorkspacePath.extend({ project: z.string() })
const Query = z.strictObject({
  gateway: z.string().max(253).optional().describe('Name, instance uid or id; none: one that is online and runs it'),
})
/** As the endpoint of a gateway takes. */
const maxMessageBytes = 4 * 1024 * 1024
const streamTypes = /^(application\/json|text\/event-stream)\b/
const about = {
  tags: ['gateways'],
  description:
    'One message of MCP, answered as by the endpoint of the gateway: a JSON document, or server-sent events where the client accepts them ' +
    'and the server tells something before its answer. At most 4 MiB and 60 s; closing the connection cancels the call. The header ' +
    '`mcpg-gateway` names the gateway that answered. Whoever may run only some servers or tools sees and calls these alone.',
}

/** MCP over the streams of gateways. Era rules, sessions, methods and what of them a caller may use are those of the gateway's endpoint. */
export const callRoutes =
  (calls: Calls, log: Log): FastifyPluginAsyncZod =>
  async (app) => {
    const closing = new AbortController()
    app.addHook('preClose', async () => closing.abort())
    // The gateway gets the bytes as they came.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: maxMessageBytes }, (_request, body, done) =>
      done(null, body),
    )
    const route = {
      config: { access: { verb: 'run', on: 'servers' } as const, admits },
      bodyLimit: maxMessageBytes,
      // What comes and goes is not ours to shape.
      validatorCompiler: () => (value: unknown) => ({ value }),
    }
    const response = { 200: z.unknown().describe('The answer of MCP: application/json or text/event-stream'), 202: z.undefined() }
    const body = z.record(z.string(), z.unknown()).describe('A JSON-RPC message of MCP')

    app.post(
      `${base}/servers/:server`,
      {
        ...route,
        schema: {
          ...about,
          operationId: 'callServer',
          summary: 'Call one server, its names as they are',
          params: ServerPath,
          querystring: Query,
          body,
          response,
        },
      },
      (request, reply) => carry(request, reply),
    )
    app.post(
      `${base}/projects/:project`,
      {
        ...route,
        config: { access: { verb: 'run', on: 'projects' } as const, admits },
        schema: {
          ...about,
          operationId: 'callProject',
          summary: 'Call what a project shows',
          params: ProjectPath,
          querystring: Query,
          body,
          response,
        },
      },
      (request, reply) => carry(request, reply),
    )
    app.post(
      base,
      {
        ...route,
        schema: {
          ...about,
          operationId: 'callGateway',
          summary: 'Call whatever a gateway offers',
          params: WorkspacePath,
          querystring: Query,
          body,
          response,
        },
      },
      (request, reply) => carry(request, reply),
    )

    async function carry(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const path = pathOf(request.params)
      const { gateway: asked } = readQuery(request.query)
      const headers = headersOf(request)
      const session = sessionOf(headers)
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const call = { ...path, gateway: asked ?? session?.gateway, headers, body: bodyOf(request) }
      try {
        const by = { caller: callerOf(request), standing: standingOf(request) }
        await calls.send(by, call, clientOf(reply), AbortSignal.any([gone.signal, closing.signal]))
      } catch (error) {
        if (!reply.raw.headersSent) throw error
        // The status has left already: only a connection that breaks tells the client that this is not the whole answer.
        log.info({ requestId: request.id, reason: error instanceof McpgError ? error.reason : 'internal' }, 'an answer of MCP broke off')
        reply.raw.destroy()
      }
      return reply
    }
  }

const admits = (caller: Caller, params: unknown): boolean => mayCall(caller, pathOf(params))

function pathOf(params: unknown): CallPath {
  const { org, workspace, server, project } = params as z.infer<typeof WorkspacePath> & { server?: string; project?: string }
  return { scope: { org, workspace }, server, project }
}

/** By everything that says who makes a request; it stays in memory while the call is under way. */
function standingOf({ headers, callerNow }: FastifyRequest): Standing {
  const { authorization, cookie, [actForHeader]: user, [actForOrgHeader]: org } = headers
  return { shown: JSON.stringify([authorization, cookie, user, org]), callerNow }
}

/** Streams the answer; from its head on the reply is no longer Fastify's. */
function clientOf(reply: FastifyReply): Client {
  const { raw } = reply
  return {
    head: (gateway, status, headers) => {
      reply.hijack()
      for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
      const { 'mcp-session-id': session, 'content-type': type, ...others } = headers
      raw.writeHead(status, {
        ...others,
        // A gateway must not be able to put a page on the origin of the console.
        ...(type !== undefined && { 'content-type': streamTypes.test(type) ? type : 'application/octet-stream' }),
        ...(session !== undefined && { 'mcp-session-id': `${gateway.id}.${session}` }),
        'mcpg-gateway': gateway.name,
      })
      // A stream may say nothing for a while, and is open all the same.
      if (type?.startsWith('text/event-stream')) raw.flushHeaders()
    },
    data: (bytes, taken) => void raw.write(bytes, () => taken()),
    end: () => void raw.end(),
  }
}

/** Headers of MCP; whoever the client is to us is not told to the gateway this way. */
function headersOf({ headers }: FastifyRequest): Record<string, string> {
  const passed = Object.entries(headers).filter(([name]) => name === 'accept' || name.startsWith('mcp-'))
  return Object.fromEntries(passed.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}

/** A session lives at one gateway, so its id names it: the next request of the client finds the way back without a memory of ours. */
function sessionOf(headers: Record<string, string>): { gateway: string } | null {
  const id = headers['mcp-session-id']
  const dot = id?.indexOf('.') ?? -1
  if (id === undefined || dot < 1) return null
  headers['mcp-session-id'] = id.slice(dot + 1)
  return { gateway: id.slice(0, dot) }
}

function readQuery(query: unknown): z.infer<typeof Query> {
  const read = Query.safeParse(query)
  if (read.success) return read.data
  throw new McpgError('invalid', 'invalid_request', 'The query is not valid.', {
    violations: read.error.issues.map(({ path, message }) => ({ pointer: `/querystring/${path.join('/')}`, detail: message })),
  })
}

function bodyOf({ body }: FastifyRequest): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body
  throw new McpgError('invalid', 'body_missing', 'The request has no body.', { hint: 'send one message of MCP as application/json' })
}
