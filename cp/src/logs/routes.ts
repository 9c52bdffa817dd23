import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import { LogQuery, type LogEntry } from '@mcpg/proto/rest/logs'
import { callerOf } from '../http/access-rules.ts'
import { longAnswers } from '../http/long-answer.ts'
import { turn } from '../turns.ts'
import type { Entries, Logs } from './service.ts'

const base = '/v1/orgs/:org/workspaces/:workspace'
const ScopeParams = z.object({ org: z.string(), workspace: z.string() })
const NamedParams = ScopeParams.extend({ name: z.string() })
const GatewayParams = ScopeParams.extend({ environment: z.string(), gateway: z.string().describe('Name, instance uid or id') })
const answers = {
  produces: ['application/x-ndjson', 'text/event-stream'],
  response: { 200: z.string().describe('LogEntry, one a line; with follow=true server-sent events') },
}

/** The four logs; their form is told in `@mcpg/proto/rest/logs`. */
export const logRoutes =
  (
    logs: Logs,
    log: Log,
    {
      keepAliveMs,
      requireEnvironment,
    }: { keepAliveMs: number; requireEnvironment: (path: { org: string; workspace: string; environment: string }) => Promise<void> },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const long = longAnswers(app)
    app.get(
      `${base}/instances/:name/logs`,
      {
        config: { access: { verb: 'view', on: 'instances' }, perObject: true },
        schema: { ...about('logsOfInstance', 'Log of an instance'), params: NamedParams, querystring: LogQuery, ...answers },
      },
      async (request, reply) => {
        const { name, ...scope } = request.params
        await answer(request, reply, (signal) => logs.ofInstance(callerOf(request), scope, name, request.query, signal))
      },
    )
    app.get(
      `${base}/servers/:name/logs`,
      {
        config: { access: { verb: 'view', on: 'servers' } },
        schema: {
          ...about('logsOfServer', 'Log of a server on all its gateways'),
          params: NamedParams,
          querystring: LogQuery,
          ...answers,
        },
      },
      async (request, reply) => {
        const { name, ...scope } = request.params
        await answer(request, reply, (signal) => logs.ofServer(callerOf(request), scope, name, request.query, signal))
      },
    )
    app.get(
      `${base}/environments/:environment/gateways/:gateway/logs`,
      {
        config: { access: { verb: 'view', on: 'gateways' } },
        schema: { ...about('logsOfGateway', "Log of a gateway's agent"), params: GatewayParams, querystring: LogQuery, ...answers },
      },
      async (request, reply) => {
        const { gateway, ...scope } = request.params
        await requireEnvironment(scope)
        await answer(request, reply, (signal) => logs.ofGateway(scope, gateway, request.query, signal))
      },
    )
    app.get(
      '/v1/control/logs',
      {
        config: { access: { operation: 'logs' } },
        schema: { ...about('logsOfControlPlane', 'Log of the control plane'), querystring: LogQuery, ...answers },
      },
      async (request, reply) => {
        await answer(request, reply, (signal) => logs.ofControl(request.query, signal))
      },
    )

    /** What is wrong with the request is answered as a problem, what goes wrong afterwards as an entry. */
    async function answer(
      request: FastifyRequest<{ Querystring: LogQuery }>,
      reply: FastifyReply,
      open: (signal: AbortSignal) => Promise<Entries>,
    ): Promise<void> {
      const { follow } = request.query
      const { gone, ended } = long.signalOf(request)
      const entries = await open(ended)
      const { write, mark, end } = long.begin(reply, follow ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson', gone)
      const keepAlive = follow ? setInterval(() => mark(': keep-alive\n\n'), keepAliveMs) : undefined
      const form = follow ? eventOf : lineOf
      try {
        for await (const some of entries) {
          await write(some.map(form).join(''))
          await turn()
        }
        if (follow && !ended.aborted) mark(eventOf({ type: 'end' }))
      } catch (error) {
        // A reader that went away while its socket was full is no failure.
        if (!gone.aborted) log.warn({ err: error, requestId: request.id }, 'a log broke off')
      } finally {
        clearInterval(keepAlive)
      }
      end()
    }
  }

const about = (operationId: string, summary: string) => ({ tags: ['logs'], operationId, summary })
const lineOf = (entry: LogEntry): string => `${JSON.stringify(entry)}\n`
const eventOf = (entry: LogEntry): string => `event: ${entry.type}\ndata: ${JSON.stringify(entry)}\n\n`
