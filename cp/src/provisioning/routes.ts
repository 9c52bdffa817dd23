import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import { Deployment, ProvisionGateway, StartedOperation } from '@mcpg/proto/rest/provisioning'
import type { Caller } from '../access/caller.ts'
import { callerOf } from '../http/access-rules.ts'
import type { AnswerToKeep, Idempotency } from '../http/idempotency.ts'
import { longAnswers } from '../http/long-answer.ts'
import { eventStream } from '../operations/event-stream.ts'
import type { Operations } from '../operations/operations.ts'
import type { Provisioning } from './service.ts'

const base = '/v1/orgs/:org/workspaces/:workspace/environments/:environment/gateways'
const EnvironmentPath = z.object({ org: z.string(), workspace: z.string(), environment: z.string() })
const GatewayPath = EnvironmentPath.extend({ gateway: z.string().describe('Name, instance uid or id') })
const answers = {
  produces: ['text/event-stream', 'application/json'],
  response: {
    200: z.string().describe('text/event-stream of OperationEvent'),
    202: StartedOperation.describe('With Accept: application/json'),
  },
}

/** Gateways that the control plane runs. Whoever asks follows the stream, or comes back to the operation that `Location` names. */
export const provisioningRoutes =
  ({
    provisioning,
    operations,
    onceOnly,
    requireEnvironment,
    removeEnrolled,
    log,
    keepAliveMs,
  }: {
    provisioning: Provisioning
    operations: Operations
    onceOnly: Idempotency
    requireEnvironment: (path: z.infer<typeof EnvironmentPath>) => Promise<void>
    /** Revokes and deletes a gateway that enrolled by itself. */
    removeEnrolled: (caller: Caller, scope: z.infer<typeof EnvironmentPath>, gateway: string) => Promise<void>
    log: Log
    keepAliveMs: number
  }): FastifyPluginAsyncZod =>
  async (app) => {
    const stream = eventStream({ long: longAnswers(app), operations, log, keepAliveMs })
    app.addHook('preHandler', async (request) => {
      await requireEnvironment(request.params as z.infer<typeof EnvironmentPath>)
    })
    app.post(
      base,
      {
        config: { access: { operation: 'provision' } },
        schema: {
          ...about('provisionGateway', 'Make a managed gateway, or bring it to these values'),
          params: EnvironmentPath,
          body: ProvisionGateway,
          ...answers,
        },
      },
      async (request, reply) => {
        const begin = (toKeep: AnswerToKeep) => provisioning.provision(callerOf(request), request.params, request.body, toKeep)
        await answer(request, reply, await onceOnly.once(request, begin))
      },
    )
    app.get(
      `${base}/:gateway/deployment`,
      {
        config: { access: { verb: 'view', on: 'gateways' } },
        schema: {
          ...about('getDeployment', 'Where a managed gateway runs, and with what'),
          params: GatewayPath,
          response: { 200: Deployment },
        },
      },
      async ({ params: { gateway, ...scope } }) => await provisioning.deployment(scope, gateway),
    )
    app.delete(
      `${base}/:gateway`,
      {
        config: { access: { verb: 'delete', on: 'gateways' } },
        schema: {
          ...about('deleteEnvironmentGateway', 'Delete a gateway: a managed one step by step, an enrolled one at once'),
          params: GatewayPath,
          ...answers,
          response: { ...answers.response, 204: z.undefined().describe('It had enrolled by itself, and is revoked and deleted') },
        },
      },
      async (request, reply) => {
        const { gateway, ...scope } = request.params
        const started = await provisioning.deprovision(callerOf(request), scope, gateway)
        if (started) return await answer(request, reply, started)
        await removeEnrolled(callerOf(request), scope, gateway)
        await reply.code(204).send()
      },
    )

    async function answer(request: FastifyRequest, reply: FastifyReply, started: StartedOperation): Promise<void> {
      reply.header('location', `/v1/operations/${started.operationId}`)
      if (prefersJson(request)) return void (await reply.code(202).send(started))
      await stream(request, reply, started.operationId)
    }
  }

function prefersJson({ headers }: FastifyRequest): boolean {
  const accepted = headers.accept ?? ''
  return accepted.includes('application/json') && !accepted.includes('text/event-stream')
}

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['gateways'] })
