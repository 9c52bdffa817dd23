import { createHash } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import type { GatewayIdentity } from '../grpc/stream.ts'
import type { GatewayRow, GatewayStore } from './store.ts'

export type Registry = ReturnType<typeof gatewayRegistry>

/**
 * Every gateway in memory, by id, name and credential. This process is the only writer of the table, so what stands here is what is
 * committed; a stream is let in, and a list is answered, without asking the database.
 */
export function gatewayRegistry({ store }: { store: Pick<GatewayStore, 'listAll' | 'listTombstones'> }) {
  const byId = new Map<string, GatewayRow>()
  const standing = new Map<string, GatewayIdentity>() // by SHA-256 of the bearer
  const buried = new Set<string>()
  return {
    load,
    put,
    bury,
    get: (id: string) => byId.get(id),
    find,
    list,
    all: () => byId.values(),
    identify,
    isDeleted: (id: string) => buried.has(id),
  }

  async function load(): Promise<void> {
    for (const { id, bearerSha256 } of await store.listTombstones()) {
      buried.add(id)
      if (bearerSha256 !== null) standing.set(bearerSha256, { gatewayId: id, standing: 'deleted' })
    }
    for (const row of await store.listAll()) put(row)
  }

  /** Takes a row in, or over what was known of it; an earlier bearer is void from now on. */
  function put(row: GatewayRow): void {
    const before = byId.get(row.id)
    if (before?.bearerSha256) standing.delete(before.bearerSha256)
    byId.set(row.id, row)
    if (row.bearerSha256) standing.set(row.bearerSha256, { gatewayId: row.id, standing: standingOf(row) })
  }

  function bury(row: GatewayRow): void {
    byId.delete(row.id)
    buried.add(row.id)
    if (row.bearerSha256) standing.set(row.bearerSha256, { gatewayId: row.id, standing: 'deleted' })
  }

  /** By name, instance uid or id; a name is looked for first, then the uid. */
  function find(scope: { org: string; workspace: string; environment?: string | undefined }, word: string): GatewayRow | null {
    const rows = list(scope)
    return (
      rows.find((row) => row.name === word) ?? rows.find((row) => row.instanceUid === word) ?? rows.find((row) => row.id === word) ?? null
    )
  }

  function list({ org, workspace, environment }: { org: string; workspace: string; environment?: string | undefined }): GatewayRow[] {
    return [...byId.values()].filter(
      (row) => row.org === org && row.workspace === workspace && (environment === undefined || row.environment === environment),
    )
  }

  function identify(bearer: string): GatewayIdentity {
    const identity = standing.get(createHash('sha256').update(bearer).digest('hex'))
    if (!identity)
      throw new McpgError('unauthenticated', 'credential_unknown', 'No gateway has this credential.', {
        hint: 'enroll it again: mcpg-ctl gateway --enrollment-url <url> --re-enroll',
      })
    return identity
  }
}

function standingOf({ revokedAt, lockedAt }: GatewayRow): GatewayIdentity['standing'] {
  if (revokedAt !== null) return 'revoked'
  return lockedAt === null ? 'active' : 'locked'
}
