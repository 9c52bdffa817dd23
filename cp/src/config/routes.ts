import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Resource } from '@mcpg/proto/kinds/kind'
import { GatewayConfigEntry, RollbackRequest } from '@mcpg/proto/rest/gateways'
import { listOf } from '@mcpg/proto/rest/list'
import type { Gateways } from '../gateways/service.ts'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import type { ConfigHistory } from './history.ts'
import type { Rollbacks } from './rollbacks.ts'

type GatewayRow = ReturnType<Gateways['get']>

const base = '/v1/orgs/:org/workspaces/:workspace/environments/:environment/gateways/:gateway'
const EnvironmentPath = z.object({ org: z.string(), workspace: z.string(), environment: z.string() })
const GatewayPath = EnvironmentPath.extend({ gateway: z.string().describe('Name, instance uid or id') })
const Generation = z.coerce.number().int().positive()
const GenerationPath = GatewayPath.extend({ generation: Generation })
const GenerationQuery = z.strictObject({ diff: Generation.optional().describe('Instead of the document, what leads to it from this one') })
const view = { verb: 'view', on: 'gateways' } as const
const edit = { verb: 'edit', on: 'gateways' } as const

/** The configs of one gateway: its history, going back, and going on. */
export const configRoutes =
  ({
    gateways,
    history,
    rollbacks,
    resourceOf,
    requireEnvironment,
    onceOnly,
  }: {
    gateways: Pick<Gateways, 'get'>
    history: ConfigHistory
    rollbacks: Rollbacks
    resourceOf: (row: GatewayRow) => Resource
    requireEnvironment: (path: z.infer<typeof EnvironmentPath>) => Promise<void>
    onceOnly: Idempotency
  }): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook('preHandler', async (request) => {
      await requireEnvironment(request.params as z.infer<typeof EnvironmentPath>)
    })
    app.get(
      `${base}/configs`,
      {
        config: { access: view },
        schema: {
          ...about('listGatewayConfigs', 'History of the configs of a gateway, newest first'),
          params: GatewayPath,
          response: { 200: listOf(GatewayConfigEntry) },
        },
      },
      async (request) => ({ items: await history.list(gatewayOf(request.params)) }),
    )
    app.get(
      `${base}/configs/:generation`,
      {
        config: { access: view },
        schema: {
          ...about('getGatewayConfig', 'One config of a gateway with its document, or how it differs from another'),
          params: GenerationPath,
          querystring: GenerationQuery,
          response: { 200: GatewayConfigEntry },
        },
      },
      async (request) => await history.get(gatewayOf(request.params), request.params.generation, request.query.diff),
    )
    app.post(
      `${base}/rollback`,
      {
        config: { access: edit },
        schema: {
          ...about('rollBackGateway', 'Make an older config the desired one again, and pin the gateway to it'),
          params: GatewayPath,
          body: RollbackRequest,
          response: { 200: Resource },
        },
      },
      async (request) =>
        await onceOnly.once(request, async () => {
          await rollbacks.rollback(callerOf(request), gatewayOf(request.params), request.body.to)
          return resourceOf(gatewayOf(request.params))
        }),
    )
    app.post(
      `${base}/resume`,
      {
        config: { access: edit },
        schema: {
          ...about('resumeGateway', 'Take the pin of a rollback away: the gateway gets what is wanted now'),
          params: GatewayPath,
          response: { 200: Resource },
        },
      },
      async (request) =>
        await onceOnly.once(request, async () => {
          await rollbacks.resume(callerOf(request), gatewayOf(request.params))
          return resourceOf(gatewayOf(request.params))
        }),
    )

    function gatewayOf({ org, workspace, environment, gateway }: z.infer<typeof GatewayPath>): GatewayRow {
      return gateways.get({ org, workspace, environment }, gateway)
    }
  }

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['gateways'] })
