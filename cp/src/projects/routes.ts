import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { McpgError } from '@mcpg/proto/errors'
import { projectKind, type ProjectSpec, type ProjectStatus } from '@mcpg/proto/kinds/project'
import { ProjectClientConfig, ProjectInstructions } from '@mcpg/proto/rest/projects'
import { callerOf } from '../http/access-rules.ts'
import type { Resources } from '../resources/resources.ts'

const base = '/v1/orgs/:org/workspaces/:workspace/projects/:name'
const ProjectPath = z.object({ org: z.string(), workspace: z.string(), name: z.string() })
const Query = z.strictObject({ gateway: z.string().max(253).optional().describe('Name; none: the first that serves the project') })
const view = { verb: 'view', on: projectKind.plural } as const
const about = (operationId: string, summary: string) => ({ tags: ['resources'], operationId, summary })

/** What a client of a project needs, for scripts that write no files of ours. */
export const projectRoutes =
  (resources: Pick<Resources, 'get'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      `${base}/mcp-config`,
      {
        config: { access: view },
        schema: {
          ...about('getProjectClientConfig', 'A .mcp.json for the project'),
          params: ProjectPath,
          querystring: Query,
          response: { 200: ProjectClientConfig },
        },
      },
      async (request): Promise<ProjectClientConfig> => {
        const { name, ...scope } = request.params
        const { status } = await resources.get(callerOf(request), projectKind, scope, name)
        return { mcpServers: { [name]: { type: 'http', url: urlOf(name, status as ProjectStatus, request.query.gateway) } } }
      },
    )
    app.get(
      `${base}/instructions`,
      {
        config: { access: view },
        schema: {
          ...about('getProjectInstructions', 'What the project tells its clients'),
          params: ProjectPath,
          response: { 200: ProjectInstructions },
        },
      },
      async (request): Promise<ProjectInstructions> => {
        const { name, ...scope } = request.params
        const { spec } = await resources.get(callerOf(request), projectKind, scope, name)
        const { instructions, prompt } = spec as ProjectSpec
        return { project: name, ...(instructions && { instructions }), ...(prompt && { prompt }) }
      },
    )
  }

function urlOf(project: string, { gateways }: ProjectStatus, gateway: string | undefined): string {
  const found = gateways.find((one) => one.url !== undefined && (gateway === undefined || one.gateway === gateway))
  if (found?.url !== undefined) return found.url
  const where = gateway === undefined ? 'No gateway serves' : `The gateway ${gateway} does not serve`
  throw new McpgError('failed_precondition', 'project_unserved', `${where} the project ${project} now.`, {
    hint: `mcpg-ctl describe project ${project}; give it a server that runs`,
  })
}
