import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AddDomain, Domain, DomainList } from '@mcpg/proto/rest/domains'
import { callerOf } from '../http/access-rules.ts'
import type { Domains } from './service.ts'

const base = '/v1/orgs/:org/domains'
const access = { operation: 'provision' } as const
const OrgPath = z.object({ org: z.string() })
const DomainPath = OrgPath.extend({ host: z.string().max(253) })

/** Names that gateways may have: for whoever provisions in the whole organization. */
export const domainRoutes =
  (domains: Domains): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      base,
      {
        config: { access },
        schema: { ...about('listDomains', 'List domains of the organization'), params: OrgPath, response: { 200: DomainList } },
      },
      async (request) => ({ items: await domains.list(request.params.org) }),
    )
    app.post(
      base,
      {
        config: { access },
        schema: {
          ...about('addDomain', 'Claim a domain; the answer says which TXT record shows that it is yours'),
          params: OrgPath,
          body: AddDomain,
          response: { 201: Domain },
        },
      },
      async (request, reply) => reply.code(201).send(await domains.add(callerOf(request), request.params.org, request.body)),
    )
    app.get(
      `${base}/:host`,
      { config: { access }, schema: { ...about('getDomain', 'Get a domain'), params: DomainPath, response: { 200: Domain } } },
      async (request) => await domains.get(request.params.org, request.params.host),
    )
    app.post(
      `${base}/:host/verify`,
      {
        config: { access },
        schema: { ...about('verifyDomain', 'Look for the TXT record of a domain'), params: DomainPath, response: { 200: Domain } },
      },
      async (request) => await domains.verify(callerOf(request), request.params.org, request.params.host),
    )
    app.delete(
      `${base}/:host`,
      {
        config: { access },
        schema: {
          ...about('deleteDomain', 'Give a domain up'),
          params: DomainPath,
          response: { 204: z.undefined().describe('Given up') },
        },
      },
      async (request, reply) => {
        await domains.remove(callerOf(request), request.params.org, request.params.host)
        return reply.code(204).send()
      },
    )
  }

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['clusters'] })
