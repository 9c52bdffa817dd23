import { McpgError } from '@mcpg/proto/errors'
import { isBuiltInRole } from '@mcpg/proto/built-in-roles'
import { groupKind, type GroupSpec } from '@mcpg/proto/kinds/group'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { projectKind, type ProjectSpec } from '@mcpg/proto/kinds/project'
import { promptKind } from '@mcpg/proto/kinds/prompt'
import type { PromptRequestStatus } from '@mcpg/proto/kinds/prompt-request'
import { proxyModelKind, type ProxyModelSpec } from '@mcpg/proto/kinds/proxy-model'
import { roleKind } from '@mcpg/proto/kinds/role'
import { roleBindingKind, type RoleBindingSpec } from '@mcpg/proto/kinds/role-binding'
import { serverKind } from '@mcpg/proto/kinds/server'
import { templateSource } from '@mcpg/proto/kinds/template'
import { toolKind } from '@mcpg/proto/kinds/tool'
import type { Related, User } from '../output/describe/related.ts'
import type { Api } from './client.ts'
import { eventsFor } from './events.ts'
import { configsOf, placeOf } from './gateway-configs.ts'
import { getObject, listObjects } from './objects.ts'
import { isTenancy } from './tenancy.ts'

/** What belongs to an object and is asked for by itself; what the caller may not see is not part of it. */
export async function relatedTo(api: Api, kind: KindDeclaration, resource: Resource): Promise<Related> {
  const { metadata, spec } = resource
  const field = kind.kind.toLowerCase()
  const isHere = (one: Resource) => one.spec[field] === metadata.name
  const hasInstances = kind.kind === 'Server' || kind.kind === 'Gateway'
  return {
    events: kind.kind === 'Event' || isTenancy(kind) ? [] : await eventsFor(api, `${kind.plural}/${metadata.name}`),
    instances: hasInstances ? (await listObjects(api, instanceKind)).filter(isHere) : [],
    tools: kind.kind === 'Server' ? (await listObjects(api, toolKind)).filter(isHere) : [],
    configs: kind.kind === 'Gateway' ? await configsOf(api, placeOf(api, resource)) : [],
    users: (await Promise.all((usersOf[kind.kind] ?? []).map((look) => look(api, metadata.name)))).flat(),
    other: await other(),
  }

  async function other(): Promise<Resource | undefined> {
    const { role = '' } = spec as Partial<RoleBindingSpec>
    if (kind.kind === 'RoleBinding' && !isBuiltInRole(role)) return await seen(getObject(api, roleKind, role))
    if (kind.kind !== 'PromptRequest' || !(resource.status as Partial<PromptRequestStatus>).replaces) return undefined
    return await seen(getObject(api, promptKind, metadata.name, { ...api.settings, project: metadata.project }))
  }
}

type Look = (api: Api, name: string) => Promise<User[]>

/** Objects of a kind by what they name this one as; undefined where they do not. */
const among =
  (kind: KindDeclaration, as: (resource: Resource, name: string) => string | undefined): Look =>
  async (api, name) =>
    ((await seen(listObjects(api, kind))) ?? []).flatMap((resource) => {
      const found = as(resource, name)
      return found === undefined ? [] : [{ object: `${kind.kind.toLowerCase()}/${resource.metadata.name}`, as: found }]
    })

const project = (as: (spec: ProjectSpec, name: string) => string | undefined) =>
  among(projectKind, ({ spec }, name) => as(spec as ProjectSpec, name))

/** Who names an object of these kinds. */
const usersOf: Readonly<Record<string, Look[]>> = {
  Llm: [
    project(({ llm }, name) => (llm?.name === name ? 'model' : undefined)),
    among(proxyModelKind, ({ spec }, name) => ((spec as ProxyModelSpec).llm === name ? 'model of its stages' : undefined)),
  ],
  ProxyModel: [project(({ proxyModel }, name) => (proxyModel === name ? 'pipeline' : undefined))],
  Template: [
    among(serverKind, ({ metadata: { annotations } }, name) => {
      const [template, version] = annotations[templateSource]?.split(':') ?? []
      return template === name ? `version ${version}` : undefined
    }),
  ],
  Role: [
    among(roleBindingKind, ({ spec }, name) => {
      const { role, subjects } = spec as RoleBindingSpec
      return role === name ? `for ${subjects.map((one) => `${one.kind.toLowerCase()}/${one.name}`).join(', ')}` : undefined
    }),
  ],
  ServiceAccount: [
    among(groupKind, ({ spec }, name) => ((spec as GroupSpec).serviceAccounts?.includes(name) ? 'member' : undefined)),
    among(roleBindingKind, ({ spec }, name) => {
      const { role, subjects } = spec as RoleBindingSpec
      return subjects.some((one) => one.kind === 'ServiceAccount' && one.name === name) ? `role ${role}` : undefined
    }),
  ],
}

async function seen<T>(asked: Promise<T>): Promise<T | undefined> {
  return await asked.catch((error: unknown) => {
    if (error instanceof McpgError && (error.code === 'forbidden' || error.code === 'not_found')) return undefined
    throw error
  })
}
