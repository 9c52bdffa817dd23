import { McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { listOf } from '@mcpg/proto/rest/list'
import { Tenancy } from '@mcpg/proto/rest/tenancy'
import { z } from 'zod'
import type { Settings } from '../settings.ts'
import type { Api, Patience } from './client.ts'
import { environmentPath, workspacePath } from './paths.ts'

type Path = Pick<Settings, 'org' | 'workspace' | 'environment' | 'project'>
export type TenancyKind = KindDeclaration & { above: string[]; path: (scope: Path, name?: string) => string }

const Spec = z.strictObject({ displayName: z.string().optional().describe('What people read instead of the name') })
const part = encodeURIComponent
const below = (path: string, name: string | undefined) => (name === undefined ? path : `${path}/${part(name)}`)
const upTo = (path: string) => path.slice(0, path.lastIndexOf('/'))

/**
 * Organizations, workspaces and environments: the path on which objects live. They are no objects themselves, but the verbs that people try on
 * them (get, describe, create, delete) take them for such. `above`: the flags that say where one lives.
 */
export const tenancyKinds: TenancyKind[] = [
  declare(
    'Org',
    'orgs',
    ['org', 'organization', 'organizations'],
    [],
    'An organization: holds workspaces, and who may do what in them.',
    (_scope, name) => below('/v1/orgs', name),
  ),
  declare(
    'Workspace',
    'workspaces',
    ['workspace', 'ws'],
    ['org'],
    'A workspace of an organization: holds servers, projects and secrets.',
    (scope, name) => below(upTo(workspacePath(scope)), name),
  ),
  declare(
    'Environment',
    'environments',
    ['environment', 'env'],
    ['org', 'workspace'],
    'An environment of a workspace: holds gateways.',
    (scope, name) => below(upTo(environmentPath(scope)), name),
  ),
]

function declare(
  kind: string,
  plural: string,
  aliases: string[],
  above: string[],
  description: string,
  path: TenancyKind['path'],
): TenancyKind {
  return {
    kind,
    plural,
    aliases,
    above,
    path,
    description,
    scope: above.length === 2 ? 'workspace' : 'org',
    virtual: true,
    specVersion: 1,
    spec: Spec,
    status: z.object({}),
    oneOf: [],
    sensitive: [],
    references: () => [],
    columns: [
      { name: 'name', value: ({ metadata }) => metadata.name },
      ...above.map((level) => ({ name: level, value: ({ metadata }: Resource) => metadata[level as 'org' | 'workspace'] ?? '' })),
      { name: 'display name', value: ({ spec }) => String(spec['displayName'] ?? '') },
      { name: 'created', value: ({ metadata }) => metadata.createdAt },
    ],
    actions: {},
    upgrade: (spec) => spec,
  }
}

export const tenancyKindOf = (word: string): TenancyKind | undefined =>
  findKind(word) ? undefined : tenancyKinds.find((one) => [one.kind.toLowerCase(), one.plural, ...one.aliases].includes(word.toLowerCase()))

export const isTenancy = (kind: KindDeclaration): kind is TenancyKind => tenancyKinds.some((one) => one === kind)

/** All of them, in the form of objects. */
export async function listTenancies(api: Api, kind: TenancyKind, scope: Settings, patience: Patience = {}): Promise<Resource[]> {
  const { body } = await api.call('GET', kind.path(scope), { schema: listOf(Tenancy), ...patience })
  return body.items.map((one) => asResource(kind, one, scope))
}

export async function getTenancy(api: Api, kind: TenancyKind, name: string, scope: Settings): Promise<Resource> {
  const { body } = await api.call('GET', kind.path(scope, name), { schema: Tenancy })
  return asResource(kind, body, scope)
}

export async function createTenancy(api: Api, kind: TenancyKind, body: { name: string; displayName?: string }): Promise<Resource> {
  const { body: made } = await api.call('POST', kind.path(api.settings), { body, schema: Tenancy })
  return asResource(kind, made, api.settings)
}

/** A workspace says in which organization it is, an environment also in which workspace. */
function asResource(kind: TenancyKind, { name, displayName, createdAt }: Tenancy, { org, workspace }: Settings): Resource {
  const above = { ...(kind.above.includes('org') && { org }), ...(kind.above.includes('workspace') && { workspace }) }
  return {
    kind: kind.kind,
    metadata: {
      name,
      uid: kind.path({ org, workspace, environment: name, project: undefined }, name),
      ...above,
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt,
      updatedAt: createdAt,
    },
    spec: displayName === undefined ? {} : { displayName },
    status: {},
  }
}

/** What the verbs of objects cannot do with these. */
export function refuseTenancy(kind: KindDeclaration, verb: string): void {
  if (!isTenancy(kind)) return
  throw new McpgError('unsupported', 'not_an_object', `${verb} is not for ${kind.plural}.`, {
    hint: `what there is: mcpg-ctl get, describe, create and delete ${kind.kind.toLowerCase()}`,
  })
}
