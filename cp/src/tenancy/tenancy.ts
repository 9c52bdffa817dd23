import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { defaultScope, type CreateTenancy, type Tenancy } from '@mcpg/proto/rest/tenancy'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Reads, Tx } from '../db/db.ts'

export type OrgPath = { org: string }
export type WorkspacePath = { org: string; workspace: string }
export type EnvironmentPath = { org: string; workspace: string; environment: string }

export type Tenancies = ReturnType<typeof tenancyService>

/** Organizations, workspaces and environments: the path on which everything else lives. */
export function tenancyService({ db, audit, clock }: { db: Db; audit: Audit; clock: Clock }) {
  return {
    ensureDefaults,
    requireWorkspace,
    requireEnvironment,
    orgs: { list: listOrgs, get: getOrg, create: createOrg, remove: removeOrg },
    workspaces: { list: listWorkspaces, get: getWorkspace, create: createWorkspace, remove: removeWorkspace },
    environments: { list: listEnvironments, get: getEnvironment, create: createEnvironment, remove: removeEnvironment },
  }

  /** default/default/default exists from the first start, and again after a start without any organization. */
  async function ensureDefaults(): Promise<void> {
    if ((await db.read.org.count()) > 0) return
    const createdAt = now()
    const { org, workspace, environment } = defaultScope
    await db.write(async (tx) => {
      await tx.org.create({ data: { name: org, createdAt } })
      await tx.workspace.create({ data: { org, name: workspace, createdAt } })
      await tx.environment.create({ data: { org, workspace, name: environment, createdAt } })
    })
  }

  /** Throws not_found for the first part of the path that does not exist. */
  async function requireWorkspace(path: WorkspacePath, from: Pick<Reads, 'org' | 'workspace'> = db.read): Promise<void> {
    await workspaceRow(path, from)
  }

  /** The same down to the environment. */
  async function requireEnvironment(
    path: EnvironmentPath,
    from: Pick<Reads, 'org' | 'workspace' | 'environment'> = db.read,
  ): Promise<void> {
    await environmentRow(path, from)
  }

  async function workspaceRow({ org, workspace }: WorkspacePath, from: Pick<Reads, 'org' | 'workspace'> = db.read): Promise<Row> {
    const found = await from.workspace.findUnique({ where: { org_name: { org, name: workspace } } })
    if (found) return found
    if (!(await from.org.findUnique({ where: { name: org } }))) throw unknown('org', org)
    throw unknown('workspace', `${org}/${workspace}`)
  }

  async function environmentRow(path: EnvironmentPath, from: Pick<Reads, 'org' | 'workspace' | 'environment'> = db.read): Promise<Row> {
    const { org, workspace, environment } = path
    const found = await from.environment.findUnique({ where: { org_workspace_name: { org, workspace, name: environment } } })
    if (found) return found
    await workspaceRow(path, from)
    throw unknown('environment', `${org}/${workspace}/${environment}`)
  }

  async function listOrgs(caller: Caller): Promise<Tenancy[]> {
    const names = caller.visible('view', 'orgs')
    const where = names === 'all' ? {} : { name: { in: [...names] } }
    return (await db.read.org.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getOrg(_caller: Caller, { org }: OrgPath): Promise<Tenancy> {
    const found = await db.read.org.findUnique({ where: { name: org } })
    if (!found) throw unknown('org', org)
    return shown(found)
  }

  async function createOrg(caller: Caller, body: CreateTenancy): Promise<Tenancy> {
    return created('org', body.name, async (tx) => {
      const row = await tx.org.create({ data: { ...body, createdAt: now() } })
      await audit.record(tx, caller, 'org.create', { org: body.name, kind: 'Org', name: body.name })
      return row
    })
  }

  async function removeOrg(caller: Caller, { org }: OrgPath): Promise<void> {
    await db.write(async (tx) => {
      refuseUsed('org', org, { workspaces: await tx.workspace.count({ where: { org } }) })
      if ((await tx.org.deleteMany({ where: { name: org } })).count === 0) throw unknown('org', org)
      await audit.record(tx, caller, 'org.delete', { org, kind: 'Org', name: org })
    })
  }

  async function listWorkspaces(caller: Caller, { org }: OrgPath): Promise<Tenancy[]> {
    await getOrg(caller, { org })
    const names = caller.visible('view', 'workspaces')
    const where = names === 'all' ? { org } : { org, name: { in: [...names] } }
    return (await db.read.workspace.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getWorkspace(_caller: Caller, path: WorkspacePath): Promise<Tenancy> {
    return shown(await workspaceRow(path))
  }

  async function createWorkspace(caller: Caller, { org }: OrgPath, body: CreateTenancy): Promise<Tenancy> {
    return created('workspace', `${org}/${body.name}`, async (tx) => {
      if ((await tx.org.count({ where: { name: org } })) === 0) throw unknown('org', org)
      const row = await tx.workspace.create({ data: { ...body, org, createdAt: now() } })
      await audit.record(tx, caller, 'workspace.create', { org, workspace: body.name, kind: 'Workspace', name: body.name })
      return row
    })
  }

  async function removeWorkspace(caller: Caller, { org, workspace }: WorkspacePath): Promise<void> {
    await db.write(async (tx) => {
      const where = { org, workspace }
      refuseUsed('workspace', `${org}/${workspace}`, {
        environments: await tx.environment.count({ where }),
        objects: await tx.resource.count({ where: { scope: `${org}/${workspace}` } }),
        gateways: await tx.gateway.count({ where }),
      })
      if ((await tx.workspace.deleteMany({ where: { org, name: workspace } })).count === 0)
        throw unknown('workspace', `${org}/${workspace}`)
      await audit.record(tx, caller, 'workspace.delete', { org, workspace, kind: 'Workspace', name: workspace })
    })
  }

  async function listEnvironments(caller: Caller, path: WorkspacePath): Promise<Tenancy[]> {
    await requireWorkspace(path)
    const names = caller.visible('view', 'environments')
    const where = names === 'all' ? path : { ...path, name: { in: [...names] } }
    return (await db.read.environment.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getEnvironment(_caller: Caller, path: EnvironmentPath): Promise<Tenancy> {
    return shown(await environmentRow(path))
  }

  async function createEnvironment(caller: Caller, { org, workspace }: WorkspacePath, body: CreateTenancy): Promise<Tenancy> {
    return created('environment', `${org}/${workspace}/${body.name}`, async (tx) => {
      await requireWorkspace({ org, workspace }, tx)
      const row = await tx.environment.create({ data: { ...body, org, workspace, createdAt: now() } })
      await audit.record(tx, caller, 'environment.create', { org, workspace, kind: 'Environment', name: body.name })
      return row
    })
  }

  async function removeEnvironment(caller: Caller, { org, workspace, environment }: EnvironmentPath): Promise<void> {
    const path = `${org}/${workspace}/${environment}`
    await db.write(async (tx) => {
      const where = { org, workspace, environment }
      const openEnrollments = { ...where, revokedAt: null, expiresAt: { gt: now() } }
      refuseUsed('environment', path, {
        gateways: await tx.gateway.count({ where }),
        'open enrollments': await tx.enrollment.count({ where: openEnrollments }),
      })
      if ((await tx.environment.deleteMany({ where: { org, workspace, name: environment } })).count === 0)
        throw unknown('environment', path)
      await audit.record(tx, caller, 'environment.delete', { org, workspace, kind: 'Environment', name: environment })
    })
  }

  async function created(noun: string, path: string, insert: (tx: Tx) => Promise<Row>): Promise<Tenancy> {
    try {
      return shown(await db.write(insert))
    } catch (error) {
      if ((error as { code?: string }).code !== 'P2002') throw error
      throw new McpgError('conflict', 'already_exists', `The ${noun} ${path} exists already.`)
    }
  }

  function now(): string {
    return new Date(clock.now()).toISOString()
  }
}

type Row = { name: string; displayName: string | null; createdAt: string }

const shown = ({ name, displayName, createdAt }: Row): Tenancy => ({ name, ...(displayName === null ? {} : { displayName }), createdAt })

function unknown(noun: 'org' | 'workspace' | 'environment', path: string): McpgError {
  const above = path.split('/').slice(0, -1)
  const list = ['/v1/orgs', '/workspaces', '/environments'].map((part, index) => `${part}${above[index] ? `/${above[index]}` : ''}`)
  return new McpgError('not_found', `${noun}_unknown`, `There is no ${noun} ${path}.`, {
    hint: `name another with --${noun} (MCPG_${noun.toUpperCase()}); GET ${list.slice(0, above.length + 1).join('')} lists those there are`,
  })
}

function refuseUsed(noun: string, path: string, counts: Record<string, number>): void {
  const held = Object.entries(counts).filter(([, count]) => count > 0)
  if (held.length === 0) return
  const what = held.map(([name, count]) => `${count} ${count === 1 ? name.replace(/s$/, '') : name}`).join(', ')
  throw new McpgError('conflict', 'not_empty', `The ${noun} ${path} is not empty: ${what}.`, { hint: 'Delete those first.' })
}
