import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Resource, ResourceInput, type KindDeclaration, type KindScope } from '@mcpg/proto/kinds/kind'
import { Name } from '@mcpg/proto/names'
import { ApplyRequest, ApplyResponse } from '@mcpg/proto/rest/apply'
import { ListQuery, ResourceList } from '@mcpg/proto/rest/list'
import { callerOf } from '../http/access-rules.ts'
import type { Idempotency } from '../http/idempotency.ts'
import { invalid } from '../http/problems.ts'
import type { Resources } from './resources.ts'
import type { Scope } from './scope.ts'

/** Where the objects of each level stand in paths. */
const bases: Record<KindScope, string> = {
  org: '/v1/orgs/:org',
  workspace: '/v1/orgs/:org/workspaces/:workspace',
  project: '/v1/orgs/:org/workspaces/:workspace/projects/:project',
}
const OrgParams = z.object({ org: z.string() })
const WorkspaceParams = OrgParams.extend({ workspace: z.string() })
const scopeParams: Record<KindScope, z.ZodType<Scope>> = {
  org: OrgParams,
  workspace: WorkspaceParams,
  project: WorkspaceParams.extend({ project: z.string() }),
}
const namedParams: Record<KindScope, z.ZodType<Scope & { name: string }>> = {
  org: OrgParams.extend({ name: z.string() }),
  workspace: WorkspaceParams.extend({ name: z.string() }),
  project: WorkspaceParams.extend({ project: z.string(), name: z.string() }),
}
const WriteQuery = z.strictObject({ dryRun: z.stringbool().optional() })
const DeleteQuery = WriteQuery.extend({
  cascade: z.stringbool().optional().describe('Delete what lives in it, too (a project holds others)'),
})
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
          `${bases[declaration.scope]}/${declaration.plural}/:name/${name}`,
          {
            config: { access: action.access },
            schema: {
              ...about(`${name}${declaration.kind}`, action.description),
              params: namedParams[declaration.scope],
              ...(action.body ? { body: action.body.nullish() } : {}),
              response: { 200: action.answer ?? Resource },
            },
          },
          async (request) => {
            const { name: object, ...scope } = request.params
            const act = () => resources.act(callerOf(request), declaration, scope, object, name, request.body)
            // An answer of its own may hold a secret; asking twice changes nothing more, so no key is needed and nothing is kept.
            return action.answer ? act() : once(request, act)
          },
        )
      }
    }
    serverTools()
    applyRoute('workspace')
    applyRoute('org')

    function readRoutes(declaration: KindDeclaration): void {
      const { kind, plural, scope: level } = declaration
      const access = { verb: 'view', on: plural } as const
      listRoute(level, about(`list${kind}s`, `List ${plural}`))
      if (level === 'project') listRoute('workspace', about(`list${kind}sOfWorkspace`, `List ${plural} of all projects of a workspace`))
      app.get(
        `${bases[level]}/${plural}/:name`,
        {
          config: { access, perObject: true },
          schema: { ...about(`get${kind}`, `Get one of ${plural}`), params: namedParams[level], response: { 200: Resource } },
        },
        async (request, reply) => {
          const { name, ...scope } = request.params
          const resource = await resources.get(callerOf(request), declaration, scope, name)
          return reply.headers(declaration.virtual ? {} : tagOf(resource)).send(resource)
        },
      )

      function listRoute(at: KindScope, description: ReturnType<typeof about>): void {
        app.get(
          `${bases[at]}/${plural}`,
          {
            config: { access, perObject: true },
            schema: { ...description, params: scopeParams[at], querystring: ListQuery, response: { 200: ResourceList } },
          },
          async (request) => resources.list(callerOf(request), declaration, request.params, request.query),
        )
      }
    }

    function writeRoutes(declaration: KindDeclaration): void {
      const { kind, plural, scope: level } = declaration
      app.post(
        `${bases[level]}/${plural}`,
        {
          config: { access: { verb: 'create', on: plural } },
          schema: {
            ...about(`create${kind}`, `Create one of ${plural}`),
            params: scopeParams[level],
            querystring: WriteQuery,
            body: inputOf(declaration),
            response: { 200: Resource, 201: Resource },
          },
          validatorCompiler: leaveToEngine,
        },
        async (request, reply) => {
          const { params, query } = checked(request, scopeParams[level])
          const { dryRun } = query
          const create = () => resources.create(callerOf(request), declaration, params, request.body, { dryRun })
          const resource = await (dryRun ? create() : once(request, create))
          const location = `${pathIn(level, params)}/${plural}/${encodeURIComponent(resource.metadata.name)}`
          return dryRun
            ? reply.send(resource)
            : reply
                .code(201)
                .headers({ location, ...tagOf(resource) })
                .send(resource)
        },
      )
      app.put(
        `${bases[level]}/${plural}/:name`,
        {
          config: { access: { verb: 'edit', on: plural } },
          schema: {
            ...about(`replace${kind}`, `Replace one of ${plural}`),
            params: namedParams[level],
            querystring: WriteQuery,
            body: inputOf(declaration),
            response: { 200: Resource },
          },
          validatorCompiler: leaveToEngine,
        },
        async (request, reply) => {
          const { params, query } = checked(request, namedParams[level])
          const options = { dryRun: query.dryRun, ifMatch: request.headers['if-match'] }
          const resource = await resources.replace(callerOf(request), declaration, params, params.name, request.body, options)
          return reply.headers(tagOf(resource)).send(resource)
        },
      )
      app.patch(
        `${bases[level]}/${plural}/:name`,
        {
          config: { access: { verb: 'edit', on: plural } },
          schema: {
            ...about(`patch${kind}`, `Change fields of one of ${plural}`),
            params: namedParams[level],
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
      const { kind, plural, scope: level } = declaration
      app.delete(
        `${bases[level]}/${plural}/:name`,
        {
          config: { access: { verb: 'delete', on: plural }, perObject: declaration.virtual },
          schema: {
            ...about(`delete${kind}`, `Delete one of ${plural}`),
            params: namedParams[level],
            querystring: DeleteQuery,
            response: { ...(resources.hasOriginals(kind) && { 200: Resource.describe('Became its original again') }), 204: Nothing },
          },
        },
        async (request, reply) => {
          const { name, ...scope } = request.params
          const { dryRun = false, cascade } = request.query
          const options = { dryRun, cascade, ifMatch: request.headers['if-match'] }
          const original = await resources.remove(callerOf(request), declaration, scope, name, options)
          return original ? reply.code(200).send(original) : reply.code(204).send(undefined)
        },
      )
    }

    /** The tools of one server: the list of the kind Tool, narrowed. */
    function serverTools(): void {
      const tool = resources.known().find(({ kind }) => kind === 'Tool')
      const server = resources.known().find(({ kind }) => kind === 'Server')
      if (!tool || !server) return
      app.get(
        `${bases.workspace}/servers/:name/tools`,
        {
          config: { access: { verb: 'view', on: 'tools' }, perObject: true },
          schema: {
            ...about('listToolsOfServer', 'List the tools of one server'),
            params: namedParams.workspace,
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

    function applyRoute(level: 'org' | 'workspace'): void {
      app.post(
        `${bases[level]}/apply`,
        {
          // Every object needs a right of its own, which the engine checks once it knows what would happen to it.
          config: { access: 'signed-in' },
          bodyLimit: maxApplyBytes,
          schema: {
            ...(level === 'org'
              ? about('applyToOrg', 'Apply objects of the organization, all or nothing')
              : about('apply', 'Apply whole objects, all or nothing')),
            params: scopeParams[level],
            querystring: WriteQuery,
            body: ApplyRequest,
            response: { 200: ApplyResponse },
          },
          // A schema would check 5,000 objects in one go, and the answer once more; the engine does it in turns.
          validatorCompiler: leaveToEngine,
          serializerCompiler: () => JSON.stringify,
        },
        async (request, reply) => {
          const { params, query } = checked(request, scopeParams[level])
          const { dryRun } = query
          const apply = () => resources.apply(callerOf(request), params, request.body, { dryRun })
          return reply.send(await (dryRun ? apply() : once(request, apply)))
        },
      )
    }
  }

/** What is written of a kind, as the description of the API shows it; the engine is what checks it. */
const inputOf = ({ spec, name = Name }: KindDeclaration) =>
  ResourceInput.extend({ metadata: ResourceInput.shape.metadata.extend({ name }), spec: spec as z.ZodType<Record<string, unknown>> })

/** The path of a scope. */
const pathIn = (level: KindScope, scope: Scope): string =>
  bases[level].replace(/:(\w+)/g, (_, part: string) => encodeURIComponent(scope[part as keyof Scope]!))

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
