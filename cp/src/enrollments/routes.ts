import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CreatedEnrollment, CreateEnrollment } from '@mcpg/proto/rest/enrollments'
import { enrollmentKind } from '@mcpg/proto/kinds/enrollment'
import { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import type { Resources } from '../resources/resources.ts'
import type { Redemptions } from './redemption.ts'
import type { Enrollments } from './service.ts'

const base = '/v1/orgs/:org/workspaces/:workspace/environments/:environment/enrollments'
const EnvironmentPath = z.object({ org: z.string(), workspace: z.string(), environment: z.string() })
const EnrollmentPath = EnvironmentPath.extend({ name: z.string() })
const TokenPath = z.object({ token: z.string() })
const ProtobufJson = z.record(z.string(), z.unknown()).describe('A message of mcpg.fleet.v1 in the JSON mapping of protobuf')

export const enrollmentRoutes =
  ({
    enrollments,
    redemptions,
    resources,
    onceOnly,
    requireEnvironment,
  }: {
    enrollments: Enrollments
    redemptions: Redemptions
    resources: Resources
    onceOnly: Idempotency
    requireEnvironment: (path: z.infer<typeof EnvironmentPath>) => Promise<void>
  }): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook('preHandler', async (request) => {
      if ('environment' in (request.params as object)) await requireEnvironment(request.params as z.infer<typeof EnvironmentPath>)
    })
    app.post(
      base,
      {
        config: { access: { verb: 'create', on: 'enrollments' } },
        schema: {
          ...about('createEnrollment', 'Make a one-time enrollment URL'),
          params: EnvironmentPath,
          body: CreateEnrollment,
          response: { 201: CreatedEnrollment },
        },
      },
      async (request, reply) => {
        const create = () => enrollments.create(callerOf(request), request.params, request.body)
        const created = await onceOnly.once(request, create, { secret: true })
        return keptFromCaches(reply).code(201).send(created)
      },
    )
    app.get(
      base,
      {
        config: { access: { verb: 'view', on: 'enrollments' }, perObject: true },
        schema: {
          ...about('listEnvironmentEnrollments', 'List enrollments of an environment, without their tokens'),
          params: EnvironmentPath,
          querystring: ListQuery,
          response: { 200: ResourceList },
        },
      },
      async (request) => await resources.listVirtual(callerOf(request), enrollmentKind, request.params, request.query),
    )
    app.post(
      `${base}/:name/revoke`,
      {
        config: { access: { verb: 'delete', on: 'enrollments' } },
        schema: {
          ...about('revokeEnvironmentEnrollment', 'Void what is left of an enrollment token'),
          params: EnrollmentPath,
          response: { 204: z.undefined().describe('Void') },
        },
      },
      async (request, reply) => {
        const { name, ...scope } = request.params
        await enrollments.revoke(callerOf(request), scope, name)
        return reply.code(204).send()
      },
    )
    // Link previews and crawlers come by GET and HEAD: these never consume anything.
    app.get(
      '/enroll/:token',
      {
        config: { access: 'public' },
        schema: {
          ...about('describeEnrollment', 'Describe an enrollment; consumes nothing (DescribeEnrollmentResponse)'),
          params: TokenPath,
          response: { 200: ProtobufJson },
        },
      },
      async (request, reply) => keptFromCaches(reply).send(await redemptions.describe(request.params.token)),
    )
    app.post(
      '/enroll/:token',
      {
        config: { access: 'public' },
        schema: {
          ...about('enroll', 'Redeem an enrollment token once (EnrollRequest, EnrollResponse)'),
          params: TokenPath,
          body: ProtobufJson,
          response: { 200: ProtobufJson },
        },
      },
      async (request, reply) => {
        const how = { token: request.params.token, secure: request.protocol === 'https' }
        return keptFromCaches(reply).send(await redemptions.redeem(callerOf(request), how, request.body))
      },
    )
    // Errors of these paths too: a proxy must not keep a refusal, and no page may learn the URL.
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.url === '/enroll/:token') keptFromCaches(reply)
    })
  }

function keptFromCaches(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
}

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['enrollments'] })
