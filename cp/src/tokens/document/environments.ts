import { McpgError } from '@mcpg/proto/errors'
import type { AccessEnvironment, EndpointAuth } from '@mcpg/proto/access-document'
import type { EndpointAccess } from '@mcpg/proto/rest/tokens'
import type { Caller } from '../../access/caller.ts'
import type { Audit } from '../../audit/audit.ts'
import type { Db } from '../../db/db.ts'
import { durationMs } from '@mcpg/proto/durations'
import type { WorkspacePath } from './entries.ts'

export type EnvironmentPath = WorkspacePath & { environment: string }
export type EndpointAccesses = ReturnType<typeof endpointAccesses>

/** How clients get into the endpoints of each environment. */
export function endpointAccesses({
  db,
  audit,
  changed,
}: {
  db: Pick<Db, 'read' | 'write'>
  audit: Pick<Audit, 'record'>
  changed: (path: WorkspacePath) => void
}) {
  return { get, put, ofWorkspace }

  async function get({ org, workspace, environment }: EnvironmentPath): Promise<EndpointAccess> {
    const row = await db.read.environment.findUnique({ where: { org_workspace_name: { org, workspace, name: environment } } })
    if (!row) throw unknown(environment)
    return shown(row)
  }

  async function put(caller: Caller, path: EnvironmentPath, { endpointAuth, maxAccessAge }: EndpointAccess): Promise<EndpointAccess> {
    const { org, workspace, environment: name } = path
    const data = { endpointAuth, maxAccessAgeMs: maxAccessAge === undefined ? null : durationMs(maxAccessAge) }
    await db.write(async (tx) => {
      if ((await tx.environment.updateMany({ where: { org, workspace, name }, data })).count === 0) throw unknown(name)
      await audit.record(tx, caller, 'environment.endpoint-access', { org, workspace, kind: 'Environment', name, detail: data })
    })
    changed(path)
    return await get(path)
  }

  async function ofWorkspace({ org, workspace }: WorkspacePath): Promise<Record<string, AccessEnvironment>> {
    const rows = await db.read.environment.findMany({ where: { org, workspace }, orderBy: { name: 'asc' } })
    return Object.fromEntries(
      rows.map(({ name, endpointAuth, maxAccessAgeMs }) => [
        name,
        { endpointAuth: endpointAuth as EndpointAuth, ...(maxAccessAgeMs !== null && { maxAgeMs: Number(maxAccessAgeMs) }) },
      ]),
    )
  }
}

function shown({ endpointAuth, maxAccessAgeMs }: { endpointAuth: string; maxAccessAgeMs: bigint | null }): EndpointAccess {
  return {
    endpointAuth: endpointAuth as EndpointAuth,
    ...(maxAccessAgeMs !== null && { maxAccessAge: `${Number(maxAccessAgeMs) / 1000}s` }),
  }
}

const unknown = (name: string): McpgError => new McpgError('not_found', 'environment_unknown', `There is no environment ${name}.`)
