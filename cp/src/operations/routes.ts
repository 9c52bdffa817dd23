import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import { Operation, OperationList, OperationQuery } from '@mcpg/proto/rest/operations'
import { callerOf } from '../http/access-rules.ts'
import { longAnswers } from '../http/long-answer.ts'
import { eventStream } from './event-stream.ts'
import type { Operations } from './service.ts'

const OperationPath = z.object({ id: z.string().max(64) })
const OrgPath = z.object({ org: z.string() })

/** Which operations somebody may see is decided by the gateway that each is about. */
export const operationRoutes =
  (
    operations: Operations,
    log: Log,
    { keepAliveMs, requireOrg }: { keepAliveMs: number; requireOrg: (scope: { org: string }) => Promise<void> },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const answer = eventStream({ long: longAnswers(app), operations, log, keepAliveMs })
    app.get(
      '/v1/orgs/:org/operations',
      {
        config: { access: { verb: 'view', on: 'gateways' }, perObject: true },
        schema: {
          ...about('listOperations', 'What was done with managed gateways, newest first'),
          params: OrgPath,
          querystring: OperationQuery,
          response: { 200: OperationList },
        },
      },
      async (request) => {
        await requireOrg(request.params)
        return await operations.list(callerOf(request), request.params.org, request.query)
      },
    )
    app.get(
      '/v1/operations/:id',
      {
        config: { access: 'signed-in' },
        schema: { ...about('getOperation', 'Get an operation'), params: OperationPath, response: { 200: Operation } },
      },
      async (request) => await operations.get(callerOf(request), request.params.id),
    )
    app.get(
      '/v1/operations/:id/events',
      {
        config: { access: 'signed-in' },
        schema: {
          ...about('followOperation', 'Follow an operation up to its end'),
          params: OperationPath,
          produces: ['text/event-stream'],
          response: {
            200: z.string().describe('text/event-stream of OperationEvent; Last-Event-ID resumes'),
            204: z.undefined().describe('Its last event was told'),
          },
        },
      },
      async (request, reply) => {
        await operations.get(callerOf(request), request.params.id)
        await answer(request, reply, request.params.id)
      },
    )
    app.post(
      '/v1/operations/:id/cancel',
      {
        config: { access: 'signed-in' },
        schema: {
          ...about('cancelOperation', 'Take back what an operation has done'),
          params: OperationPath,
          response: { 202: Operation },
        },
      },
      async (request, reply) => reply.code(202).send(await operations.cancel(callerOf(request), request.params.id)),
    )
  }

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['operations'] })
