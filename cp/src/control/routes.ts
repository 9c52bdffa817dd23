import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { ControlStatus, Version } from '@mcpg/proto/rest/control'
import { protocolRevision, version } from '@mcpg/proto/version'
import { callerOf } from '../http/access-rules.ts'
import type { Control } from './control.ts'

const Ok = z.object({ status: z.literal('ok') })
const about = (operationId: string, summary: string) => ({ tags: ['control'], operationId, summary })

export const controlRoutes =
  (control: Control, metrics: Registry, rootsPem: () => string): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/healthz',
      { config: { access: 'public' }, schema: { ...about('health', 'The process listens'), response: { 200: Ok } } },
      async () => ({ status: 'ok' as const }),
    )
    app.get(
      '/readyz',
      { config: { access: 'public' }, schema: { ...about('ready', 'The database is migrated and reachable'), response: { 200: Ok } } },
      async () => {
        await control.ready()
        return { status: 'ok' as const }
      },
    )
    app.get(
      '/metrics',
      {
        config: { access: { operation: 'metrics' }, loopbackPeersPass: true },
        schema: { ...about('metrics', 'Figures for Prometheus'), response: { 200: z.string() } },
      },
      async (_request, reply) =>
        reply
          .type(metrics.contentType)
          .serializer((text: string) => text)
          .send(await metrics.metrics()),
    )
    app.get(
      '/v1/version',
      {
        config: { access: 'public' },
        schema: { ...about('version', 'Version of the program and of the agent protocol'), response: { 200: Version } },
      },
      async () => ({ version, protocol: protocolRevision }),
    )
    app.get(
      '/v1/ca-cert.pem',
      {
        config: { access: 'public' },
        schema: { ...about('caCertificate', 'Root certificates of this installation, PEM'), response: { 200: z.string() } },
      },
      async (_request, reply) =>
        reply
          .type('application/x-pem-file')
          .serializer((text: string) => text)
          .send(rootsPem()),
    )
    app.get(
      '/v1/openapi.json',
      {
        config: { access: 'signed-in' },
        schema: { ...about('openapi', 'This description'), response: { 200: z.record(z.string(), z.unknown()) } },
      },
      async (_request, reply) =>
        reply
          .type('application/json; charset=utf-8')
          .serializer(JSON.stringify)
          .send(app.swagger() as unknown as Record<string, unknown>),
    )
    app.get(
      '/v1/control/status',
      {
        config: { access: { operation: 'control' } },
        schema: { ...about('controlStatus', 'Version, uptime, endpoints and database figures'), response: { 200: ControlStatus } },
      },
      async () => control.status(),
    )
    app.post(
      '/v1/control/stop',
      {
        config: { access: { operation: 'control' } },
        schema: { ...about('controlStop', 'Stop the control plane in order'), response: { 202: z.object({ stopping: z.literal(true) }) } },
      },
      async (request, reply) => {
        await control.requestStop(callerOf(request))
        return reply.code(202).send({ stopping: true as const })
      },
    )
  }
