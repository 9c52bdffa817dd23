import { z } from 'zod'
import { verbs } from '../access.ts'
import { endpointAuths } from '../access-document.ts'
import { Duration, durationMs } from '../durations.ts'
import { operations } from '../grants.ts'
import { TokenGrant } from '../kinds/mcp-token.ts'
import { Name } from '../names.ts'

/** How long a token lasts: a duration, `never`, or a time of RFC 3339. Whether that has passed is known to the control plane. */
export const Ttl = z.union([Duration, z.literal('never'), z.iso.datetime({ offset: true })], {
  error: 'must be a duration such as 30d, never, or a time such as 2027-01-31T12:00:00Z',
})

/** One right to give: a verb on the objects of a kind (its plural, or `*`), optionally on one of them, or an operation. */
export const Binding = z.union([
  z.strictObject({ role: z.enum(verbs), resource: z.string().min(1).max(63), name: z.string().min(1).max(253).optional() }),
  z.strictObject({ operation: z.enum(operations) }),
])
export type Binding = z.infer<typeof Binding>

const common = { name: Name, ttl: Ttl.default('30d'), bind: z.array(Binding).max(100).optional() }

/** A token of the caller, or of a service account. Without `bind` it may do what its owner may do in the organization, now and later. */
export const CreateToken = z.strictObject({
  ...common,
  serviceAccount: Name.optional().describe('Whose token it is; none: that of the caller'),
  workspace: Name.optional().describe('Where the rights of `bind` are held; none: in the whole organization'),
})
export type CreateToken = z.infer<typeof CreateToken>

/**
 * A token of an MCP client. `empty` begins with the use of the servers of the project, `clone` with all that the caller may do in the
 * project; a `run` in `bind` takes the place of the former. `force` replaces a token of the same name, which stops at once.
 */
export const CreateMcpToken = z.strictObject({
  ...common,
  rbac: z.enum(['empty', 'clone']).default('empty'),
  force: z.boolean().default(false),
})
export type CreateMcpToken = z.infer<typeof CreateMcpToken>

/** How clients get into the endpoints of an environment, and how long a gateway that is cut off goes by what it knew then. */
export const EndpointAccess = z.strictObject({
  endpointAuth: z
    .enum(endpointAuths)
    .describe('auto: without a token on loopback only; required: never; open: where the gateway allows it, too'),
  maxAccessAge: Duration.refine((text) => durationMs(text) >= 1000, 'must be 1s at least')
    .optional()
    .describe('None: for ever'),
})
export type EndpointAccess = z.infer<typeof EndpointAccess>

/** Answered once: the text stands in `token` and nowhere else. */
export const CreatedToken = z.object({
  name: z.string(),
  id: z.string(),
  project: z.string().optional(),
  token: z.string(),
  expiresAt: z.string().optional(),
})
export type CreatedToken = z.infer<typeof CreatedToken>

export const IntrospectRequest = z.strictObject({ token: z.string().min(1).max(512) })

/** Only `active: false` of a token that is unknown, void, or none of the caller's business. `grants` are those in force now. */
export const Introspection = z.object({
  active: z.boolean(),
  name: z.string().optional(),
  id: z.string().optional(),
  subject: z.string().optional(),
  org: z.string().optional(),
  workspace: z.string().optional(),
  project: z.string().optional(),
  expiresAt: z.string().optional(),
  grants: z.array(TokenGrant).optional(),
})
export type Introspection = z.infer<typeof Introspection>

/** The one shape of tokens, for scanners and redaction: prefix, 32 random bytes, CRC32. */
export const tokenPattern = /^mcpg_pat_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{6}$/
