import type { Clock } from '@mcpg/core/clock'
import type { Place } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { defaultScope, type CreateTenancy, type Tenancy } from '@mcpg/proto/rest/tenancy'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Reads, Tx } from '../db/db.ts'
import { contentsOf, refuseUsed } from './contents.ts'

export type OrgPath = { org: string }
export type WorkspacePath = { org: string; workspace: string }
export type EnvironmentPath = { org: string; workspace: string; environment: string }

export type Tenancies = ReturnType<typeof tenancyService>

/** Organizations, workspaces and environments: the path on which everything else lives. */
export function tenancyService({ db, audit, clock }: { db: Db; audit: Audit; clock: Clock }) {
  return {
    ensureDefaults,
    requireScope,
    requireWorkspace,
    requireEnvironment,
    requireVisibleOrg,
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

  /** The same for an organization alone, where no workspace is named. */
  async function requireScope({ org, workspace }: { org: string; workspace?: string | undefined }): Promise<void> {
    if (workspace !== undefined) await workspaceRow({ org, workspace })
    else if (!(await db.read.org.findUnique({ where: { name: org } }))) throw unknown('org', org)
  }

  /** The same down to the environment. */
  async function requireEnvironment(
    path: EnvironmentPath,
    from: Pick<Reads, 'org' | 'workspace' | 'environment'> = db.read,
  ): Promise<void> {
    await environmentRow(path, from)
  }

  /** Whoever sees nothing in an organization is not told whether it is there. */
  async function requireVisibleOrg(caller: Caller, org: string): Promise<void> {
    const names = caller.visible('view', 'orgs', {})
    if (names !== 'all' && !names.includes(org))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may do nothing in the organization ${org}.`, {
        hint: 'mcpg-ctl can-i --list',
      })
    await getOrg(caller, { org })
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
    const names = caller.visible('view', 'orgs', {})
    const where = names === 'all' ? {} : { name: { in: [...names] } }
    return (await db.read.org.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getOrg(_caller: Caller, { org }: OrgPath): Promise<Tenancy> {
    const found = await db.read.org.findUnique({ where: { name: org } })
    if (!found) throw unknown('org', org)
    return shown(found)
  }

  async function createOrg(caller: Caller, body: CreateTenancy): Promise<Tenancy> {
    refuseName(caller, 'orgs', {}, body.name)
    return created('org', body.name, async (tx) => {
      const row = await tx.org.create({ data: { ...body, createdAt: now() } })
      await audit.record(tx, caller, 'org.create', { org: body.name, kind: 'Org', name: body.name })
      return row
    })
  }

  async function removeOrg(caller: Caller, { org }: OrgPath): Promise<void> {
    await db.write(async (tx) => {
      refuseUsed('org', org, await contentsOf(caller, tx, { org }, now()))
      if ((await tx.org.deleteMany({ where: { name: org } })).count === 0) throw unknown('org', org)
      await tx.quota.deleteMany({ where: { org } })
      await tx.domain.deleteMany({ where: { org } })
      await audit.record(tx, caller, 'org.delete', { org, kind: 'Org', name: org })
    })
  }

  async function listWorkspaces(caller: Caller, { org }: OrgPath): Promise<Tenancy[]> {
    await getOrg(caller, { org })
    const names = caller.visible('view', 'workspaces', { org })
    const where = names === 'all' ? { org } : { org, name: { in: [...names] } }
    return (await db.read.workspace.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getWorkspace(_caller: Caller, path: WorkspacePath): Promise<Tenancy> {
    return shown(await workspaceRow(path))
  }

  async function createWorkspace(caller: Caller, { org }: OrgPath, body: CreateTenancy): Promise<Tenancy> {
    refuseName(caller, 'workspaces', { org }, body.name)
    return created('workspace', `${org}/${body.name}`, async (tx) => {
      if ((await tx.org.count({ where: { name: org } })) === 0) throw unknown('org', org)
      const row = await tx.workspace.create({ data: { ...body, org, createdAt: now() } })
      await audit.record(tx, caller, 'workspace.create', { org, workspace: body.name, kind: 'Workspace', name: body.name })
      return row
    })
  }

  async function removeWorkspace(caller: Caller, { org, workspace }: WorkspacePath): Promise<void> {
    await db.write(async (tx) => {
      const path = `${org}/${workspace}`
      refuseUsed('workspace', path, await contentsOf(caller, tx, { org, workspace }, now()))
      if ((await tx.workspace.deleteMany({ where: { org, name: workspace } })).count === 0) throw unknown('workspace', path)
      await audit.record(tx, caller, 'workspace.delete', { org, workspace, kind: 'Workspace', name: workspace })
    })
  }

  async function listEnvironments(caller: Caller, path: WorkspacePath): Promise<Tenancy[]> {
    await requireWorkspace(path)
    const names = caller.visible('view', 'environments', path)
    const where = names === 'all' ? path : { ...path, name: { in: [...names] } }
    return (await db.read.environment.findMany({ where, orderBy: { name: 'asc' } })).map(shown)
  }

  async function getEnvironment(_caller: Caller, path: EnvironmentPath): Promise<Tenancy> {
    return shown(await environmentRow(path))
  }

  async function createEnvironment(caller: Caller, { org, workspace }: WorkspacePath, body: CreateTenancy): Promise<Tenancy> {
    refuseName(caller, 'environments', { org, workspace }, body.name)
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
      refuseUsed('environment', path, await contentsOf(caller, tx, { org, workspace, environment }, now()))
      if ((await tx.environment.deleteMany({ where: { org, workspace, name: environment } })).count === 0)
        throw unknown('environment', path)
      await tx.quota.deleteMany({ where: { org, workspace, environment } })
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

/** The route asked before the name was known. */
function refuseName(caller: Caller, on: string, place: Place, name: string): void {
  if (caller.can({ verb: 'create', on }, place, name)) return
  throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not create ${name} among the ${on}.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}

type Row = { name: string; displayName: string | null; createdAt: string }

const shown = ({ name, displayName, createdAt }: Row): Tenancy => ({ name, ...(displayName === null ? {} : { displayName }), createdAt })

function unknown(noun: 'org' | 'workspace' | 'environment', path: string): McpgError {
  const [org, workspace] = path.split('/').slice(0, -1)
  const place = `${org === undefined ? '' : ` --org ${org}`}${workspace === undefined ? '' : ` --workspace ${workspace}`}`
  return new McpgError('not_found', `${noun}_unknown`, `There is no ${noun} ${path}.`, {
    hint: `name another with --${noun} (MCPG_${noun.toUpperCase()}); mcpg-ctl get ${noun}s${place} lists those there are`,
  })
}
