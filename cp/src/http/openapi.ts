import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from '@mcpg/proto/problem'
import { version } from '@mcpg/proto/version'

const { $schema: _, ...problemSchema } = z.toJSONSchema(Problem, { io: 'output' })

/** Emits OpenAPI 3.1 from the schemas of the routes; every operation can also answer with a problem document. */
export async function emitOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mcpg control plane',
        version,
        description:
          'REST API of the control plane. Errors are RFC 9457 problem documents; `code` and `reason` are stable. `x-access` is the right that an operation asks for. The header `x-mcpg-as` (an e-mail; `x-mcpg-as-org` is the organization where the operation `impersonate` is held) makes a request for somebody else, within what both may do.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: 'http://127.0.0.1:7843', description: 'Default listener' }],
      components: { schemas: { Problem: problemSchema as Record<string, unknown> } },
      tags: [
        { name: 'control', description: 'The process itself' },
        { name: 'auth', description: 'Signing in and out' },
        { name: 'access', description: 'Who may do what' },
        { name: 'tenancy', description: 'Organizations, workspaces, environments' },
        { name: 'resources', description: 'Declarative objects of every kind' },
        { name: 'enrollments', description: 'How an installation becomes a gateway' },
        { name: 'gateways', description: 'Enrolled gateways and their configurations' },
        { name: 'operations', description: 'Long work on managed gateways, followed and cancelled' },
        { name: 'clusters', description: 'Where managed gateways may run' },
        { name: 'audit', description: 'Who did what, and whether that record is whole' },
        { name: 'logs', description: 'Logs of instances, gateways and the control plane, read or followed' },
      ],
    },
    transform: (input) => {
      const { schema, url } = jsonSchemaTransform(input)
      const access = input.route.config?.access
      return { url, schema: { ...withProblem(schema as FastifySchema), ...(access && { 'x-access': access }) } }
    },
  })
}

function withProblem(schema: FastifySchema): FastifySchema {
  const response = (schema.response ?? {}) as Record<string, unknown>
  const problem = { description: 'Problem', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
  return { ...schema, response: { ...response, default: problem } }
}
