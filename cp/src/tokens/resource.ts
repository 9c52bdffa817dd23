import { mcpTokenKind, type McpTokenStatus } from '@mcpg/proto/kinds/mcp-token'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Token } from './store.ts'

/** A token as an object to look at: everything but its text. */
export function tokenResource(token: Token, now: number): Resource {
  const { id, name, org, workspace, project, createdAt, updatedAt, createdBy, grants, expiresAt, lastUsedAt, revokedAt } = token
  const status: McpTokenStatus = {
    state: stateOf(token, now),
    createdBy,
    ...(lastUsedAt !== null && { lastUsedAt }),
    ...(revokedAt !== null && { revokedAt }),
  }
  return {
    kind: mcpTokenKind.kind,
    metadata: {
      name,
      uid: id,
      org,
      ...(workspace !== null && { workspace }),
      ...(project !== null && { project }),
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt,
      updatedAt,
    },
    spec: { ...(grants && { grants }), ...(expiresAt !== null && { expiresAt }) },
    status,
  }
}

export function stateOf({ revokedAt, expiresAt }: Pick<Token, 'revokedAt' | 'expiresAt'>, now: number): McpTokenStatus['state'] {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active'
}
