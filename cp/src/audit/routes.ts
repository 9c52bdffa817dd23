import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import type { Access } from '@mcpg/proto/access'
import {
  AuditFilter,
  AuditList,
  AuditQuery,
  AuditSessionList,
  AuditSessionQuery,
  AuditVerification,
  PurgeAudit,
  PurgedAudit,
} from '@mcpg/proto/rest/audit'
import type { Caller } from '../access/caller.ts'
import { callerOf } from '../http/access-rules.ts'
import { longAnswers } from '../http/long-answer.ts'
import { turn } from '../turns.ts'
import type { AuditTrailService } from './service.ts'

const OrgParams = z.object({ org: z.string() })
const NoParams = z.object({})

/** Where a trail is read: that of an organization, or what belongs to none (sign-ins, organizations themselves). */
type Place = { base: string; params: z.ZodObject; suffix: string; of: string; view: Access; purge: Access }
const places: Place[] = [
  {
    base: '/v1/orgs/:org/audit',
    params: OrgParams,
    suffix: '',
    of: 'an organization',
    view: { verb: 'view', on: 'audit' },
    purge: { operation: 'audit-purge' },
  },
  {
    base: '/v1/admin/audit',
    params: NoParams,
    suffix: 'OfPlatform',
    of: 'the platform',
    view: { operation: 'cluster-admin' },
    purge: { operation: 'cluster-admin' },
  },
]

export const auditRoutes =
  (
    trail: AuditTrailService,
    log: Log,
    { requireOrg }: { requireOrg: (caller: Caller, org: string) => Promise<void> },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const long = longAnswers(app)
    for (const { base, params, suffix, of, view, purge } of places) {
      const about = (operationId: string, summary: string) => ({ tags: ['audit'], operationId: operationId + suffix, summary, params })
      const orgOf = async (caller: Caller, { org }: { org?: unknown }): Promise<string> => {
        if (typeof org !== 'string') return ''
        await requireOrg(caller, org)
        return org
      }

      app.get(
        base,
        {
          config: { access: view },
          schema: { ...about('listAudit', `Who did what in ${of}, newest first`), querystring: AuditQuery, response: { 200: AuditList } },
        },
        async (request) => trail.page(await orgOf(callerOf(request), request.params), request.query),
      )
      app.get(
        `${base}/verify`,
        {
          config: { access: view },
          schema: { ...about('verifyAudit', `Check the chain of the trail of ${of}`), response: { 200: AuditVerification } },
        },
        async (request) => trail.verify(await orgOf(callerOf(request), request.params)),
      )
      app.get(
        `${base}/export`,
        {
          config: { access: view },
          schema: {
            ...about('exportAudit', `The trail of ${of} as NDJSON, oldest first`),
            querystring: AuditFilter,
            produces: ['application/x-ndjson'],
            response: { 200: z.string().describe('application/x-ndjson of AuditEntry') },
          },
        },
        async (request, reply) => {
          const org = await orgOf(callerOf(request), request.params)
          const { gone, ended } = long.signalOf(request)
          const { write, end } = long.begin(reply, 'application/x-ndjson; charset=utf-8', gone)
          try {
            for await (const entries of trail.entries(org, request.query)) {
              if (ended.aborted) break
              await write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
              await turn()
            }
            end()
          } catch (error) {
            if (!gone.aborted) log.warn({ err: error, requestId: request.id }, 'an export of the audit trail broke')
            // Cut, so that nobody takes a part for the whole.
            reply.raw.destroy()
          }
        },
      )
      if (params === OrgParams)
        app.get(
          `${base}/sessions`,
          {
            config: { access: view },
            schema: {
              ...about('listAuditSessions', 'What clients did at gateways, by session'),
              querystring: AuditSessionQuery,
              response: { 200: AuditSessionList },
            },
          },
          async (request) => trail.sessions(await orgOf(callerOf(request), request.params), request.query),
        )
      app.post(
        `${base}/purge`,
        {
          config: { access: purge },
          schema: { ...about('purgeAudit', `Remove old rows of the trail of ${of}`), body: PurgeAudit, response: { 200: PurgedAudit } },
        },
        async (request) => {
          const caller = callerOf(request)
          return trail.purge(caller, await orgOf(caller, request.params), request.body.before)
        },
      )
    }
  }
