import { z } from 'zod'

/** Ed25519 signs this, then `accessSignedPart`. */
export const accessSignaturePrefix = 'mcpg-access-v1\0'

/** Who may reach the endpoints of an environment without a token: `auto` on loopback only, `required` nobody, `open` everybody. */
export const endpointAuths = ['auto', 'required', 'open'] as const
export type EndpointAuth = (typeof endpointAuths)[number]

/**
 * A right to call, in the workspace of the document: at its gateways, only those of one environment, or only through one project. On
 * `servers` all that a server offers, on `tools` (by the names that clients use) these alone, on `projects` all that they show at their
 * own paths, on `*` all of these.
 */
export const AccessGrant = z.strictObject({
  environment: z.string().optional(),
  project: z.string().optional(),
  on: z.enum(['servers', 'tools', 'projects', '*']),
  names: z.array(z.string()).optional(),
})
export type AccessGrant = z.infer<typeof AccessGrant>

const Token = z.strictObject({
  id: z.string(),
  /** Whose it is, for the audit trail. */
  subject: z.string(),
  /** Milliseconds since 1970; none: never. */
  expires: z.number().int().optional(),
  /** Key of `grants`. */
  grants: z.string(),
})
export type AccessToken = z.infer<typeof Token>

const Person = z.strictObject({
  /** Their e-mail, for the audit trail. */
  subject: z.string(),
  /** Key of `grants`. */
  grants: z.string(),
  /** Milliseconds since 1970: when they signed out everywhere. What their issuer made until then does not count. */
  signedOut: z.number().int().optional(),
})
export type AccessPerson = z.infer<typeof Person>

const Issuer = z.strictObject({
  /** Whom its tokens may be made for. */
  audiences: z.array(z.string()),
  /** Public keys as JWK, their texts only. */
  keys: z.array(z.record(z.string(), z.string())),
})
export type AccessIssuer = z.infer<typeof Issuer>

const Environment = z.strictObject({
  endpointAuth: z.enum(endpointAuths),
  /** How long a gateway without its control plane goes by this document, in milliseconds; none: for ever. */
  maxAgeMs: z.number().int().positive().optional(),
})
export type AccessEnvironment = z.infer<typeof Environment>

/** The SHA-256 (base64url) of this is the key of somebody whom an issuer vouches for. */
export const accessPersonText = (issuer: string, subject: string): string => JSON.stringify([issuer, subject])

/**
 * Who may call at the gateways of one workspace. Tokens by the SHA-256 of their text (base64url), people by that of `accessPersonText`,
 * issuers by the `iss` of their tokens, rights once for all who have the same. A delta has what is new or another (all issuers, where one
 * is another), and in `removed` the tokens and people who no longer count.
 */
export const AccessDocument = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  tokens: z.record(z.string(), Token),
  grants: z.record(z.string(), z.array(AccessGrant)),
  environments: z.record(z.string(), Environment),
  people: z.record(z.string(), Person).optional(),
  issuers: z.record(z.string(), Issuer).optional(),
  removed: z.array(z.string()).optional(),
})
export type AccessDocument = z.infer<typeof AccessDocument>

/** What the signature of an offer is over, behind its prefix: gateway, version, base version, SHA-256 of the document. */
export function accessSignedPart({
  gatewayId,
  version,
  baseVersion,
  documentSha256,
}: {
  gatewayId: string
  version: bigint
  baseVersion: bigint
  documentSha256: Uint8Array
}): Uint8Array {
  const id = new TextEncoder().encode(gatewayId)
  const bytes = new Uint8Array(2 + id.length + 16 + documentSha256.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, id.length)
  bytes.set(id, 2)
  view.setBigUint64(2 + id.length, version)
  view.setBigUint64(10 + id.length, baseVersion)
  bytes.set(documentSha256, 18 + id.length)
  return bytes
}
