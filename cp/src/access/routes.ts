import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { CanIAnswer, CanIQuery, RightsAnswer, WhoMayAnswer } from '@mcpg/proto/rest/access'
import { callerOf } from '../http/access-rules.ts'
import { writable, type AccessService } from './service.ts'

const about = (operationId: string, summary: string) => ({ tags: ['access'], operationId, summary })

/** What somebody may do. */
export const accessRoutes =
  (access: Pick<AccessService, 'canI' | 'whoMay'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/access/can-i',
      {
        config: { access: 'signed-in' },
        schema: { ...about('canI', 'Whether you may do something'), querystring: CanIQuery, response: { 200: CanIAnswer } },
      },
      async (request) => access.canI(callerOf(request), request.query),
    )
    app.get(
      '/v1/access/who-may',
      {
        // The organization is in the query, so the service asks.
        config: { access: 'signed-in' },
        schema: { ...about('whoMay', 'Who may do something'), querystring: CanIQuery, response: { 200: WhoMayAnswer } },
      },
      async (request) => await access.whoMay(callerOf(request), request.query),
    )
    app.get(
      '/v1/access/rights',
      { config: { access: 'signed-in' }, schema: { ...about('rights', 'Everything you may do'), response: { 200: RightsAnswer } } },
      async (request) => {
        const { subject, kind, grants } = callerOf(request)
        return { subject, kind, grants: grants.map(writable) }
      },
    )
  }
