import type { Grant } from '@mcpg/proto/grants'

/** Who signed in, before it is decided what they may do. `grants` of a token: null for all that its owner holds. */
export type Principal =
  | { kind: 'user'; accountId: string; email: string; groups: readonly string[]; platformAdmin: boolean }
  | { kind: 'serviceaccount'; org: string; name: string }
  | { kind: 'token'; tokenId: string; owner: Principal; grants: readonly Grant[] | null }

/** The sign-in behind a cookie; times in RFC 3339. */
export type SessionFacts = { idSha256: string; accountId: string; createdAt: string; expiresAt: string; idleUntil: string }

/** What a request shows of who makes it. */
export type Presented = { method: string; headers: Record<string, string | string[] | undefined> }
/** `impersonator` is who signed in, where they act for `principal`. */
export type Authenticated = { principal: Principal; session: SessionFacts | null; impersonator?: Principal | undefined }
/** Null for a request that shows nothing; throws for one that shows what does not hold. */
export type Authenticate = (request: Presented) => Promise<Authenticated | null>
