import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listOf } from '@mcpg/proto/rest/list'
import { CreateTenancy, Tenancy } from '@mcpg/proto/rest/tenancy'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import type { Tenancies } from './tenancy.ts'

const OrgParams = z.object({ org: z.string() })
const WorkspaceParams = OrgParams.extend({ workspace: z.string() })
const EnvironmentParams = WorkspaceParams.extend({ environment: z.string() })
const TenancyList = listOf(Tenancy)
const Nothing = z.undefined().describe('Deleted')

export const tenancyRoutes =
  ({ orgs, workspaces, environments }: Tenancies, { once }: Idempotency): FastifyPluginAsyncZod =>
  async (app) => {
    const about = (noun: string, summary: string) => ({
      tags: ['tenancy'],
      summary,
      operationId: `${summary.split(' ')[0]!.toLowerCase()}${noun}`,
    })

    app.get(
      '/v1/orgs',
      {
        config: { access: { verb: 'view', on: 'orgs' }, perObject: true },
        schema: { ...about('Orgs', 'List organizations'), response: { 200: TenancyList } },
      },
      async (request) => ({ items: await orgs.list(callerOf(request)) }),
    )
    app.post(
      '/v1/orgs',
      {
        config: { access: { verb: 'create', on: 'orgs' } },
        schema: { ...about('Org', 'Create an organization'), body: CreateTenancy, response: { 201: Tenancy } },
      },
      async (request, reply) => reply.code(201).send(await once(request, () => orgs.create(callerOf(request), request.body))),
    )
    app.get(
      '/v1/orgs/:org',
      {
        config: { access: { verb: 'view', on: 'orgs' } },
        schema: { ...about('Org', 'Get an organization'), params: OrgParams, response: { 200: Tenancy } },
      },
      async (request) => orgs.get(callerOf(request), request.params),
    )
    app.delete(
      '/v1/orgs/:org',
      {
        config: { access: { verb: 'delete', on: 'orgs' } },
        schema: { ...about('Org', 'Delete an empty organization'), params: OrgParams, response: { 204: Nothing } },
      },
      async (request, reply) => {
        await orgs.remove(callerOf(request), request.params)
        return reply.code(204).send()
      },
    )

    app.get(
      '/v1/orgs/:org/workspaces',
      {
        config: { access: { verb: 'view', on: 'workspaces' }, perObject: true },
        schema: { ...about('Workspaces', 'List workspaces'), params: OrgParams, response: { 200: TenancyList } },
      },
      async (request) => ({ items: await workspaces.list(callerOf(request), request.params) }),
    )
    app.post(
      '/v1/orgs/:org/workspaces',
      {
        config: { access: { verb: 'create', on: 'workspaces' } },
        schema: { ...about('Workspace', 'Create a workspace'), params: OrgParams, body: CreateTenancy, response: { 201: Tenancy } },
      },
      async (request, reply) =>
        reply.code(201).send(await once(request, () => workspaces.create(callerOf(request), request.params, request.body))),
    )
    app.get(
      '/v1/orgs/:org/workspaces/:workspace',
      {
        config: { access: { verb: 'view', on: 'workspaces' } },
        schema: { ...about('Workspace', 'Get a workspace'), params: WorkspaceParams, response: { 200: Tenancy } },
      },
      async (request) => workspaces.get(callerOf(request), request.params),
    )
    app.delete(
      '/v1/orgs/:org/workspaces/:workspace',
      {
        config: { access: { verb: 'delete', on: 'workspaces' } },
        schema: { ...about('Workspace', 'Delete an empty workspace'), params: WorkspaceParams, response: { 204: Nothing } },
      },
      async (request, reply) => {
        await workspaces.remove(callerOf(request), request.params)
        return reply.code(204).send()
      },
    )

    app.get(
      '/v1/orgs/:org/workspaces/:workspace/environments',
      {
        config: { access: { verb: 'view', on: 'environments' }, perObject: true },
        schema: { ...about('Environments', 'List environments'), params: WorkspaceParams, response: { 200: TenancyList } },
      },
      async (request) => ({ items: await environments.list(callerOf(request), request.params) }),
    )
    app.post(
      '/v1/orgs/:org/workspaces/:workspace/environments',
      {
        config: { access: { verb: 'create', on: 'environments' } },
        schema: {
          ...about('Environment', 'Create an environment'),
          params: WorkspaceParams,
          body: CreateTenancy,
          response: { 201: Tenancy },
        },
      },
      async (request, reply) =>
        reply.code(201).send(await once(request, () => environments.create(callerOf(request), request.params, request.body))),
    )
    app.get(
      '/v1/orgs/:org/workspaces/:workspace/environments/:environment',
      {
        config: { access: { verb: 'view', on: 'environments' } },
        schema: { ...about('Environment', 'Get an environment'), params: EnvironmentParams, response: { 200: Tenancy } },
      },
      async (request) => environments.get(callerOf(request), request.params),
    )
    app.delete(
      '/v1/orgs/:org/workspaces/:workspace/environments/:environment',
      {
        config: { access: { verb: 'delete', on: 'environments' } },
        schema: { ...about('Environment', 'Delete an empty environment'), params: EnvironmentParams, response: { 204: Nothing } },
      },
      async (request, reply) => {
        await environments.remove(callerOf(request), request.params)
        return reply.code(204).send()
      },
    )
  }
