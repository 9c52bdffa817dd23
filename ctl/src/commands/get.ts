import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { Tenancy } from '@mcpg/proto/rest/tenancy'
import { listOf } from '@mcpg/proto/rest/list'
import { eventsFor, refuseForOf } from '../api/events.ts'
import { listObjects, readTargets } from '../api/objects.ts'
import type { Context } from '../context.ts'
import { printResources, type Listed } from '../output/print-resources.ts'
import type { Settings } from '../settings.ts'
import { watchObjects } from '../watch-objects.ts'

export type GetOptions = { selector?: string; allWorkspaces?: boolean; watch?: boolean; for?: string }

export async function run(context: Context, args: string[], { selector, allWorkspaces, watch, for: target }: GetOptions): Promise<void> {
  const { kinds, names } = readTargets(args)
  if (target !== undefined) refuseForOf(kinds)
  const api = await context.api()
  const environment = context.settings.environmentGiven ? context.settings.environment : undefined
  if (watch && allWorkspaces)
    throw new McpgError('invalid', 'usage', 'One workspace is watched at a time.', { hint: 'name it with --workspace' })
  if (watch && target !== undefined)
    throw new McpgError('invalid', 'usage', '--for and --watch do not go together.', { hint: 'mcpg-ctl get events --watch' })
  if (watch) return watchObjects(context, api, kinds, { selector, names, environment })
  const scopes = allWorkspaces ? await workspaces() : [context.settings]
  const lists: Listed[] = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      resources: (await Promise.all(scopes.map((scope) => read(kind, scope)))).flat(),
    })),
  )
  await printResources(context, lists, names.length === 1 && kinds.length === 1, allWorkspaces)

  async function read(kind: KindDeclaration, scope: Settings): Promise<Resource[]> {
    if (target !== undefined) return await eventsFor(api, target, scope)
    return await listObjects(api, kind, { selector, names, environment }, scope)
  }

  async function workspaces(): Promise<Settings[]> {
    const { body } = await api.call('GET', `/v1/orgs/${context.settings.org}/workspaces`, { schema: listOf(Tenancy) })
    return body.items.map(({ name }) => ({ ...context.settings, workspace: name }))
  }
}
