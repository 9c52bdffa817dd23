import { McpgError } from '@mcpg/proto/errors'
import { Tenancy } from '@mcpg/proto/rest/tenancy'
import { listOf } from '@mcpg/proto/rest/list'
import { listObjects, readTargets } from '../api/objects.ts'
import type { Context } from '../context.ts'
import { printResources, type Listed } from '../output/print-resources.ts'
import type { Settings } from '../settings.ts'
import { watchObjects } from '../watch-objects.ts'

export type GetOptions = { selector?: string; allWorkspaces?: boolean; watch?: boolean }

export async function run(context: Context, args: string[], { selector, allWorkspaces, watch }: GetOptions): Promise<void> {
  const { kinds, names } = readTargets(args)
  const api = await context.api()
  const environment = context.settings.environmentGiven ? context.settings.environment : undefined
  if (watch && allWorkspaces)
    throw new McpgError('invalid', 'usage', 'One workspace is watched at a time.', { hint: 'name it with --workspace' })
  if (watch) return watchObjects(context, api, kinds, { selector, names, environment })
  const scopes = allWorkspaces ? await workspaces() : [context.settings]
  const lists: Listed[] = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      resources: (await Promise.all(scopes.map((scope) => listObjects(api, kind, { selector, names, environment }, scope)))).flat(),
    })),
  )
  await printResources(context, lists, names.length === 1 && kinds.length === 1, allWorkspaces)

  async function workspaces(): Promise<Settings[]> {
    const { body } = await api.call('GET', `/v1/orgs/${context.settings.org}/workspaces`, { schema: listOf(Tenancy) })
    return body.items.map(({ name }) => ({ ...context.settings, workspace: name }))
  }
}
