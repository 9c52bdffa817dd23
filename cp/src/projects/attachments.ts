import { McpgError, type Violation } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { projectKind, type ProjectSpec } from '@mcpg/proto/kinds/project'
import { serverAttachmentKind, type ServerAttachmentStatus } from '@mcpg/proto/kinds/server-attachment'
import { nameProblems } from '@mcpg/proto/kinds/kind'
import type { Caller } from '../access/caller.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import { invalid } from '../http/problems.ts'
import { isRecord } from '../resources/differ.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeKey, type Scope, type WorkspaceScope } from '../resources/scope.ts'
import type { VirtualKind } from '../resources/virtual.ts'
import type { ServingOf } from './serving.ts'

/** The servers of projects as objects: a view of the field `servers` of each project, which applying and deleting change. */
export function attachmentRoom({
  db,
  resources,
  serving,
  changes,
}: {
  db: Pick<Db, 'read'>
  changes: Pick<Changes, 'onChange' | 'publish'>
  resources: Pick<Resources, 'addVirtual' | 'addExpansion' | 'update' | 'get'>
  serving: ServingOf
}): void {
  const kind: VirtualKind<Scope> = {
    declaration: serverAttachmentKind,
    list: async (_caller, scope) => (await projectsIn(scope)).flatMap(attachmentsOf),
    get: async (_caller, scope, name) =>
      (await projectsIn(scope)).flatMap(attachmentsOf).find(({ metadata }) => metadata.name === name) ?? null,
    delete: detach,
  }
  /** By the uid of a project: what was told of it last. Whoever watches has begun with a list. */
  const told = new Map<string, Resource[]>()
  resources.addVirtual(kind)
  resources.addExpansion(attach)
  changes.onChange(({ kind: changed, type, object }) => {
    if (changed === projectKind.kind && type !== 'STATUS' && object) tell(object, type === 'DELETED')
  })

  function tell({ metadata, spec }: Resource, isGone: boolean): void {
    const before = told.get(metadata.uid)
    const { org = '', workspace = '', name: project } = metadata
    const servers = isGone ? [] : ((spec as ProjectSpec).servers ?? [])
    const after = servers.map((server) => attachmentOf({ ...metadata, org, workspace }, server, []))
    if (isGone) told.delete(metadata.uid)
    else told.set(metadata.uid, after)
    if (!before && metadata.generation > 1) return
    const scope = scopeKey({ org, workspace, project })
    const publish = (type: 'ADDED' | 'DELETED', object: Resource) =>
      changes.publish({ type, scope, kind: serverAttachmentKind.kind, name: object.metadata.name, object })
    const names = (list: Resource[]) => new Set(list.map(({ metadata: { name } }) => name))
    const [were, are] = [names(before ?? []), names(after)]
    for (const one of before ?? []) if (!are.has(one.metadata.name)) publish('DELETED', one)
    for (const one of after) if (!were.has(one.metadata.name)) publish('ADDED', one)
  }

  async function projectsIn({ org, workspace, project }: Scope) {
    const where = { scope: scopeKey({ org, workspace }), kind: projectKind.kind, ...(project !== undefined && { name: project }) }
    const rows = await db.read.resource.findMany({ where, orderBy: { name: 'asc' } })
    return rows.map((row) => ({ ...row, org, workspace: workspace ?? '', servers: (JSON.parse(row.spec) as ProjectSpec).servers ?? [] }))
  }

  function attachmentsOf({ spec: _spec, servers, ...project }: Awaited<ReturnType<typeof projectsIn>>[number]): Resource[] {
    const { org, workspace } = project
    const runners = serving({ org, workspace }, servers)
    const all = servers.map((server) => {
      const gateways = runners.filter(({ has }) => has(server)).map(({ row }) => row.name)
      return attachmentOf({ ...project, resourceVersion: String(project.resourceVersion) }, server, gateways)
    })
    told.set(project.uid, all)
    return all
  }

  async function detach(caller: Caller, { org, workspace = '', project = '' }: Scope, server: string): Promise<void> {
    const scope: WorkspaceScope = { org, workspace }
    if (!caller.can({ verb: 'edit', on: projectKind.plural }, scope, project))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not edit the project ${project}.`)
    await resources.update(caller, projectKind, scope, project, { verb: 'detach' }, ({ metadata, spec }) => {
      const { servers = [], serverOverrides, ...others } = spec as ProjectSpec
      const { [server]: _, ...overrides } = serverOverrides ?? {}
      const { name, labels, annotations } = metadata
      return {
        metadata: { name, labels, annotations },
        spec: { ...others, servers: servers.filter((one) => one !== server), ...(serverOverrides && { serverOverrides: overrides }) },
      }
    })
  }

  /** The request with the projects that its attachments change in their place, at its end. */
  async function attach(caller: Caller, scope: Scope, objects: unknown[]): Promise<unknown[]> {
    const isAttachment = (object: unknown) => isRecord(object) && /^(serverattachments?|sa)$/i.test(String(object.kind))
    if (!objects.some(isAttachment)) return objects
    const violations: Violation[] = []
    const wanted = new Map<string, string[]>()
    for (const [index, object] of objects.entries()) {
      if (!isAttachment(object)) continue
      const { metadata } = object as Record<string, unknown>
      const { name, project } = isRecord(metadata) ? metadata : {}
      const at = `/objects/${index}/metadata`
      if (typeof name !== 'string' || nameProblems(serverAttachmentKind, name).length > 0)
        violations.push({ pointer: `${at}/name`, detail: 'must be the name of a server' })
      else if (typeof project !== 'string')
        violations.push({ pointer: `${at}/project`, detail: 'is missing: the project that gets the server' })
      else wanted.set(project, [...(wanted.get(project) ?? []), name])
    }
    if (violations.length > 0) throw invalid(violations)
    const rest = objects.filter((object) => !isAttachment(object))
    for (const [project, servers] of wanted) {
      const index = rest.findIndex((object) => isProject(object, project))
      if (index >= 0) rest[index] = withServers(rest[index] as Resource, servers)
      else {
        const { kind: word, metadata, spec } = await resources.get(caller, projectKind, scope, project)
        const { name, labels, annotations, resourceVersion } = metadata
        // What is attached to is what was read.
        rest.push(withServers({ kind: word, metadata: { name, labels, annotations, resourceVersion }, spec }, servers))
      }
    }
    return rest
  }
}

type Named = Pick<Resource['metadata'], 'uid' | 'name' | 'generation' | 'resourceVersion' | 'createdAt' | 'updatedAt'> & WorkspaceScope

function attachmentOf(project: Named, server: string, gateways: string[]): Resource {
  const { uid, name, org, workspace, generation, resourceVersion, createdAt, updatedAt } = project
  const status: ServerAttachmentStatus = { gateways }
  return {
    kind: serverAttachmentKind.kind,
    metadata: {
      name: server,
      uid: `${uid}/${server}`,
      org,
      workspace,
      project: name,
      labels: {},
      annotations: {},
      generation,
      resourceVersion,
      createdAt,
      updatedAt,
    },
    spec: {},
    status,
  }
}

const isProject = (object: unknown, name: string): boolean =>
  isRecord(object) && String(object.kind).toLowerCase() === 'project' && isRecord(object.metadata) && object.metadata.name === name

function withServers<Sent extends { spec: Record<string, unknown> }>(project: Sent, names: string[]): Sent {
  const { servers = [] } = project.spec as ProjectSpec
  return { ...project, spec: { ...project.spec, servers: [...new Set([...servers, ...names])] } }
}
