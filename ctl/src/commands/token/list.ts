import { mcpTokenKind } from '@mcpg/proto/kinds/mcp-token'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { ResourceList } from '@mcpg/proto/rest/list'
import type { Context } from '../../context.ts'
import { printResources } from '../../output/print-resources.ts'

/** Every token of the organization that the caller may see; with -p those of the project. */
export async function run(context: Context): Promise<void> {
  const { org, project } = context.settings
  const api = await context.api()
  const resources: Resource[] = []
  let cursor: string | undefined
  do {
    const { body } = await api.call('GET', `/v1/orgs/${encodeURIComponent(org)}/tokens`, {
      query: { limit: 500, cursor },
      schema: ResourceList,
    })
    resources.push(...body.items)
    cursor = body.nextCursor
  } while (cursor)
  const shown = resources.filter(({ metadata }) => project === undefined || metadata.project === project)
  await printResources(context, [{ kind: mcpTokenKind, resources: shown }])
}
