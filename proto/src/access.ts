/** What a caller may do to objects of a kind. */
export const verbs = ['view', 'create', 'edit', 'delete', 'run', 'expose'] as const
export type Verb = (typeof verbs)[number]

/**
 * Who may call a route or an RPC. Every one declares it; one without it stops the boot (REST) or does not compile (gRPC).
 * `on` is the plural of a kind, `operation` a right that belongs to no kind.
 */
export type Access = 'public' | 'signed-in' | 'gateway' | { verb: Verb; on: string } | { operation: string }

/** Everything that answers without sign-in; the console's files and `/metrics` for loopback peers come on top. */
export const publicRoutes: readonly string[] = [
  '/healthz',
  '/readyz',
  '/v1/version',
  '/v1/ca-cert.pem',
  '/v1/auth/status',
  '/enroll/:token',
]
