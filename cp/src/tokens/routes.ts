import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Resource } from '@mcpg/proto/kinds/kind'
import { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { CreatedToken, CreateMcpToken, CreateToken, EndpointAccess, IntrospectRequest, Introspection } from '@mcpg/proto/rest/tokens'
import { callerOf, signedInOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import { pageOf } from '../resources/virtual-list.ts'
import { readSelector } from '../resources/selector.ts'
import type { EndpointAccesses } from './document/environments.ts'
import type { Asking, Tokens } from './service.ts'

const OrgPath = z.object({ org: z.string() })
const TokenPath = OrgPath.extend({ token: z.string().describe('Name or id') })
const ProjectPath = OrgPath.extend({ workspace: z.string(), project: z.string() })
const EnvironmentPath = OrgPath.extend({ workspace: z.string(), environment: z.string() })
const base = '/v1/orgs/:org/tokens'
const entrance = '/v1/orgs/:org/workspaces/:workspace/environments/:environment/endpoint-access'
const about = (operationId: string, summary: string) => ({ tags: ['auth'], operationId, summary })

/** Whose tokens may be seen and stopped is decided token by token: everybody has those of their own. */
const access = 'signed-in' as const

export const tokenRoutes =
  ({ tokens, entrances }: { tokens: Tokens; entrances: EndpointAccesses }, onceOnly: Pick<Idempotency, 'once'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      base,
      {
        config: { access },
        schema: {
          ...about('createToken', 'Make a token of your own; its text is shown once'),
          params: OrgPath,
          body: CreateToken,
          response: { 201: CreatedToken },
        },
      },
      async (request, reply) => {
        const create = () => tokens.create(askingOf(request), request.params, request.body)
        return keptFromCaches(reply)
          .code(201)
          .send(await onceOnly.once(request, create, { secret: true }))
      },
    )
    app.post(
      '/v1/orgs/:org/workspaces/:workspace/projects/:project/tokens',
      {
        config: { access: { verb: 'create', on: 'tokens' } },
        schema: {
          ...about('createMcpToken', 'Make a token of an MCP client that uses a project; its text is shown once'),
          params: ProjectPath,
          body: CreateMcpToken,
          response: { 201: CreatedToken },
        },
      },
      async (request, reply) => {
        const create = () => tokens.createForProject(askingOf(request), request.params, request.body)
        return keptFromCaches(reply)
          .code(201)
          .send(await onceOnly.once(request, create, { secret: true }))
      },
    )
    app.get(
      base,
      {
        config: { access },
        schema: {
          ...about('listTokens', 'List your own tokens, and those you may look at, without their texts'),
          params: OrgPath,
          querystring: ListQuery,
          response: { 200: ResourceList },
        },
      },
      async (request) => {
        const { query } = request
        const terms = readSelector(query.labelSelector, '/querystring/labelSelector')
        return pageOf(await tokens.list(askingOf(request), request.params.org), { query, terms, isSeen: () => true })
      },
    )
    app.get(
      `${base}/:token`,
      {
        config: { access },
        schema: { ...about('getToken', 'Get one token, without its text'), params: TokenPath, response: { 200: Resource } },
      },
      async (request) => await tokens.get(askingOf(request), request.params.org, request.params.token),
    )
    app.post(
      `${base}/:token/revoke`,
      {
        config: { access },
        schema: {
          ...about('revokeToken', 'Stop a token for ever and keep its row'),
          params: TokenPath,
          response: { 204: z.undefined().describe('Stopped') },
        },
      },
      async (request, reply) => {
        const { org, token } = request.params
        await tokens.revoke(askingOf(request), { org }, token)
        return reply.code(204).send()
      },
    )
    app.delete(
      `${base}/:token`,
      {
        config: { access },
        schema: {
          ...about('deleteToken', 'Stop a token for ever and forget it'),
          params: TokenPath,
          response: { 204: z.undefined().describe('Deleted') },
        },
      },
      async (request, reply) => {
        const { org, token } = request.params
        await tokens.remove(askingOf(request), { org }, token)
        return reply.code(204).send()
      },
    )
    app.get(
      entrance,
      {
        config: { access: { verb: 'view', on: 'environments' } },
        schema: {
          ...about('getEndpointAccess', 'How clients get into the endpoints of an environment'),
          params: EnvironmentPath,
          response: { 200: EndpointAccess },
        },
      },
      async (request) => await entrances.get(request.params),
    )
    app.put(
      entrance,
      {
        config: { access: { verb: 'edit', on: 'environments' } },
        schema: {
          ...about('putEndpointAccess', 'Say how clients get into the endpoints of an environment'),
          params: EnvironmentPath,
          body: EndpointAccess,
          response: { 200: EndpointAccess },
        },
      },
      async (request) => await entrances.put(callerOf(request), request.params, request.body),
    )
    app.post(
      '/v1/tokens/introspect',
      {
        config: { access },
        schema: {
          ...about('introspectToken', 'What a token may do now'),
          body: IntrospectRequest,
          response: { 200: Introspection },
        },
      },
      async (request, reply) => keptFromCaches(reply).send(await tokens.introspect(askingOf(request), request.body.token)),
    )
  }

const askingOf = (request: FastifyRequest): Asking => ({
  caller: callerOf(request),
  principal: signedInOf(request)?.principal ?? null,
})

const keptFromCaches = (reply: FastifyReply): FastifyReply => reply.header('cache-control', 'no-store')
