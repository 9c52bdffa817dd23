import type { Clock } from '@mcpg/core/clock'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { projectKind, type ProjectSpec, type ProjectStatus } from '@mcpg/proto/kinds/project'
import { promptKind, type LinkHealth, type PromptSpec, type PromptStatus } from '@mcpg/proto/kinds/prompt'
import { promptRequestKind, rejection, type PromptRequestSpec, type PromptRequestStatus } from '@mcpg/proto/kinds/prompt-request'
import type { Changes } from '../changes/changes.ts'
import type { Configs } from '../config/service.ts'
import type { Db } from '../db/db.ts'
import { endpointsOf } from '../gateways/gateway-resource.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeKey, type WorkspaceScope } from '../resources/scope.ts'
import { attachmentRoom } from './attachments.ts'
import { linkHealth, projectSpec } from './links.ts'
import { promptReviews } from './reviews.ts'
import { servingOf } from './serving.ts'
import { tellStatuses } from './tell-statuses.ts'

/** What projects and their prompts say of themselves beyond their specs: where they are served, and whether links lead anywhere. */
export function projectRoom({
  db,
  resources,
  registry,
  configs,
  changes,
  clock,
}: {
  db: Pick<Db, 'read'>
  resources: Pick<Resources, 'addStatus' | 'addAction' | 'addVirtual' | 'addExpansion' | 'writeAll' | 'update' | 'get'>
  registry: Pick<Registry, 'list' | 'get'>
  configs: Pick<Configs, 'standing' | 'onAssigned'>
  changes: Pick<Changes, 'onChange' | 'publish' | 'status'>
  clock: Clock
}): void {
  const serving = servingOf({ registry, configs })
  resources.addStatus(projectKind.kind, statusOfProject)
  resources.addStatus(promptKind.kind, statusOfPrompt)
  resources.addStatus(promptRequestKind.kind, statusOfRequest)
  promptReviews({ resources })
  attachmentRoom({ db, resources, serving, changes })
  tellStatuses({ db, changes, configs, registry, clock })

  async function statusOfProject({ metadata, spec }: Resource): Promise<ProjectStatus> {
    const { servers = [], prompts = [] } = spec as ProjectSpec
    const scope = workspaceOf(metadata)
    const runners = serving(scope, servers)
    const gateways = runners.map(({ row, has }) => {
      const [endpoint] = endpointsOf(row)
      const url = endpoint && `${endpoint}/projects/${metadata.name}`
      return { gateway: row.name, environment: row.environment, servers: servers.filter(has).toSorted(), ...(url && { url }) }
    })
    const told = new Map(
      prompts.map(({ name, ...prompt }) => [name, { name, from: 'spec' as 'spec' | 'object', prompt: prompt as PromptSpec }]),
    )
    const rows = await db.read.resource.findMany({
      where: { scope: scopeKey({ ...scope, project: metadata.name }), kind: promptKind.kind },
      select: { name: true, spec: true },
    })
    for (const { name, spec: own } of rows) told.set(name, { name, from: 'object', prompt: JSON.parse(own) as PromptSpec })
    const all = [...told.values()]
      .map((one) => ({ ...one, priority: one.prompt.priority ?? 5 }))
      .toSorted((one, other) => other.priority - one.priority || (one.name < other.name ? -1 : 1))
    const links: ProjectStatus['links'] = []
    for (const { name, prompt } of all)
      if (prompt.link !== undefined) links.push({ prompt: name, link: prompt.link, ...(await linkHealth(db, scope, prompt.link, runners)) })
    return {
      observedGeneration: metadata.generation,
      prompts: all.map(({ name, priority, from }) => ({ name, priority, from })),
      links,
      gateways,
      conditions: [],
    }
  }

  async function statusOfPrompt({ metadata, spec }: Resource): Promise<PromptStatus> {
    const link = await healthIn(metadata, (spec as PromptSpec).link)
    return { observedGeneration: metadata.generation, ...(link && { link }) }
  }

  async function statusOfRequest({ metadata, spec }: Resource): Promise<PromptRequestStatus> {
    const scope = scopeKey({ ...workspaceOf(metadata), project: metadata.project })
    const where = { scope_kind_name: { scope, kind: promptKind.kind, name: metadata.name } }
    const rejectedFor = metadata.annotations[rejection]
    const link = await healthIn(metadata, (spec as PromptRequestSpec).link)
    return {
      observedGeneration: metadata.generation,
      state: rejectedFor === undefined ? 'open' : 'rejected',
      ...(rejectedFor !== undefined && { rejectedFor }),
      replaces: (await db.read.resource.findUnique({ where, select: { uid: true } })) !== null,
      ...(link && { link }),
    }
  }

  /** Undefined without a link. */
  async function healthIn(metadata: Resource['metadata'], link: string | undefined): Promise<LinkHealth | undefined> {
    if (link === undefined) return undefined
    const scope = workspaceOf(metadata)
    const home = await projectSpec(db, scope, metadata.project ?? '')
    return linkHealth(db, scope, link, serving(scope, home?.servers ?? []))
  }
}

const workspaceOf = ({ org = '', workspace = '' }: Resource['metadata']): WorkspaceScope => ({ org, workspace })
