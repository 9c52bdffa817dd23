import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { PutQuotas, Quotas } from '@mcpg/proto/rest/quotas'
import { callerOf } from '../http/access-rules.ts'
import type { QuotaService } from './service.ts'

const path = '/v1/orgs/:org/quotas'
const OrgPath = z.object({ org: z.string() })
const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['clusters'] })

export const quotaRoutes =
  (quotas: QuotaService): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      path,
      {
        config: { access: 'signed-in' },
        schema: { ...about('getQuotas', 'What managed gateways may take, and what they take'), params: OrgPath, response: { 200: Quotas } },
      },
      async (request) => await quotas.get(callerOf(request), request.params.org),
    )
    app.put(
      path,
      {
        config: { access: { operation: 'quotas' } },
        schema: {
          ...about('putQuotas', 'Say what managed gateways may take; what is left out stays'),
          params: OrgPath,
          body: PutQuotas,
          response: { 200: Quotas },
        },
      },
      async (request) => await quotas.put(callerOf(request), request.params.org, request.body),
    )
  }
