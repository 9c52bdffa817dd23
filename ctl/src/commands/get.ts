import { McpgError } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { projectKind, type ProjectSpec } from '@mcpg/proto/kinds/project'
import { serverKind } from '@mcpg/proto/kinds/server'
import { Tenancy } from '@mcpg/proto/rest/tenancy'
import { listOf } from '@mcpg/proto/rest/list'
import { eventsFor, refuseForOf } from '../api/events.ts'
import { refuseMissing } from '../api/objects.ts'
import { findTargets, readTargets, type Found, type Target } from '../api/targets.ts'
import { isTenancy, refuseTenancy } from '../api/tenancy.ts'
import type { Context } from '../context.ts'
import { printResources } from '../output/print-resources.ts'
import type { Settings } from '../settings.ts'
import { watchObjects } from '../watch-objects.ts'

export type GetOptions = { selector?: string; allWorkspaces?: boolean; watch?: boolean; for?: string }

export async function run(context: Context, args: string[], { selector, allWorkspaces, watch, for: target }: GetOptions): Promise<void> {
  if (args.length === 1 && /^quotas?$/i.test(args[0] ?? '')) return await (await import('./quota/list.ts')).run(context)
  const targets = args[0] === 'all' ? allOf(context.settings) : readTargets(args)
  if (target !== undefined) refuseForOf(targets.map(({ kind }) => kind))
  const api = await context.api()
  const environment = context.settings.environmentGiven ? context.settings.environment : undefined
  if (watch && allWorkspaces)
    throw new McpgError('invalid', 'usage', 'One workspace is watched at a time.', { hint: 'name it with --workspace' })
  if (watch && target !== undefined)
    throw new McpgError('invalid', 'usage', '--for and --watch do not go together.', { hint: 'mcpg-ctl get events --watch' })
  if (watch) targets.forEach(({ kind }) => refuseTenancy(kind, 'get --watch'))
  if (watch) return watchObjects(context, api, targets, { selector, environment })
  const found = allWorkspaces ? await everywhere() : target !== undefined ? await events([context.settings]) : await here()
  const isSingle = !allWorkspaces && targets.length === 1 && targets[0]?.names.length === 1
  await printResources(context, found, {
    isSingle,
    withWorkspace: allWorkspaces === true && !targets.every(({ kind }) => isTenancy(kind)),
    isAll: args[0] === 'all',
  })

  async function here(): Promise<Found[]> {
    const found = args[0] === 'all' ? await readable() : await findTargets(api, targets, { selector, environment })
    return args[0] === 'all' && context.settings.project !== undefined ? [...(await serversOf(found)), ...found] : found
  }

  /** Of everything, what the caller may look at; throws forbidden where that is nothing. */
  async function readable(): Promise<Found[]> {
    const refused: McpgError[] = []
    const found = await Promise.all(
      targets.map(async (one) => {
        return await findTargets(api, [one], { selector, environment }).catch((error: unknown) => {
          if (!(error instanceof McpgError) || error.code !== 'forbidden') throw error
          refused.push(error)
          return []
        })
      }),
    )
    if (refused[0] && refused.length === targets.length) throw refused[0]
    return found.flat()
  }

  /** The servers of a project stand in its workspace. */
  async function serversOf(found: Found[]): Promise<Found[]> {
    const projects = found.flatMap(({ kind, resources }) => (kind === projectKind ? resources : []))
    const names = projects.flatMap(({ spec }) => (spec as ProjectSpec).servers ?? [])
    return names.length === 0 ? [] : await findTargets(api, [{ kind: serverKind, names }], { selector, lenient: true })
  }

  /** A name has to be found in one workspace only. */
  async function everywhere(): Promise<Found[]> {
    const scopes = await workspaces()
    if (target !== undefined) return await events(scopes)
    const found = targets.map(({ kind }): Found => ({ kind, resources: [] }))
    for (const scope of scopes) {
      const own = await findTargets(api, targets, { selector, environment, lenient: true }, scope)
      own.forEach(({ resources }, index) => found[index]?.resources.push(...withoutKnown(resources, found[index].resources)))
    }
    targets.forEach(({ kind, names }, index) => refuseMissing(kind, names, found[index]?.resources ?? []))
    return found
  }

  async function events(scopes: Settings[]): Promise<Found[]> {
    const found = await Promise.all(scopes.map(async (scope) => await eventsFor(api, target ?? '', scope)))
    return targets.map(({ kind }) => ({ kind, resources: found.flat() }))
  }

  async function workspaces(): Promise<Settings[]> {
    const { body } = await api.call('GET', `/v1/orgs/${context.settings.org}/workspaces`, { schema: listOf(Tenancy) })
    return body.items.map(({ name }) => ({ ...context.settings, workspace: name }))
  }
}

/** Everything, or what makes a project: itself, what lives in it, and its servers. As YAML, only what `apply` takes. */
function allOf({ output, project }: Settings): Target[] {
  const all = readTargets(['all']).filter(({ kind }) => output !== 'yaml' || !kind.virtual)
  if (project === undefined) return all
  return all.flatMap(({ kind }): Target[] => {
    if (kind.scope === 'project') return [{ kind, names: [] }]
    return kind === projectKind ? [{ kind, names: [project] }] : []
  })
}

/** What belongs to the organization is found from each of its workspaces. */
function withoutKnown(resources: Resource[], known: Resource[]): Resource[] {
  const uids = new Set(known.map(({ metadata }) => metadata.uid))
  return resources.filter(({ metadata }) => !uids.has(metadata.uid))
}
