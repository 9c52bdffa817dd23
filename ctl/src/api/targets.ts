import { McpgError } from '@mcpg/proto/errors'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { Settings } from '../settings.ts'
import type { Api } from './client.ts'
import { isGlob, kindOf, listObjects, splitTarget, type Filter } from './objects.ts'
import { environmentPath, objectPath } from './paths.ts'
import { isTenancy } from './tenancy.ts'

/** Objects of one kind as named on the command line; without names all of them. */
export type Target = { kind: KindDeclaration; names: string[] }
export type Found = { kind: KindDeclaration; resources: Resource[] }

/** `kind name…`, `kind,kind name…` and `kind/name…`, of several kinds too, taken apart. */
export function readTargets(args: string[]): Target[] {
  const [first = '', ...names] = args
  if (args.some((arg) => arg.includes('/'))) return grouped(args)
  // What happened is asked for by its own name, what stands in another object is told by that; all is what there is in the workspace.
  const inAll = ({ kind, scope, appliedAs }: KindDeclaration) => kind !== 'Event' && scope !== 'org' && appliedAs === undefined
  const chosen = first === 'all' ? kinds.filter(inAll) : first.split(',').map(kindOf)
  return chosen.map((kind) => ({ kind, names }))
}

/** The one object that a command is about. */
export function readTarget(args: string[], refused: McpgError): { kind: KindDeclaration; name: string } {
  const [target, ...others] = readTargets(args)
  const [name, ...more] = target?.names ?? []
  if (!target || !name || others.length + more.length > 0) throw refused
  return { kind: target.kind, name }
}

function grouped(args: string[]): Target[] {
  const targets: Target[] = []
  for (const { kind, name } of args.map(splitTarget)) {
    const known = targets.find((one) => one.kind === kind)
    if (known) known.names.push(name)
    else targets.push({ kind, names: [name] })
  }
  return targets
}

/** The objects that are meant, kind by kind. A name that is no glob and stands for nothing is `not_found`. */
export async function findTargets(
  api: Api,
  targets: Target[],
  filter: Omit<Filter, 'names'> = {},
  scope: Settings = api.settings,
): Promise<Found[]> {
  return await Promise.all(
    targets.map(async ({ kind, names }) => ({ kind, resources: await listObjects(api, kind, { ...filter, names }, scope) })),
  )
}

/** Throws where one name stands for objects of several projects: what changes them must say which. */
export function refuseAmbiguous(targets: Target[], found: Found[]): void {
  for (const { kind, resources } of found)
    for (const name of targets.find((one) => one.kind === kind)?.names.filter((one) => !isGlob(one)) ?? []) {
      const projects = resources.filter(({ metadata }) => metadata.name === name).map(({ metadata }) => metadata.project ?? '')
      if (projects.length > 1)
        throw new McpgError('invalid', 'several_projects', `${shown(kind, name)} is in several projects: ${projects.join(', ')}.`, {
          hint: 'name one with -p <project> (MCPG_PROJECT)',
        })
    }
}

/** For a command that changes what it finds and has found nothing for these words. */
export const nothingMatches = (words: string[], selector: string | undefined): string =>
  `nothing matches ${[...words, ...(selector === undefined ? [] : ['-l', selector])].join(' ')}`

/** Where an object is changed and deleted; a gateway belongs to an environment. */
export function pathOf(
  settings: Settings,
  kind: KindDeclaration,
  { name, environment, project = settings.project }: Pick<Resource['metadata'], 'name' | 'environment' | 'project'>,
) {
  if (isTenancy(kind)) return kind.path(settings, name)
  if (kind.kind !== 'Gateway') return objectPath({ ...settings, project }, kind, name)
  return `${environmentPath({ ...settings, environment: environment ?? settings.environment })}/gateways/${encodeURIComponent(name)}`
}

export const shown = (kind: KindDeclaration, name: string): string => `${kind.kind.toLowerCase()}/${name}`
