import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { Resource } from '@mcpg/proto/kinds/kind'
import { PatchGateway } from '@mcpg/proto/rest/gateways'
import { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { callerOf } from '../http/access-rules.ts'
import type { Resources } from '../resources/resources.ts'
import type { Gateways } from './service.ts'
import type { GatewayRow } from './store.ts'

const base = '/v1/orgs/:org/workspaces/:workspace/environments/:environment/gateways'
const EnvironmentPath = z.object({ org: z.string(), workspace: z.string(), environment: z.string() })
const GatewayPath = EnvironmentPath.extend({ gateway: z.string().describe('Name, instance uid or id') })
const view = { verb: 'view', on: 'gateways' } as const

export const gatewayRoutes =
  ({
    gateways,
    resources,
    resourceOf,
    requireEnvironment,
  }: {
    gateways: Gateways
    resources: Resources
    resourceOf: (row: GatewayRow) => Resource
    requireEnvironment: (path: z.infer<typeof EnvironmentPath>) => Promise<void>
  }): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook('preHandler', async (request) => {
      await requireEnvironment(request.params as z.infer<typeof EnvironmentPath>)
    })
    app.get(
      base,
      {
        config: { access: view, perObject: true },
        schema: {
          ...about('listEnvironmentGateways', 'List gateways of an environment'),
          params: EnvironmentPath,
          querystring: ListQuery,
          response: { 200: ResourceList },
        },
      },
      async (request) => await resources.listVirtual(callerOf(request), gatewayKind, request.params, request.query),
    )
    app.get(
      `${base}/:gateway`,
      {
        config: { access: view },
        schema: { ...about('getEnvironmentGateway', 'Get a gateway'), params: GatewayPath, response: { 200: Resource } },
      },
      async (request) => present(request.params),
    )
    app.patch(
      `${base}/:gateway`,
      {
        config: { access: { verb: 'edit', on: 'gateways' } },
        schema: {
          ...about('labelGateway', 'Replace the labels of a gateway'),
          params: GatewayPath,
          body: PatchGateway,
          response: { 200: Resource },
        },
      },
      async (request) => {
        const { gateway, ...scope } = request.params
        await gateways.setLabels(callerOf(request), scope, gateway, request.body.labels)
        return present(request.params)
      },
    )
    app.post(
      `${base}/:gateway/revoke`,
      {
        config: { access: { verb: 'delete', on: 'gateways' } },
        schema: {
          ...about('revokeEnvironmentGateway', 'Void the credential of a gateway and end its stream'),
          params: GatewayPath,
          response: { 200: Resource },
        },
      },
      async (request) => {
        const { gateway, ...scope } = request.params
        await gateways.revoke(callerOf(request), scope, gateway)
        return present(request.params)
      },
    )

    function present({ gateway, ...scope }: z.infer<typeof GatewayPath>): Resource {
      return resourceOf(gateways.get(scope, gateway))
    }
  }

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['gateways'] })
