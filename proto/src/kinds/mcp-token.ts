import { z } from 'zod'
import { verbs } from '../access.ts'
import type { KindDeclaration, Resource } from './kind.ts'

const Place = z.object({
  org: z.string().optional(),
  workspace: z.string().optional(),
  environment: z.string().optional(),
  project: z.string().optional(),
})

/** A right as `proto/src/grants.ts` has it. */
export const TokenGrant = z.union([
  z.object({ place: Place, verbs: z.array(z.enum(verbs)), on: z.string(), names: z.array(z.string()).optional() }),
  z.object({ place: Place, operations: z.array(z.string()) }),
])

/** A token never shows its text: that leaves once, in the answer to its creation. Without `grants`: all that its owner may do. */
export const McpTokenSpec = z.object({
  grants: z.array(TokenGrant).optional(),
  expiresAt: z.string().optional(),
})
export type McpTokenSpec = z.infer<typeof McpTokenSpec>

export const tokenStates = ['active', 'expired', 'revoked'] as const

export const McpTokenStatus = z.object({
  state: z.enum(tokenStates),
  createdBy: z.string(),
  lastUsedAt: z.string().optional(),
  revokedAt: z.string().optional(),
})
export type McpTokenStatus = z.infer<typeof McpTokenStatus>

const spec = (resource: Resource) => resource.spec as McpTokenSpec
const status = (resource: Resource) => resource.status as Partial<McpTokenStatus>

export const mcpTokenKind: KindDeclaration = {
  kind: 'McpToken',
  plural: 'tokens',
  aliases: ['mcptoken', 'mcptokens', 'token'],
  scope: 'project',
  virtual: true,
  description: 'A bearer by which an MCP client uses a project. It may never do more than whoever made it.',
  specVersion: 1,
  spec: McpTokenSpec,
  status: McpTokenStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'project', value: (resource) => resource.metadata.project ?? '' },
    { name: 'state', value: (resource) => status(resource).state ?? '' },
    { name: 'expires', value: (resource) => spec(resource).expiresAt ?? 'never' },
    { name: 'last used', value: (resource) => status(resource).lastUsedAt ?? 'never' },
    { name: 'created by', value: (resource) => status(resource).createdBy ?? '' },
  ],
  actions: {
    revoke: { access: { verb: 'delete', on: 'tokens' }, description: 'Stops the token for ever and keeps its row' },
  },
  upgrade: (stored) => stored,
}
