import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Resource, ResourceInput, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { ApplyRequest, ApplyResponse } from '@mcpg/proto/rest/apply'
import { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import { invalid } from '../http/problems.ts'
import type { Resources } from './resources.ts'

const base = '/v1/orgs/:org/workspaces/:workspace'
const ScopeParams = z.object({ org: z.string(), workspace: z.string() })
const NamedParams = ScopeParams.extend({ name: z.string() })
const WriteQuery = z.strictObject({ dryRun: z.stringbool().optional() })
const MergePatch = z.record(z.string(), z.unknown()).describe('RFC 7396 merge patch of metadata.labels, metadata.annotations and spec')
const Nothing = z.undefined().describe('Deleted')
const maxApplyBytes = 16 << 20

/** CRUD, apply and the actions, from the declarations. What is sent is checked by the engine, so that all violations come at once. */
export const resourceRoutes =
  (resources: Resources, { once }: Idempotency): FastifyPluginAsyncZod =>
  async (app) => {
    for (const declaration of resources.known()) {
      readRoutes(declaration)
      if (!declaration.virtual) writeRoutes(declaration)
      if (!declaration.virtual || resources.virtualKind(declaration.kind)?.delete) deleteRoute(declaration)
      for (const [name, action] of Object.entries(declaration.actions)) {
        if (!resources.hasAction(declaration.kind, name))
          throw new Error(`${declaration.kind} declares the action ${name}, which nobody brought`)
        app.post(
          `${base}/${declaration.plural}/:name/${name}`,
          {
            config: { access: action.access },
            schema: {
              ...about(`${name}${declaration.kind}`, action.description),
              params: NamedParams,
              ...(action.body ? { body: action.body.nullish() } : {}),
              response: { 200: action.answer ?? Resource },
            },
          },
          async (request) => {
            const { name: object, ...scope } = request.params
            const act = () => resources.act(callerOf(request), declaration, scope, object, name, request.body)
            // An answer of its own holds a secret; asking twice changes nothing, so no key is needed and nothing is kept.
            return action.answer ? act() : once(request, act)
          },
        )
      }
    }
    serverTools()
    applyRoute()

    function readRoutes(declaration: KindDeclaration): void {
      const { kind, plural } = declaration
      const access = { verb: 'view', on: plural } as const
      app.get(
        `${base}/${plural}`,
        {
          config: { access },
          schema: {
            ...about(`list${kind}s`, `List ${plural}`),
            params: ScopeParams,
            querystring: ListQuery,
            response: { 200: ResourceList },
          },
        },
        async (request) => resources.list(callerOf(request), declaration, request.params, request.query),
      )
      app.get(
        `${base}/${plural}/:name`,
        {
          config: { access },
          schema: { ...about(`get${kind}`, `Get one of ${plural}`), params: NamedParams, response: { 200: Resource } },
        },
        async (request, reply) => {
          const { name, ...scope } = request.params
          const resource = await resources.get(callerOf(request), declaration, scope, name)
          return reply.headers(declaration.virtual ? {} : tagOf(resource)).send(resource)
        },
      )
    }

    function writeRoutes(declaration: KindDeclaration): void {
      const { kind, plural } = declaration
      app.post(
        `${base}/${plural}`,
        {
          config: { access: { verb: 'create', on: plural } },
          schema: {
            ...about(`create${kind}`, `Create one of ${plural}`),
            params: ScopeParams,
            querystring: WriteQuery,
            body: ResourceInput,
            response: { 200: Resource, 201: Resource },
          },
          validatorCompiler: leaveToEngine,
        },
        async (request, reply) => {
          const { params, query } = checked(request, ScopeParams)
          const { dryRun } = query
          const create = () => resources.create(callerOf(request), declaration, params, request.body, { dryRun })
          const resource = await (dryRun ? create() : once(request, create))
          const location = `/v1/orgs/${params.org}/workspaces/${params.workspace}/${plural}/${resource.metadata.name}`
          return dryRun
            ? reply.send(resource)
            : reply
                .code(201)
                .headers({ location, ...tagOf(resource) })
                .send(resource)
        },
      )
      app.put(
        `${base}/${plural}/:name`,
        {
          config: { access: { verb: 'edit', on: plural } },
          schema: {
            ...about(`replace${kind}`, `Replace one of ${plural}`),
            params: NamedParams,
            querystring: WriteQuery,
            body: ResourceInput,
            response: { 200: Resource },
          },
          validatorCompiler: leaveToEngine,
        },
        async (request, reply) => {
          const { params, query } = checked(request, NamedParams)
          const options = { dryRun: query.dryRun, ifMatch: request.headers['if-match'] }
          const resource = await resources.replace(callerOf(request), declaration, params, params.name, request.body, options)
          return reply.headers(tagOf(resource)).send(resource)
        },
      )
      app.patch(
        `${base}/${plural}/:name`,
        {
          config: { access: { verb: 'edit', on: plural } },
          schema: {
            ...about(`patch${kind}`, `Change fields of one of ${plural}`),
            params: NamedParams,
            querystring: WriteQuery,
            body: MergePatch,
            response: { 200: Resource },
          },
        },
        async (request, reply) => {
          const { name, ...scope } = request.params
          const options = { dryRun: request.query.dryRun ?? false, ifMatch: request.headers['if-match'] }
          const resource = await resources.patch(callerOf(request), declaration, scope, name, request.body, options)
          return reply.headers(tagOf(resource)).send(resource)
        },
      )
    }

    function deleteRoute(declaration: KindDeclaration): void {
      const { kind, plural } = declaration
      app.delete(
        `${base}/${plural}/:name`,
        {
          config: { access: { verb: 'delete', on: plural } },
          schema: {
            ...about(`delete${kind}`, `Delete one of ${plural}`),
            params: NamedParams,
            querystring: WriteQuery,
            response: { 204: Nothing },
          },
        },
        async (request, reply) => {
          const { name, ...scope } = request.params
          const options = { dryRun: request.query.dryRun ?? false, ifMatch: request.headers['if-match'] }
          await resources.remove(callerOf(request), declaration, scope, name, options)
          return reply.code(204).send()
        },
      )
    }

    /** The tools of one server: the list of the kind Tool, narrowed. */
    function serverTools(): void {
      const tool = resources.known().find(({ kind }) => kind === 'Tool')
      const server = resources.known().find(({ kind }) => kind === 'Server')
      if (!tool || !server) return
      app.get(
        `${base}/servers/:name/tools`,
        {
          config: { access: { verb: 'view', on: 'tools' } },
          schema: {
            ...about('listToolsOfServer', 'List the tools of one server'),
            params: NamedParams,
            querystring: ListQuery,
            response: { 200: ResourceList },
          },
        },
        async (request) => {
          const { name, ...scope } = request.params
          const caller = callerOf(request)
          await resources.get(caller, server, scope, name)
          return resources.listVirtual(caller, tool, scope, { ...request.query, server: name })
        },
      )
    }

    function applyRoute(): void {
      app.post(
        `${base}/apply`,
        {
          // Every object needs a right of its own, which the engine checks once it knows what would happen to it.
          config: { access: 'signed-in' },
          bodyLimit: maxApplyBytes,
          schema: {
            ...about('apply', 'Apply whole objects, all or nothing'),
            params: ScopeParams,
            querystring: WriteQuery,
            body: ApplyRequest,
            response: { 200: ApplyResponse },
          },
          // A schema would check 5,000 objects in one go, and the answer once more; the engine does it in turns.
          validatorCompiler: leaveToEngine,
          serializerCompiler: () => JSON.stringify,
        },
        async (request, reply) => {
          const { params, query } = checked(request, ScopeParams)
          const { dryRun } = query
          const apply = () => resources.apply(callerOf(request), params, request.body, { dryRun })
          return reply.send(await (dryRun ? apply() : once(request, apply)))
        },
      )
    }
  }

const about = (operationId: string, summary: string) => ({ tags: ['resources'], operationId, summary })
const tagOf = ({ metadata }: Resource) => ({ etag: `"${metadata.resourceVersion}"` })
const leaveToEngine = () => (value: unknown) => ({ value })

/** Path and query of a route whose body is left to the engine; throws the ZodError as a request error does. */
function checked<Params extends z.ZodType>(
  request: { params: unknown; query: unknown },
  params: Params,
): { params: z.output<Params>; query: { dryRun: boolean } } {
  const query = WriteQuery.safeParse(request.query)
  if (!query.success)
    throw invalid(query.error.issues.map(({ path, message }) => ({ pointer: `/querystring/${path.join('/')}`, detail: message })))
  return { params: params.parse(request.params), query: { dryRun: query.data.dryRun ?? false } }
}
